//! Which added lines of a patch a machine wrote, as notes and traces say: by which tool, in which session, at whose prompt.
//!
//! Whoever submits writes these too. So they are shown, and nothing is decided by them; and a line that nothing is said of is
//! unknown, not a human's.

use super::{Beside, Tool};
use crate::{
    names::CommitSha,
    patch::{self, LineKind, Part, PatchError},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque},
};

/// First and last line, in order and without overlap.
pub type Ranges = Vec<(u32, u32)>;

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    Note,
    Trace,
    /// Found again by content, from what was said of the revision before.
    Carried,
}

/// The added lines of one file that came out of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file's new name.
    pub path: Vec<u8>,
    pub source: Source,
    pub session: String,
    pub tool: Tool,
    pub model: Option<String>,
    /// Whose prompt it was, as the note says.
    pub prompter: Option<String>,
    pub ranges: Ranges,
}

/// How much of the added lines of a file came out of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub added: u32,
    pub written: u32,
}

/// What a note or a trace claims of one file, before anybody compared it with the patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) path: String,
    pub(super) session: String,
    pub(super) tool: Tool,
    pub(super) model: Option<String>,
    pub(super) prompter: Option<String>,
    pub(super) ranges: Ranges,
}

/// As many rows and ranges of one revision are kept; what is left out is unknown.
const MOST_ROWS: usize = 2_000;
const MOST_RANGES: usize = 100_000;
const MOST_SESSION: usize = 200;
const MOST_PROMPTER: usize = 500;

impl Source {
    /// The word used in SQL and over REST.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Trace => "trace",
            Self::Carried => "carried",
        }
    }

    /// The source of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Note, Self::Trace, Self::Carried]
            .into_iter()
            .find(|source| source.as_str() == word)
    }
}

/// What a submission says of lines that the patch adds. Only what is about the head can be placed: the lines of an earlier
/// commit may stand elsewhere by now.
///
/// # Errors
/// [`PatchError`] where the patch cannot be read.
pub fn written(told: &Beside, head: &CommitSha, patch: &[u8]) -> Result<Vec<Written>, PatchError> {
    let notes = told.notes.iter().filter(|(commit, _)| commit == head);
    let notes = notes.flat_map(|(commit, note)| note.claims(commit));
    let traces = told.traces.iter();
    let traces = traces.filter(|trace| trace.revision() == Some(head.as_str()));
    let claims: Vec<(Source, &Claim)> = notes
        .map(|claim| (Source::Note, claim))
        .chain(
            traces
                .flat_map(|trace| &trace.claims)
                .map(|claim| (Source::Trace, claim)),
        )
        .collect();
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let claimed: HashSet<&[u8]> = claims
        .iter()
        .map(|(_, claim)| claim.path.as_bytes())
        .collect();
    let mut files = HashMap::new();
    for part in patch::parts(patch)? {
        if let Some(name) = new_name(&part).filter(|name| claimed.contains(name)) {
            files.insert(name.to_vec(), added(part.body)?);
        }
    }
    let mut rows = Rows::default();
    for (source, claim) in claims {
        if let Some(added) = files.get(claim.path.as_bytes()) {
            rows.add(Written::of(source, claim), added);
        }
    }
    Ok(rows.all())
}

/// What was said of the revision before of lines that stand in this patch, too, in the same file and order, and of which nothing
/// is said `now`.
///
/// # Errors
/// [`PatchError`] where one of the patches cannot be read.
pub fn carried(
    before: &[Written],
    old: &[u8],
    new: &[u8],
    now: &[Written],
) -> Result<Vec<Written>, PatchError> {
    let (old, new) = (patch::parts(old)?, patch::parts(new)?);
    let old: HashMap<&[u8], &Part<'_>> = old
        .iter()
        .filter_map(|part| Some((new_name(part)?, part)))
        .collect();
    let mut rows = Rows::default();
    for part in &new {
        let Some(name) = new_name(part) else { continue };
        let theirs: Vec<&Written> = before.iter().filter(|row| row.path == name).collect();
        let (false, Some(was)) = (theirs.is_empty(), old.get(name)) else {
            continue;
        };
        let of_now: Ranges = spans(now.iter().filter(|row| row.path == name));
        let lines = added(part.body)?;
        for (owner, ranges) in found_again(&theirs, was.body, part.body, &of_now)? {
            let row = Written {
                source: Source::Carried,
                ranges,
                ..theirs[owner].clone()
            };
            rows.add(row, &lines);
        }
    }
    Ok(rows.all())
}

