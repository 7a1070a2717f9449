//! Text that somebody else wrote: shown as it is, cut off from its surroundings, with what cannot be seen made visible.

use std::fmt::Write as _;

use domain::text::{Segment, segments};
use leptos::prelude::*;

/// One line of somebody else's text. Isolated, so that a right-to-left name does not reorder ours; every character that
/// cannot be seen or that reorders others stands there as its code point.
#[component]
pub fn Theirs(#[prop(into)] text: String) -> impl IntoView {
    view! { <bdi inner_html=html(&text)></bdi> }
}

/// Several lines of it: a reason, a commit message.
#[component]
pub fn TheirLines(#[prop(into)] text: String) -> impl IntoView {
    view! { <bdi class="lines-kept" inner_html=lines(&text)></bdi> }
}

/// The same as HTML.
pub fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<String> = text.trim_end_matches('\n').split('\n').map(html).collect();
    lines.join("\n")
}

/// For a text area, which holds text alone and has to give it back as it was. Leptos does not escape its children.
pub fn for_textarea(text: &str) -> String {
    // A browser drops one line end at the beginning of it.
    let mut out = String::from("\n");
    escape(&mut out, text);
    out
}

/// For attributes, which hold no elements: the same, in brackets.
pub fn plain(text: &str) -> String {
    segments(text).fold(String::new(), |mut out, segment| {
        match segment {
            Segment::Plain(text) => out.push_str(text),
            Segment::Hidden { code, .. } => {
                // Writing to a String cannot fail.
                let _ = write!(out, "[{code}]");
            }
        }
        out
    })
}

/// The same as HTML, for what is built by hand because there are ten thousand of it.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    push_html(&mut out, text);
    out
}

/// Adds a piece of somebody else's text to HTML.
pub fn push_html(out: &mut String, text: &str) {
    for segment in segments(text) {
        match segment {
            Segment::Plain(text) => escape(out, text),
            Segment::Hidden { code, name } => {
                let _ = write!(out, r#"<span class="hid" title="{name}">{code}</span>"#);
            }
        }
    }
}

/// Adds text to HTML so that it stays text, in an element and in a quoted attribute.
pub fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_written_cannot_end_its_text_area() {
        assert_eq!(
            super::for_textarea("</textarea><script>\n&"),
            "\n&lt;/textarea&gt;&lt;script&gt;\n&amp;"
        );
    }

    use super::*;

    #[test]
    fn markup_stays_text_and_what_hides_is_named() {
        assert_eq!(
            html("<b>\u{202e}\"x'&"),
            r#"&lt;b&gt;<span class="hid" title="right-to-left override">U+202E</span>&quot;x&#39;&amp;"#
        );
        assert_eq!(plain("pay\u{200b}ments"), "pay[U+200B]ments");
    }

    #[test]
    fn lines_stay_lines_and_other_line_breaks_are_named() {
        let shown = view! { <TheirLines text="one\r\ntwo\rthree\n\n"/> }.to_html();
        assert!(shown.contains("one\ntwo<span class=\"hid\""), "{shown}");
    }
}
