//! Code hosts: where changes are proposed, and who tells us of them.

use serde::{Deserialize, Serialize};

/// One kind of code host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    GitHub,
    GitLab,
    /// Gitea, and Forgejo, which speaks as it does.
    Gitea,
}

impl Host {
    /// All of them.
    pub const ALL: [Host; 3] = [Host::GitHub, Host::GitLab, Host::Gitea];

    /// The word used in SQL and in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Host::GitHub => "github",
            Host::GitLab => "gitlab",
            Host::Gitea => "gitea",
        }
    }

    /// The name as its makers write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Host::GitHub => "GitHub",
            Host::GitLab => "GitLab",
            Host::Gitea => "Gitea",
        }
    }

    /// The host of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|host| host.as_str() == word)
    }
}

/// A bot, as the code host tells of it that it works at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// `github:49699333`: the account's number, which stays when its login changes hands.
    pub id: String,
    /// Folded.
    pub login: String,
}

impl Bot {
    /// The account with that number.
    #[must_use]
    pub fn new(host: Host, number: u64, login: &str) -> Self {
        Self {
            id: format!("{host}:{number}"),
            login: login.to_lowercase(),
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