/// How much of the added lines of a file these rows are; none where there is no row: then it is unknown.
///
/// # Errors
/// [`PatchError`] where its part of the patch cannot be read.
pub fn share(rows: &[&Written], body: &[u8]) -> Result<Option<Share>, PatchError> {
    if rows.is_empty() {
        return Ok(None);
    }
    let added = added(body)?;
    let written = within(&spans(rows.iter().copied()), &added, usize::MAX);
    Ok(Some(Share {
        added: count(&added),
        written: count(&written),
    }))
}

/// How many lines these are.
#[must_use]
pub fn count(ranges: &[(u32, u32)]) -> u32 {
    ranges.iter().map(|(from, to)| to - from + 1).sum()
}

impl Written {
    fn of(source: Source, claim: &Claim) -> Self {
        let cut = |text: &str, most| super::storable(&text.chars().take(most).collect::<String>());
        Self {
            path: claim.path.as_bytes().to_vec(),
            source,
            session: Some(cut(&claim.session, MOST_SESSION))
                .filter(|session| !session.is_empty())
                .unwrap_or_else(|| "?".to_owned()),
            tool: claim.tool.clone(),
            model: claim.model.clone(),
            prompter: claim.prompter.as_deref().map(|who| cut(who, MOST_PROMPTER)),
            ranges: claim.ranges.clone(),
        }
    }
}

/// One row for each file, source and session.
#[derive(Debug, Default)]
struct Rows {
    rows: BTreeMap<(Vec<u8>, Source, String), Written>,
    ranges: usize,
}

impl Rows {
    /// Adds what lies within these lines, as long as there is room.
    fn add(&mut self, row: Written, added: &[(u32, u32)]) {
        let room = MOST_RANGES.saturating_sub(self.ranges);
        let ranges = within(&merged(row.ranges.clone()), added, room);
        let key = (row.path.clone(), row.source, row.session.clone());
        let is_new = !self.rows.contains_key(&key);
        if ranges.is_empty() || (is_new && self.rows.len() >= MOST_ROWS) {
            return;
        }
        self.ranges += ranges.len();
        let known = self.rows.entry(key).or_insert(Written {
            ranges: Vec::new(),
            ..row
        });
        known.ranges.extend(ranges);
    }

    fn all(self) -> Vec<Written> {
        let merge = |row: Written| Written {
            ranges: merged(row.ranges.clone()),
            ..row
        };
        self.rows.into_values().map(merge).collect()
    }
}

fn new_name<'a>(part: &'a Part<'_>) -> Option<&'a [u8]> {
    part.file.new.as_ref().map(patch::FileName::as_bytes)
}

/// The lines that a file's part of a patch adds.
fn added(body: &[u8]) -> Result<Ranges, PatchError> {
    let mut runs: Ranges = Vec::new();
    for number in added_lines(body)?.into_iter().map(|(number, _)| number) {
        match runs.last_mut() {
            Some((_, to)) if *to + 1 == number => *to = number,
            _ => runs.push((number, number)),
        }
    }
    Ok(runs)
}

fn added_lines(body: &[u8]) -> Result<Vec<(u32, &[u8])>, PatchError> {
    let hunks = patch::hunks(body)?;
    let lines = hunks.iter().flat_map(|hunk| hunk.lines.iter());
    let added = lines.filter(|line| line.kind == LineKind::Added);
    Ok(added
        .filter_map(|line| Some((line.new_no?, line.text)))
        .collect())
}

