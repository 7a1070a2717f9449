//! What admins write at before it is anybody's policy: kept so that a fault is shown beside the text, with and without a script.

use crate::{Error, Tx};
use domain::ids::{PersonId, RepositoryId};
use sqlx::PgConnection;

/// A text, and the SHA-256 of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub text: String,
    /// In hexadecimal digits.
    pub hash: String,
}

/// Keeps what somebody writes at for a repository, in place of what they wrote before.
///
/// # Errors
/// The database refused.
pub async fn keep(
    tx: &mut Tx,
    repository: RepositoryId,
    person: PersonId,
    text: &str,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into policy_draft (repository_id, person_id, text, at) values ($1, $2, $3, $4)
         on conflict (repository_id, person_id) do update set text = excluded.text, at = excluded.at",
        repository.0,
        person.0,
        text,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What somebody writes at for a repository.
///
/// # Errors
/// The database cannot be asked.
pub async fn of(
    conn: &mut PgConnection,
    repository: RepositoryId,
    person: PersonId,
) -> Result<Option<Draft>, Error> {
    Ok(sqlx::query_as!(
        Draft,
        r#"select text, encode(sha256(convert_to(text, 'UTF8')), 'hex') as "hash!" from policy_draft
           where repository_id = $1 and person_id = $2"#,
        repository.0,
        person.0,
    )
    .fetch_optional(conn)
    .await?)
}

/// Ends a draft.
///
/// # Errors
/// The database refused.
pub async fn drop(tx: &mut Tx, repository: RepositoryId, person: PersonId) -> Result<(), Error> {
    sqlx::query!(
        "delete from policy_draft where repository_id = $1 and person_id = $2",
        repository.0,
        person.0,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
