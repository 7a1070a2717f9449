//! A change and its revisions, as facts.

use crate::{
    Timestamp,
    digest::{Digest, PatchHash},
    ids::{ChangeId, RepositoryId, RevisionId},
    names::{Branch, ChangeKey, CommitSha, RepositoryName},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::Duration;

/// Where a change is in its life at the code host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    Open,
    Merged,
    /// Closed without merging: denied by the gate until it is reopened.
    Closed,
}

impl ChangeState {
    /// The word used in SQL and over REST.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeState::Open => "open",
            ChangeState::Merged => "merged",
            ChangeState::Closed => "closed",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [ChangeState::Open, ChangeState::Merged, ChangeState::Closed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// One proposal in one repository, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: ChangeId,
    pub repository: RepositoryId,
    pub repository_name: RepositoryName,
    pub key: ChangeKey,
    pub title: String,
    /// http or https; parsed when it arrived.
    pub url: Option<String>,
    pub author: String,
    pub state: ChangeState,
    pub draft: bool,
    /// The current revision.
    pub head: RevisionId,
    pub created_at: Timestamp,
    pub confirmed: Confirmed,
}

/// When a code host last said that a change is as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// No code host ever did: it was only submitted.
    Never,
    At(Timestamp),
    /// Nobody remembers: it was confirmed again since the moment that is asked about.
    Forgotten,
}

impl Confirmed {
    /// How long ago that was.
    #[must_use]
    pub fn age(self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::At(at) => Some((now - at).max(Duration::ZERO)),
            Self::Never | Self::Forgotten => None,
        }
    }

    /// Whether it is longer ago than that; what never was is.
    #[must_use]
    pub fn is_older_than(self, most: Duration, now: Timestamp) -> bool {
        match self {
            Self::Never => true,
            Self::At(at) => now - at > most,
            Self::Forgotten => false,
        }
    }

    /// The same as of a moment of the past, as far as the last time tells.
    #[must_use]
    pub fn as_of(self, moment: Timestamp) -> Self {
        match self {
            Self::At(at) if at > moment => Self::Forgotten,
            known => known,
        }
    }
}

/// Whether the patch that people read is beyond doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Patch {
    Whole,
    /// Another patch was submitted for the same target, merge base and head; an admin has to say which is true.
    Disputed,
    /// An admin said that the stored patch is wrong. Only another commit leads on.
    Wrong,
    /// The code host did not give all of it, so there is nothing to read.
    Incomplete,
}

/// One exact state of a change; immutable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub id: RevisionId,
    /// 1 for the first of its change.
    pub number: i32,
    pub target: Branch,
    pub merge_base: CommitSha,
    pub head: CommitSha,
    pub digest: Digest,
    pub patch: Patch,
    pub files: i32,
    pub added: i32,
    pub removed: i32,
    pub arrived_at: Timestamp,
}

/// A patch that was submitted for a revision which has another one, and about which no admin has said anything yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispute {
    pub revision: RevisionId,
    pub patch: PatchHash,
    pub at: Timestamp,
}

/// The disputed patches of one revision that somebody was shown: what their word is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Disputed(BTreeSet<PatchHash>);

impl Disputed {
    /// Those of the disputes that are about this revision.
    #[must_use]
    pub fn about(revision: RevisionId, disputes: &[Dispute]) -> Self {
        let about = disputes.iter().filter(|one| one.revision == revision);
        about.map(|one| one.patch).collect()
    }

    /// The patches, each once.
    pub fn patches(&self) -> impl Iterator<Item = PatchHash> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<PatchHash> for Disputed {
    fn from_iter<I: IntoIterator<Item = PatchHash>>(patches: I) -> Self {
        Self(patches.into_iter().collect())
    }
}

impl TryFrom<String> for Disputed {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.split(' ')
            .map(|hash| PatchHash::try_from(hash.to_owned()))
            .collect()
    }
}

impl From<Disputed> for String {
    fn from(disputed: Disputed) -> String {
        let hashes: Vec<String> = disputed.patches().map(String::from).collect();
        hashes.join(" ")
    }
}
