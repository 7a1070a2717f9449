//! Real patches (`fixtures/carry`), hunks by hand, and any two patches at all.

use super::*;
use crate::patch::{Line, parts};
use proptest::{collection::vec, prelude::*};

macro_rules! fixtures {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../fixtures/carry/", $name, ".patch")))),*]
    };
}

const APPROVED: &[u8] = include_bytes!("../../../fixtures/carry/approved.patch");

/// What has become of the approved patch.
const LATER: &[(&str, &[u8])] = fixtures![
    "approved",
    "base-moved",
    "one-byte",
    "mode",
    "rename-edit",
    "new-file",
    "another-function",
    "twin-function",
    "hunks-swapped",
    "context",
    "submodule",
    "no-newline",
    "another-name",
    "symlink",
    "binary",
];

/// What a reader would be told: a line for each file that is not unchanged, and for each of its hunks.
fn told(approved: &[u8], new: &[u8]) -> String {
    let (approved, new) = (parts(approved).unwrap(), parts(new).unwrap());
    let since = since(&approved, &new).unwrap();
    since.files.iter().map(tell).collect()
}

fn tell(file: &FileSince<'_>) -> String {
    let name = |part: &Part<'_>| part.file.name().unwrap().display().into_owned();
    match file {
        FileSince::Unchanged { .. } => String::new(),
        FileSince::Moved { part, .. } => format!("{}: moved\n", name(part)),
        FileSince::New { part } => format!("{}: new\n", name(part)),
        FileSince::Gone { was } => format!("{}: gone\n", name(was)),
        FileSince::Changed { part, hunks, .. } => {
            let hunks: String = hunks.iter().map(tell_hunk).collect();
            format!("{}: changed\n{hunks}", name(part))
        }
    }
}

fn tell_hunk(hunk: &HunkSince<'_>) -> String {
    let line = |line: Line<'_>| {
        let text = String::from_utf8_lossy(line.text).trim().to_owned();
        text + if line.no_newline { " (end)" } else { "" }
    };
    let lines = |hunk: &Hunk<'_>| {
        let changes = hunk.lines.filter(|line| line.kind != LineKind::Context);
        format!(
            "{} {:?}",
            hunk.old_start,
            changes.map(line).collect::<Vec<_>>()
        )
    };
    match hunk {
        HunkSince::Kept { hunk, was } => format!("  kept {} from {}\n", lines(hunk), was.old_start),
        HunkSince::Changed { hunk, was } => {
            format!("  changed {}\n      from {}\n", lines(hunk), lines(was))
        }
        HunkSince::New { hunk } => format!("  new {}\n", lines(hunk)),
        HunkSince::Gone { was } => format!("  gone {}\n", lines(was)),
    }
}

