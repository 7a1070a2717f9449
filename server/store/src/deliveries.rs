//! What code hosts told us: stored as it came, worked on afterwards, each once.

use crate::{Db, Error, Tx, error::known};
use domain::{Timestamp, host::Host};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use time::{Date, Duration};
use uuid::Uuid;

/// How often something is tried before it is given up: the last attempt comes some four minutes after the first.
pub const MOST_ATTEMPTS: i32 = 8;

/// A delivery whose signature was right.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    pub id: Uuid,
    pub host: Host,
    /// What the host calls it.
    pub sender_id: &'a str,
    pub event: &'a str,
    pub body: &'a [u8],
}

/// Stores a delivery, on disk when this returns. False if it is there already. One that was given up is worked on again: whoever has
/// the host send it once more wants that.
///
/// # Errors
/// The database refused.
pub async fn store(db: &Db, new: &New<'_>) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    let now = tx.now();
    let done = sqlx::query!(
        "insert into delivery (id, host, sender_id, event, received_at, body, due_at) values ($1, $2, $3, $4, $5, $6, $5)
         on conflict (host, sender_id) do update set state = 'received', attempts = 0, due_at = excluded.due_at, error = null
             where delivery.state = 'dead'",
        new.id,
        new.host.as_str(),
        new.sender_id,
        new.event,
        now,
        new.body,
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Takes deliveries that are due. Each counts as tried from then on, and is due again after a while that doubles with every
/// attempt, give or take half of it, unless it is over by then: whoever took it may be killed.
///
/// # Errors
/// The database refused.
pub async fn take(conn: &mut PgConnection, most: i64, now: Timestamp) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar!(
        "update delivery set attempts = attempts + 1,
                             due_at = $1::timestamptz + interval '1 second' * (2 ^ least(attempts + 1, 12)) * (0.5 + random())
         where id in (select id from delivery where due_at <= $1 order by due_at limit $2 for update skip locked)
         returning id",
        now,
        most,
    )
    .fetch_all(conn)
    .await?)
}

/// A delivery that is being worked on: locked until the transaction ends.
#[derive(Debug)]
pub struct Working {
    pub id: Uuid,
    pub host: Host,
    pub event: String,
    pub body: Vec<u8>,
    pub attempts: i32,
}

/// The delivery of that id, unless it is over or somebody else works on it.
///
/// # Errors
/// The database refused.
pub async fn working(tx: &mut Tx, id: Uuid) -> Result<Option<Working>, Error> {
    let row = sqlx::query!(
        "select host, event, body, attempts from delivery where id = $1 and due_at is not null for update skip locked",
        id
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        Ok(Working {
            id,
            host: known(Host::parse(&row.host), "delivery", "host")?,
            event: row.event,
            body: row.body,
            attempts: row.attempts,
        })
    })
    .transpose()
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// To be tried again when it is due.
    Failed(String),
    /// Trying again would change nothing, or was tried often enough.
    Dead(String),
}

