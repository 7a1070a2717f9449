//! Shows text that somebody else wrote as it is, with what would mislead or not be seen made visible.

use std::borrow::Cow;
use unicode_properties::{
    EmojiStatus, GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory,
};

/// A piece of text to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Fine as it is. May hold tabs.
    Plain(&'a str),
    /// One character that cannot be seen, or that would change how its neighbours are seen.
    Hidden {
        /// `U+202E`
        code: String,
        /// `right-to-left override`
        name: &'static str,
    },
}

/// How many marks a letter carries in the scripts that pile most on one: Hebrew and Arabic with their points, Tibetan, Thai.
/// What is piled higher runs over the lines above and below, and is named.
const MOST_MARKS: usize = 4;

/// Cuts one line into what may be shown and what has to be named. Lines are the caller's: a line feed is hidden here.
pub fn segments(text: &str) -> Segments<'_> {
    Segments {
        rest: text,
        before: None,
        marks: 0,
    }
}

/// Whether any character of it would have to be named.
#[must_use]
pub fn has_hidden(text: &str) -> bool {
    segments(text).any(|segment| matches!(segment, Segment::Hidden { .. }))
}

/// The text without characters that cannot be seen: for comparing, never for showing.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().filter(|c| hidden(*c).is_none()).collect()
}

/// Whether a person sees anything in it: a letter, a digit, a sign. Accents without a letter, and what is drawn as
/// nothing or only by fonts that somebody made, are none.
#[must_use]
pub fn says_something(text: &str) -> bool {
    use GeneralCategoryGroup::{Letter, Number, Punctuation, Symbol};
    text.chars().any(|c| {
        hidden(c).is_none()
            && matches!(
                c.general_category_group(),
                Letter | Number | Punctuation | Symbol
            )
    })
}

/// At most `most` characters on one line: white space of any kind is one space, and `…` stands for what was cut.
#[must_use]
pub fn one_line(text: &str, most: usize) -> Cow<'_, str> {
    let is_line = !text.contains(|c: char| c.is_whitespace() && c != ' ')
        && !text.contains("  ")
        && text.trim() == text;
    if is_line && text.chars().nth(most).is_none() {
        return Cow::Borrowed(text);
    }
    let mut line = String::new();
    let mut length = 0;
    // One more than fits, to know whether something was cut.
    for c in collapsed(text).take(most.saturating_add(1)) {
        line.push(c);
        length += 1;
    }
    if length > most {
        line.pop();
        if line.pop().is_some() {
            line.push('…');
        }
    }
    Cow::Owned(line)
}

/// The characters of a text, each run of white space as one space, none at either end.
fn collapsed(text: &str) -> impl Iterator<Item = char> + '_ {
    text.split_whitespace()
        .enumerate()
        .flat_map(|(n, word)| (n > 0).then_some(' ').into_iter().chain(word.chars()))
}

/// What [`segments`] gives, one after the other.
#[derive(Debug, Clone)]
pub struct Segments<'a> {
    rest: &'a str,
    /// The character before `rest`.
    before: Option<char>,
    /// How many combining marks stand at the end of what is before `rest`.
    marks: usize,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let (mut before, mut marks) = (self.before, self.marks);
        let mut chars = self.rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let after = chars.peek().map(|(_, c)| *c);
            let piled = if is_mark(c) { marks + 1 } else { 0 };
            let too_many = (piled > MOST_MARKS).then_some("one of too many combining marks");
            let name = hidden(c)
                .filter(|_| !belongs_to_emoji(before, c, after))
                .or(too_many);
            match name {
                None => (before, marks) = (Some(c), piled),
                Some(name) if at == 0 => return Some(self.hide(c, piled, name)),
                Some(_) => return Some(self.plain(at, before, marks)),
            }
        }
        (!self.rest.is_empty()).then(|| self.plain(self.rest.len(), before, marks))
    }
}

