//! What a change has become since somebody approved it: only what they have not read, and of the rest how much there is.

use std::fmt::Write as _;

use domain::patch::{
    FilePatch, FileSince, Hunk, HunkSince, Line, LineKind, LineSince, Part, PatchError,
    lines_since, parts, since,
};
use leptos::prelude::*;

use super::{
    diff::{
        Code, File, FileHead, Lines, Name, Room, Shown, class, notes, push_bytes, push_text, width,
    },
    text::{Theirs, plain},
    tree::{Entry, shown_name, split},
};

/// The difference between two patches of a change, whole: whatever it does not show is what was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In the order of the patch; then what is gone.
    pub pieces: Vec<Piece>,
    /// How many files have the same bytes in both, to the same content.
    pub same: usize,
    /// How many have the same lines, made to another version of the file.
    pub moved: usize,
}

/// One file of which not everything is known to be what was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Nothing of it was in what was approved.
    New(Shown),
    /// Something of it is not what it was.
    Changed {
        ordinal: usize,
        file: FilePatch,
        compared: Compared,
    },
    /// The same bytes, that do not say which content they are about, on another base.
    Unknown { ordinal: usize, file: FilePatch },
    /// It was in what was approved, at this place, and is no more.
    Gone { ordinal: usize, file: FilePatch },
}

/// Why two revisions are not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomparable {
    /// Nobody knows which patch was approved.
    InDoubt,
    /// More than a page can hold.
    TooMuch,
    /// A stored patch cannot be read.
    Unreadable,
}

impl Incomparable {
    /// The reason.
    pub fn sentence(self) -> &'static str {
        match self {
            Incomparable::InDoubt => {
                "They cannot be compared: the patch of one of them is disputed or wrong, so nobody knows what was approved."
            }
            Incomparable::TooMuch => "They cannot be compared here: too much is different.",
            Incomparable::Unreadable => {
                "They cannot be compared: one of them cannot be read as a patch."
            }
        }
    }
}

/// Both patches together, in bytes: what is compared while somebody waits.
const MOST_BYTES: usize = 8_000_000;

/// Lines that a page of differences shows at most.
const MOST_LINES: usize = 24_000;

/// A page of differences is whole or not at all.
const ROOM: Room = Room {
    lines: MOST_LINES + 1,
    bytes: MOST_BYTES,
};

impl Difference {
    /// Compares two patches, given file by file. `rebased`: the merge base is another one.
    ///
    /// # Errors
    /// [`Incomparable`] says why not.
    pub fn between(
        approved: &[Vec<u8>],
        now: &[Vec<u8>],
        rebased: bool,
    ) -> Result<Self, Incomparable> {
        let bytes: usize = approved.iter().chain(now).map(Vec::len).sum();
        if bytes > MOST_BYTES {
            return Err(Incomparable::TooMuch);
        }
        let difference =
            Self::found(approved, now, rebased).map_err(|_| Incomparable::Unreadable)?;
        if difference.lines() > MOST_LINES {
            return Err(Incomparable::TooMuch);
        }
        Ok(difference)
    }

    fn found(approved: &[Vec<u8>], now: &[Vec<u8>], rebased: bool) -> Result<Self, PatchError> {
        let (before, after) = (all_parts(approved)?, all_parts(now)?);
        let place = |of: &[Part<'_>], part: &Part<'_>| {
            let is_it = |one: &Part<'_>| std::ptr::eq(one, part);
            of.iter().position(is_it).unwrap_or(0)
        };
        let shown = |part: &Part<'_>| Shown {
            ordinal: place(&after, part),
            file: part.file.clone(),
            lines: Some(Lines::of(place(&after, part), part.body, 0, ROOM)),
            share: None,
        };
        let (mut pieces, mut same, mut moved) = (Vec::new(), 0, 0);
        for file in since(&before, &after)?.files {
            match file {
                FileSince::Unchanged { part, .. } if rebased && !part.file.names_blobs() => {
                    let (ordinal, file) = (place(&after, part), part.file.clone());
                    pieces.push(Piece::Unknown { ordinal, file });
                }
                FileSince::Unchanged { .. } => same += 1,
                FileSince::Moved { .. } => moved += 1,
                FileSince::Changed { part, was, hunks } => pieces.push(Piece::Changed {
                    ordinal: place(&after, part),
                    file: part.file.clone(),
                    compared: compare(place(&after, part), part, was, &hunks),
                }),
                FileSince::New { part } => pieces.push(Piece::New(shown(part))),
                FileSince::Gone { was } => {
                    let (ordinal, file) = (place(&before, was), was.file.clone());
                    pieces.push(Piece::Gone { ordinal, file });
                }
            }
        }
        Ok(Self {
            pieces,
            same,
            moved,
        })
    }

    fn lines(&self) -> usize {
        let of = |piece: &Piece| match piece {
            Piece::New(shown) => shown.lines.as_ref().map_or(0, |lines| lines.all),
            Piece::Changed { compared, .. } => compared.count,
            Piece::Unknown { .. } | Piece::Gone { .. } => 0,
        };
        self.pieces.iter().map(of).sum()
    }

