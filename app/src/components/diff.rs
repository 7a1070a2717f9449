//! The patch as people read it: one element a line. Built by hand, since there can be ten thousand of them.

use std::fmt::Write as _;

use domain::patch::{FilePatch, FileStatus, Hunk, Line, LineKind, Mode, hunks};
use leptos::prelude::*;

use super::{
    text::{Theirs, escape, push_html},
    tree::{shown_name, split},
};

/// One file of a patch, with its bytes if they are to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Counted from 0, over the whole patch.
    pub ordinal: usize,
    /// What the header says.
    pub file: FilePatch,
    /// The bytes of this file in the patch; none for one that is folded because there is too much to read at once.
    pub body: Option<Vec<u8>>,
}

/// One file: its name, what happened to it beside its lines, and its lines. `unfold` leads to a page that shows it.
#[component]
pub fn File(shown: Shown, unfold: String) -> AnyView {
    let Shown {
        ordinal,
        file,
        body,
    } = shown;
    let name = shown_name(&file);
    let lines = body.as_deref().and_then(|body| code(ordinal, body));
    let folded = body.is_none() && !file.binary;
    let class = if lines.is_some() { "file" } else { "file shut" };
    let label = super::text::plain(&split(&name).1);
    view! {
        <article class=class>
            <FileHead ordinal file=file.clone()/>
            {notes(&file).map(|said| view! { <p class="note">{said}</p> })}
            {folded
                .then(|| {
                    let count = file.added + file.removed;
                    view! {
                        <p class="note">
                            {format!("Folded: {count} changed lines. ")} <a href=unfold>"Show them"</a>
                        </p>
                    }
                })}
            {lines.map(|(class, html)| view! { <Code class=class.to_owned() html label/> })}
        </article>
    }
    .into_any()
}

/// The name of a file, where the tree leads to, and how much of it changed.
#[component]
pub(super) fn FileHead(ordinal: usize, file: FilePatch) -> AnyView {
    let amount = if file.binary {
        view! { <span class="mono">"binary"</span> }.into_any()
    } else {
        view! {
            <span class="mono">
                <span class="plus">{format!("+{}", file.added)}</span>
                " "
                <span class="minus">{format!("−{}", file.removed)}</span>
            </span>
        }
        .into_any()
    };
    view! {
        <header id=format!("f{ordinal}") tabindex="-1">
            <h3><Name file/></h3>
            <span class="far">{amount}</span>
        </header>
    }
    .into_any()
}

/// Lines that were made here, and scroll by themselves.
#[component]
pub(super) fn Code(class: String, html: String, label: String) -> AnyView {
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=label>
            <div class=class inner_html=html></div>
        </div>
    }
    .into_any()
}

#[component]
pub(super) fn Name(file: FilePatch) -> impl IntoView {
    let (folder, base) = split(&shown_name(&file));
    let before = match (&file.old, &file.new) {
        (Some(old), Some(new)) if old != new => Some(old.display().into_owned()),
        _ => None,
    };
    view! {
        {before.map(|before| view! { <span class="dim"><Theirs text=before/> " → "</span> })}
        {(!folder.is_empty()).then(|| view! { <span class="dim"><Theirs text=folder/> "/"</span> })}
        <Theirs text=base/>
    }
}

/// What happened to a file beside its lines, in a sentence or two.
pub(super) fn notes(file: &FilePatch) -> Option<String> {
    let mut said = Vec::new();
    match file.status {
        FileStatus::Added => said.push(format!("New {}.", kind(file.new_mode))),
        FileStatus::Deleted => said.push(format!("Deleted {}.", kind(file.old_mode))),
        FileStatus::Renamed { similarity } => {
            said.push(format!("Renamed, {similarity} % the same."))
        }
        FileStatus::Copied { similarity } => said.push(format!("Copied, {similarity} % the same.")),
        FileStatus::Modified => {}
    }
    match (file.old_mode, file.new_mode) {
        (Some(old), Some(new)) if old != new => {
            let now = match new {
                Mode::Executable => "it can be run now",
                Mode::File if old == Mode::Executable => "it can no longer be run",
                mode => kind(Some(mode)),
            };
            said.push(format!(
                "Mode {} became {}: {now}.",
                old.as_str(),
                new.as_str()
            ));
        }
        (_, Some(mode @ (Mode::Symlink | Mode::Submodule)))
            if file.status == FileStatus::Modified =>
        {
            said.push(format!("This is a {}.", kind(Some(mode))));
        }
        _ => {}
    }
    if file.binary {
        let blob = |id: &Option<String>| {
            id.as_deref()
                .map_or("nothing", |id| id.get(..12).unwrap_or(id))
                .to_owned()
        };
        said.push(format!(
            "Binary, so nobody can read it here: {} became {}.",
            blob(&file.old_blob),
            blob(&file.new_blob)
        ));
    }
    (!said.is_empty()).then(|| said.join(" "))
}

