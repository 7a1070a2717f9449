//! A commit as it was told to us: what git recorded, byte for byte where it matters.

use crate::{Timestamp, names::CommitSha};
use serde::{Deserialize, Serialize};

/// A name and an address, exactly as a commit or a trailer carries them. Anybody can write anything there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// Not UTF-8 in the commit: replaced by U+FFFD here.
    pub name: String,
    pub email: String,
}

/// One commit that a revision adds to its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub sha: CommitSha,
    /// None where the code host does not say.
    pub tree: Option<CommitSha>,
    pub parents: Vec<CommitSha>,
    pub author: Signature,
    pub authored_at: Option<Timestamp>,
    pub committer: Signature,
    /// The raw message; need not be UTF-8.
    pub message: Vec<u8>,
}

impl Commit {
    /// The message as text, with U+FFFD where it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.message)
    }
}
