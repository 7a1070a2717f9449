//! Changes at code hosts: which there is reason to look at, who looks, and what was recorded last.

use crate::{Db, Error, Tx, checks, error::known, patches, rows};
use domain::{
    Timestamp,
    digest::PatchHash,
    host::Host,
    ids::{ChangeId, RepositoryId, RevisionId},
    names::{ChangeKey, CommitSha, RepositoryName},
    policy::Source,
};
use sqlx::PgConnection;
use time::Duration;

/// How often a change is looked at without coming to an end before somebody else has to give a reason to: for some six hours.
pub const MOST_ATTEMPTS: i32 = 14;

/// A change at a code host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub host: Host,
    pub repository: RepositoryName,
    pub key: ChangeKey,
}

/// Notes that there is reason to look at a change, now, and says the how manieth it is. Many reasons are one look.
///
/// # Errors
/// The database refused.
pub async fn look_at(tx: &mut Tx, change: &Change) -> Result<i64, Error> {
    let now = tx.now();
    Ok(sqlx::query_scalar!(
        "insert into host_change (host, repository, folded, key, due_at) values ($1, $2, $3, $4, $5)
         on conflict (host, folded, key) do update set asks = host_change.asks + 1, due_at = least(host_change.due_at, excluded.due_at), attempts = 0, error = null
         returning asks",
        change.host.as_str(),
        change.repository.as_str(),
        change.repository.folded(),
        change.key.as_str(),
        now,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whether somebody has looked for that reason and those before it, or could not.
///
/// # Errors
/// The database cannot be asked.
pub async fn has_looked(db: &Db, change: &Change, reason: i64) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from host_change where (host, folded, key) = ($1, $2, $3) and (answered >= $4 or error is not null)) as "has!""#,
        change.host.as_str(),
        change.repository.folded(),
        change.key.as_str(),
        reason,
    )
    .fetch_one(db.pool())
    .await?)
}

/// The open changes of a repository whose head is that commit, as far as we know.
///
/// # Errors
/// The database refused.
pub async fn open_at(
    tx: &mut Tx,
    repository: &RepositoryName,
    head: &CommitSha,
) -> Result<Vec<ChangeKey>, Error> {
    let keys = sqlx::query_scalar!(
        "select c.key from repository p
         join revision r on r.repository_id = p.id and r.head = $2
         join change_state s on s.repository_id = r.repository_id and s.change_id = r.change_id and s.until_version is null
                            and s.head_revision = r.id and s.state = 'open'
         join change c on c.repository_id = r.repository_id and c.id = r.change_id
         where p.folded = $1",
        repository.folded(),
        head.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    keys.into_iter()
        .map(|key| known(ChangeKey::parse(key).ok(), "change", "key"))
        .collect()
}

/// A look at a change that somebody began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub change: Change,
    /// Its number among the looks at this change.
    pub number: i64,
    /// The reasons that it answers.
    asks: i64,
    began_at: Timestamp,
    /// How often it was begun without coming to an end, this time included.
    pub attempts: i32,
    /// What the host called the state that is recorded.
    pub etag: Option<String>,
}

/// Begins to look at changes that there is reason to look at, each for so long; afterwards somebody else may.
///
/// # Errors
/// The database refused.
pub async fn begin(
    conn: &mut PgConnection,
    host: Host,
    most: i64,
    now: Timestamp,
    lasts: Duration,
) -> Result<Vec<Look>, Error> {
    let rows = sqlx::query!(
        "update host_change set begun = begun + 1, taken_until = $3, attempts = attempts + 1, due_at = $3
         where (host, folded, key) in (
             select host, folded, key from host_change
             where host = $1 and due_at <= $2 and (taken_until is null or taken_until <= $2) order by due_at limit $4 for update skip locked)
         returning repository, key, begun, asks, attempts, etag",
        host.as_str(),
        now,
        now + lasts,
        most,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let repository = RepositoryName::parse(row.repository).ok();
            Ok(Look {
                change: Change {
                    host,
                    repository: known(repository, "host_change", "repository")?,
                    key: known(ChangeKey::parse(row.key).ok(), "host_change", "key")?,
                },
                number: row.begun,
                asks: row.asks,
                began_at: now,
                attempts: row.attempts,
                etag: row.etag,
            })
        })
        .collect()
}

