//! The stream of what happened: written with every change of state, read in an order that loses nothing.

use crate::{Error, Tx, ids};
use domain::ids::RepositoryId;
use serde_json::Value;
use std::{collections::HashSet, mem};
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

/// How many events one look at the stream reads. While a transaction stays open for so many of them, older news among them
/// may be missed: whoever waits asks again by themselves after a few seconds.
const LOOKS_AT: i64 = 5_000;

/// How far the stream has been looked at: all that was visible then came before `xmin` or is among `events`.
#[derive(Debug, Default)]
pub struct Seen {
    xmin: Option<String>,
    events: HashSet<Uuid>,
}

/// What is new since the last look.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// Of repositories, by their folded names.
    Of(HashSet<String>),
    /// Of no repository, and so perhaps of all of them; or this was the first look, which only notes what is there.
    Everywhere,
}

/// What happened since `seen`, and `seen` with it. Waking needs no order, so news need not wait for a long transaction of
/// somebody else's.
///
/// # Errors
/// The database cannot be asked; `seen` is as it was.
pub async fn news(pool: &sqlx::PgPool, seen: &mut Seen) -> Result<News, Error> {
    let rows = sqlx::query!(
        r#"select pg_snapshot_xmin(pg_current_snapshot())::text as "xmin!", e.id as "id?", r.folded as "repository?"
         from (select 1) as always
         left join lateral (select id, repository_id from event where xid >= coalesce($1::text::xid8, pg_snapshot_xmin(pg_current_snapshot())) order by xid desc limit $2) e on true
         left join repository r on r.id = e.repository_id"#,
        seen.xmin,
        LOOKS_AT,
    )
    .fetch_all(pool)
    .await?;
    let is_first = seen.xmin.is_none();
    let before = mem::take(&mut seen.events);
    seen.xmin = rows.first().map(|row| row.xmin.clone());
    seen.events = rows.iter().filter_map(|row| row.id).collect();
    let new = rows
        .into_iter()
        .filter(|row| row.id.is_some_and(|id| !before.contains(&id)));
    let of: Option<HashSet<String>> = new.map(|row| row.repository).collect();
    Ok(of.filter(|_| !is_first).map_or(News::Everywhere, News::Of))
}
