//! The stream of what happened: written with every change of state, read in an order that loses nothing.

use crate::{Error, Tx, ids};
use domain::ids::RepositoryId;
use serde_json::Value;
use uuid::Uuid;

/// Writes what happened, in the transaction in which it happens.
///
/// # Errors
/// The database refused.
pub async fn record(
    tx: &mut Tx,
    repository: Option<RepositoryId>,
    kind: &str,
    subject: Uuid,
    data: Value,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into event (id, repository_id, kind, subject, data, at) values ($1, $2, $3, $4, $5, $6)",
        ids::new(),
        repository.map(|id| id.0),
        kind,
        subject,
        data,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