/// Claims that what a look found is what is recorded: nobody records anything of this change until the transaction has
/// ended. False if a later look was recorded meanwhile, and then nothing may be.
///
/// # Errors
/// The database refused.
pub async fn claim(tx: &mut Tx, look: &Look, etag: Option<&str>) -> Result<bool, Error> {
    let done = sqlx::query!(
        "update host_change set recorded = $4, confirmed_at = $5, etag = $6, answered = greatest(answered, $7), error = null, attempts = 0,
                taken_until = case when begun = $4 then null else taken_until end,
                due_at = case when asks > $7 then $8::timestamptz when begun = $4 then null else due_at end
         where (host, folded, key) = ($1, $2, $3) and recorded < $4",
        look.change.host.as_str(),
        look.change.repository.folded(),
        look.change.key.as_str(),
        look.number,
        look.began_at,
        etag,
        look.asks,
        tx.now(),
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a change is recorded as its host had it when the look began.
///
/// # Errors
/// The database refused.
pub async fn saw(tx: &mut Tx, look: &Look) -> Result<(), Error> {
    let of = &look.change;
    let keys = [of.key.to_string()];
    confirmed(tx, of.host, &of.repository, &keys, look.began_at).await
}

/// Notes which change of ours it is, and says whether that was not known.
///
/// # Errors
/// The database refused.
pub async fn is(tx: &mut Tx, look: &Look, change: ChangeId) -> Result<bool, Error> {
    let new = sqlx::query!(
        "update host_change set change_id = $4 where (host, folded, key) = ($1, $2, $3) and change_id is distinct from $4",
        look.change.host.as_str(),
        look.change.repository.folded(),
        look.change.key.as_str(),
        change.0,
    )
    .execute(tx.conn())
    .await?;
    Ok(new.rows_affected() > 0)
}

/// When to look again at what could not be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// After a while that doubles with every attempt, up to an hour, give or take half of it; not for ever.
    Later,
    /// Then: the host says so, and it is no fault of this change.
    At(Timestamp),
    /// When there is reason to.
    Never,
}

/// Records that a look came to nothing, unless a later one has begun. For a reason that came meanwhile somebody looks at once.
///
/// # Errors
/// The database refused.
pub async fn fail(
    conn: &mut PgConnection,
    look: &Look,
    why: &str,
    again: Again,
    now: Timestamp,
) -> Result<(), Error> {
    let at = match again {
        Again::At(at) => Some(at),
        Again::Later | Again::Never => None,
    };
    sqlx::query!(
        "update host_change set error = $5, taken_until = null,
                attempts = attempts - case when $6::timestamptz is null then 0 else 1 end,
                due_at = case when $6::timestamptz is not null then $6
                              when asks > $10 then $9
                              when $7 and attempts < $8 then $9::timestamptz + interval '1 second' * least(2 ^ attempts, 3600) * (0.5 + random()) end
         where (host, folded, key) = ($1, $2, $3) and begun = $4",
        look.change.host.as_str(),
        look.change.repository.folded(),
        look.change.key.as_str(),
        look.number,
        why,
        at,
        again == Again::Later,
        MOST_ATTEMPTS,
        now,
        look.asks,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The patch of a revision, if this host gave it, and all of it.
///
/// # Errors
/// The database cannot be asked.
pub async fn known_patch(
    db: &Db,
    change: &Change,
    revision: &At<'_>,
) -> Result<Option<PatchHash>, Error> {
    let hash = sqlx::query_scalar!(
        "select r.patch_hash from repository p join change c on c.repository_id = p.id and c.key = $2
         join revision r on r.repository_id = c.repository_id and r.change_id = c.id
         where p.folded = $1 and (r.target, r.merge_base, r.head) = ($3, $4, $5) and r.host = $6 and r.incomplete is null",
        change.repository.folded(),
        change.key.as_str(),
        revision.target,
        revision.merge_base.as_str(),
        revision.head.as_str(),
        change.host.as_str(),
    )
    .fetch_optional(db.pool())
    .await?;
    hash.map(|hash| {
        let hash = <[u8; 32]>::try_from(hash).ok();
        Ok(PatchHash(known(hash, "revision", "patch_hash")?))
    })
    .transpose()
}

/// The bytes of the patch of a revision that is known.
///
/// # Errors
/// The database cannot be asked, or a body does not unpack to its length.
pub async fn patch(db: &Db, change: &Change, revision: &At<'_>) -> Result<Vec<u8>, Error> {
    let mut conn = db.pool().acquire().await?;
    let row = sqlx::query!(
        "select r.repository_id, r.id from repository p join change c on c.repository_id = p.id and c.key = $2
         join revision r on r.repository_id = c.repository_id and r.change_id = c.id
         where p.folded = $1 and (r.target, r.merge_base, r.head) = ($3, $4, $5)",
        change.repository.folded(),
        change.key.as_str(),
        revision.target,
        revision.merge_base.as_str(),
        revision.head.as_str(),
    )
    .fetch_one(&mut *conn)
    .await?;
    let (repository, revision) = (RepositoryId(row.repository_id), RevisionId(row.id));
    Ok(patches::bodies(&mut conn, repository, revision)
        .await?
        .concat())
}

/// Where the newest revision of a change begins that the host told of, with this target and head.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn known_base(
    db: &Db,
    change: &Change,
    target: &str,
    head: &CommitSha,
) -> Result<Option<CommitSha>, Error> {
    let base = sqlx::query_scalar!(
        "select r.merge_base from repository p join change c on c.repository_id = p.id and c.key = $2
         join revision r on r.repository_id = c.repository_id and r.change_id = c.id
         where p.folded = $1 and (r.target, r.head) = ($3, $4) and r.host = $5
         order by r.number desc limit 1",
        change.repository.folded(),
        change.key.as_str(),
        target,
        head.as_str(),
        change.host.as_str(),
    )
    .fetch_optional(db.pool())
    .await?;
    base.map(rows::merge_base).transpose()
}

/// Between which commits, and to which branch, a revision goes.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub target: &'a str,
    pub merge_base: &'a CommitSha,
    pub head: &'a CommitSha,
}

/// Whether the host was asked about this change and a revision of it is known, so that others may add to it.
///
/// # Errors
/// The database cannot be asked.
pub async fn has_told(db: &Db, change: &Change, revision: &At<'_>) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from host_change h
               join change c on c.id = h.change_id
               join revision r on r.repository_id = c.repository_id and r.change_id = c.id
               where (h.host, h.folded, h.key) = ($1, $2, $3) and (r.target, r.merge_base, r.head) = ($4, $5, $6)
                 and r.host = h.host) as "has!""#,
        change.host.as_str(),
        change.repository.folded(),
        change.key.as_str(),
        revision.target,
        revision.merge_base.as_str(),
        revision.head.as_str(),
    )
    .fetch_one(db.pool())
    .await?)
}

