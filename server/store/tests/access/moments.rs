//! Transactions that see one moment, and connections that do not keep it.

use crate::World;
use sqlx::{PgPool, postgres::PgPoolOptions};
use store::{Clock, Db};

/// A pipeline that is cancelled hangs up at any moment, also while the transaction of its question begins.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_gives_up_while_a_transaction_begins_leaves_no_connection_in_the_past(owner: PgPool) {
    let w = World::new(owner).await;
    let options = (*w.db.pool().connect_options()).clone();
    let one = PgPoolOptions::new().max_connections(1);
    let db = Db::new(one.connect_with(options).await.unwrap(), Clock::System);
    for turns in 0..300 {
        tokio::select! {
            biased;
            () = pass(turns) => {}
            _ = db.read() => {}
        }
        let (isolation, writes): (String, String) = sqlx::query_as(
            "select current_setting('transaction_isolation'), current_setting('transaction_read_only')",
        )
        .fetch_one(db.pool())
        .await
        .unwrap();
        assert_eq!(
            (isolation.as_str(), writes.as_str()),
            ("read committed", "off"),
            "given up after {turns} turns"
        );
    }
}

/// So many turns of the runtime: much less than a transaction takes to begin, or more.
async fn pass(turns: usize) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}
