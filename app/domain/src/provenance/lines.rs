//! A message's lines, and the trailers among them: anywhere, since a squash puts them in the middle.

use crate::text;
use std::borrow::Cow;

/// One line and its number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) number: u32,
    pub(crate) text: &'a str,
}

/// `Key: value`, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trailer<'a> {
    /// Which of the lines it begins on, from 0, and how many it takes.
    pub(crate) at: usize,
    pub(crate) lines: usize,
    /// Whether it stands where the subject does.
    pub(crate) is_subject: bool,
    /// The key's letters and digits in lower case: `coauthoredby`.
    pub(crate) key: String,
    /// With what the lines below it go on with.
    pub(crate) value: Cow<'a, str>,
}

/// The lines of a message. A carriage return ends one too, or what follows it could hide.
pub(crate) fn lines(message: &str) -> impl Iterator<Item = Line<'_>> {
    message.split('\n').zip(1_u32..).flat_map(|(line, number)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\r').map(move |text| Line { number, text })
    })
}

/// The lines of a message as a person sees them.
pub(crate) fn seen(message: &str) -> Vec<(u32, String)> {
    lines(message)
        .map(|line| (line.number, text::visible(line.text)))
        .collect()
}

/// Those lines, to be read.
pub(crate) fn of_seen(seen: &[(u32, String)]) -> Vec<Line<'_>> {
    seen.iter()
        .map(|(number, text)| Line {
            number: *number,
            text,
        })
        .collect()
}

/// The line without what often stands before its words: blanks, bullets, headings, an emoji. None for a quotation.
pub(crate) fn bare(line: &str) -> Option<&str> {
    let start = line.find(|c: char| c.is_alphanumeric() || "\"'`>|<([{".contains(c))?;
    let (_, bare) = line.split_at(start);
    // A footer's link may come first: `[Codex Task](https://…)`.
    let quoted = bare.starts_with(['"', '\'', '`', '>', '|', '<', '(', '{']);
    (!quoted).then_some(bare)
}

/// The trailers among these lines. As git reads them, a line that begins with a blank goes on with the value above it.
pub(crate) fn trailers<'a>(lines: &[Line<'a>]) -> Vec<Trailer<'a>> {
    let mut all: Vec<Trailer<'a>> = Vec::new();
    let mut open = false;
    for (at, line) in lines.iter().enumerate() {
        if let Some((key, value)) = shaped(line.text) {
            all.push(Trailer {
                at,
                lines: 1,
                is_subject: line.number == 1,
                key: letters(key),
                value: Cow::Borrowed(value),
            });
            open = true;
        } else if let Some(last) = all.last_mut().filter(|_| open && goes_on(line.text)) {
            last.lines = at + 1 - last.at;
            last.go_on(line.text.trim());
        } else {
            open = false;
        }
    }
    all.retain(|trailer| !trailer.value.is_empty());
    all
}

fn goes_on(line: &str) -> bool {
    line.starts_with([' ', '\t']) && !line.trim().is_empty()
}

impl Trailer<'_> {
    fn go_on(&mut self, more: &str) {
        let value = self.value.to_mut();
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(more);
    }
}

/// What people and machines in other places write for a colon. Git reads the first; who is named behind another one had
/// a hand in it all the same.
const SEPARATORS: [char; 7] = [
    ':', '\u{ff1a}', '\u{fe55}', '\u{fe13}', '\u{2236}', '\u{a789}', '=',
];

/// The key and the value of a line that has the shape of a trailer. The value may be empty, and begin on the next line.
fn shaped(line: &str) -> Option<(&str, &str)> {
    const LONGEST_KEY: usize = 40;
    let (key, value) = bare(line)?.split_once(SEPARATORS)?;
    let is_key = key.len() <= LONGEST_KEY
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_ *".contains(c));
    (is_key && !value.starts_with("//")).then(|| (key, value.trim_start_matches('*').trim()))
}

fn letters(key: &str) -> String {
    key.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> Option<(String, String)> {
        let lines: Vec<_> = lines(message).collect();
        let first = trailers(&lines).into_iter().next()?;
        Some((first.key, first.value.into_owned()))
    }

    #[test]
    fn a_trailer_is_one_in_any_spelling_and_place() {
        for line in [
            "Co-authored-by: X <x@y>",
            "co-authored-by: X <x@y>",
            "CO-AUTHORED-BY:X <x@y>",
            "  * Co-Authored-By: X <x@y>  ",
            "**Co-authored-by:** X <x@y>",
            "🤖 Co_authored_by: X <x@y>",
            "Co-authored-by : X <x@y>",
            "Co-authored-by：X <x@y>",
            "Co-authored-by﹕ X <x@y>",
            "Co-authored-by∶ X <x@y>",
            "Co-authored-by꞉ X <x@y>",
            "Co-authored-by=X <x@y>",
            "Co-authored-by: X\n <x@y>",
            "Co-authored-by:\n\tX\n    <x@y>\nFixes: 1",
            "Co-authored-by:\r\n X <x@y>\r\n",
        ] {
            assert_eq!(
                read(line),
                Some(("coauthoredby".to_owned(), "X <x@y>".to_owned())),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_quoted_or_shaped_otherwise_is_none() {
        for line in [
            "",
            "no colon",
            "> Co-authored-by: X <x@y>",
            "`Co-authored-by: X <x@y>` is a trailer",
            "\"Co-authored-by: X\"",
            "https://x.example",
            "Co-authored-by:",
            "The trailer which is called Co-authored-by, and nothing else: X",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn only_a_line_that_begins_with_a_blank_goes_on() {
        for (message, values) in [
            ("A: 1\n 2\n\n 3", vec!["1 2"]),
            ("A: 1\nB 2\n 3", vec!["1"]),
            (" prose\nA: 1", vec!["1"]),
            ("A: 1\n B: 2\n 3", vec!["1", "2 3"]),
            ("A:\n", vec![]),
        ] {
            let lines: Vec<_> = lines(message).collect();
            let found: Vec<_> = trailers(&lines).into_iter().map(|t| t.value).collect();
            assert_eq!(found, values, "{message:?}");
        }
    }

    #[test]
    fn a_lone_carriage_return_hides_nothing() {
        let all: Vec<_> = lines("a\r\nb\rc\n").map(|l| (l.number, l.text)).collect();
        assert_eq!(all, [(1, "a"), (2, "b"), (2, "c"), (3, "")]);
    }
}
