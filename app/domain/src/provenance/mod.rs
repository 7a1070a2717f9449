//! Whether a tool took part: the marks, where each was found, and what they add up to.
//!
//! Anybody can write or strip a mark. So a mark can raise what is asked of a change and never lower it, and no mark
//! means that nobody knows.

mod branches;
mod identities;
pub(crate) mod lines;
mod notes;
mod proposal;
mod ranges;
mod sentences;
mod table;
mod tool;
mod traces;
pub(crate) mod trailers;
mod words;
mod written;

pub use notes::{Fault, MOST_NOTE, Note};
pub use tool::Tool;
pub use traces::{MOST_TRACE, Trace};
pub use written::{Ranges, Share, Source, Written, carried, count, share, written};

pub(crate) use notes::Hand;

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
    /// The name of the change's own branch.
    Branch,
    /// A label of the change.
    Label,
    /// A line of the change's description, counted from 1.
    Description {
        line: u32,
    },
    /// A line of the note that git-ai left beside the commit; none where the note attests no line.
    Note {
        commit: CommitSha,
        line: Option<u32>,
    },
    /// A record of Agent Trace, about this commit or about none.
    Trace {
        commit: Option<CommitSha>,
    },
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

/// What a submission tells of a change beside its commits.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The change's own branch.
    pub branch: Option<String>,
    pub labels: Vec<String>,
    pub description: String,
    /// What git-ai noted, by commit.
    pub notes: Vec<(CommitSha, Note)>,
    pub traces: Vec<Trace>,
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

/// All marks that a submission tells of beside the commits.
#[must_use]
pub fn beside(told: &Beside) -> Vec<Mark> {
    let mut kept = Kept::default();
    if let Some(name) = &told.branch {
        let hint = branches::hint(&text::visible(name)).into_iter();
        hint.for_each(|found| kept.push(found.mark(Place::Branch, name)));
    }
    for label in &told.labels {
        let said = proposal::label(&text::visible(label)).into_iter();
        said.for_each(|found| kept.push(found.mark(Place::Label, label)));
    }
    in_description(&told.description, &mut kept);
    for (commit, note) in &told.notes {
        for (line, text, found) in note.found(commit) {
            let commit = commit.clone();
            kept.push(found.mark(Place::Note { commit, line }, &text));
        }
    }
    for trace in &told.traces {
        let commit = trace
            .revision()
            .and_then(|id| CommitSha::parse(id.to_owned()).ok());
        for (text, found) in trace.found() {
            let commit = commit.clone();
            kept.push(found.mark(Place::Trace { commit }, &text));
        }
    }
    kept.marks
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
            Self::Branch => "branch",
            Self::Label => "label",
            Self::Description { .. } => "description",
            Self::Note { .. } => "note",
            Self::Trace { .. } => "trace",
        }
    }

    /// The commit in which it lies, if it lies in one.
    #[must_use]
    pub fn commit(&self) -> Option<&CommitSha> {
        match self {
            Self::Author { commit }
            | Self::Committer { commit }
            | Self::Trailer { commit, .. }
            | Self::Message { commit, .. }
            | Self::Note { commit, .. } => Some(commit),
            Self::Trace { commit } => commit.as_ref(),
            Self::Submission | Self::Branch | Self::Label | Self::Description { .. } => None,
        }
    }

    /// The line of the message, the description or the note, if it lies in one.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Trailer { line, .. }
            | Self::Message { line, .. }
            | Self::Description { line } => Some(*line),
            Self::Note { line, .. } => *line,
            Self::Author { .. }
            | Self::Committer { .. }
            | Self::Submission
            | Self::Branch
            | Self::Label
            | Self::Trace { .. } => None,
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
            ("branch", None, None) => Some(Self::Branch),
            ("label", None, None) => Some(Self::Label),
            ("description", None, Some(line)) => Some(Self::Description { line }),
            ("note", Some(commit), line) => Some(Self::Note { commit, line }),
            ("trace", commit, None) => Some(Self::Trace { commit }),
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
    let place = |line, is_trailer| {
        let commit = commit.sha.clone();
        if is_trailer {
            Place::Trailer { commit, line }
        } else {
            Place::Message { commit, line }
        }
    };
    in_text(&commit.text(), place, &mut kept);
    kept.marks
}

/// A description has no subject; it is read as what stands below one.
fn in_description(description: &str, kept: &mut Kept) {
    const ABOVE: u32 = 2;
    let text = format!("\n\n{}", proposal::without_comments(description));
    let place = |line: u32, _| Place::Description {
        line: line.saturating_sub(ABOVE),
    };
    in_text(&text, place, kept);
    let seen = lines::seen(&text);
    for (line, found) in proposal::ticked(&lines::of_seen(&seen)) {
        kept.push(found.mark(place(line.number, false), line.text));
    }
}

/// The marks in the lines of a text; `place` tells where a line lies, and whether it is a trailer.
fn in_text(message: &str, place: impl Fn(u32, bool) -> Place, kept: &mut Kept) {
    // Invisible characters must not hide a mark, but what is shown is what stands there.
    let lines: Vec<(Line<'_>, String)> = lines::lines(message)
        .map(|line| (line, text::visible(line.text)))
        .collect();
    let seen: Vec<Line<'_>> = lines
        .iter()
        .map(|(line, text)| Line {
            number: line.number,
            text,
        })
        .collect();
    let mut marked: HashMap<u32, HashSet<Tool>> = HashMap::new();
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
        if found.is_empty() {
            continue;
        }
        let folded = trailer.filter(|_| is_trailer).map_or(1, |t| t.lines);
        let text = as_written(lines.get(at..at + folded).unwrap_or_default());
        for found in found {
            marked
                .entry(line.number)
                .or_default()
                .insert(found.tool.clone());
            kept.push(found.mark(place(line.number, is_trailer), &text));
        }
    }
    let merged = seen.first().and_then(|subject| branches::merged(*subject));
    if let Some((branch, found)) = merged.and_then(|branch| Some((branch, branches::hint(branch)?)))
    {
        kept.push(found.mark(place(1, false), branch));
    }
    for (number, text, found) in sentences::disclosures(seen.iter().copied()) {
        // What a trailer or a footer says is a sentence, too, and may go on over more lines.
        let known = marked
            .get(&number)
            .is_some_and(|tools| tools.contains(&found.tool) || found.tool == Tool::unspecified());
        if !known {
            kept.push(found.mark(place(number, false), &text));
        }
    }
}

/// One line, or those of a folded trailer.
fn as_written(lines: &[(Line<'_>, String)]) -> String {
    let lines: Vec<&str> = lines.iter().map(|(line, _)| line.text.trim()).collect();
    lines.join(" ")
}

/// The marks of one commit, or of what stands beside the commits: each once, and not without end.
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
