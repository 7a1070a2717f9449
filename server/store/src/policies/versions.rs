//! The versions of policies: written once, in force from one moment until another, each with who and when.
//!
//! Locks are taken in one order: the default that is in force, then a repository's row.

use super::{Pointer, hash, read};
use crate::{Error, Tx, error::known, events, readers};
use domain::{
    Timestamp,
    ids::{PersonId, RepositoryId, TokenId},
    names::RepositoryName,
    policy::{Policy, Terms},
    readers::Reader,
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::sync::Arc;
use uuid::Uuid;

/// The policy of every repository that has none of its own.
pub const DEFAULT: &str = "default";

/// Who wrote a version, and through which door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The settings of `serve`.
    Configuration,
    /// An admin in the browser.
    Person(PersonId),
    /// A pipeline, over REST.
    Token(TokenId),
}

impl Author {
    /// The person, if it was one.
    #[must_use]
    pub fn person(self) -> Option<PersonId> {
        match self {
            Author::Person(person) => Some(person),
            Author::Configuration | Author::Token(_) => None,
        }
    }
}

/// A version to be.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// None: back to the default.
    pub text: Option<&'a str>,
    pub author: Author,
    pub note: &'a str,
}

/// One version, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub version: i32,
    /// None: back to the default.
    pub text: Option<String>,
    pub author: Author,
    /// The name of the person or the token.
    pub by: Option<String>,
    pub note: String,
    pub at: Timestamp,
    pub state: State,
}

/// What became of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    InForce {
        from: Timestamp,
    },
    Past {
        from: Timestamp,
        until: Timestamp,
    },
    /// It lowers what is needed, and waits for another admin.
    Proposed,
    Refused {
        by: String,
        at: Timestamp,
    },
    /// Another version came into force before anybody had confirmed it.
    Lapsed,
}

/// What became of a text that somebody sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    InForce(i32),
    /// It waits for another admin.
    Proposed(i32),
    /// It is what is in force already.
    Unchanged,
}

/// A repository whose row is locked against everybody else who would change its terms.
#[derive(Debug)]
pub struct Locked {
    pub id: RepositoryId,
    pub name: RepositoryName,
    pub terms: Terms,
    default: Pointer,
}

impl Locked {
    /// What is judged by where no policy of its own holds.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub async fn default(&self, tx: &mut Tx) -> Result<Arc<Policy>, Error> {
        read(tx.conn(), &self.default).await
    }

    /// Whether that is what it says already.
    pub(super) async fn says(&self, tx: &mut Tx, text: Option<&str>) -> Result<bool, Error> {
        let held = in_force(tx.conn(), &self.terms).await?;
        Ok(match text {
            None => self.terms.policy.id == DEFAULT,
            Some(text) => {
                self.terms.policy.whole
                    && self.terms.policy.id != DEFAULT
                    && held.is_some_and(|held| held.text.as_deref() == Some(text))
            }
        })
    }

    fn policy(&self) -> String {
        self.name.folded()
    }
}

