//! Marks. (Placeholder until the rules branch lands; take that one on conflict.)

use serde::{Deserialize, Serialize};

/// What the marks add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    Assisted,
    Human,
    Unknown,
}
