//! Facts about people hold from one version until another, and every change of one raises the version.

use super::{World, ben};
use domain::{
    contributor::keys,
    people::{Groups, Level, LevelNow},
};
use sqlx::PgPool;
use store::people::{self, Claims};
use time::Duration;

const MAX_AGE: Duration = Duration::hours(12);

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_first_sign_in_makes_a_person_and_the_second_only_renews_it(pool: PgPool) {
    let w = World::new(pool).await;
    let id = w.sign_in(&ben()).await;
    let version = w.version().await;
    w.pass(Duration::HOUR);
    assert_eq!(w.sign_in(&ben()).await, id);
    assert_eq!(w.version().await, version, "nothing changed");
    assert_eq!(
        w.events().await,
        ["person.changed", "person.signed_in", "person.signed_in"]
    );
    assert_eq!(w.count("select count(*) from sign_in").await, 2);
    assert_eq!(w.person(id).await.signed_in.unwrap().at, w.db.now());
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_fact_ends_at_the_version_at_which_the_next_begins(pool: PgPool) {
    let w = World::new(pool).await;
    let id = w.sign_in(&ben()).await;
    let first = w.version().await;
    let promoted = Claims {
        levels: vec![Level::Mid],
        ..ben()
    };
    w.sign_in(&promoted).await;
    assert_eq!(w.version().await, first + 1);
    let rows: Vec<(String, i64, Option<i64>)> =
        sqlx::query_as("select value, from_version, until_version from person_fact where kind = 'level' order by from_version")
            .fetch_all(&w.owner)
            .await
            .unwrap();
    assert_eq!(
        rows,
        [
            ("senior".into(), first, Some(first + 1)),
            ("mid".into(), first + 1, None)
        ]
    );
    assert_eq!(
        w.person(id).await.level(w.db.now(), MAX_AGE),
        LevelNow::Known(Level::Mid)
    );

    // Back again is a new row, not the old one.
    w.sign_in(&ben()).await;
    assert_eq!(
        w.count("select count(*) from person_fact where kind = 'level'")
            .await,
        3
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn groups_that_are_not_whole_grant_nothing_even_if_some_are_there(pool: PgPool) {
    let w = World::new(pool).await;
    for groups in [Groups::Missing, Groups::Truncated] {
        let id = w.sign_in(&Claims { groups, ..ben() }).await;
        let ben = w.person(id).await;
        assert!(ben.levels.is_empty() && ben.teams.is_empty());
        assert_eq!(ben.accounts.len(), 2, "while addresses bar all the same");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_operators_say_holds_at_once_and_is_an_event(pool: PgPool) {
    let w = World::new(pool).await;
    let id = w.sign_in(&ben()).await;
    let version = w.version().await;
    let mut tx = w.db.begin().await.unwrap();
    people::set_level(&mut tx, id, Some(Level::Junior))
        .await
        .unwrap();
    people::set_level(&mut tx, id, Some(Level::Junior))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        w.version().await,
        version + 1,
        "the second time changed nothing"
    );
    assert_eq!(
        w.person(id).await.level(w.db.now(), MAX_AGE),
        LevelNow::Known(Level::Junior)
    );

    let mut tx = w.db.begin().await.unwrap();
    people::set_level(&mut tx, id, None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        w.person(id).await.level(w.db.now(), MAX_AGE),
        LevelNow::Known(Level::Senior)
    );
    let events = w.events().await;
    assert_eq!(
        events
            .iter()
            .filter(|kind| *kind == "person.changed")
            .count(),
        3
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nothing_of_a_transaction_that_failed_is_there(pool: PgPool) {
    let w = World::new(pool).await;
    let id = w.sign_in(&ben()).await;
    let (version, events) = (w.version().await, w.events().await);
    let mut tx = w.db.begin().await.unwrap();
    people::deactivate(&mut tx, id).await.unwrap();
    drop(tx);
    assert!(w.person(id).await.active);
    assert_eq!((w.version().await, w.events().await), (version, events));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn only_a_link_by_hand_is_proof_and_it_is_made_once(pool: PgPool) {
    let w = World::new(pool).await;
    let id = w.sign_in(&ben()).await;
    let key = keys("ben@halden.example", None).remove(0);
    assert!(
        w.person(id)
            .await
            .accounts
            .iter()
            .all(|account| !account.proved)
    );
    for _ in 0..2 {
        let mut tx = w.db.begin().await.unwrap();
        people::link(&mut tx, id, &key).await.unwrap();
        tx.commit().await.unwrap();
    }
    let ben = w.person(id).await;
    let proved: Vec<_> = ben
        .accounts
        .iter()
        .filter(|account| account.proved)
        .collect();
    assert_eq!(proved.len(), 1);
    assert_eq!(
        ben.accounts.len(),
        2,
        "one address is one account, from whichever source"
    );
    assert_eq!(
        w.count("select count(*) from account where source = 'operator'")
            .await,
        1
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn operators_find_people_by_whatever_they_know_of_them(pool: PgPool) {
    let w = World::new(pool).await;
    let id = w.sign_in(&ben()).await;
    let other = Claims {
        subject: "li".into(),
        name: "Li Na Zhou".into(),
        email: None,
        login: None,
        ..ben()
    };
    w.sign_in(&other).await;
    let mut tx = w.db.read().await.unwrap();
    let address = keys("ben+ci@halden.example", None);
    for (text, keys) in [
        (id.to_string(), vec![]),
        ("ben".to_owned(), vec![]),
        ("BEN OKONKWO".to_owned(), vec![]),
        ("ben+ci@halden.example".to_owned(), address),
    ] {
        assert_eq!(
            people::meant_by(tx.conn(), &text, &keys).await.unwrap(),
            [id],
            "{text}"
        );
    }
    assert!(
        people::meant_by(tx.conn(), "nobody", &[])
            .await
            .unwrap()
            .is_empty()
    );
}

/// Two sign-ins of one person at the same moment, with different groups: one after the other, and what holds is one of the two.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn sign_ins_at_the_same_moment_do_not_mix(pool: PgPool) {
    let w = World::new(pool).await;
    let id = w.sign_in(&ben()).await;
    for round in 0..10 {
        let one = Claims {
            levels: vec![Level::Junior],
            teams: vec![format!("a{round}")],
            ..ben()
        };
        let other = Claims {
            levels: vec![Level::Senior],
            teams: vec![format!("b{round}")],
            ..ben()
        };
        tokio::join!(w.sign_in(&one), w.sign_in(&other));
        let ben = w.person(id).await;
        let held = (ben.levels.len(), ben.teams.len());
        assert_eq!(held, (1, 1), "{ben:?}");
        let junior = ben.levels[0].value == Level::Junior;
        assert_eq!(junior, ben.teams[0].value.starts_with('a'), "{ben:?}");
    }
}