/// For each row of before by its position, the lines of the new patch that it wrote. The same text again is the next of its kind.
fn found_again(
    rows: &[&Written],
    old: &[u8],
    new: &[u8],
    of_now: &[(u32, u32)],
) -> Result<BTreeMap<usize, Ranges>, PatchError> {
    let lines = added_lines(old)?;
    let mut by_text: HashMap<&[u8], VecDeque<Option<usize>>> = HashMap::new();
    for (owner, (_, text)) in owners(rows, &lines).into_iter().zip(&lines) {
        by_text.entry(text).or_default().push_back(owner);
    }
    let mut found: BTreeMap<usize, Ranges> = BTreeMap::new();
    for (number, text) in added_lines(new)? {
        let was = by_text.get_mut(text).and_then(VecDeque::pop_front);
        if let Some(owner) = was.flatten().filter(|_| !holds(of_now, number)) {
            found.entry(owner).or_default().push((number, number));
        }
    }
    Ok(found)
}

/// For each of these lines, which are in order, the first row that claims it.
fn owners(rows: &[&Written], lines: &[(u32, &[u8])]) -> Vec<Option<usize>> {
    let claims = rows.iter().enumerate();
    let mut claims: Vec<(u32, u32, usize)> = claims
        .flat_map(|(row, of)| of.ranges.iter().map(move |(from, to)| (*from, *to, row)))
        .collect();
    claims.sort_unstable();
    let mut coming = claims.into_iter().peekable();
    let mut open: BinaryHeap<Reverse<(usize, u32)>> = BinaryHeap::new();
    let owner = |(line, _): &(u32, &[u8])| {
        while let Some((_, to, row)) = coming.next_if(|(from, ..)| from <= line) {
            open.push(Reverse((row, to)));
        }
        while open.peek().is_some_and(|Reverse((_, to))| to < line) {
            open.pop();
        }
        open.peek().map(|Reverse((row, _))| *row)
    };
    lines.iter().map(owner).collect()
}

fn holds(ranges: &[(u32, u32)], line: u32) -> bool {
    let after = ranges.partition_point(|(from, _)| *from <= line);
    let before = after.checked_sub(1).and_then(|at| ranges.get(at));
    before.is_some_and(|(_, to)| line <= *to)
}

fn spans<'a>(rows: impl Iterator<Item = &'a Written>) -> Ranges {
    merged(rows.flat_map(|row| row.ranges.iter().copied()).collect())
}

/// In order, and what touches as one.
fn merged(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut all: Ranges = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match all.last_mut() {
            Some((_, end)) if from <= end.saturating_add(1) => *end = to.max(*end),
            _ => all.push((from, to)),
        }
    }
    all
}

