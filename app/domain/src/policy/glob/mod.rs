//! Patterns of names, as in a `.gitignore`, matched byte by byte in time proportional to the name.
//!
//! What git would take for something that can never match is refused instead: a pattern that silently matches nothing is
//! a rule that silently does not apply.

mod pattern;
mod program;

use program::Program;
use std::fmt;

/// A pattern of names. Two are equal when they are written alike and are about the same kind of name.
#[derive(Clone)]
pub struct Glob {
    text: String,
    of: Names,
    /// One for each alternative.
    programs: Vec<Program>,
}

/// The longest pattern, in bytes.
pub const LONGEST: usize = 200;

/// The most alternatives that the braces of one pattern may make.
const MOST_ALTERNATIVES: usize = 16;

/// What is matched, and so what a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// A path, or any directory above it: without a slash inside, the pattern may begin at any directory.
    Paths,
    /// The whole of a repository's name or a branch's.
    Whole,
}

impl Glob {
    /// A pattern of paths.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn of_paths(text: &str) -> Result<Self, &'static str> {
        Self::new(text, Names::Paths)
    }

    /// A pattern of whole names, of branches or (folded) of repositories.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn of_names(text: &str) -> Result<Self, &'static str> {
        Self::new(text, Names::Whole)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As how many patterns it counts: one for each alternative of its braces.
    pub(super) fn weight(&self) -> usize {
        self.programs.len()
    }

    /// Whether a name is such. A path that ends in a slash is a directory's, which is how a submodule is given.
    #[must_use]
    pub fn matches(&self, name: &[u8]) -> bool {
        self.programs.iter().any(|program| program.matches(name))
    }

    fn new(text: &str, of: Names) -> Result<Self, &'static str> {
        if text.is_empty() || text.trim() != text || text.len() > LONGEST {
            return Err("a pattern of 1 to 200 bytes, without spaces around it");
        }
        let programs = alternatives(text)?
            .iter()
            .map(|pattern| Program::new(pattern, of))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.to_owned(),
            of,
            programs,
        })
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.of == other.of
    }
}

impl Eq for Glob {}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.text)
    }
}

/// The patterns that one with braces stands for: `*.{js,ts}` for `*.js` and `*.ts`.
fn alternatives(text: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut made = vec![Vec::new()];
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (choices, after) = choices(rest)?;
        if made.len() * choices.len() > MOST_ALTERNATIVES {
            return Err("braces that stand for at most 16 alternatives together");
        }
        let joined = |begun: &Vec<u8>| {
            let begun = begun.clone();
            choices.iter().map(move |choice| [&begun, *choice].concat())
        };
        made = made.iter().flat_map(joined).collect();
        rest = after;
    }
    Ok(made)
}

/// What stands next: the choices between braces, or what comes before the next ones.
fn choices(text: &[u8]) -> Result<(Vec<&[u8]>, &[u8]), &'static str> {
    const EXPECTED: &str = "braces with two or more alternatives in them, such as {js,ts}, and no braces inside; for a brace itself, \\{";
    let length = plain(text, b"{}");
    if length > 0 {
        let (plain, rest) = text.split_at(length);
        return Ok((vec![plain], rest));
    }
    let mut rest = text.strip_prefix(b"{").ok_or(EXPECTED)?;
    let mut choices = Vec::new();
    loop {
        let (choice, after) = rest.split_at(plain(rest, b"{},"));
        choices.push(choice);
        match after {
            [b',', after @ ..] => rest = after,
            [b'}', after @ ..] if choices.len() > 1 && !choices.iter().any(|c| c.is_empty()) => {
                return Ok((choices, after));
            }
            _ => return Err(EXPECTED),
        }
    }
}

/// How many bytes come before one of these that no backslash stands before.
fn plain(text: &[u8], ends: &[u8]) -> usize {
    let mut length = 0;
    while let Some(byte) = text.get(length).filter(|byte| !ends.contains(byte)) {
        length += if *byte == b'\\' { 2 } else { 1 };
    }
    length.min(text.len())
}

#[cfg(test)]
mod tests;
