//! The queue: open changes that are not cleared, oldest first. A projection to find rows with; the rules judge them anew.

use crate::{
    Error, Tx,
    listing::{self, Listed},
    readers, repositories,
};
use domain::{
    Timestamp,
    ids::{ChangeId, PersonId},
    provenance::Tool,
    readers::Reader,
    verdict::Word,
};
use sqlx::PgConnection;
use std::collections::HashMap;
use time::Duration;
use uuid::Uuid;

/// Which changes somebody wants to see; all fields that are set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Characters of the repository's name.
    pub repository: Option<String>,
    pub tool: Option<Tool>,
    pub verdict: Option<Word>,
    /// Words of the title, the author's name, or the key.
    pub text: Option<String>,
    /// Only those after this moment and change: the last of the page before.
    pub after: Option<(Timestamp, ChangeId)>,
}

/// One change that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub listed: Listed,
    /// Since when it waits.
    pub since: Timestamp,
}

/// The changes that wait and that this reader may see, oldest first, at most `most`.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn waiting(
    conn: &mut PgConnection,
    reader: &Reader,
    filter: &Filter,
    most: i64,
    claims_max_age: Duration,
) -> Result<Vec<Row>, Error> {
    let (ids, since): (Vec<ChangeId>, Vec<Timestamp>) =
        find(conn, reader, filter, most).await?.into_iter().unzip();
    let since: HashMap<ChangeId, Timestamp> = ids.iter().copied().zip(since).collect();
    let listed = listing::by_ids(conn, reader, &ids, claims_max_age).await?;
    let row = |listed: Listed| {
        since
            .get(&listed.change.id)
            .map(|&since| Row { since, listed })
    };
    Ok(listed.into_iter().filter_map(row).collect())
}

/// Those of these changes that anything ties this person to now.
///
/// # Errors
/// The database refused.
pub async fn touched_by(
    conn: &mut PgConnection,
    person: PersonId,
    changes: &[ChangeId],
) -> Result<Vec<ChangeId>, Error> {
    let changes: Vec<Uuid> = changes.iter().map(|change| change.0).collect();
    let ids = sqlx::query_scalar!(
        "select distinct c.id from change c
         join contributor on contributor.repository_id = c.repository_id and contributor.change_id = c.id
         join account on account.key = any(contributor.keys)
         where c.id = any($1) and account.person_id = $2 and account.until_version is null",
        &changes,
        person.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(ChangeId).collect())
}

async fn find(
    conn: &mut PgConnection,
    reader: &Reader,
    filter: &Filter,
    most: i64,
) -> Result<Vec<(ChangeId, Timestamp)>, Error> {
    let (since, after) = filter.after.unzip();
    // As a subquery it is asked of one row after the other, in their order, until there are enough.
    let named = readers::named(reader);
    let rows = sqlx::query!(
        r#"select q.change_id, q.since
           from queue q join repository on repository.id = q.repository_id
           join change c on c.repository_id = q.repository_id and c.id = q.change_id
           join change_state s on s.repository_id = q.repository_id and s.change_id = q.change_id and s.until_version is null
           where ($1::text is null or repository.folded ilike $1) and ($2::text is null or q.verdict = $2)
             and ($3::text is null or s.title ilike $3 or s.author_name ilike $3 or c.key ilike $3)
             and ($4::text is null or exists (select from mark m where m.repository_id = q.repository_id
                                              and m.revision_id = q.revision_id and m.tool = $4))
             and ($5::timestamptz is null or (q.since, q.change_id) > ($5, $6))
             and (select may_read(repository.read_by, repository.folded, $8, $9))
           order by q.since, q.change_id limit $7"#,
        filter.repository.as_deref().map(pattern),
        filter.verdict.map(Word::as_str),
        filter.text.as_deref().map(pattern),
        filter.tool.as_ref().map(|tool| tool.id().into_owned()),
        since,
        after.map(|change| change.0),
        most,
        reader.teams(),
        named.as_deref(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (ChangeId(row.change_id), row.since))
        .collect())
}

/// `ilike` for "contains these characters".
fn pattern(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push('%');
    for c in text.chars().filter(|&c| c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped.push('%');
    escaped
}

/// Changes for a list over REST that this reader may see, oldest first, at most `most`.
///
/// # Errors
/// The database refused.
pub async fn changes(
    tx: &mut Tx,
    reader: &Reader,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<ChangeId>, Error> {
    let repositories = repositories::readable(tx.conn(), reader).await?;
    let ids = sqlx::query_scalar!(
        "select id from change where repository_id = any($1) and ($2::uuid is null or id > $2) order by id limit $3",
        &repositories,
        after,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(ChangeId).collect())
}
