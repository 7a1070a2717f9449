//! Whether a tool took part: the marks, where each was found, and what they add up to.
//!
//! Anybody can write or strip a mark. So a mark can raise what is asked of a change and never lower it, and no mark
//! means that nobody knows.

mod branches;
mod identities;
pub(crate) mod lines;
mod sentences;
mod table;
mod tool;
pub(crate) mod trailers;
mod words;

pub use tool::Tool;

use crate::{
    commit::{Commit, Signature},
    names::CommitSha,
    text,
};
use lines::Line;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use table::Rule;

/// What the marks add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// A mark says that a tool took part.
    Assisted,
    /// A signed-in person whom policy believes said that none did.
    Human,
    /// Nobody knows.
    Unknown,
}

/// How much a mark proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// It looks like a tool's work, and may be something else.
    Hinted,
    /// A tool left it.
    Marked,
    /// Somebody, or the tool, says so in words.
    Declared,
}

/// Where a mark was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Place {
    Author {
        commit: CommitSha,
    },
    Committer {
        commit: CommitSha,
    },
    /// A line of the commit's message, counted from 1.
    Trailer {
        commit: CommitSha,
        line: u32,
    },
    /// The same, for a line that is no trailer.
    Message {
        commit: CommitSha,
        line: u32,
    },
    /// Whoever submitted the change said so.
    Submission,
}

/// One piece of evidence that a tool took part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    pub tool: Tool,
    /// As it is written there.
    pub model: Option<String>,
    pub place: Place,
    pub strength: Strength,
    /// What stands there, from the beginning, at most [`MOST_TEXT`] characters.
    pub text: String,
}

/// What whoever submits a change says: a machine took part. There is no way to say that none did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Said {
    pub tool: Option<Tool>,
}

/// The longest text of a mark.
pub const MOST_TEXT: usize = 300;

/// The most marks of one strength that one commit gives: enough to prove anything, and a flood of hints drowns
/// nothing stronger.
pub const MOST_MARKS: usize = 50;

/// All marks of these commits, in their order, and what was said when they were submitted.
#[must_use]
pub fn marks(commits: &[Commit], said: Option<&Said>) -> Vec<Mark> {
    let submitted = said.map(|said| Mark {
        tool: said.tool.clone().unwrap_or_else(Tool::unspecified),
        model: None,
        place: Place::Submission,
        strength: Strength::Declared,
        text: String::new(),
    });
    submitted
        .into_iter()
        .chain(commits.iter().flat_map(of_commit))
        .collect()
}

/// What marks add up to. Hints alone add up to nothing. `Human` is never a matter of marks: it takes a person's word.
#[must_use]
pub fn provenance(marks: &[Mark]) -> Provenance {
    Provenance::of(marks.iter().map(|mark| mark.strength))
}

/// The tools that took part, as marks prove it. One that nobody named counts where no other is.
#[must_use]
pub fn tools(marks: &[Mark]) -> BTreeSet<Tool> {
    let proved = marks
        .iter()
        .filter(|mark| mark.strength >= Strength::Marked);
    let mut tools: BTreeSet<Tool> = proved.map(|mark| mark.tool.clone()).collect();
    if tools.len() > 1 {
        tools.remove(&Tool::unspecified());
    }
    tools
}

impl Provenance {
    /// What marks of these strengths add up to.
    #[must_use]
    pub fn of(strengths: impl IntoIterator<Item = Strength>) -> Self {
        let proved = strengths
            .into_iter()
            .any(|strength| strength >= Strength::Marked);
        if proved {
            Self::Assisted
        } else {
            Self::Unknown
        }
    }

    /// The word used over REST and in class names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assisted => "assisted",
            Self::Human => "human",
            Self::Unknown => "unknown",
        }
    }
}

impl Strength {
    /// The word used in SQL and over REST.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hinted => "hinted",
            Self::Marked => "marked",
            Self::Declared => "declared",
        }
    }

    /// The strength of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Hinted, Self::Marked, Self::Declared]
            .into_iter()
            .find(|strength| strength.as_str() == word)
    }
}

impl Place {
    /// The word used in SQL and over REST.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Author { .. } => "author",
            Self::Committer { .. } => "committer",
            Self::Trailer { .. } => "trailer",
            Self::Message { .. } => "message",
            Self::Submission => "submission",
        }
    }

    /// The commit in which it lies, if it lies in one.
    #[must_use]
    pub fn commit(&self) -> Option<&CommitSha> {
        match self {
            Self::Author { commit }
            | Self::Committer { commit }
            | Self::Trailer { commit, .. }
            | Self::Message { commit, .. } => Some(commit),
            Self::Submission => None,
        }
    }

    /// The line of the commit's message, if it lies in one.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Trailer { line, .. } | Self::Message { line, .. } => Some(*line),
            Self::Author { .. } | Self::Committer { .. } | Self::Submission => None,
        }
    }

    /// The place of these parts, if they make one.
    #[must_use]
    pub fn from_parts(word: &str, commit: Option<CommitSha>, line: Option<u32>) -> Option<Self> {
        match (word, commit, line) {
            ("author", Some(commit), None) => Some(Self::Author { commit }),
            ("committer", Some(commit), None) => Some(Self::Committer { commit }),
            ("trailer", Some(commit), Some(line)) => Some(Self::Trailer { commit, line }),
            ("message", Some(commit), Some(line)) => Some(Self::Message { commit, line }),
            ("submission", None, None) => Some(Self::Submission),
            _ => None,
        }
    }
}

