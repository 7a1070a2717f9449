//! The patch as people read it: one element a line. Built by hand, since there can be ten thousand of them.

use std::fmt::Write as _;

use domain::{
    patch::{FilePatch, FileStatus, Hunk, Line, LineKind, Mode, hunks},
    provenance::Share,
};
use leptos::prelude::*;

use super::{
    text::{Theirs, escape, push_html},
    tree::{shown_name, split},
};

/// One file of a patch, with what is shown of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Counted from 0, over the whole patch.
    pub ordinal: usize,
    /// What the header says.
    pub file: FilePatch,
    /// None for one that is folded because there is too much to read at once.
    pub lines: Option<Lines>,
    /// How much of it machines wrote; none where nobody knows.
    pub share: Option<Share>,
}

/// Some of the lines of one file, made into HTML. What does not parse was never stored; should it be, nothing of it is shown as
/// if it were whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    class: &'static str,
    html: String,
    /// How many come before these.
    before: usize,
    /// How many these are.
    pub count: usize,
    /// How many the file has in the patch.
    pub all: usize,
    /// What these take in the patch.
    pub bytes: usize,
}

/// What there is room for on a page.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub lines: usize,
    /// Of the patch, not of HTML.
    pub bytes: usize,
}

impl Room {
    /// What one file gets, and what is left on a page for others than the first.
    pub const OF_A_FILE: Room = Room {
        lines: 12_000,
        bytes: 1_000_000,
    };

    /// What is left when these lines are there, too.
    pub fn without(self, lines: &Lines) -> Self {
        Self {
            lines: self.lines.saturating_sub(lines.count),
            bytes: self.bytes.saturating_sub(lines.bytes),
        }
    }

    /// Whether all of a file fits, which is not more than one file gets.
    pub fn holds(self, file: &FilePatch, body: &[u8]) -> bool {
        let lines = file.added.saturating_add(file.removed) as usize;
        let most = Self::OF_A_FILE;
        lines <= self.lines.min(most.lines) && body.len() <= self.bytes.min(most.bytes)
    }

    /// How many of these lines fit, and what they take. The first one always does, or nobody would come past it.
    fn fits(self, lines: &[Line<'_>], is_first: bool) -> (usize, usize) {
        let (mut count, mut bytes) = (0, 0);
        for line in lines.iter().take(self.lines) {
            let more = bytes + line.text.len().min(LONGEST_LINE) + 1;
            if more > self.bytes && !(is_first && count == 0) {
                break;
            }
            (count, bytes) = (count + 1, more);
        }
        (count, bytes)
    }
}

impl Lines {
    /// The lines of the file from the one after so many, as far as there is room. Takes CPU time in proportion to the file.
    pub fn of(ordinal: usize, body: &[u8], after: usize, mut room: Room) -> Self {
        let hunks = hunks(body).unwrap_or_default();
        let end = |hunk: &Hunk<'_>| {
            (hunk.old_start + hunk.old_lines).max(hunk.new_start + hunk.new_lines)
        };
        let width = width(hunks.iter().map(end).max().unwrap_or(0));
        let mut made = Self {
            class: class(width),
            before: after,
            ..Self::default()
        };
        let mut seen = 1;
        for hunk in &hunks {
            let lines: Vec<Line<'_>> = hunk.lines.iter().collect();
            let skipped = after.saturating_sub(made.all).min(lines.len());
            made.all += lines.len();
            let rest = lines.get(skipped..).unwrap_or_default();
            let (count, bytes) = room.fits(rest, made.count == 0);
            // What comes after the first that has no room has none either.
            room = if count < rest.len() {
                Room { lines: 0, bytes: 0 }
            } else {
                Room {
                    lines: room.lines - count,
                    bytes: room.bytes.saturating_sub(bytes),
                }
            };
            if count > 0 {
                if skipped == 0 {
                    push_head(&mut made.html, hunk, seen);
                }
                push_lines(
                    &mut made.html,
                    ordinal,
                    rest.get(..count).unwrap_or_default(),
                    width,
                );
            }
            (made.count, made.bytes) = (made.count + count, made.bytes + bytes);
            seen = hunk.new_start + hunk.new_lines;
        }
        made
    }