impl<'a> Segments<'a> {
    fn hide(&mut self, c: char, marks: usize, name: &'static str) -> Segment<'a> {
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        // What is named instead of drawn joins nothing to what follows.
        (self.before, self.marks) = (None, marks);
        let code = format!("U+{:04X}", u32::from(c));
        Segment::Hidden { code, name }
    }

    fn plain(&mut self, length: usize, last: Option<char>, marks: usize) -> Segment<'a> {
        let (plain, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        (self.before, self.marks) = (last, marks);
        Segment::Plain(plain)
    }
}

/// Whether a character is drawn upon the one before it and takes no room of its own.
fn is_mark(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark};
    !c.is_ascii() && matches!(c.general_category(), NonspacingMark | EnclosingMark)
}

/// Joiners and variation selectors inside an emoji are part of how it looks; anywhere else they hide.
fn belongs_to_emoji(before: Option<char>, c: char, after: Option<char>) -> bool {
    match c {
        '\u{fe0e}' | '\u{fe0f}' => {
            let keycap = before.is_some_and(|c| matches!(c, '0'..='9' | '#' | '*'))
                && after == Some('\u{20e3}');
            before.is_some_and(is_emoji) || keycap
        }
        // An arrow or a heart is a sign of text unless its selector says otherwise, and signs of text are not joined.
        '\u{200d}' => {
            let ends_emoji = before == Some('\u{fe0f}') || before.is_some_and(looks_like_emoji);
            ends_emoji && after.is_some_and(is_emoji)
        }
        _ => false,
    }
}

/// Whether it can be drawn as an emoji. Digits can, under a keycap, and are none by themselves.
fn is_emoji(c: char) -> bool {
    !c.is_ascii() && c.is_emoji_char() && hidden(c).is_none()
}

/// Whether it is drawn as an emoji with nothing behind it.
fn looks_like_emoji(c: char) -> bool {
    use EmojiStatus::{
        EmojiPresentation, EmojiPresentationAndEmojiComponent,
        EmojiPresentationAndModifierAndEmojiComponent, EmojiPresentationAndModifierBase,
    };
    matches!(
        c.emoji_status(),
        EmojiPresentation
            | EmojiPresentationAndEmojiComponent
            | EmojiPresentationAndModifierAndEmojiComponent
            | EmojiPresentationAndModifierBase
    )
}