/// What lies in both, up to so many pieces. Takes time in proportion to the claims and to what is found, not to the file.
fn within(claims: &[(u32, u32)], lines: &[(u32, u32)], most: usize) -> Ranges {
    let pieces = claims.iter().flat_map(|(from, to)| {
        let first = lines.partition_point(|(_, end)| end < from);
        let rest = lines.get(first..).unwrap_or_default().iter();
        rest.take_while(move |(start, _)| start <= to)
            .map(move |(start, end)| (*start.max(from), *end.min(to)))
    });
    pieces.take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::{Note, Trace};
    use proptest::prelude::*;

    fn head() -> CommitSha {
        CommitSha::parse("c".repeat(40)).unwrap()
    }

    /// A patch of these files, whose lines begin with the sign that they have in it.
    fn patch_of(files: &[(&str, &[&str])]) -> Vec<u8> {
        let (old, new) = ("1".repeat(40), "2".repeat(40));
        let mut text = String::new();
        for (name, lines) in files {
            let count = |out: &str| lines.iter().filter(|line| !line.starts_with(out)).count();
            let (was, is) = (count("+"), count("-"));
            text += &format!(
                "diff --git a/{name} b/{name}\nindex {old}..{new} 100644\n--- a/{name}\n+++ b/{name}\n@@ -1,{was} +1,{is} @@\n"
            );
            text.extend(lines.iter().map(|line| format!("{line}\n")));
        }
        text.into_bytes()
    }

    fn noted(commit: &CommitSha, above: &str) -> Beside {
        let json = format!(
            r#"{{"schema_version":"authorship/3.0.0","base_commit_sha":"{commit}","prompts":{{"d4a7828bfdafe456":{{"agent_id":{{"tool":"codex","model":"gpt-5"}},"human_author":"Ana"}}}},"sessions":{{"s_a76964380084ef":{{"agent_id":{{"tool":"claude"}}}}}},"humans":{{"h_dca485b1adf836":{{"author":"Li"}}}}}}"#
        );
        let note = Note::parse(&format!("{above}---\n{json}")).unwrap();
        Beside {
            notes: vec![(commit.clone(), note)],
            ..Beside::default()
        }
    }

    fn said(rows: &[Written]) -> Vec<String> {
        let said = |row: &Written| {
            let path = String::from_utf8_lossy(&row.path);
            let prompter = row.prompter.as_deref().unwrap_or("-");
            let (source, session) = (row.source.as_str(), &row.session);
            format!(
                "{path} {source} {session} {} {prompter} {:?}",
                row.tool, row.ranges
            )
        };
        rows.iter().map(said).collect()
    }

    const FILE: &[&str] = &["+one", " two", "+three", "+four", "-five", " six", "+seven"];

    #[test]
    fn what_a_note_says_of_added_lines_is_kept_by_file_and_session() {
        let above = "a.rs\n  d4a7828bfdafe456 1-4\n  s_a76964380084ef::t_1 6\n  s_a76964380084ef::t_2 2\n  h_dca485b1adf836 4\nb.rs\n  d4a7828bfdafe456 1\nother.rs\n  d4a7828bfdafe456 1\n";
        let patch = patch_of(&[("a.rs", FILE), ("b.rs", &["+x", " a"])]);
        let rows = written(&noted(&head(), above), &head(), &patch).unwrap();
        assert_eq!(
            said(&rows),
            [
                "a.rs note d4a7828bfdafe456 codex Ana [(1, 1), (3, 4)]",
                "a.rs note s_a76964380084ef claude-code - [(6, 6)]",
                "b.rs note d4a7828bfdafe456 codex Ana [(1, 1)]",
            ]
        );
        let rows: Vec<&Written> = rows.iter().filter(|row| row.path == b"a.rs").collect();
        let body = patch_of(&[("a.rs", FILE)]);
        let whole = Share {
            added: 4,
            written: 4,
        };
        assert_eq!(share(&rows, &body).unwrap(), Some(whole));
        assert_eq!(share(&[], &body).unwrap(), None, "unknown, not human");
    }

    #[test]
    fn a_record_is_placed_if_it_is_about_the_head() {
        let trace = |revision: &str| {
            let text = format!(
                r#"{{"version":"0.1.0","id":"r1","timestamp":"x","vcs":{{"revision":"{revision}"}},"files":[{{"path":"a.rs","conversations":[{{"url":"https://x.example/1","contributor":{{"type":"ai"}},"ranges":[{{"start_line":3,"end_line":99,"contributor":{{"type":"ai"}}}},{{"start_line":1,"end_line":1,"contributor":{{"type":"human"}}}}]}}]}}]}}"#
            );
            Beside {
                traces: vec![Trace::parse(&text).unwrap()],
                ..Beside::default()
            }
        };
        let patch = patch_of(&[("a.rs", FILE)]);
        let rows = written(&trace(head().as_str()), &head(), &patch).unwrap();
        assert_eq!(
            said(&rows),
            ["a.rs trace https://x.example/1 other:unspecified - [(3, 4), (6, 6)]"]
        );
        let earlier = "d".repeat(40);
        assert!(
            written(&trace(&earlier), &head(), &patch)
                .unwrap()
                .is_empty()
        );
        let note = noted(
            &CommitSha::parse(earlier).unwrap(),
            "a.rs\n  d4a7828bfdafe456 1\n",
        );
        assert!(written(&note, &head(), &patch).unwrap().is_empty());
    }

    #[test]
    fn lines_are_found_again_after_a_rebase_and_new_ones_are_unknown() {
        let old = patch_of(&[("a.rs", FILE), ("gone.rs", &[" a", "+one"])]);
        let above = "a.rs\n  d4a7828bfdafe456 3-4\ngone.rs\n  d4a7828bfdafe456 2\n";
        let before = written(&noted(&head(), above), &head(), &old).unwrap();
        let moved: &[&str] = &[
            " zero", " zero", "+three", "+new", "+four", "+three", " six", "+one",
        ];
        let new = patch_of(&[("a.rs", moved), ("b.rs", &[" a", "+three"])]);
        let rows = carried(&before, &old, &new, &[]).unwrap();
        assert_eq!(
            said(&rows),
            ["a.rs carried d4a7828bfdafe456 codex Ana [(3, 3), (5, 5)]"]
        );
        let now = [Written {
            ranges: vec![(3, 4)],
            ..rows[0].clone()
        }];
        let rest = carried(&before, &old, &new, &now).unwrap();
        assert_eq!(rest[0].ranges, [(5, 5)], "what is said now holds");
        let again = carried(&rows, &new, &new, &[]).unwrap();
        assert_eq!(again, rows);
    }

    #[test]
    fn whatever_is_claimed_no_more_is_kept_than_there_is_room_for() {
        let lines: Vec<String> = (0..60_000)
            .flat_map(|n| [format!("+{n}"), " x".to_owned()])
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let patch = patch_of(&[("a.rs", &lines)]);
        let sessions: String = (0..3_000)
            .map(|n| format!("  {n:016x} 1-10000000,1-9\n"))
            .collect();
        let told = noted(&head(), &format!("a.rs\n{sessions}"));
        let rows = written(&told, &head(), &patch).unwrap();
        let ranges: usize = rows.iter().map(|row| row.ranges.len()).sum();
        assert!(rows.len() <= MOST_ROWS && ranges <= MOST_RANGES);
        assert_eq!(rows[0].ranges.len(), 60_000);
    }

    fn ranges() -> impl Strategy<Value = Ranges> {
        let range = (1..60_u32, 0..9_u32).prop_map(|(from, more)| (from, from + more));
        prop::collection::vec(range, 0..12)
    }

    proptest! {
        #[test]
        fn a_line_that_two_claim_is_the_first_ones(claims in prop::collection::vec(ranges(), 0..5)) {
            let row = |ranges: &Ranges| Written {
                path: vec![],
                source: Source::Note,
                session: String::new(),
                tool: Tool::Codex,
                model: None,
                prompter: None,
                ranges: merged(ranges.clone()),
            };
            let rows: Vec<Written> = claims.iter().map(row).collect();
            let lines: Vec<(u32, &[u8])> = (1..80).map(|line| (line, &b""[..])).collect();
            let found = owners(&rows.iter().collect::<Vec<_>>(), &lines);
            for ((line, _), owner) in lines.into_iter().zip(found) {
                prop_assert_eq!(owner, rows.iter().position(|row| holds(&row.ranges, line)));
            }
        }

        #[test]
        fn what_is_kept_is_what_is_in_both(claims in ranges(), lines in ranges()) {
            let (claims, lines) = (merged(claims), merged(lines));
            let both = within(&claims, &lines, usize::MAX);
            for line in 0..80 {
                prop_assert_eq!(holds(&both, line), holds(&claims, line) && holds(&lines, line));
            }
            prop_assert_eq!(merged(both.clone()).len(), merged(both).len());
        }
    }
}
