//! The door to Postgres: a pool, a clock, and transactions that know what time it is.

use crate::Error;
use domain::Timestamp;
use sqlx::{
    PgConnection, PgPool, Postgres,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::sync::{Arc, Mutex};

/// Where "now" comes from: the system in production, a test's hand in tests.
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    Set(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The present moment, to the microsecond that Postgres keeps.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match self {
            Clock::System => system_time(),
            Clock::Set(moment) => *moment
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        };
        now.replace_nanosecond(now.nanosecond() / 1000 * 1000)
            .unwrap_or(now)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the clock is read"
)]
fn system_time() -> Timestamp {
    Timestamp::now_utc()
}

/// How long one statement runs, waits for a lock, or leaves a transaction lying, before it is an error: a row that somebody
/// holds must not hold up the gate of every repository.
const LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "15s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "15s"),
];

/// A handle on the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
    clock: Clock,
}

impl Db {
    /// Connects, at most `connections` at a time; waits 3 s for one before it gives up, so that a full pool is an
    /// answer and not a hang.
    ///
    /// # Errors
    /// The database cannot be reached, or refuses the URL's role.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, Error> {
        let options = url.parse::<PgConnectOptions>()?.options(LIMITS);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(std::time::Duration::from_secs(3))
            .connect_with(options)
            .await?;
        Ok(Self::new(pool, Clock::System))
    }

    /// A handle over a pool that exists already.
    #[must_use]
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// For single statements outside a transaction.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Begins a transaction that may write. Its commit is on disk before it is acknowledged, whatever the server's default is.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let mut tx = self
            .begun("begin isolation level read committed read write")
            .await?;
        sqlx::query!("select set_config('synchronous_commit', 'on', true)")
            .fetch_one(tx.conn())
            .await?;
        Ok(tx)
    }

    /// Begins a transaction that sees one moment and cannot write.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn read(&self) -> Result<Tx, Error> {
        self.begun("begin isolation level repeatable read read only")
            .await
    }

    /// Begins by a task of its own, which ends what it began, also where nobody waits for it any more. Whoever hangs up while `begin` is
    /// on its way would else leave the connection inside a transaction that the pool knows nothing of, and a gate that is
    /// asked over it would see that one moment for as long as the connection lives.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where transactions begin"
    )]
    async fn begun(&self, how: &'static str) -> Result<Tx, Error> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(how).await });
        let inner = begun.await.map_err(|_| sqlx::Error::WorkerCrashed)??;
        Ok(Tx {
            inner,
            now: self.now(),
        })
    }
}

/// One transaction. Dropped without [`Tx::commit`], it never happened.
pub struct Tx {
    inner: sqlx::Transaction<'static, Postgres>,
    now: Timestamp,
}

impl Tx {
    /// When this transaction began: read once, the same for all that it does.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The connection, for queries.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Makes all of it so.
    ///
    /// # Errors
    /// The database could not be reached: whether it was committed is unknown, and a retry with the same key will tell.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.inner.commit().await?)
    }
}
