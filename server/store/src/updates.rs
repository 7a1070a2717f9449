//! Which merges only brought their branch up to date ("Update branch"): provable from what is stored, these make nobody a
//! contributor.

use crate::{Error, patches};
use domain::{
    arrival::KnownRevision,
    carry::{self, Proof, Side},
    commit::Commit,
    ids::{RepositoryId, RevisionId},
    names::CommitSha,
    patch::{self, Part},
};
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// How many merges of one submission are looked at. Who merges more often into one branch stays a contributor.
const MOST: usize = 20;

/// Those of the commits that merge, where the revision that ends with the merge is provably the change that the revision
/// was that ends with its first parent. What is disputed proves nothing, and what was never submitted neither.
pub(crate) async fn add_nothing(
    conn: &mut PgConnection,
    repository: RepositoryId,
    known: &[KnownRevision],
    commits: &[Commit],
) -> Result<HashSet<CommitSha>, Error> {
    let mut found = HashSet::new();
    let merges = commits.iter().filter(|commit| commit.parents.len() > 1);
    for merge in merges.take(MOST) {
        if adds_nothing(conn, repository, known, merge).await? {
            found.insert(merge.sha.clone());
        }
    }
    Ok(found)
}

async fn adds_nothing(
    conn: &mut PgConnection,
    repository: RepositoryId,
    known: &[KnownRevision],
    merge: &Commit,
) -> Result<bool, Error> {
    let ending_with = |head: Option<&CommitSha>| -> Vec<&KnownRevision> {
        known.iter().filter(|one| Some(&one.head) == head).collect()
    };
    let before = ending_with(merge.parents.first());
    let after = ending_with(Some(&merge.sha));
    // One merge base each, or nobody can tell which of them was merged into.
    let ([before], [after]) = (before.as_slice(), after.as_slice()) else {
        return Ok(false);
    };
    if is_disputed(conn, repository, [before.id, after.id]).await? {
        return Ok(false);
    }
    let (old, new) = (
        patches::bodies(&mut *conn, repository, before.id).await?,
        patches::bodies(conn, repository, after.id).await?,
    );
    let (Some(old), Some(new)) = (parts(&old), parts(&new)) else {
        return Ok(false);
    };
    let old = side(before, &old);
    let new = side(after, &new);
    Ok(carry::proof(&old, &new, &[Proof::Blobs]).is_some())
}

fn side<'a>(revision: &'a KnownRevision, files: &'a [Part<'a>]) -> Side<'a> {
    Side {
        target: &revision.target,
        merge_base: &revision.merge_base,
        files,
    }
}

/// The files of a stored patch; none where one cannot be read.
fn parts(bodies: &[Vec<u8>]) -> Option<Vec<Part<'_>>> {
    bodies
        .iter()
        .map(|body| patch::parts(body).ok()?.pop())
        .collect()
}

async fn is_disputed(
    conn: &mut PgConnection,
    repository: RepositoryId,
    revisions: [RevisionId; 2],
) -> Result<bool, Error> {
    let ids: Vec<Uuid> = revisions.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from patch_dispute where repository_id = $1 and revision_id = any($2)) as "is!""#,
        repository.0,
        &ids,
    )
    .fetch_one(conn)
    .await?)
}
