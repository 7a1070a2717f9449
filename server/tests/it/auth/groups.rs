//! What somebody may do follows from the groups that their last sign-in told, and from nothing else that it said.

use super::{provider::person, site::Site};
use domain::{
    contributor::keys,
    people::{Groups, Level, LevelNow, Role, Source},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use store::people;
use time::Duration;

const MAX_AGE: Duration = Duration::hours(12);

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_sign_in_grants_what_the_groups_say_and_the_next_takes_it_back(pool: PgPool) {
    let site = Site::new(pool).await;
    site.signed_in("ben").await;
    let ben = site.only_person().await;
    assert_eq!(
        ben.level(site.db.now(), MAX_AGE),
        LevelNow::Known(Level::Senior)
    );
    assert_eq!(ben.teams(site.db.now(), MAX_AGE), ["payments"]);

    site.provider
        .person(with_groups(json!(["eng-mid", "countersign-admins"])));
    site.browser().sign_in("/").await;
    let ben = site.only_person().await;
    assert_eq!(
        ben.level(site.db.now(), MAX_AGE),
        LevelNow::Known(Level::Mid)
    );
    assert!(ben.teams(site.db.now(), MAX_AGE).is_empty());
    assert!(ben.is(Role::Admin, site.db.now(), MAX_AGE));
    let facts: i64 = sqlx::query_scalar("select count(*) from person_fact")
        .fetch_one(&site.owner)
        .await
        .unwrap();
    assert_eq!(facts, 4, "what was is kept");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn without_whole_groups_there_is_no_level(pool: PgPool) {
    let site = Site::new(pool).await;
    let mut truncated = with_groups(json!(["eng-senior"]));
    truncated["_claim_names"] = json!({ "groups": "src1" });
    let mut missing = person("ben");
    missing.as_object_mut().unwrap().remove("groups");
    for (claims, groups) in [(missing, Groups::Missing), (truncated, Groups::Truncated)] {
        site.signed_in("ben").await;
        assert_ne!(
            site.only_person().await.level(site.db.now(), MAX_AGE),
            LevelNow::None
        );
        // A new sign-in is later than the one before.
        site.pass(Duration::SECOND);
        site.provider.person(claims);
        assert_eq!(
            site.browser().sign_in("/").await,
            "/",
            "they may come in and read"
        );
        let ben = site.only_person().await;
        assert_eq!(ben.level(site.db.now(), MAX_AGE), LevelNow::None);
        assert_eq!(ben.signed_in.unwrap().groups, groups);
        site.pass(Duration::SECOND);
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_a_sign_in_granted_ages_and_a_new_one_renews_it(pool: PgPool) {
    let site = Site::with(
        pool,
        &[
            ("COUNTERSIGN_SESSION_IDLE", "90d"),
            ("COUNTERSIGN_SESSION_MAX", "90d"),
        ],
    )
    .await;
    site.signed_in("ben").await;
    site.pass(MAX_AGE + Duration::SECOND);
    let stale = LevelNow::Stale(Level::Senior);
    assert_eq!(
        site.only_person().await.level(site.db.now(), MAX_AGE),
        stale
    );
    let version = version(&site).await;
    site.provider.lie(|token| {
        token.claims["exp"] = json!(4_000_000_000_u64);
    });
    site.signed_in("ben").await;
    assert_eq!(
        site.only_person().await.level(site.db.now(), MAX_AGE),
        LevelNow::Known(Level::Senior)
    );
    assert_eq!(
        self::version(&site).await,
        version,
        "no fact changed, so no standing is made anew"
    );
}

/// An e-mail address is no identity: companies give them to the next person.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_same_address_under_another_subject_is_another_person(pool: PgPool) {
    let site = Site::new(pool).await;
    site.signed_in("ben").await;
    let mut successor = person("ben");
    successor["sub"] = json!("ben-the-second");
    successor["groups"] = json!([]);
    site.provider.person(successor);
    site.browser().sign_in("/").await;
    let everybody = site.everybody().await;
    assert_eq!(everybody.len(), 2);
    let seniors = everybody.iter().filter(|person| !person.levels.is_empty());
    assert_eq!(
        seniors.count(),
        1,
        "and the second got nothing of the first"
    );

    let mut tx = site.db.read().await.unwrap();
    let tied = people::meant_by(tx.conn(), "", &keys("Ben+work@Halden.example", None))
        .await
        .unwrap();
    assert_eq!(tied.len(), 2, "while both are barred from its commits");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_address_that_was_theirs_keeps_barring_and_proves_nothing(pool: PgPool) {
    let site = Site::new(pool).await;
    site.signed_in("ben").await;
    let mut renamed = person("ben");
    renamed["email"] = json!("ben.okonkwo@halden.example");
    site.provider.person(renamed);
    site.browser().sign_in("/").await;
    let ben = site.only_person().await;
    let held: Vec<&str> = ben
        .accounts
        .iter()
        .map(|account| account.key.0.as_str())
        .collect();
    assert_eq!(
        held,
        [
            "email:ben.okonkwo@halden.example",
            "email:ben@halden.example",
            "login:ben"
        ]
    );
    assert!(ben.accounts.iter().all(|account| !account.proved));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_an_operator_set_outlives_a_sign_in(pool: PgPool) {
    let site = Site::new(pool).await;
    site.signed_in("ben").await;
    let ben = site.only_person().await.id;
    let mut tx = site.db.begin().await.unwrap();
    people::set_level(&mut tx, ben, Some(Level::Junior))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    site.signed_in("ben").await;
    let ben = site.only_person().await;
    assert_eq!(
        ben.level(site.db.now(), MAX_AGE),
        LevelNow::Known(Level::Junior)
    );
    let sources: Vec<Source> = ben.levels.iter().map(|level| level.source).collect();
    assert_eq!(sources, [Source::Operator, Source::Claims]);
}

fn with_groups(groups: Value) -> Value {
    let mut claims = person("ben");
    claims["groups"] = groups;
    claims
}

async fn version(site: &Site) -> i64 {
    let mut tx = site.db.read().await.unwrap();
    people::version(tx.conn()).await.unwrap()
}
