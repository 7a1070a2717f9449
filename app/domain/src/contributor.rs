//! Who had a hand in a revision. (Placeholder until the rules branch lands; take that one on conflict.)

use crate::commit::Signature;
use serde::{Deserialize, Serialize};

/// A normalised address or login.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

/// In what way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    ChangeAuthor,
    Author,
    Committer,
    CoAuthor,
    Uploader,
}

impl Role {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        "author"
    }
}

/// Somebody who had a hand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributor {
    pub role: Role,
    pub who: Signature,
    pub login: Option<String>,
    pub keys: Vec<Key>,
}
