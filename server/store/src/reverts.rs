//! Which allowed change a revision provably only undoes: proved before anything is locked, recorded under the change's lock.

use crate::{
    Db, Error, Tx,
    cases::{self, AsOf, Which},
    events,
    patches::{self, Packed},
    rows,
    submissions::{Outcome, Submission},
};
use domain::{
    carry::{Side, Undone, only_undoes},
    change::ChangeState,
    ids::{ChangeId, RepositoryId, RevisionId},
    names::CommitSha,
    patch::{FilePatch, parts},
    verdict::Verdict,
};
use serde_json::json;
use sqlx::PgConnection;
use std::sync::Arc;
use time::Duration;
use tokio::task::spawn_blocking;

/// With how many merged revisions one is compared at most: the latest.
const COMPARED: i64 = 4;

/// A merged revision that what is submitted provably only undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undoes {
    change: ChangeId,
    revision: RevisionId,
}

/// Finds the merged revisions of the same target that what is submitted provably only undoes. One patch at a time is read and
/// compared, off the async threads, and before any lock; what was stored never changes.
///
/// # Errors
/// The database refused, or a body does not unpack to its length.
pub async fn prove(db: &Db, submission: &Submission) -> Result<Vec<Undoes>, Error> {
    let candidates = exchanged(db, submission).await?;
    if candidates.is_empty() {
        return Ok(vec![]);
    }
    let new = Arc::new(patches::unpacked(&submission.patch).await?);
    let submitted = &submission.revision;
    let mut proved = Vec::new();
    for (repository, undoes, merge_base) in candidates {
        let mut conn = db.pool().acquire().await?;
        let old = patches::bodies(&mut conn, repository, undoes.revision).await?;
        drop(conn);
        let (new, target) = (new.clone(), submitted.target.clone());
        let (old_base, new_base) = (merge_base, submitted.merge_base.clone());
        let compare = move || {
            let old = old.concat();
            let (Ok(old), Ok(new)) = (parts(&old), parts(&new)) else {
                return false;
            };
            let side = |merge_base, files| Side {
                target: &target,
                merge_base,
                files,
            };
            only_undoes(&side(&new_base, &new), &side(&old_base, &old))
        };
        // A comparison that does not end proves nothing.
        if spawn_blocking(compare).await.unwrap_or(false) {
            proved.push(undoes);
        }
    }
    Ok(proved)
}

/// Merged revisions with as many files, of which one has the blobs of one that was submitted, exchanged.
async fn exchanged(
    db: &Db,
    submission: &Submission,
) -> Result<Vec<(RepositoryId, Undoes, CommitSha)>, Error> {
    let Some(file) = telling(&submission.patch) else {
        return Ok(vec![]);
    };
    let rows = sqlx::query!(
        "select r.repository_id, r.change_id, r.id, r.merge_base
         from repository
         join patch_file f on coalesce(f.new_blob, '') = $3 and coalesce(f.old_blob, '') = $4
         join revision r on r.patch_hash = f.patch_hash and r.repository_id = repository.id
         join change_state s on s.repository_id = r.repository_id and s.change_id = r.change_id and s.until_version is null
         where repository.folded = $1 and r.target = $2 and r.files = $5 and s.state = 'merged' and s.head_revision = r.id
         group by r.repository_id, r.id order by r.arrived_at desc, r.id limit $6",
        submission.repository.folded(),
        submission.revision.target.as_str(),
        file.old_blob.as_deref().unwrap_or(""),
        file.new_blob.as_deref().unwrap_or(""),
        submission.patch.files(),
        COMPARED,
    )
    .fetch_all(db.pool())
    .await?;
    rows.into_iter()
        .map(|row| {
            let undoes = Undoes {
                change: ChangeId(row.change_id),
                revision: RevisionId(row.id),
            };
            let repository = RepositoryId(row.repository_id);
            Ok((repository, undoes, rows::merge_base(row.merge_base)?))
        })
        .collect()
}

/// The file of a patch by which others are found: best one that names both its blobs, since many files begin empty.
fn telling(patch: &Packed) -> Option<&FilePatch> {
    let both = |file: &&FilePatch| file.old_blob.is_some() && file.new_blob.is_some();
    let any = || patch.file_patches().find(|file| file.names_blobs());
    patch.file_patches().find(both).or_else(any)
}

/// Records what was proved, as far as the undone revision is allowed now: by approval, or because nothing was asked of it.
/// Not by an override, which nobody may have read, and not as a revert of its own, or undoing that would bring back what
/// was taken out. Nothing of a patch that is refused: it is not the one that is stored.
pub(crate) async fn record(
    tx: &mut Tx,
    outcome: &Outcome,
    proved: &[Undoes],
    claims_max_age: Duration,
) -> Result<(), Error> {
    if outcome.differs {
        return Ok(());
    }
    let now = tx.now();
    for undoes in proved {
        if !is_allowed(tx, undoes, claims_max_age).await? {
            continue;
        }
        let new = sqlx::query!(
            "insert into revert (repository_id, revision_id, undone_revision, at)
             select n.repository_id, n.id, o.id, $4
             from revision n join revision o on o.repository_id = n.repository_id and o.target = n.target
             where n.repository_id = $1 and n.id = $2 and o.id = $3 and o.id <> n.id
             on conflict do nothing",
            outcome.repository.0,
            outcome.revision.0,
            undoes.revision.0,
            now,
        )
        .execute(tx.conn())
        .await?;
        if new.rows_affected() > 0 {
            let data = json!({ "change": outcome.change, "undoes": undoes.revision });
            let subject = outcome.revision.0;
            events::record(tx, Some(outcome.repository), "revert.proved", subject, data).await?;
        }
    }
    Ok(())
}

async fn is_allowed(tx: &mut Tx, undone: &Undoes, claims_max_age: Duration) -> Result<bool, Error> {
    let which = Which::This(undone.revision);
    let case = cases::load(tx.conn(), undone.change, which, claims_max_age).await?;
    Ok(case.is_some_and(|case| {
        let verdict = case.verdict(tx.now());
        case.change.state == ChangeState::Merged
            && case.change.head == undone.revision
            && matches!(verdict, Verdict::Approved | Verdict::NotRequired)
    }))
}

/// The allowed change that a revision only undoes, if one was recorded whose patch is beyond doubt.
pub(crate) async fn of(
    conn: &mut PgConnection,
    repository: RepositoryId,
    revision: RevisionId,
    as_of: AsOf<'_>,
) -> Result<Option<Undone>, Error> {
    let row = sqlx::query!(
        "select c.key, o.number from revert v
         join revision o on o.repository_id = v.repository_id and o.id = v.undone_revision
         join change c on c.repository_id = o.repository_id and c.id = o.change_id
         where v.repository_id = $1 and v.revision_id = $2 and was_there(v.xid, $3::text::pg_snapshot) and not exists (
             select from patch_dispute d
             left join patch_ruling p on p.repository_id = d.repository_id and p.revision_id = d.revision_id and p.patch_hash = d.patch_hash
                                      and was_there(p.xid, $3::text::pg_snapshot)
             where d.repository_id = o.repository_id and d.revision_id = o.id and p.stored_is_true is not true
               and was_there(d.xid, $3::text::pg_snapshot))
         order by v.at, c.key limit 1",
        repository.0,
        revision.0,
        as_of.snapshot(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Undone {
            key: rows::key(row.key)?,
            revision: row.number,
        })
    })
    .transpose()
}
