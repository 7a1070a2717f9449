//! Whether a new revision is provably the same change as one that was approved, so that approvals carry over to it.
//!
//! Provable means: by what we stored ourselves. A submission's word for "it is the same" proves nothing, or a token could
//! approve. Both patches were stored before anybody asked, and the approved one was read by a person; here they are
//! compared, byte by byte, and whatever is missing or cannot be read is no proof. Equal added and removed lines are not enough:
//! the same lines in another function are another change.

mod revert;

pub use revert::only_undoes;

use crate::{
    digest::Digest,
    names::{Branch, ChangeKey, CommitSha},
    patch::{Hunk, LineKind, Part, hunks},
};
use serde::{Deserialize, Serialize};

/// Why an approval carries over. A policy names those that it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Every file is the same in names, modes, status, and in the blobs before and after. The rest of the repository may
    /// be another: the target moved, but not where the change is.
    ///
    /// The bytes of each file in both patches must be the same, which says all of this at once (they name the blobs in
    /// full) and leaves no room for a patch that names the approved blobs and shows other lines. Where a patch names no
    /// blobs (see [`crate::patch::FilePatch::names_blobs`]), only the same merge base says that the content is the same.
    Blobs,
    /// Merging the approved head onto the new base gives exactly the tree of the new head.
    ///
    /// A policy may name it, but nothing here gives it. For a file that both the change and the target touched, the
    /// merge takes the whole of three blobs, and we store only the lines around what changed. For a file that is in the
    /// approved patch and not in the new one, it takes what the new base has there: the target may have taken it in, or
    /// the author may have dropped it, and both patches look the same. So stored facts prove the merge just where every blob
    /// is the same, and that is `Blobs`. Who submits has a checkout and could merge in it, but an approval would then
    /// hang on the word of a token. It takes a code host that we ask ourselves.
    Tree,
    /// Every line of every hunk is the same, with three lines of context around, in the same files in the same order.
    ///
    /// The weakest: the content elsewhere in a file may be another, and with it what the lines mean. Hunks may stand at
    /// other lines only where the file was another before the change; their headings (what git writes behind the second
    /// `@@`) must be the same. New, deleted, renamed, copied and binary files must be the same in every byte.
    Patch,
}

impl Proof {
    /// All of them, the strongest first.
    pub const ALL: [Proof; 3] = [Proof::Blobs, Proof::Tree, Proof::Patch];

    /// The word used in policies, SQL and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::Blobs => "blobs",
            Proof::Tree => "tree",
            Proof::Patch => "patch",
        }
    }

    /// The proof of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.as_str() == word)
    }

    /// What it says, for people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Proof::Blobs => "every file has the same blobs",
            Proof::Tree => "merging what was approved gives the same tree",
            Proof::Patch => "every line of every hunk is the same",
        }
    }

    fn holds(self, old: &Side<'_>, new: &Side<'_>) -> bool {
        match self {
            Proof::Blobs => same_blobs(old, new),
            Proof::Tree => false,
            Proof::Patch => same_patch(old, new),
        }
    }
}

/// A recorded fact: the revision that is judged is provably the one that this names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carry {
    /// What the approvals are about that carry over, where the policy accepts the proof.
    pub from: Digest,
    pub proof: Proof,
}

/// A recorded fact: the revision that is judged provably only undoes this one, which was allowed when it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    pub key: ChangeKey,
    /// The number of the revision.
    pub revision: i32,
}

/// What is compared of a revision. Both sides are revisions of one repository.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub target: &'a Branch,
    pub merge_base: &'a CommitSha,
    /// The whole patch, as [`crate::patch::parts`] reads it from the stored bytes.
    pub files: &'a [Part<'a>],
}

/// The strongest of the `allowed` proofs that `new` is the change that `old` is. To another target, never; and no files prove
/// nothing: who approved an empty patch has read nothing that a later one could be compared with.
#[must_use]
pub fn proof(old: &Side<'_>, new: &Side<'_>, allowed: &[Proof]) -> Option<Proof> {
    if old.target != new.target || new.files.is_empty() {
        return None;
    }
    Proof::ALL
        .into_iter()
        .filter(|proof| allowed.contains(proof))
        .find(|proof| proof.holds(old, new))
}

fn same_blobs(old: &Side<'_>, new: &Side<'_>) -> bool {
    let same_base = old.merge_base == new.merge_base;
    let tied = same_base || new.files.iter().all(|part| part.file.names_blobs());
    tied && bodies(old) == bodies(new)
}

/// The bytes of all files, in an order that does not depend on how git lists them.
fn bodies<'a>(side: &Side<'a>) -> Vec<&'a [u8]> {
    let mut bodies: Vec<_> = side.files.iter().map(|part| part.body).collect();
    bodies.sort_unstable();
    bodies
}

fn same_patch(old: &Side<'_>, new: &Side<'_>) -> bool {
    let same_base = old.merge_base == new.merge_base;
    let same_file = |(old, new): (&Part<'_>, &Part<'_>)| {
        if old.body == new.body {
            same_base || new.file.names_blobs()
        } else {
            !same_base && new.is_on_another_base(old) && same_hunks(old, new)
        }
    };
    old.files.len() == new.files.len() && old.files.iter().zip(new.files).all(same_file)
}

fn same_hunks(old: &Part<'_>, new: &Part<'_>) -> bool {
    let (Ok(old), Ok(new)) = (hunks(old.body), hunks(new.body)) else {
        return false;
    };
    let same = old
        .iter()
        .zip(&new)
        .all(|(old, new)| old.says_the_same(new));
    !new.is_empty() && old.len() == new.len() && same && in_context(&old) && in_context(&new)
}

/// Whether each hunk has three lines of context on both sides, or reaches the beginning or the end of the file there.
/// Nothing in a patch says where its file ends, so the last hunk is taken to reach it when it has less.
fn in_context(hunks: &[Hunk<'_>]) -> bool {
    let last = hunks.len().saturating_sub(1);
    hunks.iter().enumerate().all(|(at, hunk)| {
        let (before, after) = context(hunk);
        let at_the_beginning = hunk.old_start <= 1 && hunk.new_start <= 1;
        (before >= 3 || at_the_beginning) && (after >= 3 || at == last)
    })
}

/// How many lines of context stand before the first change of a hunk, and after the last.
fn context(hunk: &Hunk<'_>) -> (usize, usize) {
    let is_context = |kind: LineKind| kind == LineKind::Context;
    let before = hunk.lines.take_while(|line| is_context(line.kind)).count();
    let after = hunk.lines.fold(
        0,
        |after, line| {
            if is_context(line.kind) { after + 1 } else { 0 }
        },
    );
    (before, after)
}

#[cfg(test)]
mod tests;