/// Records how an attempt ended.
///
/// # Errors
/// The database refused.
pub async fn end(tx: &mut Tx, id: Uuid, ended: &Ended) -> Result<(), Error> {
    let now = tx.now();
    let (state, error) = match ended {
        Ended::Done => (State::Done, None),
        Ended::Failed(why) => (State::Failed, Some(why)),
        Ended::Dead(why) => (State::Dead, Some(why)),
    };
    sqlx::query!(
        "update delivery set state = $2, error = $3, worked_at = $4, due_at = case when $2 = 'failed' then due_at end where id = $1",
        id,
        state.as_str(),
        error,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Has a delivery that is over worked on again, from the start. False if there is none, or it is not over.
///
/// # Errors
/// The database refused.
pub async fn again(tx: &mut Tx, id: Uuid) -> Result<bool, Error> {
    let now = tx.now();
    let done = sqlx::query!(
        "update delivery set state = 'received', attempts = 0, due_at = $2, error = null where id = $1 and state in ('done', 'dead')",
        id,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Received,
    Done,
    Failed,
    Dead,
}

impl State {
    const ALL: [State; 4] = [State::Received, State::Done, State::Failed, State::Dead];

    /// The word used in SQL and on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Received => "received",
            State::Done => "done",
            State::Failed => "failed",
            State::Dead => "dead",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A delivery as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: Uuid,
    pub host: Host,
    pub sender_id: String,
    pub event: String,
    pub received_at: Timestamp,
    pub bytes: i32,
    pub state: State,
    pub attempts: i32,
    pub error: Option<String>,
}

/// The newest deliveries, at most `most`, before that moment and id.
///
/// # Errors
/// The database cannot be asked.
pub async fn recent(
    conn: &mut PgConnection,
    before: Option<(Timestamp, Uuid)>,
    most: i64,
) -> Result<Vec<Listed>, Error> {
    let (at, id) = before.unzip();
    let rows = sqlx::query!(
        r#"select id, host, sender_id, event, received_at, length(body) as "bytes!", state, attempts, error from delivery
           where $1::timestamptz is null or (received_at, id) < ($1, $2)
           order by received_at desc, id desc limit $3"#,
        at,
        id,
        most,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Listed {
                id: row.id,
                host: known(Host::parse(&row.host), "delivery", "host")?,
                sender_id: row.sender_id,
                event: row.event,
                received_at: row.received_at,
                bytes: row.bytes,
                state: known(State::parse(&row.state), "delivery", "state")?,
                attempts: row.attempts,
                error: row.error,
            })
        })
        .collect()
}

/// A delivery with the first `most` bytes of its body.
///
/// # Errors
/// The database cannot be asked.
pub async fn one(
    conn: &mut PgConnection,
    id: Uuid,
    most: i32,
) -> Result<Option<(Listed, Vec<u8>)>, Error> {
    let row = sqlx::query!(
        r#"select id, host, sender_id, event, received_at, length(body) as "bytes!", state, attempts, error,
                  substring(body from 1 for $2) as "body!"
           from delivery where id = $1"#,
        id,
        most,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let listed = Listed {
            id: row.id,
            host: known(Host::parse(&row.host), "delivery", "host")?,
            sender_id: row.sender_id,
            event: row.event,
            received_at: row.received_at,
            bytes: row.bytes,
            state: known(State::parse(&row.state), "delivery", "state")?,
            attempts: row.attempts,
            error: row.error,
        };
        Ok((listed, row.body))
    })
    .transpose()
}

/// Deletes deliveries that were over before that moment, at most `most`, and says how many.
///
/// # Errors
/// The database refused.
pub async fn forget(conn: &mut PgConnection, before: Timestamp, most: i64) -> Result<u64, Error> {
    let done = sqlx::query!(
        "delete from delivery where id in (select id from delivery where received_at < $1 and due_at is null order by received_at limit $2)",
        before,
        most
    )
    .execute(&mut *conn)
    .await?;
    Ok(done.rows_affected())
}

/// How often something was not taken, by host and reason.
pub type Refused = BTreeMap<(Host, &'static str), u64>;

/// Adds to how often deliveries were refused today, and forgets what was counted a month ago.
///
/// # Errors
/// The database refused; nothing of it is counted then.
pub async fn count_refused(tx: &mut Tx, refused: &Refused) -> Result<(), Error> {
    let day = tx.now().date();
    let hosts: Vec<String> = refused.keys().map(|(host, _)| host.to_string()).collect();
    let reasons: Vec<String> = refused.keys().map(|(_, why)| (*why).to_owned()).collect();
    let times: Vec<i64> = refused
        .values()
        .map(|times| i64::try_from(*times).unwrap_or(i64::MAX))
        .collect();
    sqlx::query!(
        "insert into delivery_refused (host, reason, day, times) select host, reason, $1, times from unnest($2::text[], $3::text[], $4::bigint[]) as r (host, reason, times)
         on conflict (host, reason, day) do update set times = delivery_refused.times + excluded.times",
        day,
        &hosts,
        &reasons,
        &times,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from delivery_refused where day < $1",
        day - Duration::days(30)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How often deliveries were refused since that day: host, reason, times.
///
/// # Errors
/// The database cannot be asked.
pub async fn refused(
    conn: &mut PgConnection,
    since: Date,
) -> Result<Vec<(Host, String, i64)>, Error> {
    let rows = sqlx::query!(
        r#"select host, reason, sum(times)::bigint as "times!" from delivery_refused where day >= $1 group by host, reason order by host, reason"#,
        since
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let host = known(Host::parse(&row.host), "delivery_refused", "host")?;
            Ok((host, row.reason, row.times))
        })
        .collect()
}
