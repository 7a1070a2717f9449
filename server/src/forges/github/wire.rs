//! What GitHub answers, as far as it is read.

use crate::{
    api::wire as ours,
    forges::{client::Failed, shown::sha},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{host::Host, names::CommitSha};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use store::hosts::{self, Open};

#[derive(Deserialize)]
pub struct Pull {
    pub title: String,
    pub html_url: String,
    pub state: String,
    #[serde(default)]
    pub merged: bool,
    /// Where it is merged, the last commit that it became; else one that was only tried.
    pub merge_commit_sha: Option<String>,
    #[serde(default)]
    pub draft: bool,
    /// None for somebody whose account is gone.
    pub user: Option<User>,
    pub base: Side,
    pub head: Head,
    /// What its author wrote about it.
    pub body: Option<String>,
    #[serde(default)]
    pub labels: Vec<Label>,
}

impl Pull {
    /// The last commit that it became, if it was merged.
    ///
    /// # Errors
    /// What is said to be one is none.
    pub fn became(&self) -> Result<Option<CommitSha>, Failed> {
        let became = self.merge_commit_sha.as_deref().filter(|_| self.merged);
        became.map(sha).transpose()
    }

    /// In the words in which anybody submits a change, but for its commits.
    pub fn told(
        &self,
        change: &hosts::Change,
        merge_base: &CommitSha,
        head: &CommitSha,
        author: Option<ours::Author>,
    ) -> ours::Submission {
        let state = match (self.state.as_str(), self.merged) {
            (_, true) => ours::State::Merged,
            ("open", false) => ours::State::Open,
            _ => ours::State::Closed,
        };
        ours::Submission {
            repository: change.repository.to_string(),
            key: change.key.to_string(),
            title: self.title.clone(),
            url: Some(self.html_url.clone()),
            author,
            target: self.base.name.clone(),
            base: merge_base.to_string(),
            head: head.to_string(),
            commits: vec![],
            draft: self.draft,
            state,
            ai: None,
            branch: Some(self.head.name.clone()),
            labels: self.labels.iter().map(|label| label.name.clone()).collect(),
            description: self.body.clone(),
            notes: vec![],
            traces: vec![],
            merged_as: None,
            current: true,
        }
    }
}

#[derive(Deserialize)]
pub struct Label {
    pub name: String,
}

/// A pull request in a list.
#[derive(Deserialize)]
pub struct Listed {
    pub number: u64,
    pub title: String,
    #[serde(default)]
    pub draft: bool,
    pub base: Side,
    pub head: Head,
}

impl Listed {
    /// As it is compared with what is recorded.
    pub fn told(self) -> Open {
        Open {
            key: self.number.to_string(),
            title: self.title,
            draft: self.draft,
            target: self.base.name,
            head: self.head.sha,
        }
    }
}

#[derive(Deserialize)]
pub struct User {
    pub login: String,
    pub id: u64,
    #[serde(default, rename = "type")]
    pub kind: String,
}

impl User {
    /// The address that belongs to the account for good, whatever its login will be.
    pub fn no_reply(&self) -> String {
        format!("{}+{}@users.noreply.github.com", self.id, self.login)
    }

    /// Whether it is the account of an app, and nobody signs in to it.
    pub fn is_bot(&self) -> bool {
        self.kind == "Bot"
    }

    /// Whether somebody is this very bot, whatever they are called.
    pub fn is_same_bot(&self, user: &Self) -> bool {
        self.is_bot() && user.is_bot() && user.id == self.id
    }

    /// Whether it stands for the site itself, which commits what people do in a browser.
    pub fn is_the_site(&self, host: Host) -> bool {
        host == Host::GitHub && self.login == "web-flow"
    }
}

#[derive(Deserialize)]
pub struct Side {
    #[serde(rename = "ref")]
    pub name: String,
    pub sha: String,
    pub repo: Repository,
}

#[derive(Deserialize)]
pub struct Head {
    #[serde(rename = "ref")]
    pub name: String,
    pub sha: String,
}

#[derive(Deserialize)]
pub struct Repository {
    pub full_name: String,
}

#[derive(Deserialize)]
pub struct Reference {
    pub object: Object,
}

/// A branch, with its whole name.
#[derive(Deserialize)]
pub struct Named {
    #[serde(rename = "ref")]
    pub name: String,
    pub object: Object,
}

#[derive(Deserialize)]
pub struct Object {
    pub sha: String,
}

#[derive(Deserialize)]
pub struct Comparison {
    pub merge_base_commit: Commit,
    pub total_commits: usize,
    pub commits: Vec<Commit>,
}

#[derive(Deserialize)]
pub struct Commit {
    pub sha: String,
    pub commit: Recorded,
    #[serde(default, deserialize_with = "known")]
    pub author: Option<User>,
    #[serde(default, deserialize_with = "known")]
    pub committer: Option<User>,
    #[serde(default)]
    pub parents: Vec<Object>,
}

/// Nobody is `null`, and sometimes an empty object.
fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<User>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::Object(nobody) if nobody.is_empty() => Ok(None),
        user => User::deserialize(user).map(Some).map_err(D::Error::custom),
    }
}

