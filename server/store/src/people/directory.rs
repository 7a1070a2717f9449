//! Who is known here, as an admin looks through it, and the authors to whom nobody leads.

use crate::{Error, readers};
use domain::{Timestamp, contributor::Key, ids::PersonId, readers::Reader};
use sqlx::PgConnection;
use uuid::Uuid;

/// People by name, at most `most`, after the one with this name and id. With a text only those whose name, subject or
/// account has it in it.
///
/// # Errors
/// The database cannot be asked.
pub async fn found(
    conn: &mut PgConnection,
    text: &str,
    after: Option<(&str, PersonId)>,
    most: i64,
) -> Result<Vec<PersonId>, Error> {
    let (name, id) = after.map_or(("", Uuid::nil()), |(name, id)| (name, id.0));
    let ids = sqlx::query_scalar!(
        "select p.id from person p
         where (lower(p.name), p.id) > (lower($2), $3)
           and ($1 = '' or strpos(lower(p.name), lower($1)) > 0 or p.subject = $1
                or exists (select from account a where a.person_id = p.id and a.until_version is null and strpos(a.key, lower($1)) > 0))
         order by lower(p.name), p.id limit $4",
        text,
        name,
        id,
        most,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PersonId).collect())
}

/// Somebody who had a hand in changes, as these name them, and to whom nobody is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    pub name: String,
    pub email: String,
    pub login: String,
    pub keys: Vec<Key>,
    /// How many changes name them.
    pub changes: i64,
}

/// Those whom changes since this moment name that this reader may see, and to whom nobody is linked but by their own word, the
/// most frequent first, at most `most`.
///
/// # Errors
/// The database cannot be asked.
pub async fn strangers(
    conn: &mut PgConnection,
    reader: &Reader,
    since: Timestamp,
    most: i64,
) -> Result<Vec<Stranger>, Error> {
    let named = readers::named(reader);
    let rows = sqlx::query!(
        r#"select min(c.name) as "name!", c.email, c.login, c.keys, count(distinct c.change_id) as "changes!"
           from contributor c join repository r on r.id = c.repository_id
           where may_read(r.read_by, r.folded, $3, $4) and c.at >= $1 and cardinality(c.keys) > 0
             and not exists (select from account a where a.key = any(c.keys) and a.source <> 'person' and a.until_version is null)
           group by c.email, c.login, c.keys
           order by count(distinct c.change_id) desc, c.email, c.login limit $2"#,
        since,
        most,
        reader.teams(),
        named.as_deref(),
    )
    .fetch_all(conn)
    .await?;
    let stranger = |row: (String, String, String, Vec<String>, i64)| Stranger {
        name: row.0,
        email: row.1,
        login: row.2,
        keys: row.3.into_iter().map(Key).collect(),
        changes: row.4,
    };
    Ok(rows
        .into_iter()
        .map(|row| stranger((row.name, row.email, row.login, row.keys, row.changes)))
        .collect())
}
