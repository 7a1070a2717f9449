//! Merge groups: commits that a code host's merge queue made of several changes, to be checked before they become the target.

use crate::{
    Error, Tx, checks,
    error::known,
    landings::{self, Landing},
    repositories, rows,
};
use domain::{
    Timestamp,
    ids::{ChangeId, RevisionId},
    landing::Kind,
    names::{ChangeKey, CommitSha, RepositoryName},
};
use sqlx::PgConnection;
use time::Duration;

/// What a merge group is: each change that it has, and the target's commit that it was put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub parts: Vec<Part>,
    pub onto: CommitSha,
}

/// A change in a merge group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub change: ChangeId,
    pub revision: RevisionId,
}

/// Notes that there is reason to look at the merge groups of a repository, now. Many reasons are one look.
///
/// # Errors
/// The database refused.
pub async fn look_at(tx: &mut Tx, repository: &RepositoryName) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into host_groups (folded, repository, due_at) values ($1, $2, $3)
         on conflict (folded) do update set asks = host_groups.asks + 1, due_at = least(host_groups.due_at, excluded.due_at), attempts = 0, error = null",
        repository.folded(),
        repository.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A repository whose merge groups somebody looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub repository: RepositoryName,
    /// How often it was begun without coming to an end, this time included.
    pub attempts: i32,
    /// The reasons that this answers.
    asks: i64,
}

/// Takes some repositories whose merge groups there is reason to look at, each for so long; afterwards somebody else may.
///
/// # Errors
/// The database refused.
pub async fn take(
    conn: &mut PgConnection,
    most: i64,
    now: Timestamp,
    lasts: Duration,
) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        "update host_groups set taken_until = $2, due_at = $2, attempts = attempts + 1
         where folded in (select folded from host_groups
                          where due_at <= $1 and (taken_until is null or taken_until <= $1) order by due_at limit $3 for update skip locked)
         returning repository, asks, attempts",
        now,
        now + lasts,
        most,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let repository = RepositoryName::parse(row.repository).ok();
            Ok(Due {
                repository: known(repository, "host_groups", "repository")?,
                attempts: row.attempts,
                asks: row.asks,
            })
        })
        .collect()
}

/// Why a look did not come to an end, and when it is tried again; not at all where there is no use in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub why: String,
    pub again: Option<Timestamp>,
}

/// Records that somebody looked.
///
/// # Errors
/// The database refused.
pub async fn looked(
    conn: &mut PgConnection,
    due: &Due,
    left: Option<&Left>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "update host_groups set answered = $2, taken_until = null, error = $3, attempts = case when $3::text is null then 0 else attempts end,
                due_at = case when asks > $2 then $4 else $5::timestamptz end
         where folded = $1",
        due.repository.folded(),
        due.asks,
        left.map(|left| &*left.why),
        now,
        left.and_then(|left| left.again),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is known of the merge group whose last commit that is.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn known_at(
    conn: &mut PgConnection,
    repository: &RepositoryName,
    head: &CommitSha,
) -> Result<Option<Group>, Error> {
    let rows = sqlx::query!(
        r#"select l.change_id, l.revision_id, l.onto as "onto!" from repository p
           join landing l on l.repository_id = p.id and l.sha = $2 and l.tip = $2
           where p.folded = $1 and l.kind = 'merge_group' and l.onto is not null order by l.change_id"#,
        repository.folded(),
        head.as_str(),
    )
    .fetch_all(conn)
    .await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let onto = rows::head(first.onto.clone())?;
    let parts = rows.into_iter().map(|row| Part {
        change: ChangeId(row.change_id),
        revision: RevisionId(row.revision_id),
    });
    let parts = parts.collect();
    Ok(Some(Group { parts, onto }))
}

/// What a merge queue would merge of a change: its current revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    pub part: Part,
    pub target: String,
    pub merge_base: CommitSha,
    pub head: CommitSha,
    pub commits: usize,
}

/// The current revision of a change that is not closed, if its host gave all of the patch.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn proposed(
    conn: &mut PgConnection,
    repository: &RepositoryName,
    key: &ChangeKey,
) -> Result<Option<Proposed>, Error> {
    let row = sqlx::query!(
        r#"select c.id as change, r.id as revision, r.target, r.merge_base, r.head,
                  (select count(*) from commit m where m.repository_id = r.repository_id and m.revision_id = r.id) as "commits!"
           from repository p join change c on c.repository_id = p.id and c.key = $2
           join change_state s on s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null
           join revision r on r.repository_id = s.repository_id and r.id = s.head_revision
           where p.folded = $1 and s.state <> 'closed' and r.host is not null and r.incomplete is null"#,
        repository.folded(),
        key.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Proposed {
            part: Part {
                change: ChangeId(row.change),
                revision: RevisionId(row.revision),
            },
            target: row.target,
            merge_base: rows::merge_base(row.merge_base)?,
            head: rows::head(row.head)?,
            commits: usize::try_from(row.commits).unwrap_or(usize::MAX),
        })
    })
    .transpose()
}

/// Records what a merge group is, and that its host is to be told of it. The same again changes nothing.
///
/// # Errors
/// The database refused.
pub async fn record(
    tx: &mut Tx,
    repository: &RepositoryName,
    head: &CommitSha,
    group: &Group,
) -> Result<(), Error> {
    let Some(repository) = repositories::find(tx, repository).await? else {
        return Ok(());
    };
    for part in &group.parts {
        let landing = Landing {
            repository,
            change: part.change,
            revision: part.revision,
            kind: Kind::MergeGroup,
            shas: vec![head.to_string()],
            onto: &group.onto,
            token: None,
        };
        landings::record(tx, &landing).await?;
    }
    checks::due_at(tx, repository, head, true).await
}

/// Notes that its host is to be told of a merge group of which nobody knows what it is.
///
/// # Errors
/// The database refused.
pub async fn unproved(
    tx: &mut Tx,
    repository: &RepositoryName,
    head: &CommitSha,
) -> Result<(), Error> {
    match repositories::find(tx, repository).await? {
        Some(repository) => checks::due_at(tx, repository, head, false).await,
        None => Ok(()),
    }
}
