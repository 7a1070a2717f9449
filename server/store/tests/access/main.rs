//! Who may come in, and when that ends: people, sessions and tokens; and what wakes who waits. Against a real Postgres as the
//! application's role.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod events;
mod moments;
mod people;
mod sessions;
mod tokens;

use domain::{
    Timestamp,
    ids::PersonId,
    people::{Groups, Level, Person},
};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::sync::{Arc, Mutex};
use store::{Clock, Db, people::Claims};
use time::{Duration, macros::datetime};

const BEGINNING: Timestamp = datetime!(2026-11-20 12:00 UTC);
const ROLE: &str = "countersign_it";

/// A database as the application sees it, with a clock that stands still.
struct World {
    owner: PgPool,
    db: Db,
    clock: Arc<Mutex<Timestamp>>,
}

impl World {
    async fn new(owner: PgPool) -> Self {
        let mut conn = owner.acquire().await.unwrap();
        store::roles::ensure(&mut conn, ROLE, Some(ROLE))
            .await
            .unwrap();
        store::roles::grant(&mut conn, ROLE).await.unwrap();
        drop(conn);
        let options = (*owner.connect_options())
            .clone()
            .username(ROLE)
            .password(ROLE);
        let pool = PgPoolOptions::new()
            .max_connections(5)
            .connect_with(options)
            .await
            .unwrap();
        let clock = Arc::new(Mutex::new(BEGINNING));
        Self {
            owner,
            db: Db::new(pool, Clock::Set(clock.clone())),
            clock,
        }
    }

    fn pass(&self, duration: Duration) {
        *self.clock.lock().unwrap() += duration;
    }

    async fn sign_in(&self, claims: &Claims) -> PersonId {
        let mut tx = self.db.begin().await.unwrap();
        let person = store::people::upsert_at_sign_in(&mut tx, claims)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        person
    }

    async fn person(&self, id: PersonId) -> Person {
        let mut tx = self.db.read().await.unwrap();
        store::people::load(tx.conn(), id).await.unwrap().unwrap()
    }

    async fn version(&self) -> i64 {
        let mut tx = self.db.read().await.unwrap();
        store::people::version(tx.conn()).await.unwrap()
    }

    /// The kinds of the events so far, in the order in which they were written.
    async fn events(&self) -> Vec<String> {
        sqlx::query_scalar("select kind from event order by xid, id")
            .fetch_all(&self.owner)
            .await
            .unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&self.owner)
            .await
            .unwrap()
    }
}

fn ben() -> Claims {
    Claims {
        issuer: "https://sso.halden.example".into(),
        subject: "ben".into(),
        name: "Ben Okonkwo".into(),
        email: Some("Ben@Halden.example".into()),
        login: Some("ben".into()),
        levels: vec![Level::Senior],
        teams: vec!["payments".into()],
        roles: vec![],
        groups: Groups::Read,
    }
}
