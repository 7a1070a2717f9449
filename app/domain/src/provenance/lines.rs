//! A message's lines, and the trailers among them: anywhere, since a squash puts them in the middle.

/// One line and its number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) number: u32,
    pub(crate) text: &'a str,
}

/// `Key: value`, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trailer<'a> {
    pub(crate) line: Line<'a>,
    /// The key's letters and digits in lower case: `coauthoredby`.
    pub(crate) key: String,
    pub(crate) value: &'a str,
}

/// The lines of a message. A carriage return ends one too, or what follows it could hide.
pub(crate) fn lines(message: &str) -> impl Iterator<Item = Line<'_>> {
    message
        .split('\n')
        .zip(1_u32..)
        .flat_map(|(line, number)| line.split('\r').map(move |text| Line { number, text }))
}

/// The line without what often stands before its words: blanks, bullets, headings, an emoji. None for a quotation.
pub(crate) fn bare(line: &str) -> Option<&str> {
    let start = line.find(|c: char| c.is_alphanumeric() || "\"'`>|<([{".contains(c))?;
    let (_, bare) = line.split_at(start);
    // A footer's link may come first: `[Codex Task](https://…)`.
    let quoted = bare.starts_with(['"', '\'', '`', '>', '|', '<', '(', '{']);
    (!quoted).then_some(bare)
}

/// The line as a trailer, if it has the shape of one.
pub(crate) fn trailer(line: Line<'_>) -> Option<Trailer<'_>> {
    const LONGEST_KEY: usize = 40;
    let bare = bare(line.text)?;
    let (key, value) = bare.split_once(':')?;
    let shaped = key.len() <= LONGEST_KEY
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_ *".contains(c))
        && !value.starts_with("//");
    let value = value.trim_start_matches('*').trim();
    if !shaped || value.is_empty() {
        return None;
    }
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    Some(Trailer {
        line,
        key: letters.map(|c| c.to_ascii_lowercase()).collect(),
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(String, &str)> {
        trailer(Line {
            number: 1,
            text: line,
        })
        .map(|trailer| (trailer.key, trailer.value))
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
        ] {
            assert_eq!(
                read(line),
                Some(("coauthoredby".to_owned(), "X <x@y>")),
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
    fn a_lone_carriage_return_hides_nothing() {
        let all: Vec<_> = lines("a\r\nb\rc\n").map(|l| (l.number, l.text)).collect();
        assert_eq!(all, [(1, "a"), (1, ""), (2, "b"), (2, "c"), (3, "")]);
    }
}
