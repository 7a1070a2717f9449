//! What a code host shows of a change, on its way to become a submission like any other.

use super::{client::Failed, patch::Incomplete};
use crate::api::{submit, wire};
use domain::{digest::PatchHash, host::Host, names::CommitSha};
use std::sync::Arc;
use store::{
    Db, hosts,
    submissions::{Source, Submission},
};

/// More commits than this are no change that a person reads: nor are they taken from anybody else.
pub const MOST_COMMITS: usize = 2_000;

/// What a look found.
pub enum Seen {
    /// What is recorded.
    Same,
    Found {
        submission: Box<Submission>,
        etag: Option<String>,
    },
}

/// What is to be said of the patch.
pub enum Patch {
    Whole(Vec<u8>),
    /// The host told of this revision before, and revisions do not change.
    Known(PatchHash),
    Incomplete(Incomplete),
}

/// A submission of what was told, with what is to be said of its patch.
///
/// # Errors
/// What the host says cannot be.
pub fn assembled(told: wire::Submission, patch: Patch, host: Host) -> Result<Submission, Failed> {
    let said = |error: crate::problem::Refusal| Failed::Said(error.detail().to_owned());
    let source = |incomplete: Option<String>| Source::Host { host, incomplete };
    match patch {
        Patch::Whole(patch) => match submit::assembled(told.clone(), &patch, source(None)) {
            Ok(submission) => Ok(submission),
            // What nobody else could submit cannot be shown either.
            Err(why) => {
                let why = Some(why.detail().to_owned());
                submit::assembled(without_commits(told), &[], source(why)).map_err(said)
            }
        },
        Patch::Known(hash) => {
            let mut known = submit::assembled(told, &[], source(None)).map_err(said)?;
            known.revision.patch = hash;
            Ok(known)
        }
        Patch::Incomplete(why) => {
            submit::assembled(told, &[], source(Some(why.to_string()))).map_err(said)
        }
    }
}

/// What was signed off, or could have been: none where nobody gave all of the patch.
///
/// # Errors
/// The database cannot be asked.
pub async fn read_patch(
    db: &Db,
    change: &hosts::Change,
    revision: &hosts::At<'_>,
    patch: &Patch,
) -> Result<Option<Arc<Vec<u8>>>, Failed> {
    Ok(match patch {
        Patch::Incomplete(_) => None,
        Patch::Whole(patch) => Some(Arc::new(patch.clone())),
        Patch::Known(_) => Some(Arc::new(hosts::patch(db, change, revision).await?)),
    })
}

fn without_commits(told: wire::Submission) -> wire::Submission {
    wire::Submission {
        commits: vec![],
        ..told
    }
}

/// Whether a change can be called so there; anything else would be another path.
#[must_use]
pub fn is_number(key: &str) -> bool {
    (1..=18).contains(&key.len()) && key.bytes().all(|digit| digit.is_ascii_digit())
}

/// The id of a commit.
///
/// # Errors
/// It is none.
pub fn sha(text: &str) -> Result<CommitSha, Failed> {
    CommitSha::parse(text).map_err(|_| Failed::of("a commit id is none"))
}