#[test]
fn a_reader_is_told_what_a_real_change_has_become() {
    let told: Vec<String> = LATER
        .iter()
        .map(|(name, new)| format!("## {name}\n{}", told(APPROVED, new)))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_was_approved_has_not_changed_since() {
    let approved = parts(APPROVED).unwrap();
    let since = since(&approved, &approved).unwrap();
    let unchanged = |file: &FileSince<'_>| matches!(file, FileSince::Unchanged { .. });
    assert_eq!(since.files.len(), approved.len());
    assert!(since.files.iter().all(unchanged));
}

#[test]
fn a_body_that_cannot_be_read_is_an_error_and_never_unchanged() {
    let approved = parts(APPROVED).unwrap();
    let mut new = approved.clone();
    new[0].body = b"diff";
    assert!(since(&approved, &new).is_err());
}

/// A hunk of one changed line between three lines of context, made of few words so that many are alike.
#[derive(Debug, Clone, Copy)]
struct Piece {
    context: u32,
    change: u8,
    section: u8,
    gap: u8,
}

const fn piece(context: u32, change: u8) -> Piece {
    Piece {
        context,
        change,
        section: 0,
        gap: 1,
    }
}

/// The hunks of these pieces, one after the other.
fn text(pieces: &[Piece]) -> String {
    let mut start = 1;
    let hunk = |piece: &Piece| {
        start += u32::from(piece.gap);
        let at = start;
        start += 7;
        let Piece {
            context: c,
            change,
            section,
            ..
        } = piece;
        let (before, after) = (
            format!(" {c}a\n {c}b\n {c}c\n"),
            format!(" {c}d\n {c}e\n {c}f\n"),
        );
        format!("@@ -{at},7 +{at},7 @@ s{section}\n{before}-old {c}\n+new {change}\n{after}")
    };
    pieces.iter().map(hunk).collect()
}

fn edited(name: u8, blobs: [u8; 2], pieces: &[Piece]) -> String {
    with_hunks(name, blobs, &text(pieces))
}

fn with_hunks(name: u8, blobs: [u8; 2], hunks: &str) -> String {
    let [old, new] = blobs.map(|blob| blob.to_string().repeat(40));
    format!(
        "diff --git a/{name} b/{name}\nindex {old}..{new} 100644\n--- a/{name}\n+++ b/{name}\n{hunks}"
    )
}

/// What the hunks of one file have become on another base.
fn told_of(approved: &[Piece], new: &[Piece]) -> String {
    let (approved, new) = (edited(0, [1, 2], approved), edited(0, [3, 4], new));
    told(approved.as_bytes(), new.as_bytes())
}

#[test]
fn each_hunk_stands_beside_what_it_was() {
    let approved = [piece(1, 1), piece(2, 2), piece(3, 3), piece(4, 4)];
    let new = [piece(1, 1), piece(5, 5), piece(3, 9), piece(4, 4)];
    insta::assert_snapshot!(told_of(&approved, &new), @r#"
    0: changed
      kept 2 ["old 1", "new 1"] from 2
      new 10 ["old 5", "new 5"]
      gone 10 ["old 2", "new 2"]
      changed 18 ["old 3", "new 9"]
          from 18 ["old 3", "new 3"]
      kept 26 ["old 4", "new 4"] from 26
    "#);
}

#[test]
fn hunks_that_changed_places_are_not_all_kept() {
    let approved = [piece(1, 1), piece(2, 2), piece(3, 3)];
    let new = [piece(3, 3), piece(1, 1), piece(2, 2)];
    insta::assert_snapshot!(told_of(&approved, &new), @r#"
    0: changed
      new 2 ["old 3", "new 3"]
      kept 10 ["old 1", "new 1"] from 2
      kept 18 ["old 2", "new 2"] from 10
      gone 18 ["old 3", "new 3"]
    "#);
}

#[test]
fn equal_hunks_are_kept_as_often_as_they_were_approved() {
    let (one, two) = ([piece(1, 1)], [piece(1, 1); 2]);
    assert_eq!(told_of(&two, &two), "0: moved\n");
    insta::assert_snapshot!(told_of(&one, &two), @r#"
    0: changed
      kept 2 ["old 1", "new 1"] from 2
      new 10 ["old 1", "new 1"]
    "#);
}

#[test]
fn a_hunk_elsewhere_in_the_same_content_is_changed() {
    let there = Piece {
        gap: 9,
        ..piece(1, 1)
    };
    let (approved, new) = (
        edited(0, [1, 2], &[piece(1, 1)]),
        edited(0, [1, 4], &[there]),
    );
    insta::assert_snapshot!(told(approved.as_bytes(), new.as_bytes()), @r#"
    0: changed
      changed 10 ["old 1", "new 1"]
          from 2 ["old 1", "new 1"]
    "#);
}

#[test]
fn a_hunk_under_another_heading_is_changed() {
    let there = Piece {
        section: 1,
        ..piece(1, 1)
    };
    insta::assert_snapshot!(told_of(&[piece(1, 1)], &[there]), @r#"
    0: changed
      changed 2 ["old 1", "new 1"]
          from 2 ["old 1", "new 1"]
    "#);
}

#[test]
fn of_equal_hunks_in_the_same_content_the_one_at_the_same_place_is_kept() {
    let further = |gap| Piece { gap, ..piece(1, 1) };
    let approved = edited(0, [1, 2], &[further(9)]);
    let new = edited(0, [1, 4], &[further(1), further(1)]);
    insta::assert_snapshot!(told(approved.as_bytes(), new.as_bytes()), @r#"
    0: changed
      new 2 ["old 1", "new 1"]
      kept 10 ["old 1", "new 1"] from 10
    "#);
}

#[test]
fn a_hunk_that_is_not_kept_may_be_what_another_was() {
    let approved = [piece(1, 1), piece(2, 2), piece(3, 3)];
    let new = [piece(3, 3), piece(1, 1), piece(2, 2), piece(3, 9)];
    insta::assert_snapshot!(told_of(&approved, &new), @r#"
    0: changed
      new 2 ["old 3", "new 3"]
      kept 10 ["old 1", "new 1"] from 2
      kept 18 ["old 2", "new 2"] from 10
      changed 26 ["old 3", "new 9"]
          from 18 ["old 3", "new 3"]
    "#);
}

#[test]
fn a_changed_hunk_is_known_again_beside_a_kept_one_that_looks_like_it() {
    let approved = [piece(1, 1), piece(1, 2)];
    let new = [piece(1, 1), piece(1, 9)];
    insta::assert_snapshot!(told_of(&approved, &new), @r#"
    0: changed
      kept 2 ["old 1", "new 1"] from 2
      changed 10 ["old 1", "new 9"]
          from 10 ["old 1", "new 2"]
    "#);
}

#[test]
fn a_hunk_that_was_as_much_of_one_as_of_another_stands_beside_the_first() {
    let two = "@@ -1,2 +1,2 @@\n a\n-x\n+y\n@@ -9,2 +9,2 @@\n b\n-p\n+q\n";
    let one = "@@ -1,3 +1,3 @@\n a\n b\n-m\n+n\n";
    let (approved, new) = (with_hunks(0, [1, 2], two), with_hunks(0, [3, 4], one));
    insta::assert_snapshot!(told(approved.as_bytes(), new.as_bytes()), @r#"
    0: changed
      changed 1 ["m", "n"]
          from 1 ["x", "y"]
      gone 9 ["p", "q"]
    "#);
}

#[test]
fn a_file_that_became_a_link_is_one_that_went_and_one_that_came() {
    let link = include_bytes!("../../../fixtures/patches/symlink.patch");
    assert_eq!(told(link, link), "");
}

#[test]
fn a_binary_file_is_never_only_moved() {
    let moved = |patch: &[u8]| {
        let text = String::from_utf8(patch.to_vec()).unwrap();
        let (before, after) = text.split_once("b/logo.bin\nindex ").unwrap();
        format!(
            "{before}b/logo.bin\nindex {}..{}{}",
            "1".repeat(40),
            "2".repeat(40),
            &after[82..]
        )
    };
    assert_eq!(
        told(APPROVED, moved(APPROVED).as_bytes()),
        "logo.bin: changed\n"
    );
}

fn any_piece() -> impl Strategy<Value = Piece> {
    (0..4_u32, 0..3_u8, 0..2_u8, 0..2_u8).prop_map(|(context, change, section, gap)| Piece {
        context,
        change,
        section,
        gap,
    })
}

fn any_file(name: u8) -> impl Strategy<Value = String> {
    let blobs = [1..4_u8, 4..7_u8];
    prop_oneof![
        6 => (blobs, vec(any_piece(), 1..6)).prop_map(move |(blobs, pieces)| edited(name, blobs, &pieces)),
        1 => (1..3_u8).prop_map(move |blob| format!(
            "diff --git a/{name} b/{name}\nnew file mode 100644\nindex {}..{}\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+{blob}\n",
            "0".repeat(40),
            blob.to_string().repeat(40),
        )),
        1 => Just(format!("diff --git a/{name} b/{name}\nold mode 100644\nnew mode 100755\n")),
        1 => Just(String::new()),
    ]
}

fn any_patch() -> impl Strategy<Value = String> {
    let files = [0, 1, 2, 3].map(any_file);
    files.prop_map(|files| files.concat())
}

fn lines(hunk: &Hunk<'_>) -> Vec<u8> {
    hunk.lines.as_bytes().to_vec()
}

/// Every hunk of a body, as text.
fn all_lines(part: &Part<'_>) -> Vec<u8> {
    hunks(part.body).unwrap().iter().flat_map(lines).collect()
}

/// The new file again, from the approved bytes wherever nothing is said to have changed.
fn again(file: &FileSince<'_>) -> Option<Vec<u8>> {
    let hunk_again = |hunk: &HunkSince<'_>| match hunk {
        HunkSince::Kept { was, .. } => lines(was),
        HunkSince::Changed { hunk, .. } | HunkSince::New { hunk } => lines(hunk),
        HunkSince::Gone { .. } => Vec::new(),
    };
    match file {
        FileSince::Unchanged { was, .. } | FileSince::Moved { was, .. } => Some(all_lines(was)),
        FileSince::Changed { hunks, .. } => Some(hunks.iter().flat_map(hunk_again).collect()),
        FileSince::New { part } => Some(all_lines(part)),
        FileSince::Gone { .. } => None,
    }
}

/// The approved file again, from all that is said to have become of it.
fn before(file: &FileSince<'_>) -> Option<Vec<u8>> {
    let hunk_before = |hunk: &HunkSince<'_>| match hunk {
        HunkSince::Kept { was, .. } | HunkSince::Changed { was, .. } | HunkSince::Gone { was } => {
            lines(was)
        }
        HunkSince::New { .. } => Vec::new(),
    };
    match file {
        FileSince::Unchanged { was, .. }
        | FileSince::Moved { was, .. }
        | FileSince::Gone { was } => Some(all_lines(was)),
        FileSince::Changed { hunks, .. } => Some(hunks.iter().flat_map(hunk_before).collect()),
        FileSince::New { .. } => None,
    }
}

/// Whatever two patches say, nothing of either is lost, and nothing is called approved that was not.
fn assert_nothing_is_hidden(approved: &[u8], new: &[u8]) {
    let (approved, new) = (parts(approved).unwrap(), parts(new).unwrap());
    let since = since(&approved, &new).unwrap();
    let whole: Vec<_> = new.iter().map(all_lines).collect();
    assert_eq!(
        since.files.iter().filter_map(again).collect::<Vec<_>>(),
        whole
    );
    let mut whole: Vec<_> = approved.iter().map(all_lines).collect();
    let mut told: Vec<_> = since.files.iter().filter_map(before).collect();
    whole.sort();
    told.sort();
    assert_eq!(told, whole);
    for file in &since.files {
        match file {
            FileSince::Unchanged { part, was } => assert_eq!(part.body, was.body),
            FileSince::Moved { part, was } => assert!(part.is_on_another_base(was)),
            FileSince::Changed { part, was, hunks } => {
                let same_content = part.file.old_blob == was.file.old_blob;
                assert!(hunks.iter().all(|hunk| is_kept_rightly(hunk, same_content)));
            }
            FileSince::New { .. } | FileSince::Gone { .. } => {}
        }
    }
}

fn is_kept_rightly(hunk: &HunkSince<'_>, same_content: bool) -> bool {
    match hunk {
        HunkSince::Kept { hunk, was } => {
            hunk.section == was.section && (!same_content || hunk.old_start == was.old_start)
        }
        _ => true,
    }
}

#[test]
fn nothing_of_a_real_change_is_hidden() {
    for (_, one) in LATER {
        for (_, two) in LATER {
            assert_nothing_is_hidden(one, two);
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_hidden_and_nothing_is_called_approved_that_was_not(
        approved in any_patch(),
        new in any_patch(),
    ) {
        assert_nothing_is_hidden(approved.as_bytes(), new.as_bytes());
    }

    #[test]
    fn pairs_keep_the_order_of_both_sides_and_as_many_as_can_be(pairs in vec(proptest::option::of(0..12_usize), 0..10)) {
        let kept = in_order(&pairs);
        let run: Vec<usize> = kept.iter().flatten().copied().collect();
        prop_assert!(run.is_sorted_by(|a, b| a < b));
        prop_assert!(kept.iter().zip(&pairs).all(|(kept, pair)| kept.is_none() || kept == pair));
        prop_assert_eq!(run.len(), longest(&pairs.iter().flatten().copied().collect::<Vec<_>>()));
    }
}

/// How many of these can stand in rising order, found by trying all of them.
fn longest(pairs: &[usize]) -> usize {
    let all = 0..1_u32 << pairs.len();
    let chosen = |set: u32| {
        pairs
            .iter()
            .enumerate()
            .filter(move |(at, _)| set >> at & 1 == 1)
            .map(|(_, pair)| *pair)
    };
    all.filter(|set| chosen(*set).is_sorted_by(|a, b| a < b))
        .map(u32::count_ones)
        .max()
        .unwrap_or(0) as usize
}

/// So many that comparing each hunk with each other would take minutes. With 200,000 (20 MB) this gives the time that
/// the module names.
const MANY: u32 = 20_000;

#[test]
fn very_many_hunks_are_compared_at_once() {
    let patch = |changed: u8| {
        let piece_no = |n| piece(n, if n % 2 == 0 { changed } else { 0 });
        edited(
            0,
            [changed, changed + 2],
            &(0..MANY).map(piece_no).collect::<Vec<_>>(),
        )
    };
    let (approved, new) = (patch(1), patch(2));
    let (approved, new) = (
        parts(approved.as_bytes()).unwrap(),
        parts(new.as_bytes()).unwrap(),
    );
    let since = since(&approved, &new).unwrap();
    let [FileSince::Changed { hunks, .. }] = &since.files[..] else {
        panic!("one file that changed");
    };
    let kept = hunks
        .iter()
        .filter(|hunk| matches!(hunk, HunkSince::Kept { .. }));
    assert_eq!(kept.count(), MANY as usize / 2);
    let changed = hunks
        .iter()
        .filter(|hunk| matches!(hunk, HunkSince::Changed { .. }));
    assert_eq!(changed.count(), MANY as usize / 2);
}

/// A patch of one hunk.
fn hunk_of(lines: &str) -> String {
    let (a, b) = ("1".repeat(40), "2".repeat(40));
    let count = |sign| lines.lines().filter(|line| !line.starts_with(sign)).count();
    let (old, new) = (count('+'), count('-'));
    format!(
        "diff --git a/x b/x\nindex {a}..{b} 100644\n--- a/x\n+++ b/x\n@@ -{},{old} +{},{new} @@\n{lines}",
        old.min(1),
        new.min(1)
    )
}

fn lines_told(was: &str, now: &str) -> String {
    let (was, now) = (hunk_of(was), hunk_of(now));
    let (was, now) = (
        parts(was.as_bytes()).unwrap(),
        parts(now.as_bytes()).unwrap(),
    );
    let (was, now) = (hunks(was[0].body).unwrap(), hunks(now[0].body).unwrap());
    let tell = |line: &LineSince<'_>| {
        let (word, line) = match line {
            LineSince::Kept(line) => ("", line),
            LineSince::New(line) => ("now ", line),
            LineSince::Gone(line) => ("was ", line),
        };
        let sign = match line.kind {
            LineKind::Context => ' ',
            LineKind::Added => '+',
            LineKind::Removed => '-',
        };
        format!("{word}{sign}{}\n", String::from_utf8_lossy(line.text))
    };
    lines_since(&now[0], &was[0]).iter().map(tell).collect()
}

#[test]
fn within_a_hunk_each_line_is_kept_new_or_gone() {
    let told = lines_told(" a\n-b\n+c\n+d\n e\n", " a\n-b\n+c\n+D\n+f\n e\n");
    assert_eq!(told, " a\n-b\n+c\nwas +d\nnow +D\nnow +f\n e\n");
    // The same words with another sign are not the same line.
    let told = lines_told("-a\n+b\n c\n", " a\n+b\n c\n");
    assert_eq!(told, "was -a\nnow  a\n+b\n c\n");
    assert_eq!(lines_told("+a\n", "+a\n+b\n"), "+a\nnow +b\n");
}

proptest! {
    #[test]
    fn no_line_of_either_hunk_is_left_out(
        was in vec(0_u8..4, 1..30), now in vec(0_u8..4, 1..30),
    ) {
        let lines = |all: &[u8]| -> String { all.iter().map(|n| format!("+{n}\n")).collect() };
        let (was, now) = (lines(&was), lines(&now));
        let told = lines_told(&was, &now);
        let only = |not: &str, word: &str| -> String {
            let lines = told.lines().filter(|line| !line.starts_with(not));
            lines.map(|line| line.strip_prefix(word).unwrap_or(line).to_owned() + "\n").collect()
        };
        prop_assert_eq!(only("was ", "now "), now);
        prop_assert_eq!(only("now ", "was "), was);
    }
}
