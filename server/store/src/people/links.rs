//! Who says whose an address or a login is: each link has a source and a time, and can be withdrawn.

use super::{lock, next_version, open_account};
use crate::{Error, Tx, events};
use domain::{contributor::Key, ids::PersonId, people::Source};
use serde_json::json;

/// Says by hand that an address or login is this person's, with proof: their level counts for its commits.
///
/// # Errors
/// The database refused.
pub async fn link(tx: &mut Tx, person: PersonId, key: &Key) -> Result<(), Error> {
    open(tx, person, key, Source::Operator, None).await
}

/// The same as [`link`], said by an admin.
///
/// # Errors
/// The database refused.
pub async fn link_by(
    tx: &mut Tx,
    admin: PersonId,
    person: PersonId,
    key: &Key,
) -> Result<(), Error> {
    open(tx, person, key, Source::Operator, Some(admin)).await
}

/// Records that somebody calls an account theirs: it bars them from approving its commits, and gives them nothing.
///
/// # Errors
/// The database refused.
pub async fn name_own(tx: &mut Tx, person: PersonId, key: &Key) -> Result<(), Error> {
    open(tx, person, key, Source::Person, Some(person)).await
}

/// Ends every link between this person and an account, whoever said so, and answers whether there was one. The next sign-in
/// or import that names the account links it again.
///
/// # Errors
/// The database refused.
pub async fn unlink(tx: &mut Tx, person: PersonId, key: &Key) -> Result<bool, Error> {
    close(tx, person, key, None).await
}

/// The same as [`unlink`], said by an admin.
///
/// # Errors
/// The database refused.
pub async fn unlink_by(
    tx: &mut Tx,
    admin: PersonId,
    person: PersonId,
    key: &Key,
) -> Result<bool, Error> {
    close(tx, person, key, Some(admin)).await
}

async fn open(
    tx: &mut Tx,
    person: PersonId,
    key: &Key,
    source: Source,
    by: Option<PersonId>,
) -> Result<(), Error> {
    lock(tx, person).await?;
    let there = sqlx::query_scalar!(
        r#"select exists (select from account where person_id = $1 and key = $2 and source = $3
               and until_version is null) as "there!""#,
        person.0,
        key.0,
        source.as_str(),
    )
    .fetch_one(tx.conn())
    .await?;
    if there {
        return Ok(());
    }
    let version = next_version(tx).await?;
    let proved = source == Source::Operator;
    open_account(tx, person, key, source, proved, version).await?;
    let data = json!({ "version": version, "accounts": 1, "source": source.as_str(), "by": by });
    events::record(tx, None, "person.linked", person.0, data).await
}

async fn close(
    tx: &mut Tx,
    person: PersonId,
    key: &Key,
    by: Option<PersonId>,
) -> Result<bool, Error> {
    lock(tx, person).await?;
    if !is_linked(tx, person, key).await? {
        return Ok(false);
    }
    let version = next_version(tx).await?;
    let ended = sqlx::query_scalar!(
        "update account set until_version = $3 where person_id = $1 and key = $2 and until_version is null returning source",
        person.0,
        key.0,
        version,
    )
    .fetch_all(tx.conn())
    .await?;
    let data = json!({ "version": version, "accounts": 1, "sources": ended, "by": by });
    events::record(tx, None, "person.unlinked", person.0, data).await?;
    Ok(true)
}

async fn is_linked(tx: &mut Tx, person: PersonId, key: &Key) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from account where person_id = $1 and key = $2 and until_version is null) as "there!""#,
        person.0,
        key.0,
    )
    .fetch_one(tx.conn())
    .await?)
}
