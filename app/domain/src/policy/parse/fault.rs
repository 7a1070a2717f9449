//! What is wrong with a text, for whoever wrote it.

use std::fmt;

/// One thing that is wrong with the text of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What stands there, on one line and cut; empty where something is missing.
    pub said: String,
    pub expected: String,
    /// The right word that is most like the wrong one.
    pub nearest: Option<String>,
}

impl Fault {
    /// The most faults that are told of one text.
    pub const MOST: usize = 50;
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.said.is_empty() {
            write!(f, "`{}`: ", self.said)?;
        }
        write!(f, "expected {}", self.expected)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}
