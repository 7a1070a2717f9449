//! Repositories, known by the first submission for them.

use crate::{
    Error, Tx, events, ids,
    policies::{self, Pointer},
    readers,
};
use domain::{
    Timestamp,
    ids::RepositoryId,
    names::RepositoryName,
    people::Level,
    readers::{Reader, Readers},
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

/// The repository of that name, entered now if nobody has told of it before.
///
/// # Errors
/// The database refused.
pub async fn ensure(tx: &mut Tx, name: &RepositoryName) -> Result<RepositoryId, Error> {
    if let Some(id) = find(tx, name).await? {
        return Ok(id);
    }
    // Held until we have entered it, or a default that is put in force meanwhile would pass it by.
    let default = policies::default_in_force(tx).await?;
    let now = tx.now();
    let entered = sqlx::query_scalar!(
        "insert into repository (id, name, folded, created_at, policy, policy_version, policy_hash)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (folded) do nothing returning id",
        ids::new(),
        name.as_str(),
        name.folded(),
        now,
        default.policy,
        default.version,
        default.hash,
    )
    .fetch_optional(tx.conn())
    .await?;
    match entered {
        Some(id) => {
            events::record(
                tx,
                Some(RepositoryId(id)),
                "repository.entered",
                id,
                json!({ "name": name.as_str() }),
            )
            .await?;
            Ok(RepositoryId(id))
        }
        // Somebody else entered it between our two statements; READ COMMITTED lets us see theirs.
        None => find(tx, name)
            .await?
            .ok_or(Error::Sql(sqlx::Error::RowNotFound)),
    }
}

/// The repositories that a reader may see.
///
/// # Errors
/// The database refused.
pub(crate) async fn readable(conn: &mut PgConnection, reader: &Reader) -> Result<Vec<Uuid>, Error> {
    let named = readers::named(reader);
    Ok(sqlx::query_scalar!(
        "select id from repository where may_read(read_by, folded, $1, $2)",
        reader.teams(),
        named.as_deref(),
    )
    .fetch_all(conn)
    .await?)
}

/// A repository, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// Whose policy holds: `default`, or its own.
    pub policy: String,
    pub policy_version: i32,
    /// Of whom unmarked changes pass although marked ones do not: [`Document::lets_through`](domain::policy::Document::lets_through).
    pub lets_through: Vec<Level>,
    pub observe_until: Option<Timestamp>,
    pub readers: Readers,
    /// How many of its changes wait.
    pub waiting: i64,
}

/// Repositories by name that this reader may see, at most `most`, after that one.
///
/// # Errors
/// The database cannot be asked.
pub async fn listed(
    conn: &mut PgConnection,
    reader: &Reader,
    after: &str,
    most: i64,
) -> Result<Vec<Listed>, Error> {
    let named = readers::named(reader);
    let rows = sqlx::query!(
        r#"select name, policy, policy_version, policy_hash, observe_until, read_by,
                  (select count(*) from queue where queue.repository_id = repository.id) as "waiting!"
           from repository where folded > $1 and may_read(read_by, folded, $3, $4) order by folded limit $2"#,
        after,
        most,
        reader.teams(),
        named.as_deref(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        let pointer = Pointer {
            policy: row.policy,
            version: row.policy_version,
            hash: row.policy_hash,
        };
        let policy = policies::read(conn, &pointer).await?;
        listed.push(Listed {
            name: row.name,
            lets_through: policy.document.lets_through(),
            policy: pointer.policy,
            policy_version: pointer.version,
            observe_until: row.observe_until,
            readers: Readers::of(row.read_by),
            waiting: row.waiting,
        });
    }
    Ok(listed)
}

pub(crate) async fn find(
    tx: &mut Tx,
    name: &RepositoryName,
) -> Result<Option<RepositoryId>, Error> {
    let id = sqlx::query_scalar!("select id from repository where folded = $1", name.folded())
        .fetch_optional(tx.conn())
        .await?;
    Ok(id.map(RepositoryId))
}