    /// What the list of files leads to.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |piece: &Piece| match piece {
            Piece::New(shown) => Some(Entry {
                ordinal: shown.ordinal,
                file: shown.file.clone(),
            }),
            Piece::Changed { ordinal, file, .. } | Piece::Unknown { ordinal, file } => {
                Some(Entry {
                    ordinal: *ordinal,
                    file: file.clone(),
                })
            }
            Piece::Gone { .. } => None,
        };
        self.pieces.iter().filter_map(entry).collect()
    }

    /// How much of the change is not shown, and why that is no loss.
    pub fn rest(&self) -> String {
        let files = |n: usize| match n {
            1 => "1 file is".to_owned(),
            n => format!("{n} files are"),
        };
        let mut said = Vec::new();
        if self.same > 0 {
            said.push(format!(
                "{} byte for byte what you approved",
                files(self.same)
            ));
        }
        if self.moved > 0 {
            said.push(format!(
                "{} line for line what you approved, made to another version of the file",
                files(self.moved)
            ));
        }
        match (said.is_empty(), self.pieces.is_empty()) {
            (true, true) => "Both patches are empty.".to_owned(),
            (true, false) => "No file is as you approved it.".to_owned(),
            (false, true) => format!("Nothing else changed: {}.", said.join("; ")),
            (false, false) => format!("Not shown: {}.", said.join("; ")),
        }
    }
}

/// The parts of a patch that is stored file by file.
fn all_parts(bodies: &[Vec<u8>]) -> Result<Vec<Part<'_>>, PatchError> {
    let mut all = Vec::with_capacity(bodies.len());
    for body in bodies {
        all.extend(parts(body)?);
    }
    Ok(all)
}

/// One file. `approved` leads to the revision that was approved, whose number is `number`.
#[component]
pub fn PieceOfIt(piece: Piece, number: i32, approved: String) -> AnyView {
    match piece {
        Piece::New(shown) => view! {
            <p class="note since">{format!("New since revision {number}:")}</p>
            <File shown address=String::new()/>
        }
        .into_any(),
        Piece::Changed {
            ordinal,
            file,
            compared,
        } => view! { <ChangedFile ordinal file compared number/> }.into_any(),
        Piece::Unknown { ordinal, file } => view! {
            <article class="file shut">
                <FileHead ordinal file/>
                <p class="note">
                    "This cannot be compared: the patch says the same as it did, but not about which content, and the base is another one."
                </p>
            </article>
        }
        .into_any(),
        Piece::Gone { ordinal, file } => view! {
            <article class="file shut">
                <header><h3><Name file/></h3></header>
                <p class="note">
                    {format!("Gone: what revision {number} did to this file is no part of the change any more. ")}
                    <a href=format!("{approved}#f{ordinal}")>"What it was"</a>
                </p>
            </article>
        }
        .into_any(),
    }
}

#[component]
fn ChangedFile(ordinal: usize, file: FilePatch, compared: Compared, number: i32) -> AnyView {
    let label = plain(&split(&shown_name(&file)).1);
    let Compared { header, lines, .. } = compared;
    let class = if lines.is_some() { "file" } else { "file shut" };
    view! {
        <article class=class>
            <FileHead ordinal file=file.clone()/>
            {notes(&file).map(|said| view! { <p class="note">{said}</p> })}
            {header.map(|said| view! { <p class="note"><b>{format!("Since revision {number}: ")}</b> <Theirs text=said/></p> })}
            {lines.map(|(class, html)| view! { <Code class html label/> })}
        </article>
    }
    .into_any()
}

/// What is to be said of one file beside its lines, and the lines: their class and their HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    header: Option<String>,
    lines: Option<(String, String)>,
    /// How many lines both have that are compared.
    count: usize,
}

fn compare(ordinal: usize, part: &Part<'_>, was: &Part<'_>, hunks: &[HunkSince<'_>]) -> Compared {
    let is_kept = |hunk: &HunkSince<'_>| matches!(hunk, HunkSince::Kept { .. });
    let all_kept = hunks.iter().all(is_kept);
    let lines = |body: &[u8]| body.iter().filter(|byte| **byte == b'\n').count();
    Compared {
        header: header(&part.file, &was.file, all_kept),
        lines: (!all_kept).then(|| self::lines(ordinal, hunks)),
        count: lines(part.body) + lines(was.body),
    }
}

/// What the header says otherwise than it did. The blobs count only where no line tells what became of them.
fn header(now: &FilePatch, was: &FilePatch, all_kept: bool) -> Option<String> {
    let mut said = Vec::new();
    if now.old != was.old {
        let name = |file: &FilePatch| {
            file.old
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), |name| plain(&name.display()))
        };
        said.push(format!(
            "it is made from {}, and was from {}",
            name(now),
            name(was)
        ));
    }
    let mode = |mode: Option<domain::patch::Mode>| mode.map_or("none", |mode| mode.as_str());
    if (now.old_mode, now.new_mode) != (was.old_mode, was.new_mode) {
        said.push(format!(
            "its mode goes from {} to {}, and went from {} to {}",
            mode(now.old_mode),
            mode(now.new_mode),
            mode(was.old_mode),
            mode(was.new_mode)
        ));
    }
    if now.binary || was.binary {
        said.push(
            "its bytes are not those that you approved, and nobody can compare them here"
                .to_owned(),
        );
    } else if all_kept && now.new_blob != was.new_blob {
        said.push(
            "every line is what you approved, made to another version of the file".to_owned(),
        );
    } else if all_kept && said.is_empty() {
        said.push(
            "every line is what you approved; what git says above them is another".to_owned(),
        );
    }
    (!said.is_empty()).then(|| format!("{}.", said.join("; ")))
}

