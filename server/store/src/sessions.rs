//! Who is signed in in which browser. A session that was revoked stays revoked, whatever a request that began before says.

use crate::{Error, Tx, events};
use domain::{Timestamp, ids::PersonId};
use serde_json::json;
use sqlx::PgConnection;
use time::Duration;

/// SHA-256 of a session's id: who reads the table can use no session.
pub type IdHash = [u8; 32];

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without a request.
    pub idle: Duration,
    /// Whatever happens.
    pub absolute: Duration,
}

/// A session that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub person: Option<PersonId>,
    pub data: Vec<u8>,
    pub expires_at: Timestamp,
}

/// How exactly the last request is known: to write it at each would cost a write a page.
const TOUCHED_EVERY: Duration = Duration::MINUTE;

/// Opens a session. False if that id is taken.
///
/// # Errors
/// The database refused.
pub async fn create(
    conn: &mut PgConnection,
    id: &IdHash,
    session: &Session,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "insert into session (id_hash, person_id, data, created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, $4, $5)
         on conflict (id_hash) do nothing",
        id.as_slice(),
        session.person.map(|person| person.0),
        session.data,
        now,
        session.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what an open session holds. False, and nothing written, if it has ended meanwhile: an update and never an
/// insert, so a request that is still running cannot bring back what was revoked. Nor does it prolong anything.
///
/// # Errors
/// The database refused.
pub async fn save(
    conn: &mut PgConnection,
    id: &IdHash,
    person: Option<PersonId>,
    data: &[u8],
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "update session set person_id = $2, data = $3, last_seen_at = greatest(last_seen_at, $4)
         where id_hash = $1 and revoked_at is null and expires_at > $4",
        id.as_slice(),
        person.map(|person| person.0),
        data,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The session, if it is open, and notes that it was used.
///
/// # Errors
/// The database cannot be asked.
pub async fn load(
    conn: &mut PgConnection,
    id: &IdHash,
    idle: Duration,
    now: Timestamp,
) -> Result<Option<Session>, Error> {
    let row = sqlx::query!(
        "select person_id, data, expires_at, last_seen_at from session
         where id_hash = $1 and revoked_at is null and expires_at > $2 and last_seen_at > $3",
        id.as_slice(),
        now,
        now - idle,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if now - row.last_seen_at >= TOUCHED_EVERY {
        sqlx::query!(
            "update session set last_seen_at = greatest(last_seen_at, $2) where id_hash = $1 and revoked_at is null",
            id.as_slice(),
            now,
        )
        .execute(conn)
        .await?;
    }
    Ok(Some(Session {
        person: row.person_id.map(PersonId),
        data: row.data,
        expires_at: row.expires_at,
    }))
}

/// Deletes at most so many sessions that were over before a moment: revoked, or past the end that they had from the beginning. Says
/// how many. Those that another process is deleting are left to it.
///
/// # Errors
/// The database refused.
pub async fn forget(conn: &mut PgConnection, before: Timestamp, most: i64) -> Result<u64, Error> {
    let done = sqlx::query!(
        "delete from session where id_hash in (
             select id_hash from session where expires_at < $1 or revoked_at < $1 limit $2 for update skip locked)",
        before,
        most,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Ends one session.
///
/// # Errors
/// The database refused.
pub async fn revoke(tx: &mut Tx, id: &IdHash) -> Result<(), Error> {
    let now = tx.now();
    let ended = sqlx::query!(
        "update session set revoked_at = $2 where id_hash = $1 and revoked_at is null returning person_id",
        id.as_slice(),
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    match ended.and_then(|row| row.person_id) {
        Some(person) => {
            events::record(
                tx,
                None,
                "person.signed_out",
                person,
                json!({ "sessions": 1 }),
            )
            .await
        }
        None => Ok(()),
    }
}

/// Ends all sessions of one person.
///
/// # Errors
/// The database refused.
pub async fn revoke_all(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    let now = tx.now();
    let ended = sqlx::query!(
        "update session set revoked_at = $2 where person_id = $1 and revoked_at is null",
        person.0,
        now,
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    if ended == 0 {
        return Ok(());
    }
    events::record(
        tx,
        None,
        "person.signed_out",
        person.0,
        json!({ "sessions": ended }),
    )
    .await
}
