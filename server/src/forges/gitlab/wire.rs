//! What GitLab answers, as far as it is read.

use crate::{
    api::wire as ours,
    forges::{client::Failed, shown::sha},
};
use domain::names::CommitSha;
use serde::Deserialize;
use std::collections::BTreeSet;
use url::Url;

#[derive(Deserialize)]
pub struct MergeRequest {
    pub title: String,
    pub web_url: String,
    pub state: String,
    #[serde(default)]
    pub draft: bool,
    /// None for somebody whose account is gone.
    pub author: Option<User>,
    pub target_branch: String,
    pub source_branch: String,
    /// The head; none while it is made.
    pub sha: Option<String>,
    /// Between which commits its patch goes; none while it is made.
    pub diff_refs: Option<Refs>,
    pub merge_commit_sha: Option<String>,
    pub squash_commit_sha: Option<String>,
    /// What its author wrote about it.
    pub description: Option<String>,
    #[serde(default)]
    pub labels: Vec<String>,
    pub references: References,
}

impl MergeRequest {
    /// The last commit that it became, if it was merged: the merge, or what it was squashed to, or its own head.
    ///
    /// # Errors
    /// What is said to be one is none.
    pub fn became(&self) -> Result<Option<CommitSha>, Failed> {
        if self.state != "merged" {
            return Ok(None);
        }
        let named = [&self.merge_commit_sha, &self.squash_commit_sha, &self.sha];
        let mut named = named.into_iter().flatten();
        named.next().map(|named| sha(named)).transpose()
    }

    /// Whether it may still be merged.
    pub fn is_open(&self) -> bool {
        // Locked is what is just being merged.
        matches!(self.state.as_str(), "opened" | "locked")
    }

    /// The address that belongs to its author's account for good, whatever its name will be.
    pub fn no_reply(&self, author: &User) -> Option<String> {
        let url = Url::parse(&self.web_url).ok()?;
        let site = url.host_str()?;
        Some(format!(
            "{}-{}@users.noreply.{site}",
            author.id, author.username
        ))
    }
}

/// A merge request in a list.
#[derive(Deserialize)]
pub struct Listed {
    pub iid: u64,
    pub title: String,
    #[serde(default)]
    pub draft: bool,
    pub target_branch: String,
    pub sha: Option<String>,
}

#[derive(Deserialize)]
pub struct User {
    pub id: u64,
    pub username: String,
}

/// The target as it was when this was pushed, what the head has in common with it, and the head.
#[derive(Deserialize)]
pub struct Refs {
    pub base_sha: String,
    pub start_sha: String,
    pub head_sha: String,
}

#[derive(Deserialize)]
pub struct References {
    /// `group/project!7`.
    pub full: String,
}

/// What a merge request was after one push.
#[derive(Deserialize)]
pub struct Version {
    pub id: u64,
    pub base_commit_sha: Option<String>,
    pub head_commit_sha: Option<String>,
    pub state: String,
}

/// All files that differ in it.
#[derive(Deserialize)]
pub struct Differing {
    diffs: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    old_path: String,
    new_path: String,
}

impl Differing {
    /// Their names, before and after.
    pub fn names(self) -> BTreeSet<Vec<u8>> {
        let names = self.diffs.into_iter();
        names
            .flat_map(|file| [file.old_path, file.new_path])
            .map(String::into_bytes)
            .collect()
    }
}

/// A commit, of which only the name counts.
#[derive(Deserialize)]
pub struct Named {
    pub id: String,
}

/// What is in a folder.
#[derive(Deserialize)]
pub struct InFolder {
    pub id: String,
    pub name: String,
    pub mode: String,
}

#[derive(Deserialize)]
pub struct Commit {
    pub id: String,
    #[serde(default)]
    pub parent_ids: Vec<String>,
    message: String,
    author_name: String,
    author_email: String,
    #[serde(default, with = "time::serde::rfc3339::option")]
    authored_date: Option<time::OffsetDateTime>,
    committer_name: String,
    committer_email: String,
}

impl Commit {
    /// In the words in which anybody submits a commit. Nothing says which tree it has.
    pub fn told(self) -> ours::Commit {
        let signature = |name, email| ours::Signature {
            name: ours::Text::Utf8(name),
            email: ours::Text::Utf8(email),
        };
        ours::Commit {
            sha: self.id,
            tree: None,
            parents: self.parent_ids,
            author: signature(self.author_name, self.author_email),
            authored_at: self.authored_date,
            committer: signature(self.committer_name, self.committer_email),
            message: ours::Text::Utf8(self.message),
        }
    }
}