fn lines(ordinal: usize, hunks: &[HunkSince<'_>]) -> (String, String) {
    let end =
        |hunk: &Hunk<'_>| (hunk.old_start + hunk.old_lines).max(hunk.new_start + hunk.new_lines);
    let last = hunks.iter().flat_map(both).map(|hunk| end(&hunk)).max();
    let width = width(last.unwrap_or(0));
    let mut out = Out {
        html: String::new(),
        ordinal,
        width,
    };
    let mut kept = 0;
    for hunk in hunks {
        if matches!(hunk, HunkSince::Kept { .. }) {
            kept += 1;
            continue;
        }
        out.kept(std::mem::take(&mut kept));
        out.hunk(hunk);
    }
    out.kept(kept);
    (format!("{} then", class(width)), out.html)
}

fn both<'a>(hunk: &HunkSince<'a>) -> Vec<Hunk<'a>> {
    match *hunk {
        HunkSince::Kept { hunk, was } | HunkSince::Changed { hunk, was } => vec![hunk, was],
        HunkSince::New { hunk } => vec![hunk],
        HunkSince::Gone { was } => vec![was],
    }
}

/// The lines of one file as HTML.
struct Out {
    html: String,
    ordinal: usize,
    width: usize,
}

impl Out {
    fn kept(&mut self, count: usize) {
        match count {
            0 => {}
            1 => self.says("1 place is as you approved it", b""),
            n => self.says(&format!("{n} places are as you approved them"), b""),
        }
    }

    fn says(&mut self, words: &str, section: &[u8]) {
        self.html.push_str(r#"<span class="ln hunk"><span>"#);
        self.html.push_str(words);
        if !section.is_empty() {
            self.html.push_str(": ");
            push_bytes(&mut self.html, section);
        }
        self.html.push_str("</span></span>");
    }

    fn hunk(&mut self, hunk: &HunkSince<'_>) {
        match hunk {
            HunkSince::Kept { .. } => {}
            HunkSince::Changed { hunk, was } => {
                self.says("Changed since you approved it", hunk.section);
                if hunk.section != was.section {
                    self.says("It was under", was.section);
                }
                for line in lines_since(hunk, was) {
                    self.line(line);
                }
            }
            HunkSince::New { hunk } => {
                self.says("New since you approved it", hunk.section);
                hunk.lines.for_each(|line| self.line(LineSince::New(line)));
            }
            HunkSince::Gone { was } => {
                self.says("Gone since you approved it", was.section);
                was.lines.for_each(|line| self.line(LineSince::Gone(line)));
            }
        }
    }

    fn line(&mut self, line: LineSince<'_>) {
        let (tag, class, word, line) = match line {
            LineSince::Kept(line) => ("span", "ln", "   ", line),
            LineSince::Gone(line) => ("s", "ln was", "was", line),
            LineSince::New(line) => (tag(line.kind), "ln", "now", line),
        };
        let sign = match line.kind {
            LineKind::Context => " ",
            LineKind::Added => "+",
            LineKind::Removed => "−",
        };
        let number = |no: Option<u32>| no.map(|no| no.to_string()).unwrap_or_default();
        let (old, new) = (number(line.old_no), number(line.new_no));
        let (id, width) = (self.id(word, &line), self.width);
        // Writing to a String cannot fail.
        let _ = write!(
            self.html,
            r#"<{tag} class="{class}"{id} data-s="{word}" data-o="{old:>width$}" data-n="{new:>width$}" data-t="{sign}">"#,
        );
        push_text(&mut self.html, line.text, None);
        let _ = write!(self.html, "</{tag}>");
        if line.no_newline {
            self.says("No newline at the end of the file", b"");
        }
    }

    /// What is gone has no place in the file.
    fn id(&self, word: &str, line: &Line<'_>) -> String {
        let (side, no) = match line.new_no {
            Some(no) => ("n", no),
            None => ("o", line.old_no.unwrap_or_default()),
        };
        match word {
            "was" => String::new(),
            _ => format!(r#" id="f{}{side}{no}""#, self.ordinal),
        }
    }
}

fn tag(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Context => "span",
        LineKind::Added => "ins",
        LineKind::Removed => "del",
    }
}
