//! Makes standings anew after something changed about people, so that gates find them ready, and when an approval grows too old,
//! so that the queue shows the change again. Gates never depend on it.

use super::repeatedly;
use crate::state::Server;
use domain::ids::ChangeId;
use std::{sync::Arc, time::Duration};
use store::{Error, standings};

/// How often stale standings are looked for.
const EVERY: Duration = Duration::from_secs(2);
/// How many changes are renewed at a time, each in a transaction of its own.
const BATCH: i64 = 200;

/// Runs until the process ends.
pub async fn run(server: Server) {
    let broken = "Standings could not be renewed, and gates load the whole case meanwhile";
    repeatedly(EVERY, Arc::default(), broken, || batch(&server)).await;
}

/// Renews some standings and says how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    let mut conn = server.db.pool().acquire().await?;
    let stale = standings::stale(&mut conn, server.db.now(), BATCH).await?;
    drop(conn);
    let mut renewed = 0;
    for change in stale {
        match renew(server, change).await {
            Ok(()) => renewed += 1,
            // One that cannot be renewed holds up no other; gates load its case.
            Err(error) => {
                tracing::warn!(%error, change.id = %change, "A standing could not be renewed")
            }
        }
    }
    Ok(renewed)
}

async fn renew(server: &Server, change: ChangeId) -> Result<(), Error> {
    let mut tx = server.db.begin().await?;
    standings::renew_locked(&mut tx, change, server.claims_max_age()).await?;
    tx.commit().await
}
