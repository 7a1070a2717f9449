//! A file's name as git knows it: bytes, which need not be text, and git's way of quoting them.

use std::{borrow::Cow, fmt::Write as _};

/// A path inside the repository, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(Vec<u8>);

impl FileName {
    /// The name with these bytes; none when no file can be called that.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty() && !bytes.contains(&0)).then_some(Self(bytes))
    }

    /// The name as git stores it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as text: bytes that are not UTF-8 are written as `\xff`. Control and invisible characters
    /// stay in it: [`crate::text::segments`] makes those visible.
    #[must_use]
    pub fn display(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(escaped(&self.0)),
        }
    }
}

/// Backslashes are doubled here, so that a `\xff` spelt out beside such a byte cannot pass for another.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Reads a name that git quoted in C's way. `text` begins at the opening quote; what follows the closing one is
/// handed back. None when git would not have written this.
pub(super) fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (byte, after) = escape(rest)?;
                name.push(byte);
                rest = after;
            }
            byte if byte.is_ascii_control() => return None,
            byte => name.push(byte),
        }
    }
}

/// What follows a backslash: one letter, or three octal digits.
fn escape(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = rest.split_first()?;
    let byte = match first {
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        b'"' | b'\\' => first,
        b'0'..=b'3' => return octal(rest),
        _ => return None,
    };
    Some((byte, after))
}

fn octal(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = rest.split_at_checked(3)?;
    let mut byte = 0;
    for digit in digits {
        if !(b'0'..=b'7').contains(digit) {
            return None;
        }
        // At most 0o377: the first digit is 3 at most.
        byte = (byte << 3) | (digit - b'0');
    }
    Some((byte, after))
}

/// Whether git writes this name without quotes. High bytes stay bare where `core.quotePath` is off.
pub(super) fn is_bare(name: &[u8]) -> bool {
    !name
        .iter()
        .any(|b| b.is_ascii_control() || matches!(b, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Vec<u8>> {
        let (name, rest) = unquote(text.as_bytes())?;
        rest.is_empty().then_some(name)
    }

    /// What git's `quote_c_style` does, for the way there and back.
    fn quote(name: &[u8]) -> Vec<u8> {
        let mut out = vec![b'"'];
        for &byte in name {
            match byte {
                b'"' | b'\\' => out.extend([b'\\', byte]),
                0x20..=0x7e => out.push(byte),
                _ => out.extend(format!("\\{byte:03o}").bytes()),
            }
        }
        out.push(b'"');
        out
    }

    #[test]
    fn quoted_names_are_read_byte_for_byte() {
        assert_eq!(read(r#""a\tb""#).as_deref(), Some(&b"a\tb"[..]));
        assert_eq!(read(r#""\303\244""#).as_deref(), Some("ä".as_bytes()));
        assert_eq!(read(r#""\377""#).as_deref(), Some(&[0xff][..]));
        assert_eq!(read(r#""q\"\\q""#).as_deref(), Some(&br#"q"\q"#[..]));
    }

    #[test]
    fn what_git_would_not_quote_like_that_is_refused() {
        for bad in [
            "",
            "x",
            "\"",
            "\"a",
            "\"\\\"",
            "\"\\",
            r#""\8""#,
            r#""\40""#,
            r#""\400""#,
            r#""\x41""#,
            "\"a\tb\"",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_shown_as_escapes() {
        let shown = |bytes: &[u8]| FileName::from_bytes(bytes).map(|n| n.display().into_owned());
        assert_eq!(shown("größe".as_bytes()).as_deref(), Some("größe"));
        assert_eq!(shown(b"a\xffb").as_deref(), Some(r"a\xffb"));
        assert_eq!(shown(br"a\xffb").as_deref(), Some(r"a\xffb"));
        assert_eq!(shown(b"a\\xff\xff").as_deref(), Some(r"a\\xff\xff"));
        assert_eq!(shown(b""), None);
        assert_eq!(shown(b"a\0b"), None);
    }

    proptest! {
        #[test]
        fn quoting_and_unquoting_gives_the_name_back(name in proptest::collection::vec(any::<u8>(), 0..60)) {
            let quoted = quote(&name);
            let read = unquote(&quoted).map(|(name, rest)| (name, rest.to_vec()));
            prop_assert_eq!(read, Some((name, Vec::new())));
        }

        #[test]
        fn unquoting_anything_never_panics(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = unquote(&text);
        }
    }
}
