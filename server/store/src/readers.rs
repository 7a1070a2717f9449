//! Who may see which repository, since when, and by whose word.

use crate::{
    Error, Tx, events, people,
    policies::{Author, Locked},
};
use domain::{
    Timestamp,
    ids::RepositoryId,
    readers::{Reader, Readers},
    token::Pattern,
};
use serde_json::json;
use sqlx::PgConnection;

/// One time that somebody said who may see a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    pub readers: Readers,
    /// The name of the person or the token.
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

/// Lets only these see a repository from now on: the next request finds it so, whoever makes it.
///
/// # Errors
/// The database refused.
pub async fn set(
    tx: &mut Tx,
    of: &Locked,
    readers: &Readers,
    by: Author,
    reason: &str,
) -> Result<(), Error> {
    // Who can be asked for an approval is another question now, so what stands is made anew.
    let version = people::next_version(tx).await?;
    let now = tx.now();
    let (person, token) = match by {
        Author::Person(person) => (Some(person), None),
        Author::Token(token) => (None, Some(token)),
        Author::Configuration => (None, None),
    };
    sqlx::query!(
        "update repository_readers set until_version = $2 where repository_id = $1 and until_version is null",
        of.id.0,
        version,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into repository_readers (repository_id, teams, person_id, token_id, reason, from_version, at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        of.id.0,
        readers.teams(),
        person.map(|id| id.0),
        token.map(|id| id.0),
        reason,
        version,
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update repository set read_by = $2 where id = $1",
        of.id.0,
        readers.teams(),
    )
    .execute(tx.conn())
    .await?;
    let data = json!({
        "version": version, "teams": readers.teams(), "person": person, "token": token, "reason": reason,
    });
    events::record(tx, Some(of.id), "readers.set", of.id.0, data).await
}

/// Who may see a repository now.
///
/// # Errors
/// The database cannot be asked.
pub async fn of(conn: &mut PgConnection, repository: RepositoryId) -> Result<Readers, Error> {
    let teams = sqlx::query_scalar!("select read_by from repository where id = $1", repository.0)
        .fetch_one(conn)
        .await?;
    Ok(Readers::of(teams))
}

/// The last times that somebody said who may see a repository, the latest first.
///
/// # Errors
/// The database cannot be asked.
pub async fn history(
    conn: &mut PgConnection,
    repository: RepositoryId,
    most: i64,
) -> Result<Vec<Set>, Error> {
    let rows = sqlx::query!(
        r#"select r.teams, r.reason, r.at, coalesce(p.name, t.name) as "by!"
           from repository_readers r left join person p on p.id = r.person_id left join token t on t.id = r.token_id
           where r.repository_id = $1 order by r.from_version desc limit $2"#,
        repository.0,
        most,
    )
    .fetch_all(conn)
    .await?;
    let set = |(teams, reason, at, by)| Set {
        readers: Readers::of(teams),
        by,
        reason,
        at,
    };
    Ok(rows
        .into_iter()
        .map(|row| set((row.teams, row.reason, row.at, row.by)))
        .collect())
}

/// The repositories of a reader as `may_read` compares them; none where that does not matter.
pub(crate) fn named(reader: &Reader) -> Option<Vec<String>> {
    let repositories = reader.repositories()?;
    Some(repositories.iter().map(pattern).collect())
}

/// `like` for the names that are meant.
fn pattern(of: &Pattern) -> String {
    let escaped = |text: &str| -> String {
        let mut escaped = String::with_capacity(text.len() + 2);
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        escaped
    };
    match of {
        Pattern::One(name) => escaped(name),
        Pattern::Below(prefix) => escaped(prefix) + "%",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_a_name_is_no_pattern() {
        let one = |text| pattern(&Pattern::parse(text).unwrap());
        assert_eq!(one("acme/pay_ments"), "acme/pay\\_ments");
        assert_eq!(one("a_me/*"), "a\\_me/%");
    }
}
