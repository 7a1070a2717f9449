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

/// Something that is another after every event: the newest one that no open transaction can still come before, and how many
/// stand after it. Waking needs no order, so news need not wait for a long transaction of somebody else's.
///
/// # Errors
/// The database cannot be asked.
pub async fn sign_of_news(pool: &sqlx::PgPool) -> Result<(Option<Uuid>, i64), Error> {
    let row = sqlx::query!(
        r#"select (select id from event where xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid desc, id desc limit 1) as newest,
                  (select count(*) from event where xid >= pg_snapshot_xmin(pg_current_snapshot())) as "after!""#,
    )
    .fetch_one(pool)
    .await?;
    Ok((row.newest, row.after))
}