/// A change that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Troubled {
    pub host: Host,
    pub repository: String,
    pub key: String,
    pub error: String,
    /// When it is tried again; none where it was given up.
    pub due_at: Option<Timestamp>,
    /// When the host said what is recorded.
    pub confirmed_at: Option<Timestamp>,
}

/// The changes that could not be looked at, at most `most`, those first that were given up.
///
/// # Errors
/// The database cannot be asked.
pub async fn troubled(conn: &mut PgConnection, most: i64) -> Result<Vec<Troubled>, Error> {
    let rows = sqlx::query!(
        r#"select host, repository, key, error as "error!", due_at, confirmed_at from host_change where error is not null
           order by due_at nulls first, host, folded, key limit $1"#,
        most,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Troubled {
                host: known(Host::parse(&row.host), "host_change", "host")?,
                repository: row.repository,
                key: row.key,
                error: row.error,
                due_at: row.due_at,
                confirmed_at: row.confirmed_at,
            })
        })
        .collect()
}

/// An open change as it is recorded here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub key: String,
    pub title: String,
    pub draft: bool,
    pub target: String,
    pub head: String,
}

/// What a walk over the open changes of a repository came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    pub repository: String,
    pub done_at: Option<Timestamp>,
    pub open: i32,
    pub found: i32,
    pub error: Option<String>,
}

