//! Deletes sessions that have long been over: who was signed in where is not kept longer than anybody asks for it.

use super::repeatedly;
use crate::state::Server;
use std::{sync::Arc, time::Duration};
use store::{Error, sessions};

/// How often they are looked for.
const EVERY: Duration = Duration::from_secs(3600);
/// How long they are kept when they are over.
const KEPT: time::Duration = time::Duration::days(30);
/// How many are deleted by one statement.
const BATCH: i64 = 1_000;

/// Runs until the process ends.
pub async fn run(server: Server) {
    let broken = "Sessions that are long over could not be deleted";
    repeatedly(EVERY, Arc::default(), broken, || batch(&server)).await;
}

/// Deletes some and says how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<u64, Error> {
    let mut conn = server.db.pool().acquire().await?;
    sessions::forget(&mut conn, server.db.now() - KEPT, BATCH).await
}
