//! Which revisions of a change are provably the same: proved before anything is locked, recorded under the change's lock.

use crate::{
    Db, Error, Tx,
    cases::AsOf,
    error::known,
    events, patches, rows,
    submissions::{Outcome, Submission},
};
use domain::{
    carry::{Carry, Proof, Side, proof},
    ids::{RepositoryId, RevisionId},
    names::{Branch, CommitSha},
    patch::parts,
};
use serde_json::json;
use sqlx::PgConnection;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// With how many earlier revisions a new one is compared at most: the latest that approvals can come from.
const COMPARED: i64 = 4;

/// An earlier revision that is provably what is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proved {
    from: RevisionId,
    proof: Proof,
}

/// Finds the earlier revisions of the same target that hold approvals, or may get them until the change is locked, and
/// that are provably what is submitted: by each proof, whatever the policy says of it today. One patch at a time is read and
/// compared, off the async threads, and before any lock.
///
/// What was stored never changes, so what is proved here still holds under the lock. What cannot be read proves nothing.
///
/// # Errors
/// The database refused, or a body does not unpack to its length.
pub async fn prove(db: &Db, submission: &Submission) -> Result<Vec<Proved>, Error> {
    let earlier = earlier(db, submission).await?;
    if earlier.is_empty() {
        return Ok(vec![]);
    }
    let submitted = &submission.revision;
    let new = Arc::new(patches::unpacked(&submission.patch).await?);
    let mut proved = Vec::new();
    for (repository, from, merge_base) in earlier {
        let old = patches::bodies(&mut *db.pool().acquire().await?, repository, from).await?;
        let (new, target) = (new.clone(), submitted.target.clone());
        let bases = [merge_base, submitted.merge_base.clone()];
        let compare = move || proofs(&target, &bases, &old.concat(), &new);
        // A comparison that does not end proves nothing.
        let proofs = spawn_blocking(compare).await.unwrap_or_default();
        proved.extend(proofs.into_iter().map(|proof| Proved { from, proof }));
    }
    Ok(proved)
}

/// What holds needs the same number of files and of lines added and removed, so whatever differs there is not even read.
async fn earlier(
    db: &Db,
    submission: &Submission,
) -> Result<Vec<(RepositoryId, RevisionId, CommitSha)>, Error> {
    let submitted = &submission.revision;
    let rows = sqlx::query!(
        "select r.repository_id, r.id, r.merge_base
         from repository
         join change c on c.repository_id = repository.id and c.key = $2
         join change_state s on s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null
         join revision r on r.repository_id = c.repository_id and r.change_id = c.id
         where repository.folded = $1 and r.target = $3 and (r.merge_base, r.head) <> ($4, $5)
           and (r.files, r.added, r.removed) = ($6, $7, $8)
           and (r.id = s.head_revision or exists (
               select from decision d where d.repository_id = r.repository_id and d.change_id = r.change_id
               and d.revision_id = r.id and d.kind = 'approve'))
         order by r.number desc limit $9",
        submission.repository.folded(),
        submission.key.as_str(),
        submitted.target.as_str(),
        submitted.merge_base.as_str(),
        submitted.head.as_str(),
        submission.patch.files(),
        submission.patch.added(),
        submission.patch.removed(),
        COMPARED,
    )
    .fetch_all(db.pool())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                RepositoryId(row.repository_id),
                RevisionId(row.id),
                rows::merge_base(row.merge_base)?,
            ))
        })
        .collect()
}

/// Every proof that holds between two patches of one target.
fn proofs(target: &Branch, bases: &[CommitSha; 2], old: &[u8], new: &[u8]) -> Vec<Proof> {
    let (Ok(old), Ok(new)) = (parts(old), parts(new)) else {
        return vec![];
    };
    let [was, is] = bases;
    let side = |merge_base, files| Side {
        target,
        merge_base,
        files,
    };
    let (old, new) = (side(was, &old), side(is, &new));
    Proof::ALL
        .into_iter()
        .filter_map(|one| proof(&old, &new, &[one]))
        .collect()
}

/// Records what was proved of what was submitted. Nothing of a patch that is refused: it is not the one that is stored.
pub(crate) async fn record(tx: &mut Tx, outcome: &Outcome, proved: &[Proved]) -> Result<(), Error> {
    if outcome.differs {
        return Ok(());
    }
    let now = tx.now();
    for one in proved {
        // That both are of one change and one target is asked once more, where nobody has to be trusted to have asked.
        let new = sqlx::query!(
            "insert into carry (repository_id, change_id, from_revision, to_revision, proof, at)
             select n.repository_id, n.change_id, o.id, n.id, $4, $5
             from revision n join revision o on o.repository_id = n.repository_id and o.change_id = n.change_id and o.target = n.target
             where n.repository_id = $1 and n.id = $2 and o.id = $3 and o.id <> n.id
             on conflict do nothing",
            outcome.repository.0,
            outcome.revision.0,
            one.from.0,
            one.proof.as_str(),
            now,
        )
        .execute(tx.conn())
        .await?;
        if new.rows_affected() > 0 {
            let data =
                json!({ "change": outcome.change, "from": one.from, "proof": one.proof.as_str() });
            let subject = outcome.revision.0;
            events::record(tx, Some(outcome.repository), "carry.proved", subject, data).await?;
        }
    }
    Ok(())
}

/// What carries over to a revision. Nothing from one whose patch is in doubt, or was said to be wrong: who approved it did
/// not read what it is.
pub(crate) async fn to(
    conn: &mut PgConnection,
    repository: RepositoryId,
    revision: RevisionId,
    as_of: AsOf<'_>,
) -> Result<Vec<Carry>, Error> {
    let rows = sqlx::query!(
        "select o.digest, c.proof from carry c join revision o on o.repository_id = c.repository_id and o.id = c.from_revision
         where c.repository_id = $1 and c.to_revision = $2 and was_there(c.xid, $3::text::pg_snapshot) and not exists (
             select from patch_dispute d
             left join patch_ruling p on p.repository_id = d.repository_id and p.revision_id = d.revision_id and p.patch_hash = d.patch_hash
                                      and was_there(p.xid, $3::text::pg_snapshot)
             where d.repository_id = o.repository_id and d.revision_id = o.id and p.stored_is_true is not true
               and was_there(d.xid, $3::text::pg_snapshot))
         order by o.number, c.proof",
        repository.0,
        revision.0,
        as_of.snapshot(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Carry {
                from: rows::digest(&row.digest)?,
                proof: known(Proof::parse(&row.proof), "carry", "proof")?,
            })
        })
        .collect()
}
