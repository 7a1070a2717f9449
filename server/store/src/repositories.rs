//! Repositories, known by the first submission for them.

use crate::{Error, Tx, events, ids, policies};
use domain::{Timestamp, ids::RepositoryId, names::RepositoryName};
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

/// The repositories that a token's patterns name: folded names, or `owner/*` for all below one owner.
///
/// # Errors
/// The database refused.
pub(crate) async fn named(tx: &mut Tx, patterns: &[String]) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar!(
        "select id from repository
         where exists (select from unnest($1::text[]) p
                       where folded = p or (p like '%/*' and starts_with(folded, left(p, -1))))",
        patterns,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A repository, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// Whose policy holds: `default`, or its own.
    pub policy: String,
    pub policy_version: i32,
    pub observe_until: Option<Timestamp>,
    /// How many of its changes wait.
    pub waiting: i64,
}

/// Repositories by name, at most `most`, after that one.
///
/// # Errors
/// The database cannot be asked.
pub async fn listed(conn: &mut PgConnection, after: &str, most: i64) -> Result<Vec<Listed>, Error> {
    Ok(sqlx::query_as!(
        Listed,
        r#"select name, policy, policy_version, observe_until,
                  (select count(*) from queue where queue.repository_id = repository.id) as "waiting!"
           from repository where folded > $1 order by folded limit $2"#,
        after,
        most,
    )
    .fetch_all(conn)
    .await?)
}

async fn find(tx: &mut Tx, name: &RepositoryName) -> Result<Option<RepositoryId>, Error> {
    let id = sqlx::query_scalar!("select id from repository where folded = $1", name.folded())
        .fetch_optional(tx.conn())
        .await?;
    Ok(id.map(RepositoryId))
}
