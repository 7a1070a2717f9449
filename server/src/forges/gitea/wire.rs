//! What Gitea and Forgejo answer, as far as it is read: mostly what GitHub does.

use crate::forges::{
    client::Failed,
    github::wire::{Entry, Object, Pull, Reference, User},
    shown::sha,
};
use domain::names::CommitSha;
use serde::Deserialize;
use url::Url;

#[derive(Deserialize)]
pub struct Request {
    #[serde(flatten)]
    pub pull: Pull,
    /// Where its patch begins. It is worked out some time after each push.
    pub merge_base: String,
}

impl Request {
    /// The address that belongs to an account of this site for good, whatever its login will be.
    pub fn no_reply(&self, user: &User) -> Option<String> {
        let url = Url::parse(&self.pull.html_url).ok()?;
        let site = url.host_str()?;
        Some(format!("{}+{}@noreply.{site}", user.id, user.login))
    }
}

/// One reference, where it is the only one whose name begins so.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum References {
    One(Reference),
    Several(Vec<Reference>),
}

impl References {
    /// The commit of the only one.
    ///
    /// # Errors
    /// There is none, or it is no commit.
    pub fn only(&self) -> Result<CommitSha, Failed> {
        match self {
            Self::One(one) => sha(&one.object.sha),
            Self::Several(all) => match &all[..] {
                [one] => sha(&one.object.sha),
                _ => Err(Failed::NotThere),
            },
        }
    }
}

/// How much the second of two commits adds to the first.
#[derive(Deserialize)]
pub struct Compared {
    pub total_commits: usize,
}

/// A page of what is in a commit; where there is nothing, not even a list of it.
#[derive(Deserialize)]
pub struct Page {
    pub tree: Option<Vec<Entry>>,
    #[serde(default)]
    pub truncated: bool,
}

/// A commit as git has it, but for its tree: for that Gitea gives its own id.
#[derive(Deserialize)]
pub struct GitCommit {
    pub parents: Vec<Object>,
}
