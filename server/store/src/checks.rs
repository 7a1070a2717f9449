//! What code hosts are to be told of the heads of changes: made due in the transaction that may change a verdict.

use crate::{Error, Tx, error::known, rows};
use domain::{
    Timestamp,
    ids::{ChangeId, RepositoryId},
    names::{CommitSha, RepositoryName},
};
use sqlx::PgConnection;
use time::Duration;
use uuid::Uuid;

/// A head of which a host is to be told, if it is another than it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub repository: RepositoryName,
    pub head: CommitSha,
    /// What it was told last.
    pub said: Option<String>,
    /// How often it was begun without coming to an end, this time included.
    pub attempts: i32,
    id: RepositoryId,
    /// The reasons that this answers.
    asks: i64,
}

/// Notes that the verdicts of a change may be others, if a host showed it to us. Those of its other heads as well: what is
/// rejected once is rejected for all of them; and those of the merge groups that it is part of.
///
/// # Errors
/// The database refused.
pub async fn due(tx: &mut Tx, repository: RepositoryId, change: ChangeId) -> Result<(), Error> {
    due_of(tx, repository, &[change]).await
}

/// The same for several changes of one repository.
pub(crate) async fn due_of(
    tx: &mut Tx,
    repository: RepositoryId,
    changes: &[ChangeId],
) -> Result<(), Error> {
    let changes: Vec<Uuid> = changes.iter().map(|change| change.0).collect();
    let now = tx.now();
    sqlx::query!(
        "insert into host_check (repository_id, head, due_at)
         select r.repository_id, r.head, $3::timestamptz from revision r
         where r.repository_id = $1 and r.change_id = any($2) and exists (select from host_change h where h.change_id = r.change_id)
           and (exists (select from host_check k where k.repository_id = r.repository_id and k.head = r.head)
                or exists (select from change_state s where s.repository_id = $1 and s.change_id = r.change_id and s.until_version is null
                                                        and s.head_revision = r.id))
         union
         select k.repository_id, k.head, $3 from landing l
         join host_check k on k.repository_id = l.repository_id and k.head = l.sha
         where l.repository_id = $1 and l.change_id = any($2) and l.kind = 'merge_group'
         order by 2
         on conflict (repository_id, head) do update
             set asks = host_check.asks + 1, due_at = least(host_check.due_at, excluded.due_at), attempts = 0",
        repository.0,
        &changes,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same for one commit of a repository, whatever it is. Of one that is followed, only if `again`.
///
/// # Errors
/// The database refused.
pub(crate) async fn due_at(
    tx: &mut Tx,
    repository: RepositoryId,
    head: &CommitSha,
    again: bool,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into host_check (repository_id, head, due_at) values ($1, $2, $3)
         on conflict (repository_id, head) do update
             set asks = host_check.asks + 1, due_at = least(host_check.due_at, excluded.due_at), attempts = 0 where $4",
        repository.0,
        head.as_str(),
        now,
        again,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same for all heads of a repository that are still followed.
///
/// # Errors
/// The database refused.
pub async fn all_due(tx: &mut Tx, repository: RepositoryId) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "update host_check set asks = asks + 1, due_at = least(due_at, $2), attempts = 0
         where (repository_id, head) in (
             select repository_id, head from host_check where repository_id = $1 and due_at is not null order by head for update)",
        repository.0,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes some heads that are due, each for so long; afterwards somebody else may.
///
/// # Errors
/// The database refused.
pub async fn take(
    conn: &mut PgConnection,
    most: i64,
    now: Timestamp,
    lasts: Duration,
) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        "update host_check k set taken_until = $2, due_at = $2, attempts = k.attempts + 1
         from repository p
         where p.id = k.repository_id and (k.repository_id, k.head) in (
             select repository_id, head from host_check
             where due_at <= $1 and (taken_until is null or taken_until <= $1) order by due_at limit $3 for update skip locked)
         returning p.name, k.repository_id, k.head, k.said, k.asks, k.attempts",
        now,
        now + lasts,
        most,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let repository = RepositoryName::parse(row.name).ok();
            Ok(Due {
                repository: known(repository, "repository", "name")?,
                head: rows::head(row.head)?,
                said: row.said,
                attempts: row.attempts,
                id: RepositoryId(row.repository_id),
                asks: row.asks,
            })
        })
        .collect()
}

/// Which transactions the database has committed now, as an answer of the gate names it.
///
/// # Errors
/// The database cannot be asked.
pub async fn snapshot(conn: &mut PgConnection) -> Result<String, Error> {
    Ok(
        sqlx::query_scalar!(r#"select pg_current_snapshot()::text as "now!""#)
            .fetch_one(conn)
            .await?,
    )
}

/// Records what the host knows now, and when that may be another by itself.
///
/// # Errors
/// The database refused.
pub async fn said(
    conn: &mut PgConnection,
    due: &Due,
    said: &str,
    now: Timestamp,
    again: Option<Timestamp>,
) -> Result<(), Error> {
    sqlx::query!(
        "update host_check set said_at = case when said is distinct from $3 then $4 else said_at end, said = $3, answered = $5,
                attempts = 0, error = null, taken_until = null, due_at = case when asks > $5 then $4 else $6::timestamptz end
         where repository_id = $1 and head = $2",
        due.id.0,
        due.head.as_str(),
        said,
        now,
        due.asks,
        again,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that the host could not be told, and when to try again; none where there is no use in it.
///
/// # Errors
/// The database refused.
pub async fn fail(
    conn: &mut PgConnection,
    due: &Due,
    why: &str,
    now: Timestamp,
    again: Option<Timestamp>,
) -> Result<(), Error> {
    sqlx::query!(
        "update host_check set error = $3, taken_until = null, due_at = case when asks > $4 then $5 else $6::timestamptz end
         where repository_id = $1 and head = $2",
        due.id.0,
        due.head.as_str(),
        why,
        due.asks,
        now,
        again,
    )
    .execute(conn)
    .await?;
    Ok(())
}