    /// Which lines these are, where they are not all.
    fn part(&self) -> Option<String> {
        let (first, last) = (self.before + 1, self.before + self.count);
        (self.count < self.all).then(|| {
            format!(
                "Lines {first} to {last} of {} in this file\u{2019}s part of the patch. ",
                self.all
            )
        })
    }

    /// After how many lines the part before this one begins, and the one behind it.
    fn neighbours(&self) -> (Option<usize>, Option<usize>) {
        let end = self.before + self.count;
        let earlier = self.before.saturating_sub(Room::OF_A_FILE.lines);
        (
            (self.before > 0).then_some(earlier),
            (end < self.all).then_some(end),
        )
    }
}

/// One file: its name, what happened to it beside its lines, and its lines. `address` is of this page, up to what shows a file
/// that is folded or shown in part.
#[component]
pub fn File(shown: Shown, address: String) -> AnyView {
    let Shown {
        ordinal,
        file,
        lines,
        share,
    } = shown;
    let name = shown_name(&file);
    let folded = lines.is_none() && !file.binary;
    let lines = lines.filter(|lines| lines.count > 0);
    let class = if lines.is_some() { "file" } else { "file shut" };
    let label = super::text::plain(&split(&name).1);
    let at = |after: usize| format!("{address}file={ordinal}&after={after}#f{ordinal}");
    let rest = lines.as_ref().map(|lines| {
        let (earlier, later) = lines.neighbours();
        (lines.part(), earlier.map(at), later.map(at))
    });
    let (part, earlier, later) = rest.unwrap_or_default();
    let part = part.map(|said| {
        let later = later.clone();
        view! { <Part said earlier later/> }
    });
    view! {
        <article class=class>
            <FileHead ordinal file=file.clone() share/>
            {notes(&file).map(|said| view! { <p class="note">{said}</p> })}
            {folded
                .then(|| {
                    let count = file.added + file.removed;
                    view! {
                        <p class="note">
                            {format!("Folded: {count} changed lines. ")} <a href=at(0)>"Show them"</a>
                        </p>
                    }
                })}
            {part}
            {lines.map(|lines| view! { <Code class=lines.class.to_owned() html=lines.html label/> })}
            {later.map(|later| view! { <p class="note"><a href=later>"The lines after these"</a></p> })}
        </article>
    }
    .into_any()
}

/// Which part of a file this is, and where the others are.
#[component]
fn Part(said: String, earlier: Option<String>, later: Option<String>) -> impl IntoView {
    view! {
        <p class="note">
            <b>{said}</b>
            {earlier.map(|earlier| view! { <a href=earlier>"The lines before"</a> " " })}
            {later.map(|later| view! { <a href=later>"The lines after"</a> })}
        </p>
    }
}

/// How much of what a file adds came out of sessions with tools, as far as anybody said.
#[component]
fn ByTools(share: Share) -> impl IntoView {
    let said = format!("{} of {} by tools", share.written, share.added);
    view! { <span class="by-tools" title="Added lines that notes or traces say a tool wrote; of the others nobody knows">{said}</span> }
}

