//! Who had a hand in a revision. (Placeholder until the rules branch lands.)

use serde::{Deserialize, Serialize};

/// A normalised address or login.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);