/// Locks a repository's terms. None if nobody told of it.
///
/// # Errors
/// The database refused.
pub async fn lock(tx: &mut Tx, name: &RepositoryName) -> Result<Option<Locked>, Error> {
    let default = default_in_force(tx).await?;
    let row = sqlx::query!(
        "select id, name, policy, policy_version, policy_hash, observe_until from repository where folded = $1
         for no key update",
        name.folded(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let pointer = Pointer {
        policy: row.policy,
        version: row.policy_version,
        hash: row.policy_hash,
    };
    Ok(Some(Locked {
        id: RepositoryId(row.id),
        name: crate::rows::repository(row.name)?,
        terms: Terms {
            policy: read(tx.conn(), &pointer).await?,
            observe_until: row.observe_until,
        },
        default,
    }))
}

/// Where the default that is in force stands, which nobody changes until this transaction ends.
pub(crate) async fn default_in_force(tx: &mut Tx) -> Result<Pointer, Error> {
    let found = sqlx::query_scalar!(
        "select version from policy_in_force where policy = $1 and until_xid is null for share",
        DEFAULT
    );
    let held = found.fetch_optional(tx.conn()).await?;
    // Whoever changed it while we waited ended the row that we waited for; the next statement sees theirs.
    let version = match held {
        Some(version) => version,
        None => sqlx::query_scalar!(
            "select version from policy_in_force where policy = $1 and until_xid is null for share",
            DEFAULT
        )
        .fetch_one(tx.conn())
        .await?,
    };
    pointer(tx.conn(), DEFAULT, version).await
}

/// Where the default stands now, for who only asks.
///
/// # Errors
/// The database cannot be asked.
pub(crate) async fn default_now(conn: &mut PgConnection) -> Result<Arc<Policy>, Error> {
    let row = sqlx::query!(
        "select v.version, v.hash from policy_in_force f join policy_version v on v.policy = f.policy and v.version = f.version
         where f.policy = $1 and f.until_xid is null",
        DEFAULT,
    )
    .fetch_one(&mut *conn)
    .await?;
    let pointer = Pointer {
        policy: DEFAULT.to_owned(),
        version: row.version,
        hash: row.hash,
    };
    read(conn, &pointer).await
}

/// Where a repository's row pointed in a snapshot: to a version of its own, or to the default of that moment.
///
/// # Errors
/// The database cannot be asked.
pub(crate) async fn held_in(
    conn: &mut PgConnection,
    repository: &RepositoryName,
    snapshot: &str,
) -> Result<Pointer, Error> {
    let row = sqlx::query_as!(
        Pointer,
        "select v.policy, v.version, v.hash
         from policy_in_force f join policy_version v on v.policy = f.policy and v.version = f.version
         where (f.policy = $1 and v.text is not null or f.policy = $2) and was_there(f.from_xid, $3::text::pg_snapshot)
           and (f.until_xid is null or not was_there(f.until_xid, $3::text::pg_snapshot))
         order by f.policy = $2 limit 1",
        repository.folded(),
        DEFAULT,
        snapshot,
    )
    .fetch_one(conn)
    .await?;
    Ok(row)
}

async fn pointer(conn: &mut PgConnection, policy: &str, version: i32) -> Result<Pointer, Error> {
    let hash = sqlx::query_scalar!(
        "select hash from policy_version where policy = $1 and version = $2",
        policy,
        version
    )
    .fetch_one(conn)
    .await?;
    Ok(Pointer {
        policy: policy.to_owned(),
        version,
        hash,
    })
}

/// Writes a version and puts it in force at once.
///
/// # Errors
/// The database refused.
pub(super) async fn put_in_force(tx: &mut Tx, of: &Locked, new: &New<'_>) -> Result<i32, Error> {
    let version = write(tx, of, new).await?;
    begin(tx, of, version, new.text).await?;
    Ok(version)
}

/// Writes a version that waits for another admin.
///
/// # Errors
/// The database refused.
pub(super) async fn propose(
    tx: &mut Tx,
    of: &Locked,
    new: &New<'_>,
    why: &[String],
) -> Result<i32, Error> {
    let version = write(tx, of, new).await?;
    let data = json!({ "version": version, "base": of.terms.policy.version, "lowers": why });
    event(tx, of, "policy.proposed", new.author, data).await?;
    Ok(version)
}

/// Puts a proposal in force on the word of another admin.
///
/// # Errors
/// The database refused.
pub async fn confirm(
    tx: &mut Tx,
    of: &Locked,
    proposal: &Version,
    admin: PersonId,
) -> Result<(), Error> {
    rule(tx, of, proposal.version, admin, true).await?;
    begin(tx, of, proposal.version, proposal.text.as_deref()).await
}

/// Ends a proposal on the word of an admin.
///
/// # Errors
/// The database refused.
pub async fn refuse(
    tx: &mut Tx,
    of: &Locked,
    proposal: &Version,
    admin: PersonId,
) -> Result<(), Error> {
    rule(tx, of, proposal.version, admin, false).await
}

/// Makes this text the default for all repositories without a policy of their own, if the newest is another. Says which
/// version it became.
///
/// # Errors
/// The database refused.
pub async fn configure(tx: &mut Tx, text: &str) -> Result<Option<i32>, Error> {
    let held = sqlx::query_scalar!(
        "select version from policy_in_force where policy = $1 and until_xid is null for update",
        DEFAULT
    );
    // None: another server changes it at this very moment. Its text is as new as ours, and the next start will tell.
    let Some(held) = held.fetch_optional(tx.conn()).await? else {
        return Ok(None);
    };
    let now = pointer(tx.conn(), DEFAULT, held).await?;
    if now.hash == hash(text) {
        return Ok(None);
    }
    let new = New {
        text: Some(text),
        author: Author::Configuration,
        note: "Read from the configuration at start.",
    };
    let version = insert(tx, DEFAULT, None, &new, (DEFAULT, held)).await?;
    hold(tx, DEFAULT, version).await?;
    sqlx::query!(
        "update repository set policy_version = $2, policy_hash = $3 where policy = $1",
        DEFAULT,
        version,
        hash(text),
    )
    .execute(tx.conn())
    .await?;
    let data = json!({ "policy": DEFAULT, "version": version });
    events::record(tx, None, "policy.in_force", Uuid::nil(), data).await?;
    Ok(Some(version))
}

async fn write(tx: &mut Tx, of: &Locked, new: &New<'_>) -> Result<i32, Error> {
    let base = (of.terms.policy.id.as_str(), of.terms.policy.version);
    insert(tx, &of.policy(), Some(of.id), new, base).await
}

async fn insert(
    tx: &mut Tx,
    policy: &str,
    repository: Option<RepositoryId>,
    new: &New<'_>,
    base: (&str, i32),
) -> Result<i32, Error> {
    let now = tx.now();
    let (source, person, token) = match new.author {
        Author::Configuration => ("configuration", None, None),
        Author::Person(person) => ("page", Some(person.0), None),
        Author::Token(token) => ("api", None, Some(token.0)),
    };
    let version = sqlx::query_scalar!(
        r#"insert into policy_version (policy, version, repository_id, text, hash, source, person_id, token_id, note, base, base_version, at)
           select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from policy_version where policy = $1
           returning version"#,
        policy,
        repository.map(|id| id.0),
        new.text,
        hash(new.text.unwrap_or_default()),
        source,
        person,
        token,
        new.note,
        base.0,
        base.1,
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(version)
}

/// Lets a version of a repository's policy hold from now on.
async fn begin(tx: &mut Tx, of: &Locked, version: i32, text: Option<&str>) -> Result<(), Error> {
    hold(tx, &of.policy(), version).await?;
    let pointer = match text {
        Some(text) => Pointer {
            policy: of.policy(),
            version,
            hash: hash(text),
        },
        None => of.default.clone(),
    };
    sqlx::query!(
        "update repository set policy = $2, policy_version = $3, policy_hash = $4 where id = $1",
        of.id.0,
        pointer.policy,
        pointer.version,
        pointer.hash,
    )
    .execute(tx.conn())
    .await?;
    let data =
        json!({ "version": version, "policy": pointer.policy, "policy_version": pointer.version });
    events::record(tx, Some(of.id), "policy.in_force", of.id.0, data).await
}

async fn hold(tx: &mut Tx, policy: &str, version: i32) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "update policy_in_force set until_xid = pg_current_xact_id(), until_at = $2 where policy = $1 and until_xid is null",
        policy,
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into policy_in_force (policy, version, from_at) values ($1, $2, $3)",
        policy,
        version,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn rule(
    tx: &mut Tx,
    of: &Locked,
    version: i32,
    admin: PersonId,
    confirmed: bool,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into policy_ruling (policy, version, person_id, confirmed, at) values ($1, $2, $3, $4, $5)",
        of.policy(),
        version,
        admin.0,
        confirmed,
        now,
    )
    .execute(tx.conn())
    .await?;
    let kind = if confirmed {
        "policy.confirmed"
    } else {
        "policy.refused"
    };
    event(
        tx,
        of,
        kind,
        Author::Person(admin),
        json!({ "version": version }),
    )
    .await
}

async fn event(
    tx: &mut Tx,
    of: &Locked,
    kind: &str,
    author: Author,
    mut data: Value,
) -> Result<(), Error> {
    match author {
        Author::Configuration => {}
        Author::Person(person) => data["person"] = json!(person),
        Author::Token(token) => data["token"] = json!(token),
    }
    events::record(tx, Some(of.id), kind, of.id.0, data).await
}

/// A repository's terms, without a lock. None if nobody told of it, or it is not for this reader to see.
///
/// # Errors
/// The database cannot be asked.
pub async fn about(
    conn: &mut PgConnection,
    reader: &Reader,
    name: &RepositoryName,
) -> Result<Option<(RepositoryId, Terms)>, Error> {
    let named = readers::named(reader);
    let row = sqlx::query!(
        "select id, policy, policy_version, policy_hash, observe_until from repository
         where folded = $1 and may_read(read_by, folded, $2, $3)",
        name.folded(),
        reader.teams(),
        named.as_deref(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let pointer = Pointer {
        policy: row.policy,
        version: row.policy_version,
        hash: row.policy_hash,
    };
    let terms = Terms {
        policy: read(conn, &pointer).await?,
        observe_until: row.observe_until,
    };
    Ok(Some((RepositoryId(row.id), terms)))
}

/// One version of a policy, of `default` or of a repository by its folded name.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn version(
    conn: &mut PgConnection,
    policy: &str,
    version: i32,
) -> Result<Option<Version>, Error> {
    Ok(load(conn, policy, Some(version), 1).await?.pop())
}

/// The versions of a policy, the newest first, at most `most`.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn versions(
    conn: &mut PgConnection,
    policy: &str,
    most: i64,
) -> Result<Vec<Version>, Error> {
    load(conn, policy, None, most).await
}

/// The text that holds for a repository, with whose version it is. None where its row is gone.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn in_force(conn: &mut PgConnection, terms: &Terms) -> Result<Option<Version>, Error> {
    version(conn, &terms.policy.id, terms.policy.version).await
}

async fn load(
    conn: &mut PgConnection,
    policy: &str,
    version: Option<i32>,
    most: i64,
) -> Result<Vec<Version>, Error> {
    let rows = sqlx::query!(
        r#"select v.version, v.text, v.source, v.person_id, v.token_id, v.note, v.at, p.name as "person?", t.name as "token?",
                  f.from_at as "from_at?", f.until_at as "until_at?", r.confirmed as "confirmed?", r.at as "ruled_at?", a.name as "ruler?",
                  coalesce(v.base = repository.policy and v.base_version = repository.policy_version, false) as "timely!"
           from policy_version v
           left join repository on repository.id = v.repository_id
           left join person p on p.id = v.person_id
           left join token t on t.id = v.token_id
           left join policy_in_force f on f.policy = v.policy and f.version = v.version
           left join policy_ruling r on r.policy = v.policy and r.version = v.version
           left join person a on a.id = r.person_id
           where v.policy = $1 and ($2::int is null or v.version = $2)
           order by v.version desc limit $3"#,
        policy,
        version,
        most,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let author = match (row.person_id, row.token_id) {
                (Some(person), _) => Author::Person(PersonId(person)),
                (None, Some(token)) => Author::Token(TokenId(token)),
                (None, None) => Author::Configuration,
            };
            let state = match (row.from_at, row.until_at, row.confirmed) {
                (Some(from), None, _) => State::InForce { from },
                (Some(from), Some(until), _) => State::Past { from, until },
                (None, _, Some(_)) => State::Refused {
                    by: row.ruler.unwrap_or_default(),
                    at: known(row.ruled_at, "policy_ruling", "at")?,
                },
                (None, _, None) if row.timely => State::Proposed,
                (None, _, None) => State::Lapsed,
            };
            Ok(Version {
                version: row.version,
                text: row.text,
                author,
                by: row.person.or(row.token),
                note: row.note,
                at: row.at,
                state,
            })
        })
        .collect()
}