fn kind(mode: Option<Mode>) -> &'static str {
    match mode {
        Some(Mode::Executable) => "executable file",
        Some(Mode::Symlink) => "symbolic link",
        Some(Mode::Submodule) => "submodule",
        Some(Mode::File) | None => "file",
    }
}

/// The lines of a file as HTML, and the class that says how wide the numbers are. None where there are no lines.
fn code(ordinal: usize, body: &[u8]) -> Option<(&'static str, String)> {
    // What does not parse was never stored; should it be, nothing of it is shown as if it were whole.
    let hunks = hunks(body).ok()?;
    let last = hunks
        .iter()
        .map(|hunk| (hunk.old_start + hunk.old_lines).max(hunk.new_start + hunk.new_lines))
        .max()?;
    let width = width(last);
    let mut out = String::with_capacity(body.len() * 2);
    let mut seen = 1;
    for hunk in &hunks {
        push_head(&mut out, hunk, seen);
        seen = hunk.new_start + hunk.new_lines;
        push_lines(&mut out, ordinal, hunk, width);
    }
    Some((class(width), out))
}

/// How many digits the numbers of lines get when this is the last.
pub(super) fn width(last: u32) -> usize {
    last.to_string().len().max(3)
}

/// The class that leaves so much room for numbers.
pub(super) fn class(width: usize) -> &'static str {
    match width {
        3 => "code",
        4 | 5 => "code w5",
        _ => "code w9",
    }
}

fn push_head(out: &mut String, hunk: &Hunk<'_>, seen: u32) {
    let skipped = hunk.new_start.saturating_sub(seen);
    if skipped == 0 && hunk.section.is_empty() {
        return;
    }
    out.push_str(r#"<span class="ln hunk"><span>"#);
    match skipped {
        0 => {}
        1 => out.push_str("1 unchanged line"),
        n => {
            let _ = write!(out, "{n} unchanged lines");
        }
    }
    if !hunk.section.is_empty() {
        out.push_str(if skipped > 0 { ", then " } else { "" });
        push_bytes(out, hunk.section);
    }
    out.push_str("</span></span>");
}

/// Runs of removed lines followed by as many added ones are compared line by line, so that the eye finds the words.
fn push_lines(out: &mut String, ordinal: usize, hunk: &Hunk<'_>, width: usize) {
    let lines: Vec<Line<'_>> = hunk.lines.iter().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let removed = run(&lines, at, LineKind::Removed);
        let added = run(&lines, at + removed, LineKind::Added);
        if removed == 0 || removed != added {
            let take = removed.max(1);
            for line in lines.iter().skip(at).take(take) {
                push_line(out, ordinal, line, width, None);
            }
            at += take;
            continue;
        }
        debug_assert_eq!(line.kind, LineKind::Removed);
        let (old, new) = (
            lines.iter().skip(at).take(removed),
            lines.iter().skip(at + removed).take(added),
        );
        let same: Vec<_> = old
            .clone()
            .zip(new.clone())
            .map(|(old, new)| common(old.text, new.text))
            .collect();
        for (line, same) in old.zip(&same).chain(new.zip(&same)) {
            push_line(out, ordinal, line, width, *same);
        }
        at += removed + added;
    }
}

fn run(lines: &[Line<'_>], from: usize, kind: LineKind) -> usize {
    lines
        .iter()
        .skip(from)
        .take_while(|line| line.kind == kind)
        .count()
}

/// How many bytes two lines have in common at the start and at the end; none where that is less than a third of them.
fn common(old: &[u8], new: &[u8]) -> Option<(usize, usize)> {
    let at_start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - at_start;
    let at_end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let is_blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    let kept = old.get(..at_start).is_some_and(|start| !is_blank(start)) || at_end > 0;
    (kept && (at_start + at_end) * 3 >= old.len().max(new.len())).then_some((at_start, at_end))
}

fn push_line(
    out: &mut String,
    ordinal: usize,
    line: &Line<'_>,
    width: usize,
    same: Option<(usize, usize)>,
) {
    let (tag, sign) = match line.kind {
        LineKind::Context => ("span", " "),
        LineKind::Added => ("ins", "+"),
        LineKind::Removed => ("del", "−"),
    };
    let number = |no: Option<u32>| no.map(|no| no.to_string()).unwrap_or_default();
    let (side, no) = match line.new_no {
        Some(no) => ("n", no),
        None => ("o", line.old_no.unwrap_or_default()),
    };
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        r#"<{tag} class="ln" id="f{ordinal}{side}{no}" data-o="{:>width$}" data-n="{:>width$}" data-t="{sign}">"#,
        number(line.old_no),
        number(line.new_no),
    );
    push_text(out, line.text, same);
    let _ = write!(out, "</{tag}>");
    if line.no_newline {
        out.push_str(
            r#"<span class="ln hunk"><span>No newline at the end of the file</span></span>"#,
        );
    }
}

