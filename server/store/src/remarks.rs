//! What people said of changes at their code hosts: which there is reason to look at, who looks, and what was seen last.

use crate::{Error, Tx, error::known, groups::Left, hosts::Change};
use domain::{
    Timestamp,
    host::Host,
    ids::ChangeId,
    names::{ChangeKey, RepositoryName},
    remark::Remarks,
};
use sqlx::{PgConnection, types::Json};
use time::Duration;

/// Notes that there is reason to look at what is said of a change, now. Many reasons are one look.
///
/// # Errors
/// The database refused.
pub async fn look_at(tx: &mut Tx, change: &Change) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into host_remarks (host, folded, key, repository, due_at) values ($1, $2, $3, $4, $5)
         on conflict (host, folded, key) do update
             set asks = host_remarks.asks + 1, due_at = least(host_remarks.due_at, excluded.due_at), attempts = 0, error = null",
        change.host.as_str(),
        change.repository.folded(),
        change.key.as_str(),
        change.repository.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives the same reason for all open changes of a repository at which nobody has looked since then: what was told got lost, or
/// came before anybody looked at all. What could not be looked at waits for a reason of its own.
///
/// # Errors
/// The database refused.
pub async fn look_again(
    tx: &mut Tx,
    host: Host,
    repository: &RepositoryName,
    since: Timestamp,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into host_remarks (host, folded, key, repository, due_at)
         select h.host, h.folded, h.key, h.repository, $4::timestamptz from host_change h
         join change c on c.id = h.change_id
         join change_state s on s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null and s.state = 'open'
         where h.host = $1 and h.folded = $2 and not exists (
             select from host_remarks m where (m.host, m.folded, m.key) = (h.host, h.folded, h.key)
                                          and (m.due_at is not null or m.error is not null or m.looked_at >= $3))
         order by h.key
         on conflict (host, folded, key) do update set asks = host_remarks.asks + 1, due_at = excluded.due_at",
        host.as_str(),
        repository.folded(),
        since,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A change of which somebody looks at what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub change: Change,
    /// How often it was begun without coming to an end, this time included.
    pub attempts: i32,
    /// The reasons that this answers.
    asks: i64,
    /// By when it is to be done; afterwards somebody else may be at it.
    until: Timestamp,
}

/// Takes some changes of a host that there is reason to look at, each for so long; afterwards somebody else may.
///
/// # Errors
/// The database refused.
pub async fn take(
    conn: &mut PgConnection,
    host: Host,
    most: i64,
    now: Timestamp,
    lasts: Duration,
) -> Result<Vec<Due>, Error> {
    let until = now + lasts;
    let rows = sqlx::query!(
        "update host_remarks set taken_until = $3, due_at = $3, attempts = attempts + 1
         where (host, folded, key) in (
             select host, folded, key from host_remarks
             where host = $1 and due_at <= $2 and (taken_until is null or taken_until <= $2) order by due_at limit $4 for update skip locked)
         returning repository, key, asks, attempts",
        host.as_str(),
        now,
        until,
        most,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let repository = RepositoryName::parse(row.repository).ok();
            Ok(Due {
                change: Change {
                    host,
                    repository: known(repository, "host_remarks", "repository")?,
                    key: known(ChangeKey::parse(row.key).ok(), "host_remarks", "key")?,
                },
                attempts: row.attempts,
                asks: row.asks,
                until,
            })
        })
        .collect()
}

/// Records what somebody saw in place of what was seen before, or why they could not look: then that stays. Whoever comes when
/// somebody else is at it comes too late.
///
/// # Errors
/// The database refused.
pub async fn looked(
    conn: &mut PgConnection,
    due: &Due,
    seen: Result<&Remarks, &Left>,
    now: Timestamp,
) -> Result<(), Error> {
    let left = seen.err();
    sqlx::query!(
        "update host_remarks set answered = $4, taken_until = null, error = $5,
                attempts = case when $5::text is null then 0 else attempts end,
                due_at = case when asks > $4 then $6 else $7::timestamptz end,
                remarks = coalesce($8, remarks), looked_at = case when $8::jsonb is null then looked_at else $6 end
         where (host, folded, key) = ($1, $2, $3) and taken_until = $9",
        due.change.host.as_str(),
        due.change.repository.folded(),
        due.change.key.as_str(),
        due.asks,
        left.map(|left| &*left.why),
        now,
        left.and_then(|left| left.again),
        seen.ok().map(Json) as Option<Json<&Remarks>>,
        due.until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was said of one of our changes, where and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub host: Host,
    pub remarks: Remarks,
    pub looked_at: Timestamp,
}

/// What was said of a change at its host, if anything was. What this version cannot read is as good as not there.
///
/// # Errors
/// The database cannot be asked.
pub async fn of_change(conn: &mut PgConnection, change: ChangeId) -> Result<Option<Said>, Error> {
    let row = sqlx::query!(
        r#"select m.host, m.remarks as "remarks!", m.looked_at as "looked_at!" from host_change h
           join host_remarks m on (m.host, m.folded, m.key) = (h.host, h.folded, h.key)
           where h.change_id = $1 and m.remarks is not null and m.looked_at is not null
           order by m.looked_at desc limit 1"#,
        change.0,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let remarks: Option<Remarks> = serde_json::from_value(row.remarks).ok();
    let Some(remarks) = remarks.filter(|remarks| !remarks.all.is_empty()) else {
        return Ok(None);
    };
    Ok(Some(Said {
        host: known(Host::parse(&row.host), "host_remarks", "host")?,
        remarks,
        looked_at: row.looked_at,
    }))
}