/// A branch was made, pushed to, merged into or removed.
#[derive(Deserialize)]
pub struct Push {
    #[serde(default, deserialize_with = "known")]
    pub actor: Option<User>,
    pub after: String,
}

/// A commit as git has it.
#[derive(Deserialize)]
pub struct GitCommit {
    pub tree: Object,
    pub parents: Vec<Object>,
}

/// What git recorded of a commit.
#[derive(Deserialize)]
pub struct Recorded {
    pub author: Option<Signature>,
    pub committer: Option<Signature>,
    pub message: String,
    pub tree: Object,
    #[serde(default)]
    pub verification: Verification,
}

/// What GitHub makes of a commit's signature.
#[derive(Default, Deserialize)]
pub struct Verification {
    pub verified: bool,
}

#[derive(Deserialize)]
pub struct Signature {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub email: String,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub date: Option<time::OffsetDateTime>,
}

impl Commit {
    /// In the words in which anybody submits a commit.
    pub fn told(&self) -> ours::Commit {
        let signature = |who: &Option<Signature>| ours::Signature {
            name: ours::Text::Utf8(who.as_ref().map(|who| who.name.clone()).unwrap_or_default()),
            email: ours::Text::Utf8(
                who.as_ref()
                    .map(|who| who.email.clone())
                    .unwrap_or_default(),
            ),
        };
        ours::Commit {
            sha: self.sha.clone(),
            tree: Some(self.commit.tree.sha.clone()),
            parents: self
                .parents
                .iter()
                .map(|parent| parent.sha.clone())
                .collect(),
            author: signature(&self.commit.author),
            authored_at: self.commit.author.as_ref().and_then(|who| who.date),
            committer: signature(&self.commit.committer),
            message: ours::Text::Utf8(self.commit.message.clone()),
        }
    }
}

#[derive(Deserialize)]
pub struct Tree {
    pub tree: Vec<Entry>,
    #[serde(default)]
    pub truncated: bool,
}

#[derive(Deserialize)]
pub struct Entry {
    pub path: String,
    pub mode: String,
    pub sha: String,
    #[serde(default)]
    pub size: u64,
}

#[derive(Deserialize)]
pub struct Blob {
    content: Option<String>,
    encoding: Option<String>,
}

impl Blob {
    /// What it holds, if the host gives that. It comes in lines.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let text: String = self.content.as_ref()?.split_whitespace().collect();
        let is_base64 = self.encoding.as_deref() == Some("base64");
        is_base64.then(|| BASE64_STANDARD.decode(text).ok())?
    }
}

#[derive(Deserialize)]
pub struct Installation {
    pub id: u64,
}

#[derive(Deserialize)]
pub struct AccessToken {
    pub token: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: time::OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nobody_is_null_or_an_empty_object_and_nothing_else() {
        let commit = |author: Value| {
            let recorded =
                json!({ "author": null, "committer": null, "message": "", "tree": { "sha": "" } });
            serde_json::from_value::<Commit>(
                json!({ "sha": "", "commit": recorded, "author": author, "committer": {} }),
            )
        };
        assert!(commit(Value::Null).unwrap().author.is_none());
        assert!(commit(json!({})).unwrap().author.is_none());
        assert_eq!(
            commit(json!({ "login": "ana", "id": 7 }))
                .unwrap()
                .author
                .unwrap()
                .id,
            7
        );
        assert!(commit(json!({ "login": "ana" })).is_err());
    }
}
