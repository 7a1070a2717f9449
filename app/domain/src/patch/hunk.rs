//! One hunk: what its header claims, checked against its lines.

use super::{PatchError, lines::Cursor};

/// A run of lines that changed, with the lines around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hunk<'a> {
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
    /// What git wrote after the header's second `@@`: usually the function around it. Need not be UTF-8.
    pub section: &'a [u8],
    pub lines: Lines<'a>,
}

impl Hunk<'_> {
    /// Whether both have the same lines under the same heading, byte for byte, wherever they stand. The heading counts:
    /// between two functions that look alike around the change, it is all that tells which one is changed.
    #[must_use]
    pub fn says_the_same(&self, other: &Hunk<'_>) -> bool {
        (self.section, self.lines.as_bytes()) == (other.section, other.lines.as_bytes())
    }
}

/// How a line takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    Context,
    Added,
    Removed,
}

/// One line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    pub kind: LineKind,
    /// Its number in the old file; none for an added line.
    pub old_no: Option<u32>,
    /// Its number in the new file; none for a removed line.
    pub new_no: Option<u32>,
    /// Without the sign and the newline; a carriage return stays. Need not be UTF-8.
    pub text: &'a [u8],
    /// The file ends here without a newline.
    pub no_newline: bool,
}

/// The lines of a hunk, read as they are asked for, so that a huge hunk costs no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines<'a> {
    body: &'a [u8],
    old_no: u32,
    new_no: u32,
}

impl<'a> Lines<'a> {
    /// The lines in order.
    #[must_use]
    pub fn iter(&self) -> Self {
        *self
    }

    /// The lines as the patch has them, signs and ends included.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.body
    }

    fn next_raw(&mut self) -> Option<&'a [u8]> {
        let end = self.body.iter().position(|&b| b == b'\n')?;
        let line = self.body.get(..end)?;
        self.body = self.body.get(end + 1..)?;
        Some(line)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let raw = self.next_raw()?;
        let kind = kind(raw)?;
        let old_no = (kind != LineKind::Added).then_some(self.old_no);
        let new_no = (kind != LineKind::Removed).then_some(self.new_no);
        self.old_no = self.old_no.saturating_add(old_no.is_some().into());
        self.new_no = self.new_no.saturating_add(new_no.is_some().into());
        let no_newline = self.body.first() == Some(&b'\\');
        if no_newline {
            self.next_raw();
        }
        Some(Line {
            kind,
            old_no,
            new_no,
            text: raw.get(1..).unwrap_or_default(),
            no_newline,
        })
    }
}

/// What a line's sign says. Git leaves the sign of an empty line away where `diff.suppressBlankEmpty` is set.
fn kind(line: &[u8]) -> Option<LineKind> {
    match line.first() {
        None | Some(b' ') => Some(LineKind::Context),
        Some(b'+') => Some(LineKind::Added),
        Some(b'-') => Some(LineKind::Removed),
        Some(_) => None,
    }
}

/// What all hunks of a file have in common, to check that they fit together.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) added: u32,
    pub(super) removed: u32,
    pub(super) context: u32,
    pub(super) hunks: u32,
    /// Where the last hunk ended in the old file, counted from 0.
    old_end: u64,
    /// The end of the file has been shown, so no hunk may follow.
    at_end_of_file: bool,
}

/// Reads the next hunk, if there is one.
pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    progress: &mut Progress,
) -> Result<Option<Hunk<'a>>, PatchError> {
    let Some(head) = cursor.take(b"@@ ") else {
        return Ok(None);
    };
    let mut hunk =
        header(head).ok_or_else(|| cursor.error_before("a hunk header: @@ -1,2 +3,4 @@"))?;
    if !fits(&hunk, progress) {
        return Err(cursor.error_before("line numbers that follow from the hunks before"));
    }
    hunk.lines.body = body(cursor, &hunk, progress)?;
    progress.hunks = progress.hunks.saturating_add(1);
    Ok(Some(hunk))
}

/// `-1,2 +3,4 @@ section`
fn header(head: &[u8]) -> Option<Hunk<'_>> {
    let (old_start, old_lines, rest) = range(head.strip_prefix(b"-")?)?;
    let (new_start, new_lines, rest) = range(rest.strip_prefix(b" +")?)?;
    let rest = rest.strip_prefix(b" @@")?;
    let section = match rest.split_first() {
        None => rest,
        Some((b' ', section)) => section,
        Some(_) => return None,
    };
    Some(Hunk {
        old_start,
        old_lines,
        new_start,
        new_lines,
        section,
        lines: Lines {
            body: &[],
            old_no: old_start,
            new_no: new_start,
        },
    })
}

