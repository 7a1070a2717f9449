//! Ids as types, so that a change's id cannot stand where a person's is asked.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

// UUIDv7, made by the application (`store::ids`), so that rows arrive roughly in index order.
ids! {
    /// One repository.
    RepositoryId,
    /// One change of one repository.
    ChangeId,
    /// One revision of one change.
    RevisionId,
    /// One human.
    PersonId,
    /// One decision.
    DecisionId,
    /// One API token.
    TokenId,
    /// That one person stands in for another.
    StandInId,
    /// One event.
    EventId,
}

/// What makes a resent form the decision already taken: chosen by the form, unique for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FormKey(pub Uuid);
