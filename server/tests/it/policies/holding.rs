//! What is in force judges at once, everywhere, and what cannot be read never opens anything.

use super::{NOTHING, asking, state};
use crate::support::{
    TestServer,
    changes::{change, sha},
    machines::Reply,
};
use domain::decision::Kind;
use serde_json::json;
use sqlx::PgPool;
use store::policies;

/// The verdict, and the policy that judged.
fn judged(reply: &Reply) -> (&str, String) {
    let policy = &reply.json["policy"];
    (
        reply.json["verdict"].as_str().unwrap(),
        format!("{}:{}", policy["id"].as_str().unwrap(), policy["version"]),
    )
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn another_policy_judges_from_the_next_question_on_at_every_server(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    let there = ci.at(&t.another().await);
    let (ben, li) = (t.senior("ben").await, t.senior("li").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    for gate in [&ci, &there] {
        assert_eq!(
            judged(&gate.gate(&sha("c1")).await),
            ("approved", "default:1".into())
        );
    }

    let two = asking(2, "senior");
    assert_eq!(
        state(&policies.push(&two).await),
        (200, "in_force", Some(1), "acme/payments:1".into())
    );
    for gate in [&ci, &there] {
        assert_eq!(
            judged(&gate.gate(&sha("c1")).await),
            ("waiting", "acme/payments:1".into())
        );
    }
    li.approve(&change()).await;
    assert_eq!(judged(&there.gate(&sha("c1")).await).0, "approved");
    let decided: Vec<(String, i32)> =
        sqlx::query_as("select policy, policy_version from decision order by seq")
            .fetch_all(&t.owner)
            .await
            .unwrap();
    assert_eq!(
        decided,
        [("default".to_owned(), 1), ("acme/payments".to_owned(), 1)],
        "a decision names the policy that held"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_standing_made_by_another_policy_is_made_anew(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    ci.submit(&change()).await;
    let stamps = || async {
        sqlx::query_as::<_, (String, i32)>("select policy, policy_version from standing")
            .fetch_all(&t.owner)
            .await
            .unwrap()
    };
    assert_eq!(stamps().await, [("default".to_owned(), 1)]);
    policies.push(&asking(2, "senior")).await;
    assert_eq!(
        stamps().await,
        [("default".to_owned(), 1)],
        "it is stale, and no gate reads it"
    );
    assert_eq!(server::jobs::standings::batch(&t.server).await.unwrap(), 1);
    assert_eq!(stamps().await, [("acme/payments".to_owned(), 1)]);
    assert_eq!(server::jobs::standings::batch(&t.server).await.unwrap(), 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_policy_of_one_repository_says_nothing_of_another(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    policies.push(NOTHING).await;
    ci.submit(&change()).await;
    ci.submit(&change().with(json!({ "repository": "acme/other" })))
        .await;
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "not_required");
    let other = format!("/api/v1/gate?repository=acme/other&commit={}", sha("c1"));
    assert_eq!(
        judged(&ci.get(&other).await),
        ("waiting", "default:1".into())
    );
    let shouted = format!("/api/v1/gate?repository=ACME/Payments&commit={}", sha("c1"));
    assert_eq!(
        judged(&ci.get(&shouted).await),
        ("not_required", "acme/payments:1".into()),
        "b07: two names that differ in case are one repository, with one policy"
    );
    let unheard = format!("/api/v1/gate?repository=acme/nobody&commit={}", sha("c1"));
    assert_eq!(
        judged(&ci.get(&unheard).await),
        ("unheard", "default:1".into())
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b09_a_policy_that_is_gone_or_broken_opens_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    assert!(ci.gate(&sha("c1")).await.answer().0);
    let owner = |sql: &'static str| sqlx::raw_sql(sql).execute(&t.owner);

    for damage in [
        "update repository set policy_version = 99",
        "update repository set policy = 'acme/payments', policy_version = 1",
        "update repository set policy = 'default', policy_version = 1, policy_hash = sha256('another text')",
        "alter table policy_version disable trigger user;
         insert into policy_version (policy, version, text, hash, source, note, base, base_version, at)
         values ('default', 2, 'broken', sha256('broken'), 'configuration', '', 'default', 1, now());
         update repository set policy_version = 2, policy_hash = sha256('broken')",
    ] {
        owner(damage).await.unwrap();
        assert_eq!(
            ci.gate(&sha("c1")).await.answer(),
            (false, "undecidable", vec!["policy_broken"]),
            "{damage}"
        );
        // Whoever decides meanwhile makes a standing of it that nobody may take for one of a policy that can be read.
        ben.decides(&change(), Kind::Approve).await.unwrap();
        assert_eq!(t.count("standing").await, 0, "{damage}");
    }
    owner(
        "update repository set policy_version = 1,
         policy_hash = (select hash from policy_version where policy = 'default' and version = 1)",
    )
    .await
    .unwrap();
    assert!(ci.gate(&sha("c1")).await.answer().0, "mended");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_default_comes_from_the_configuration_for_all_servers(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    let there = ci.at(&t.another().await);
    let configured = |text: String| {
        let db = t.db.clone();
        async move {
            let mut tx = db.begin().await.unwrap();
            let version = policies::configure(&mut tx, &text).await.unwrap();
            tx.commit().await.unwrap();
            version
        }
    };
    ci.submit(&change()).await;
    ci.submit(&change().with(json!({ "repository": "acme/own" })))
        .await;
    let own = "/api/v1/repositories/acme/own/policy";
    let pushed = policies.http.put(t.at(own)).body(asking(3, "senior"));
    policies
        .send(pushed.header("content-type", "text/plain"))
        .await;

    assert_eq!(configured(NOTHING.to_owned()).await, Some(2));
    assert_eq!(
        configured(NOTHING.to_owned()).await,
        None,
        "the same text is no new version"
    );
    assert_eq!(
        judged(&there.gate(&sha("c1")).await),
        ("not_required", "default:2".into())
    );
    let own = format!("/api/v1/gate?repository=acme/own&commit={}", sha("c1"));
    assert_eq!(
        judged(&ci.get(&own).await),
        ("waiting", "acme/own:1".into())
    );

    ci.submit(&change().with(json!({ "repository": "acme/newcomer" })))
        .await;
    let newcomer = format!("/api/v1/gate?repository=acme/newcomer&commit={}", sha("c1"));
    assert_eq!(
        judged(&ci.get(&newcomer).await),
        ("not_required", "default:2".into())
    );
    let held: Vec<(i32, bool)> = sqlx::query_as(
        "select version, until_xid is null from policy_in_force where policy = 'default' order by version",
    )
    .fetch_all(&t.owner)
    .await
    .unwrap();
    assert_eq!(held, [(1, false), (2, true)]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_repository_that_is_entered_while_the_default_changes_gets_the_new_one(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let mut changing = t.db.begin().await.unwrap();
    policies::configure(&mut changing, NOTHING).await.unwrap();
    let entering = tokio::spawn({
        let ci = ci.clone();
        async move { ci.submit(&change()).await }
    });
    t.locked_out(1).await;
    changing.commit().await.unwrap();
    entering.await.unwrap();
    assert_eq!(
        judged(&ci.gate(&sha("c1")).await),
        ("not_required", "default:2".into())
    );
}
