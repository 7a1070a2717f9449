//! What the columns of a change and of its revisions mean, for every query that reads them.
//!
//! Each checked query has a row type of its own, so what puts whole values together is a macro.

use crate::{Error, error::known};
use domain::{
    Timestamp,
    change::{ChangeState, Confirmed},
    digest::Digest,
    names::{Branch, ChangeKey, CommitSha, RepositoryName},
};

/// The `Change` of a row with the columns of `change` and `change_state`, and the repository's name as `repository`.
macro_rules! change {
    ($row:ident) => {
        domain::change::Change {
            id: domain::ids::ChangeId($row.id),
            repository: domain::ids::RepositoryId($row.repository_id),
            repository_name: $crate::rows::repository($row.repository)?,
            key: $crate::rows::key($row.key)?,
            title: $row.title,
            url: $row.url,
            author: $row.author_name,
            state: $crate::rows::state(&$row.state)?,
            draft: $row.draft,
            head: domain::ids::RevisionId($row.head_revision),
            created_at: $row.created_at,
            confirmed: $crate::rows::confirmed($row.confirmed_at),
        }
    };
}
pub(crate) use change;

/// The `Revision` of a row with the columns of `revision`, its id as `revision_id`, and what is known of its patch.
macro_rules! revision {
    ($row:ident, $patch:expr) => {
        domain::change::Revision {
            id: domain::ids::RevisionId($row.revision_id),
            number: $row.number,
            target: $crate::rows::target($row.target)?,
            merge_base: $crate::rows::merge_base($row.merge_base)?,
            head: $crate::rows::head($row.head)?,
            digest: $crate::rows::digest(&$row.digest)?,
            patch: $patch,
            files: $row.files,
            added: $row.added,
            removed: $row.removed,
            arrived_at: $row.arrived_at,
        }
    };
}
pub(crate) use revision;

pub(crate) fn repository(name: String) -> Result<RepositoryName, Error> {
    known(RepositoryName::parse(name).ok(), "repository", "name")
}

pub(crate) fn key(key: String) -> Result<ChangeKey, Error> {
    known(ChangeKey::parse(key).ok(), "change", "key")
}

pub(crate) fn state(word: &str) -> Result<ChangeState, Error> {
    known(ChangeState::parse(word), "change_state", "state")
}

pub(crate) fn confirmed(at: Option<Timestamp>) -> Confirmed {
    at.map_or(Confirmed::Never, Confirmed::At)
}

pub(crate) fn target(branch: String) -> Result<Branch, Error> {
    known(Branch::parse(branch).ok(), "revision", "target")
}

pub(crate) fn merge_base(sha: String) -> Result<CommitSha, Error> {
    known(CommitSha::parse(sha).ok(), "revision", "merge_base")
}

pub(crate) fn head(sha: String) -> Result<CommitSha, Error> {
    known(CommitSha::parse(sha).ok(), "revision", "head")
}

pub(crate) fn digest(bytes: &[u8]) -> Result<Digest, Error> {
    known(Digest::from_bytes(bytes), "revision", "digest")
}