/// Asks for a walk over the open changes of these repositories, or of all that are known; whichever server is there does it.
///
/// # Errors
/// The database refused.
pub async fn ask_for_walk(
    conn: &mut PgConnection,
    host: Host,
    named: &[RepositoryName],
    now: Timestamp,
) -> Result<(), Error> {
    let names: Vec<String> = named.iter().map(ToString::to_string).collect();
    let folded: Vec<String> = named.iter().map(RepositoryName::folded).collect();
    sqlx::query!(
        "insert into reconciliation (host, repository, folded, asked_at)
         select distinct on (folded) $1, repository, folded, $2::timestamptz
         from (select repository, folded from unnest($3::text[], $4::text[]) as named (repository, folded)
               union all select repository, folded from host_change where host = $1 and cardinality($4::text[]) = 0
               union all select repository, folded from reconciliation where host = $1 and cardinality($4::text[]) = 0) wanted
         order by folded
         on conflict (host, folded) do update set asked_at = excluded.asked_at",
        host.as_str(),
        now,
        &names,
        &folded,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Begins the walks that are due: those that were asked for, and those of repositories over which nobody has walked for so
/// long. Whoever gets one does it.
///
/// # Errors
/// The database refused.
pub async fn begin_walks(
    conn: &mut PgConnection,
    host: Host,
    now: Timestamp,
    every: Duration,
) -> Result<Vec<RepositoryName>, Error> {
    sqlx::query!(
        "insert into reconciliation (host, repository, folded, asked_at)
         select distinct on (folded) host, repository, folded, $2::timestamptz from host_change where host = $1 order by folded
         on conflict do nothing",
        host.as_str(),
        now,
    )
    .execute(&mut *conn)
    .await?;
    let names = sqlx::query_scalar!(
        "update reconciliation set began_at = $2 where (host, folded) in (
             select host, folded from reconciliation
             where host = $1 and (began_at is null or began_at < asked_at or began_at <= $3) for update skip locked)
         returning repository",
        host.as_str(),
        now,
        now - every,
    )
    .fetch_all(conn)
    .await?;
    names
        .into_iter()
        .map(|name| {
            known(
                RepositoryName::parse(name).ok(),
                "reconciliation",
                "repository",
            )
        })
        .collect()
}

/// The open changes of a repository, as they are recorded; and the keys of those that there is a reason to look at already.
///
/// # Errors
/// The database cannot be asked.
pub async fn open_here(
    conn: &mut PgConnection,
    host: Host,
    repository: &RepositoryName,
) -> Result<(Vec<Open>, Vec<String>), Error> {
    let rows = sqlx::query!(
        r#"select h.key, s.title, s.draft, r.target, r.head
           from host_change h
           join change c on c.id = h.change_id
           join change_state s on s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null and s.state = 'open'
           join revision r on r.repository_id = s.repository_id and r.id = s.head_revision
           where h.host = $1 and h.folded = $2"#,
        host.as_str(),
        repository.folded(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let asked = sqlx::query_scalar!(
        "select key from host_change where host = $1 and folded = $2 and asks > answered and due_at is not null",
        host.as_str(),
        repository.folded(),
    )
    .fetch_all(conn)
    .await?;
    let open = rows
        .into_iter()
        .map(|row| Open {
            key: row.key,
            title: row.title,
            draft: row.draft,
            target: row.target,
            head: row.head,
        })
        .collect();
    Ok((open, asked))
}

/// Notes that these changes were at `began_at` as they are recorded.
///
/// # Errors
/// The database refused.
pub async fn confirm(
    tx: &mut Tx,
    host: Host,
    repository: &RepositoryName,
    keys: &[String],
    began_at: Timestamp,
) -> Result<(), Error> {
    // In one order for all, or two walks could wait for each other.
    sqlx::query!(
        "update host_change h set confirmed_at = greatest(confirmed_at, $4)
         from (select key from host_change where host = $1 and folded = $2 and key = any($3) and recorded > 0 order by key for update) named
         where h.host = $1 and h.folded = $2 and h.key = named.key",
        host.as_str(),
        repository.folded(),
        keys,
        began_at,
    )
    .execute(tx.conn())
    .await?;
    confirmed(tx, host, repository, keys, began_at).await
}

/// The same where gates read it. Whoever does this holds the changes of the host. Where that was so long ago that gates may have
/// refused them for it, their verdicts may be others now.
async fn confirmed(
    tx: &mut Tx,
    host: Host,
    repository: &RepositoryName,
    keys: &[String],
    at: Timestamp,
) -> Result<(), Error> {
    let late = sqlx::query!(
        "select s.repository_id, s.change_id from host_change h join change c on c.id = h.change_id
         join change_state s on s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null
         where h.host = $1 and h.folded = $2 and h.key = any($3) and (s.confirmed_at is null or s.confirmed_at < $4)",
        host.as_str(),
        repository.folded(),
        keys,
        at - Source::LEAST,
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "update change_state s set confirmed_at = greatest(s.confirmed_at, $4)
         from host_change h join change c on c.id = h.change_id
         where h.host = $1 and h.folded = $2 and h.key = any($3)
           and s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null",
        host.as_str(),
        repository.folded(),
        keys,
        at,
    )
    .execute(tx.conn())
    .await?;
    let Some(of) = late.first().map(|one| RepositoryId(one.repository_id)) else {
        return Ok(());
    };
    let changes: Vec<ChangeId> = late.iter().map(|one| ChangeId(one.change_id)).collect();
    checks::due_of(tx, of, &changes).await
}

/// Records what a walk came to: how many are open there and how many of them or of ours were another, or why it came to nothing.
///
/// # Errors
/// The database refused.
pub async fn walked(
    tx: &mut Tx,
    host: Host,
    repository: &RepositoryName,
    came_to: Result<(usize, usize), &str>,
) -> Result<(), Error> {
    let now = tx.now();
    let int = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let (open, found) = came_to.unwrap_or((0, 0));
    sqlx::query!(
        "update reconciliation set done_at = $3, open = $4, found = $5, found_ever = found_ever + $5::int, error = $6 where host = $1 and folded = $2",
        host.as_str(),
        repository.folded(),
        now,
        int(open),
        int(found),
        came_to.err(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The walks that were done since that moment, and those that are still to be done.
///
/// # Errors
/// The database cannot be asked.
pub async fn walks(
    conn: &mut PgConnection,
    host: Host,
    since: Timestamp,
) -> Result<Vec<Walked>, Error> {
    Ok(sqlx::query_as!(
        Walked,
        "select repository, case when done_at >= $2 and began_at >= $2 then done_at end as done_at, open, found, error
         from reconciliation where host = $1 and asked_at >= $2 order by folded",
        host.as_str(),
        since,
    )
    .fetch_all(conn)
    .await?)
}