/// The name of a file, where the tree leads to, and how much of it changed.
#[component]
pub(super) fn FileHead(
    ordinal: usize,
    file: FilePatch,
    #[prop(default = None)] share: Option<Share>,
) -> AnyView {
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
            <span class="far">{share.map(|share| view! { <ByTools share/> })} {amount}</span>
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
fn push_lines(out: &mut String, ordinal: usize, lines: &[Line<'_>], width: usize) {
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let removed = run(lines, at, LineKind::Removed);
        let added = run(lines, at + removed, LineKind::Added);
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

/// The most that is shown of one line, in bytes: more than anybody reads, and less than what makes a page that no browser shows.
const LONGEST_LINE: usize = 100_000;

pub(super) fn push_text(out: &mut String, text: &[u8], same: Option<(usize, usize)>) {
    if let Some((shown, rest)) = text
        .split_at_checked(LONGEST_LINE)
        .filter(|(_, rest)| !rest.is_empty())
    {
        push_bytes(out, shown);
        let _ = write!(
            out,
            r#"<span class="hid" title="too long to be shown">{} more bytes in this line; the whole patch has them</span>"#,
            rest.len()
        );
        return;
    }
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
        Lines::of(0, body.as_bytes(), 0, Room::OF_A_FILE).html
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

    /// A new file of so many lines, each of this text behind its number.
    fn long(lines: usize, text: &str) -> String {
        let (zero, blob) = ("0".repeat(40), "2".repeat(40));
        let added: String = (1..=lines).map(|n| format!("+{n} {text}\n")).collect();
        format!(
            "diff --git a/x b/x\nnew file mode 100644\nindex {zero}..{blob}\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,{lines} @@\n{added}"
        )
    }

    /// The numbers of the first and the last line that are shown, and what is said of them.
    fn told(lines: &Lines) -> (usize, usize, Option<String>) {
        let ids: Vec<&str> = lines.html.split(r#"id="f0n"#).skip(1).collect();
        let number = |id: Option<&&str>| {
            id.and_then(|id| id.split('"').next()?.parse().ok())
                .unwrap_or(0)
        };
        assert_eq!(ids.len(), lines.count);
        (number(ids.first()), number(ids.last()), lines.part())
    }

    #[test]
    fn a_file_of_any_length_is_read_part_by_part_and_every_line_stands_in_one() {
        for (length, text) in [
            (30_001, "x"),
            (3_000, "x".repeat(900).as_str()),
            (12, "x".repeat(400_000).as_str()),
        ] {
            let file = long(length, text);
            let (mut after, mut parts) = (0, 0);
            while after < length {
                let lines = Lines::of(0, file.as_bytes(), after, Room::OF_A_FILE);
                let (first, last, said) = told(&lines);
                assert_eq!((first, last), (after + 1, after + lines.count));
                assert!(
                    lines.count > 0 && lines.html.len() < 4_000_000,
                    "{} bytes",
                    lines.html.len()
                );
                assert!(
                    said.unwrap()
                        .starts_with(&format!("Lines {first} to {last} of {length} "))
                );
                let (earlier, later) = lines.neighbours();
                assert_eq!(
                    (earlier.is_some(), later.is_some()),
                    (after > 0, last < length)
                );
                (after, parts) = (last, parts + 1);
            }
            assert!((2..=4).contains(&parts), "{parts} parts");
        }
    }

    #[test]
    fn what_fits_is_shown_whole_and_says_nothing_of_parts() {
        let file = long(12_000, "x");
        let lines = Lines::of(0, file.as_bytes(), 0, Room::OF_A_FILE);
        assert_eq!(told(&lines), (1, 12_000, None));
        assert_eq!(lines.neighbours(), (None, None));
    }

    #[test]
    fn nothing_is_behind_the_end() {
        let lines = Lines::of(0, long(3, "x").as_bytes(), 3, Room::OF_A_FILE);
        assert_eq!((lines.count, lines.neighbours()), (0, (Some(0), None)));
    }

    #[test]
    fn of_a_line_that_nobody_reads_the_beginning_is_shown_and_how_much_is_left() {
        let mut out = String::new();
        push_text(&mut out, &[b'x'; 100_007], None);
        assert!(
            out.contains(">7 more bytes in this line; the whole patch has them</span>"),
            "{}",
            out.len()
        );
        out.clear();
        push_text(&mut out, &[b'x'; 100_000], None);
        assert_eq!(out.len(), 100_000);
    }
}