/// The name of a character that cannot be seen or that reorders others; none for all others.
fn hidden(c: char) -> Option<&'static str> {
    if c.is_ascii_graphic() || matches!(c, ' ' | '\t') {
        return None;
    }
    Some(match c {
        '\u{0}' => "null",
        '\u{7}' => "bell",
        '\u{8}' => "backspace",
        '\n' => "line feed",
        '\r' => "carriage return",
        '\u{1b}' => "escape",
        '\u{7f}' => "delete",
        '\u{0}'..='\u{1f}' | '\u{80}'..='\u{9f}' => "control character",
        '\u{ad}' => "soft hyphen",
        '\u{34f}' => "combining grapheme joiner",
        '\u{61c}' => "Arabic letter mark",
        '\u{115f}' => "Hangul choseong filler",
        '\u{1160}' => "Hangul jungseong filler",
        '\u{17b4}' | '\u{17b5}' => "Khmer inherent vowel",
        '\u{180b}'..='\u{180d}' | '\u{180f}' => "Mongolian variation selector",
        '\u{180e}' => "Mongolian vowel separator",
        '\u{200b}' => "zero-width space",
        '\u{200c}' => "zero-width non-joiner",
        '\u{200d}' => "zero-width joiner",
        '\u{200e}' => "left-to-right mark",
        '\u{200f}' => "right-to-left mark",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{202a}' => "left-to-right embedding",
        '\u{202b}' => "right-to-left embedding",
        '\u{202c}' => "pop directional formatting",
        '\u{202d}' => "left-to-right override",
        '\u{202e}' => "right-to-left override",
        '\u{2060}' => "word joiner",
        '\u{2061}'..='\u{2064}' => "invisible operator",
        '\u{2066}' => "left-to-right isolate",
        '\u{2067}' => "right-to-left isolate",
        '\u{2068}' => "first strong isolate",
        '\u{2069}' => "pop directional isolate",
        '\u{2065}' | '\u{206a}'..='\u{206f}' => "deprecated format character",
        '\u{2800}' => "blank Braille pattern",
        '\u{3164}' | '\u{ffa0}' => "Hangul filler",
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "variation selector",
        '\u{feff}' => "zero-width no-break space",
        '\u{fff9}'..='\u{fffb}' => "annotation character",
        '\u{13430}'..='\u{13440}' => "hieroglyph format control",
        '\u{16fe4}' => "Khitan filler",
        '\u{1d159}' => "null notehead",
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => "format character",
        '\u{e0000}'..='\u{e007f}' => "tag character",
        '\u{fff0}'..='\u{fff8}' | '\u{e0080}'..='\u{e0fff}' => "unassigned invisible character",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `a[U+202E]b`
    fn drawn(text: &str) -> String {
        segments(text)
            .map(|segment| match segment {
                Segment::Plain(text) => text.to_owned(),
                Segment::Hidden { code, .. } => format!("[{code}]"),
            })
            .collect()
    }

    #[test]
    fn ordinary_text_of_any_script_stays_whole() {
        for text in [
            "let x = 1;\t// größe",
            "Ana Sofía",
            "日本語 עברית العربية हिन्दी",
            "e\u{301} 👩🏽‍💻 ❤️ 1️⃣ ©️ 🏳️‍🌈",
        ] {
            let all: Vec<_> = segments(text).collect();
            assert_eq!(all, [Segment::Plain(text)]);
        }
        assert_eq!(segments("").count(), 0);
    }

    #[test]
    fn characters_that_reorder_text_are_named() {
        let all: Vec<_> = segments("access\u{202e}level").collect();
        let named = Segment::Hidden {
            code: "U+202E".to_owned(),
            name: "right-to-left override",
        };
        assert_eq!(
            all,
            [Segment::Plain("access"), named, Segment::Plain("level")]
        );
        for c in "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}".chars() {
            assert!(has_hidden(&format!("a{c}b")), "{c:?}");
        }
    }

    #[test]
    fn characters_that_nobody_sees_are_named() {
        let invisible = "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180e}\u{3164}\u{fe0f}\u{fe00}\u{e0000}\u{e0041}\u{e007f}\u{0}\u{1b}\u{7f}\u{9b}\r\n";
        for c in invisible.chars() {
            assert!(has_hidden(&format!("a{c}b")), "{c:?}");
        }
        assert_eq!(drawn("a\u{200b}\u{200b}b\r"), "a[U+200B][U+200B]b[U+000D]");
        assert_eq!(drawn("x\u{e0041}"), "x[U+E0041]");
        assert_eq!(visible("pay\u{200b}ments"), "payments");
    }

    #[test]
    fn a_letter_carries_a_few_marks_and_what_is_piled_higher_is_named() {
        let pointed = "שּׁ֥ Việt e\u{301}\u{302}\u{303}\u{304}x\u{301}";
        assert_eq!(drawn(pointed), pointed);
        let named = "[U+0335]".repeat(96);
        let piled = "\u{335}".repeat(100);
        let low = "\u{335}".repeat(4);
        assert_eq!(drawn(&format!("Z{piled}y")), format!("Z{low}{named}y"));
        assert_eq!(
            drawn("ก\u{e47}\u{e47}\u{e47}\u{e47}\u{e47}"),
            "ก\u{e47}\u{e47}\u{e47}\u{e47}[U+0E47]"
        );
        // What is not seen anyway does not begin another pile.
        let broken = drawn("Z\u{335}\u{335}\u{335}\u{335}\u{34f}\u{335}");
        assert_eq!(broken, "Z\u{335}\u{335}\u{335}\u{335}[U+034F][U+0335]");
    }

    #[test]
    fn a_joiner_is_part_of_an_emoji_and_of_nothing_else() {
        assert_eq!(drawn("👩\u{200d}💻"), "👩\u{200d}💻");
        assert_eq!(drawn("👩\u{200d}admin"), "👩[U+200D]admin");
        assert_eq!(drawn("a\u{fe0f}"), "a[U+FE0F]");
        assert_eq!(drawn("1\u{fe0f}2"), "1[U+FE0F]2");
        assert_eq!(drawn("❤\u{fe0f}\u{fe0f}"), "❤\u{fe0f}[U+FE0F]");
        for whole in [
            "🙂\u{200d}↔\u{fe0f}",
            "⛓\u{fe0f}\u{200d}💥",
            "👩🏽\u{200d}🚀",
            "→ ↔\u{fe0e} ㊗\u{fe0f}",
        ] {
            assert_eq!(drawn(whole), whole);
        }
    }

    #[test]
    fn a_joiner_between_kana_arrows_or_circled_signs_hides() {
        for (before, after) in [
            ("あ", "い"),
            ("カ", "ナ"),
            ("→", "→"),
            ("↔", "↔"),
            ("⑴", "⑵"),
            ("❶", "❷"),
            ("1", "2"),
        ] {
            assert_eq!(
                drawn(&format!("{before}\u{200d}{after}")),
                format!("{before}[U+200D]{after}")
            );
            assert_eq!(
                drawn(&format!("{before}\u{fe00}")),
                format!("{before}[U+FE00]")
            );
        }
        assert_eq!(drawn("あ\u{fe0f}→\u{fe0f}"), "あ[U+FE0F]→[U+FE0F]");
        assert_eq!(drawn("a\u{fe0f}\u{200d}👩"), "a[U+FE0F][U+200D]👩");
    }

    #[test]
    fn something_is_said_only_by_what_a_person_can_read() {
        for nothing in [
            "",
            " \t\n",
            "\u{1d159}",
            "\u{13440}",
            "\u{16fe4}",
            "\u{301}",
            " \u{301}\u{335}",
            "\u{20dd}",
            "\u{e000}",
            "\u{378}",
            "\u{2800}",
        ] {
            assert!(!says_something(nothing), "{nothing:?}");
        }
        for said in ["e\u{301}", "日", "👍", "7", "?", "→", "\u{301}a", "हि"] {
            assert!(says_something(said), "{said:?}");
        }
        assert_eq!(
            drawn("\u{1d159}\u{13440}\u{16fe4}"),
            "[U+1D159][U+13440][U+16FE4]"
        );
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(one_line("größe", 5), "größe");
        assert_eq!(one_line("größer", 5), "größ…");
        assert_eq!(one_line("one\n\n two\tthree ", 20), "one two three");
        assert_eq!(one_line("one\ntwo", 4), "one…");
        assert_eq!(one_line("abc", 1), "…");
        assert_eq!(one_line("abc", 0), "");
        assert_eq!(one_line("", 5), "");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_made_up(text in any::<String>()) {
            let mut back = String::new();
            for segment in segments(&text) {
                match segment {
                    Segment::Plain(plain) => {
                        prop_assert!(!plain.is_empty());
                        back.push_str(plain);
                    }
                    Segment::Hidden { code, name } => {
                        let code = u32::from_str_radix(code.trim_start_matches("U+"), 16).unwrap();
                        prop_assert!(!name.is_empty());
                        back.push(char::from_u32(code).unwrap());
                    }
                }
            }
            prop_assert_eq!(back, text);
        }

        #[test]
        fn a_cut_line_is_one_short_line(text in any::<String>(), most in 0..40_usize) {
            let line = one_line(&text, most);
            prop_assert!(line.chars().count() <= most);
            prop_assert!(!line.contains('\n') && !line.contains('\r'));
        }
    }
}
