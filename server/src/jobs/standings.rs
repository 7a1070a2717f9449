//! Makes standings anew after something changed about people, so that gates find them ready. Gates never depend on it.

use crate::state::Server;
use std::time::Duration;
use store::{Error, standings};

/// How often stale standings are looked for.
const EVERY: Duration = Duration::from_secs(2);
/// How many changes are renewed at a time, each in a transaction of its own.
const BATCH: i64 = 200;

/// Runs until the process ends.
pub async fn run(server: Server) {
    loop {
        match batch(&server).await {
            Ok(0) => tokio::time::sleep(EVERY).await,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "Standings could not be renewed; gates load the whole case meanwhile");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

/// Renews some standings and says how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    let mut conn = server.db.pool().acquire().await?;
    let stale = standings::stale(&mut conn, BATCH).await?;
    drop(conn);
    for &change in &stale {
        let mut tx = server.db.begin().await?;
        standings::renew_locked(&mut tx, change, server.claims_max_age()).await?;
        tx.commit().await?;
    }
    Ok(stale.len())
}