pub(super) fn push_text(out: &mut String, text: &[u8], same: Option<(usize, usize)>) {
    let text = match text.split_last() {
        Some((b'\r', rest)) => {
            push_marked(
                out,
                rest,
                same.map(|(start, end)| (start.min(rest.len()), end.saturating_sub(1))),
            );
            out.push_str(r#"<span class="hid cr" title="carriage return">CR</span>"#);
            return;
        }
        _ => text,
    };
    push_marked(out, text, same);
}

/// Marks what lies between the parts that stayed the same, if it can be cut there without breaking a character.
fn push_marked(out: &mut String, text: &[u8], same: Option<(usize, usize)>) {
    let parts = same.and_then(|(start, end)| {
        let text = std::str::from_utf8(text).ok()?;
        let (before, rest) = text.split_at_checked(floor(text, start))?;
        let (middle, after) = rest.split_at_checked(ceil(rest, rest.len().checked_sub(end)?))?;
        (!middle.is_empty()).then_some((before, middle, after))
    });
    match parts {
        Some((before, middle, after)) => {
            push_html(out, before);
            out.push_str("<mark>");
            push_html(out, middle);
            out.push_str("</mark>");
            push_html(out, after);
        }
        None => push_bytes(out, text),
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Text that need not be UTF-8: a byte that is none stands there as its number, so that two such never look the same.
pub(super) fn push_bytes(out: &mut String, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        push_html(out, chunk.valid());
        for byte in chunk.invalid() {
            let mut shown = String::new();
            let _ = write!(shown, r"\x{byte:02x}");
            out.push_str(r#"<span class="hid" title="not UTF-8">"#);
            escape(out, &shown);
            out.push_str("</span>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str) -> String {
        code(0, body.as_bytes()).unwrap().1
    }

    fn modified(hunks: &str) -> String {
        let (a, b) = ("1".repeat(40), "2".repeat(40));
        format!("diff --git a/x b/x\nindex {a}..{b} 100644\n--- a/x\n+++ b/x\n{hunks}")
    }

    #[test]
    fn a_line_is_one_element_with_its_numbers_beside_it() {
        let html = shown(&modified(
            "@@ -12,2 +12,2 @@ fn pay()\n let x = 1;\n-old\n+brand new\n",
        ));
        assert!(
            html.contains(
                r#"<span class="ln hunk"><span>11 unchanged lines, then fn pay()</span></span>"#
            ),
            "{html}"
        );
        assert!(html.contains(r#"<span class="ln" id="f0n12" data-o=" 12" data-n=" 12" data-t=" ">let x = 1;</span>"#), "{html}");
        assert!(
            html.contains(
                r#"<del class="ln" id="f0o13" data-o=" 13" data-n="   " data-t="−">old</del>"#
            ),
            "{html}"
        );
        assert!(
            html.contains(
                r#"<ins class="ln" id="f0n13" data-o="   " data-n=" 13" data-t="+">brand new</ins>"#
            ),
            "{html}"
        );
    }

    #[test]
    fn words_that_changed_are_marked_and_characters_stay_whole() {
        let html = shown(&modified("@@ -1 +1 @@\n-let größe = ä;\n+let größe = ö;\n"));
        assert!(html.contains("let größe = <mark>ä</mark>;"), "{html}");
        assert!(html.contains("let größe = <mark>ö</mark>;"), "{html}");
    }

    #[test]
    fn code_cannot_become_markup_or_hide() {
        let html = shown(&modified(
            "@@ -1 +1,2 @@\n-a\n+</ins><script>\n+if x\u{202e} {\n",
        ));
        assert!(html.contains("&lt;/ins&gt;&lt;script&gt;"), "{html}");
        assert!(
            html.contains(r#"<span class="hid" title="right-to-left override">U+202E</span>"#),
            "{html}"
        );
    }

    #[test]
    fn the_end_of_a_file_without_a_newline_is_said() {
        let html = shown(&modified(
            "@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n",
        ));
        assert!(
            html.ends_with("<span>No newline at the end of the file</span></span>"),
            "{html}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        let mut out = String::new();
        push_bytes(&mut out, b"caf\xe9");
        assert_eq!(out, r#"caf<span class="hid" title="not UTF-8">\xe9</span>"#);
    }
}