/// Whether this author, committer or co-author is surely a tool and no human.
#[must_use]
pub fn is_tool(who: &Signature) -> bool {
    identities::is_tool(who)
}

/// What a line or a name says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    tool: Tool,
    model: Option<String>,
    strength: Strength,
}

impl Found {
    fn by(rule: &Rule, text: &str) -> Self {
        Self {
            tool: rule.tool(),
            model: words::model_in(text),
            strength: rule.strength,
        }
    }

    fn mark(self, place: Place, text: &str) -> Mark {
        Mark {
            tool: self.tool,
            model: self.model,
            place,
            strength: self.strength,
            text: storable(text),
        }
    }
}

/// As it stands there, but for its length and for the one character that a database cannot keep.
fn storable(text: &str) -> String {
    let mut kept: String = text.trim().chars().take(MOST_TEXT).collect();
    if kept.contains('\0') {
        kept = kept.replace('\0', "\u{fffd}");
    }
    kept
}

fn of_commit(commit: &Commit) -> Vec<Mark> {
    let people = [
        (
            &commit.author,
            Place::Author {
                commit: commit.sha.clone(),
            },
        ),
        (
            &commit.committer,
            Place::Committer {
                commit: commit.sha.clone(),
            },
        ),
    ];
    let by_name = people.into_iter().filter_map(|(who, place)| {
        let (tool, strength) = identities::tool(who)?;
        let model = words::model_in(&text::visible(&who.name));
        let text = format!("{} <{}>", who.name, who.email);
        Some(
            Found {
                tool,
                model,
                strength,
            }
            .mark(place, &text),
        )
    });
    let mut kept = Kept::default();
    by_name.for_each(|mark| kept.push(mark));
    in_message(commit, &mut kept);
    kept.marks
}

fn in_message(commit: &Commit, kept: &mut Kept) {
    let message = commit.text();
    // Invisible characters must not hide a mark, but what is shown is what stands there.
    let lines: Vec<(Line<'_>, String)> = lines::lines(&message)
        .map(|line| (line, text::visible(line.text)))
        .collect();
    let seen: Vec<Line<'_>> = lines
        .iter()
        .map(|(line, text)| Line {
            number: line.number,
            text,
        })
        .collect();
    let mut marked: HashMap<u32, Vec<Tool>> = HashMap::new();
    let mut trailers = lines::trailers(&seen).into_iter().peekable();
    for (at, line) in seen.iter().enumerate() {
        let trailer = trailers.next_if(|trailer| trailer.at == at);
        let by_trailer = trailer.as_ref().map(trailers::read).unwrap_or_default();
        let is_trailer = !by_trailer.is_empty();
        let found = if is_trailer {
            by_trailer
        } else {
            let other = trailers::link(*line).or_else(|| sentences::footer(*line));
            other.into_iter().collect()
        };
        let folded = trailer.filter(|_| is_trailer).map_or(1, |t| t.lines);
        for found in found {
            let text = as_written(lines.get(at..at + folded).unwrap_or_default());
            marked
                .entry(line.number)
                .or_default()
                .push(found.tool.clone());
            kept.push(found.mark(place(commit, line.number, is_trailer), &text));
        }
    }
    let merged = seen.first().and_then(|subject| branches::merged(*subject));
    if let Some((branch, found)) = merged.and_then(|branch| Some((branch, branches::hint(branch)?)))
    {
        kept.push(found.mark(place(commit, 1, false), branch));
    }
    for (number, text, found) in sentences::disclosures(seen.iter().copied()) {
        // What a trailer or a footer says is a sentence, too, and may go on over more lines.
        let known = marked
            .get(&number)
            .is_some_and(|tools| tools.contains(&found.tool) || found.tool == Tool::unspecified());
        if !known {
            kept.push(found.mark(place(commit, number, false), &text));
        }
    }
}

/// One line, or those of a folded trailer.
fn as_written(lines: &[(Line<'_>, String)]) -> String {
    let lines: Vec<&str> = lines.iter().map(|(line, _)| line.text.trim()).collect();
    lines.join(" ")
}

fn place(commit: &Commit, line: u32, is_trailer: bool) -> Place {
    let commit = commit.sha.clone();
    if is_trailer {
        Place::Trailer { commit, line }
    } else {
        Place::Message { commit, line }
    }
}

/// The marks of one commit: each once, and not without end.
#[derive(Debug, Default)]
struct Kept {
    marks: Vec<Mark>,
    seen: HashSet<(Tool, Strength, String)>,
}

impl Kept {
    fn push(&mut self, mark: Mark) {
        let same = |known: &&Mark| known.strength == mark.strength;
        if self.marks.iter().filter(same).count() >= MOST_MARKS {
            return;
        }
        // A squash repeats its trailers; author and committer are two places, though.
        let is_person = matches!(mark.place, Place::Author { .. } | Place::Committer { .. });
        let key = (mark.tool.clone(), mark.strength, mark.text.to_lowercase());
        if is_person || self.seen.insert(key) {
            self.marks.push(mark);
        }
    }
}

#[cfg(test)]
mod tests;