/// `12` or `12,3`; a missing count is 1.
fn range(text: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (start, rest) = number(text)?;
    let (count, rest) = match rest.strip_prefix(b",") {
        Some(rest) => number(rest)?,
        None => (1, rest),
    };
    let possible = start.checked_add(count).is_some() && (start > 0 || count == 0);
    possible.then_some((start, count, rest))
}

fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    let leading_zero = digits.len() > 1 && digits.first() == Some(&b'0');
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (!leading_zero).then_some((number, rest))
}

/// Whether a hunk's line numbers can be true after the hunks before: it begins after them, and what they added and
/// removed is the distance between its two starts.
fn fits(hunk: &Hunk<'_>, progress: &Progress) -> bool {
    // A side without lines names the line before the place, so it already counts from 0.
    let from_zero = |start: u32, lines: u32| u64::from(start) - u64::from(lines > 0);
    let old = from_zero(hunk.old_start, hunk.old_lines);
    let new = from_zero(hunk.new_start, hunk.new_lines);
    !progress.at_end_of_file
        && old >= progress.old_end
        && old + u64::from(progress.added) == new + u64::from(progress.removed)
}

/// Walks over a hunk's lines and counts them. Only the counts decide where it ends, so a line that looks like a header
/// is a line.
fn body<'a>(
    cursor: &mut Cursor<'a>,
    hunk: &Hunk<'_>,
    progress: &mut Progress,
) -> Result<&'a [u8], PatchError> {
    const SHORT: &str = "as many lines as the hunk's header says, each with its sign";
    let start = cursor.at;
    let (mut old, mut new) = (hunk.old_lines, hunk.new_lines);
    let mut changes = false;
    let mut last = None;
    while old > 0 || new > 0 {
        let line = cursor.peek().ok_or_else(|| cursor.error(SHORT))?;
        if line.first() == Some(&b'\\') {
            marker(cursor, last, old, new)?;
            progress.at_end_of_file = true;
            last = None;
            continue;
        }
        let kind = kind(line).ok_or_else(|| cursor.error(SHORT))?;
        let (from_old, from_new) = (kind != LineKind::Added, kind != LineKind::Removed);
        old = take(old, from_old).ok_or_else(|| cursor.error(SHORT))?;
        new = take(new, from_new).ok_or_else(|| cursor.error(SHORT))?;
        progress.count(kind);
        changes |= kind != LineKind::Context;
        last = Some(kind);
        cursor.step(line);
    }
    if cursor
        .peek()
        .is_some_and(|line| line.first() == Some(&b'\\'))
    {
        marker(cursor, last, old, new)?;
        progress.at_end_of_file = true;
    }
    if !changes {
        return Err(cursor.error("a hunk that changes something"));
    }
    let old_start = u64::from(hunk.old_start) - u64::from(hunk.old_lines > 0);
    progress.old_end = old_start + u64::from(hunk.old_lines);
    Ok(cursor.since(start))
}

fn take(left: u32, one: bool) -> Option<u32> {
    left.checked_sub(one.into())
}

/// Takes `\ No newline at end of file`, which must follow the last line of its side.
fn marker(
    cursor: &mut Cursor<'_>,
    last: Option<LineKind>,
    old: u32,
    new: u32,
) -> Result<(), PatchError> {
    let in_place = match last {
        None => false,
        Some(LineKind::Context) => old == 0 && new == 0,
        Some(LineKind::Removed) => old == 0,
        Some(LineKind::Added) => new == 0,
    };
    const WHAT: &str =
        "'\\ No newline at end of file' only after the last line of the old or new file";
    if !in_place {
        return Err(cursor.error(WHAT));
    }
    let rest = cursor.need(b"\\ No newline at end of file", WHAT)?;
    if rest.is_empty() {
        Ok(())
    } else {
        Err(cursor.error_before(WHAT))
    }
}

impl Progress {
    fn count(&mut self, kind: LineKind) {
        // A patch has fewer lines than bytes, and those are limited far below 2^32.
        let counter = match kind {
            LineKind::Context => &mut self.context,
            LineKind::Added => &mut self.added,
            LineKind::Removed => &mut self.removed,
        };
        *counter = counter.saturating_add(1);
    }
}
