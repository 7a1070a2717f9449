//! Whether gates enforce what a repository demands, or only say what they would have answered.

use crate::{Error, Tx, checks, events, policies::Locked};
use domain::{Timestamp, ids::PersonId, names::RepositoryName};
use serde_json::json;
use sqlx::PgConnection;

/// One time that somebody set the mode of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Until when it only observes; none is `enforce`.
    pub observe_until: Option<Timestamp>,
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

/// Lets gates answer yes until a moment, or enforce from now on (none).
///
/// # Errors
/// The database refused.
pub async fn set(
    tx: &mut Tx,
    of: &Locked,
    observe_until: Option<Timestamp>,
    admin: PersonId,
    reason: &str,
) -> Result<(), Error> {
    let now = tx.now();
    let mode = observe_until.map_or("enforce", |_| "observe");
    sqlx::query!(
        "update repository_mode set until_xid = pg_current_xact_id(), until_at = $2 where repository_id = $1 and until_xid is null",
        of.id.0,
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into repository_mode (repository_id, mode, ends_at, person_id, reason, from_at) values ($1, $2, $3, $4, $5, $6)",
        of.id.0,
        mode,
        observe_until,
        admin.0,
        reason,
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update repository set observe_until = $2 where id = $1",
        of.id.0,
        observe_until,
    )
    .execute(tx.conn())
    .await?;
    let data = json!({
        "mode": mode, "until": observe_until.map(Timestamp::unix_timestamp), "person": admin, "reason": reason,
    });
    events::record(tx, Some(of.id), "mode.set", of.id.0, data).await?;
    checks::all_due(tx, of.id).await
}

/// Until when a repository was only observed, as it was in a snapshot.
pub(crate) async fn held_in(
    conn: &mut PgConnection,
    repository: &RepositoryName,
    snapshot: &str,
) -> Result<Option<Timestamp>, Error> {
    let ends_at = sqlx::query_scalar!(
        "select m.ends_at from repository join repository_mode m on m.repository_id = repository.id
         where repository.folded = $1 and was_there(m.from_xid, $2::text::pg_snapshot)
           and (m.until_xid is null or not was_there(m.until_xid, $2::text::pg_snapshot))",
        repository.folded(),
        snapshot,
    )
    .fetch_optional(conn)
    .await?;
    Ok(ends_at.flatten())
}

/// The last times that the mode of a repository was set, the latest first.
///
/// # Errors
/// The database cannot be asked.
pub async fn history(
    conn: &mut PgConnection,
    repository: domain::ids::RepositoryId,
    most: i64,
) -> Result<Vec<Set>, Error> {
    let sets = sqlx::query_as!(
        Set,
        r#"select m.ends_at as observe_until, p.name as by, m.reason, m.from_at as at
           from repository_mode m join person p on p.id = m.person_id
           where m.repository_id = $1 order by m.from_at desc, m.from_xid::text::numeric desc limit $2"#,
        repository.0,
        most,
    )
    .fetch_all(conn)
    .await?;
    Ok(sets)
}
