//! What was revoked stays revoked, whatever a request that is still running says.

use super::{World, ben};
use domain::ids::PersonId;
use sqlx::PgPool;
use store::{
    people,
    sessions::{self, IdHash, Session},
};
use time::Duration;

const IDLE: Duration = Duration::hours(8);
const ID: IdHash = [7; 32];

/// How many connections of this database wait for a lock.
const WAITING: &str = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

impl World {
    /// Opens the session `ID` of somebody for a day.
    async fn open(&self, person: PersonId) {
        self.open_for(person, ID, Duration::DAY).await;
    }

    async fn open_for(&self, person: PersonId, id: IdHash, lasts: Duration) {
        let session = Session {
            person: Some(person),
            data: b"{}".to_vec(),
            expires_at: self.db.now() + lasts,
        };
        let mut conn = self.db.pool().acquire().await.unwrap();
        assert!(
            sessions::create(&mut conn, &id, &session, self.db.now())
                .await
                .unwrap()
        );
    }

    async fn is_open(&self) -> bool {
        let mut conn = self.db.pool().acquire().await.unwrap();
        sessions::load(&mut conn, &ID, IDLE, self.db.now())
            .await
            .unwrap()
            .is_some()
    }

    /// What a request does when it ends.
    async fn save(&self, person: PersonId) -> bool {
        let mut conn = self.db.pool().acquire().await.unwrap();
        sessions::save(&mut conn, &ID, Some(person), b"{\"seen\":1}", self.db.now())
            .await
            .unwrap()
    }

    /// Deletes at most two that have been over for ten days.
    async fn forget(&self) -> u64 {
        let mut conn = self.db.pool().acquire().await.unwrap();
        let before = self.db.now() - Duration::days(10);
        sessions::forget(&mut conn, before, 2).await.unwrap()
    }

    async fn revoke_all(&self, person: PersonId) {
        let mut tx = self.db.begin().await.unwrap();
        sessions::revoke_all(&mut tx, person).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_request_that_began_before_cannot_bring_a_session_back(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.sign_in(&ben()).await;
    w.open(ben).await;
    assert!(w.is_open().await, "the request begins");
    w.revoke_all(ben).await;
    assert!(!w.save(ben).await, "the request ends");
    assert!(!w.is_open().await);
    assert_eq!(
        w.events().await.last().map(String::as_str),
        Some("person.signed_out")
    );
}

/// The two at the same moment, many times: whoever is first, the session is closed afterwards.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_revocation_wins_every_race(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.sign_in(&ben()).await;
    for round in 0..50 {
        sqlx::query("delete from session")
            .execute(&w.owner)
            .await
            .unwrap();
        w.open(ben).await;
        tokio::join!(w.save(ben), w.revoke_all(ben), w.save(ben));
        assert!(!w.is_open().await, "round {round}");
    }
}

/// The save waits for the revocation that is not committed yet, and then sees it.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_save_that_waits_for_a_revocation_gives_way_to_it(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.sign_in(&ben()).await;
    w.open(ben).await;
    let mut tx = w.db.begin().await.unwrap();
    people::deactivate(&mut tx, ben).await.unwrap();
    let commit = async {
        w.somebody_waits_for_a_lock().await;
        tx.commit().await.unwrap();
    };
    let (saved, ()) = tokio::join!(w.save(ben), commit);
    assert!(!saved);
    assert!(!w.is_open().await);
}

impl World {
    async fn somebody_waits_for_a_lock(&self) {
        let waiting = async {
            while self.count(WAITING).await == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), waiting)
            .await
            .expect("somebody who waits");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_id_is_given_once(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.sign_in(&ben()).await;
    w.open(ben).await;
    w.revoke_all(ben).await;
    let session = Session {
        person: Some(ben),
        data: vec![],
        expires_at: w.db.now() + Duration::DAY,
    };
    let mut conn = w.db.pool().acquire().await.unwrap();
    assert!(
        !sessions::create(&mut conn, &ID, &session, w.db.now())
            .await
            .unwrap()
    );
    assert!(!w.is_open().await, "and a revoked one is not opened again");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_save_prolongs_nothing(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.sign_in(&ben()).await;
    w.open(ben).await;
    for _ in 0..3 {
        w.pass(Duration::hours(7));
        assert!(w.is_open().await);
        assert!(w.save(ben).await);
    }
    w.pass(Duration::hours(3));
    assert!(!w.is_open().await, "a day is over");
    assert!(!w.save(ben).await);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_session_nobody_used_ends_and_stays_ended(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.sign_in(&ben()).await;
    w.open(ben).await;
    w.pass(IDLE - Duration::SECOND);
    assert!(w.is_open().await);
    w.pass(IDLE);
    assert!(!w.is_open().await);
    assert!(!w.is_open().await, "asking for it is no use of it");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn sessions_that_are_long_over_go_and_no_others(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.sign_in(&ben()).await;
    w.open_for(ben, [1; 32], Duration::days(365)).await;
    w.revoke_all(ben).await;
    w.open_for(ben, [2; 32], Duration::DAY).await;
    w.open_for(ben, ID, Duration::days(365)).await;
    w.pass(Duration::days(10));
    assert_eq!(w.forget().await, 0, "over for ten days and no longer");
    w.pass(Duration::SECOND);
    assert_eq!(w.forget().await, 1, "the one that was revoked");
    w.pass(Duration::DAY);
    assert_eq!(w.forget().await, 1, "the one whose day was over");
    assert!(w.save(ben).await, "the one that is open stays");
    assert_eq!(w.count("select count(*) from session").await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_more_sessions_go_at_once_than_was_said(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.sign_in(&ben()).await;
    for id in [[1; 32], [2; 32], [3; 32]] {
        w.open_for(ben, id, Duration::DAY).await;
    }
    w.pass(Duration::days(12));
    let mut gone = vec![];
    for _ in 0..3 {
        gone.push(w.forget().await);
    }
    assert_eq!(gone, [2, 1, 0]);
}
