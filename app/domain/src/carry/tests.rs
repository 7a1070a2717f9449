//! One approved change, made by git (`fixtures/carry`), and what is like it but is not it.
//!
//! Each look-alike is held against the approved patch and against the same change on a moved base, so that it is refused
//! for what it is and not because the base differs.

use super::*;
use crate::patch::parts;
use proptest::{prelude::*, sample::Index};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../fixtures/carry/", $name, ".patch"))
    };
}

const APPROVED: &[u8] = fixture!("approved");
/// The same change after the target got two more lines at the beginning of `pay.c`.
const BASE_MOVED: &[u8] = fixture!("base-moved");
const REVERT: &[u8] = fixture!("revert");

/// These change nothing but a name and a mode, so they name no blobs.
const RENAME: &[u8] = include_bytes!("../../fixtures/patches/rename.patch");
const MODE: &[u8] = include_bytes!("../../fixtures/patches/mode.patch");

struct Revision<'a> {
    target: Branch,
    merge_base: CommitSha,
    files: Vec<Part<'a>>,
}

impl<'a> Revision<'a> {
    fn read(base: char, patch: &'a [u8]) -> Option<Self> {
        Some(Self {
            target: Branch::parse("main").unwrap(),
            merge_base: CommitSha::parse(base.to_string().repeat(40)).unwrap(),
            files: parts(patch).ok()?,
        })
    }

    fn side(&self) -> Side<'_> {
        Side {
            target: &self.target,
            merge_base: &self.merge_base,
            files: &self.files,
        }
    }
}

/// This patch to `main`, from the merge base `aaaa…`, `bbbb…`
fn on(base: char, patch: &[u8]) -> Revision<'_> {
    Revision::read(base, patch).unwrap()
}

fn proved(old: &Revision<'_>, new: &Revision<'_>, allowed: &[Proof]) -> Option<Proof> {
    proof(&old.side(), &new.side(), allowed)
}

fn undoes(new: &[u8], undone: &[u8]) -> bool {
    only_undoes(&on('b', new).side(), &on('a', undone).side())
}

/// The patch with one piece of its text replaced, where it stands first.
fn with(patch: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = patch.windows(from.len()).position(|w| w == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("{from:?} is not in the patch"));
    [&patch[..at], to.as_bytes(), &patch[at + from.len()..]].concat()
}

#[test]
fn a_change_that_the_target_did_not_touch_is_proved_by_its_blobs() {
    let (old, new) = (on('a', APPROVED), on('b', APPROVED));
    assert_eq!(proved(&old, &new, &Proof::ALL), Some(Proof::Blobs));
    assert_eq!(proved(&old, &new, &[Proof::Blobs]), Some(Proof::Blobs));
    assert_eq!(proved(&old, &new, &[Proof::Patch]), Some(Proof::Patch));
}

#[test]
fn blobs_are_the_same_in_whatever_order_they_are_listed_and_a_patch_is_not() {
    let (old, mut new) = (on('a', APPROVED), on('b', APPROVED));
    new.files.reverse();
    assert_eq!(proved(&old, &new, &Proof::ALL), Some(Proof::Blobs));
    assert_eq!(proved(&old, &new, &[Proof::Patch]), None);
}

#[test]
fn a_change_beside_which_the_target_moved_is_proved_line_by_line_where_policy_names_that() {
    let (old, new) = (on('a', APPROVED), on('b', BASE_MOVED));
    assert_eq!(proved(&old, &new, &Proof::ALL), Some(Proof::Patch));
    assert_eq!(proved(&old, &new, &[Proof::Blobs, Proof::Tree]), None);
}

#[test]
fn nothing_that_is_stored_proves_a_tree() {
    assert_eq!(
        proved(&on('a', APPROVED), &on('a', APPROVED), &[Proof::Tree]),
        None
    );
}

#[test]
fn every_proof_has_a_word_of_its_own() {
    for proof in Proof::ALL {
        assert_eq!(Proof::parse(proof.as_str()), Some(proof));
    }
    assert_eq!(Proof::parse("similar"), None);
}

#[test]
fn where_policy_names_no_proof_nothing_carries_over() {
    assert_eq!(proved(&on('a', APPROVED), &on('a', APPROVED), &[]), None);
}

#[test]
fn the_same_change_to_another_target_is_another_change() {
    let old = on('a', APPROVED);
    let mut new = on('a', APPROVED);
    new.target = Branch::parse("release").unwrap();
    assert_eq!(proved(&old, &new, &Proof::ALL), None);
}

#[test]
fn a_file_whose_blobs_are_not_named_is_the_same_on_the_same_base_only() {
    for patch in [RENAME, MODE] {
        let same = proved(&on('a', patch), &on('a', patch), &Proof::ALL);
        assert_eq!(same, Some(Proof::Blobs));
        for allowed in [Proof::Blobs, Proof::Patch] {
            assert_eq!(proved(&on('a', patch), &on('b', patch), &[allowed]), None);
        }
    }
}

#[test]
fn one_file_more_or_fewer_at_the_end_is_another_change() {
    let more = [APPROVED, &edit('1', '2', "@@ -1 +1 @@\n-a\n+b\n")].concat();
    assert_no_proof(&more);
}

#[test]
fn the_header_says_the_same_on_a_moved_base_too() {
    type Header<'a> = (&'a str, &'a str, &'a str, &'a str);
    let edit = |(old, new, lines, mode): Header<'_>, blobs: [char; 2]| {
        let [from, to] = blobs.map(|blob| blob.to_string().repeat(40));
        format!(
            "diff --git a/{old} b/{new}\n{lines}index {from}..{to}{mode}\n--- a/{old}\n+++ b/{new}\n@@ -1 +1 @@\n-a\n+b\n"
        )
    };
    let is_proved = |old, new| {
        let (old, new) = (edit(old, ['1', '2']), edit(new, ['3', '4']));
        let (old, new) = (on('a', old.as_bytes()), on('b', new.as_bytes()));
        let found = proved(&old, &new, &Proof::ALL);
        assert_eq!(found, proved(&new, &old, &Proof::ALL));
        found.is_some()
    };
    let moved = |to| format!("similarity index 90%\nrename from x\nrename to {to}\n");
    let (to_itself, to_y) = (moved("x"), moved("y"));

    let plain = ("x", "x", "", " 100644");
    let executable = ("x", "x", "old mode 100644\nnew mode 100755\n", "");
    let renamed = ("x", "y", to_y.as_str(), " 100644");
    assert!(is_proved(plain, plain));
    assert!(is_proved(executable, executable));
    assert!(!is_proved(plain, executable));
    assert!(!is_proved(plain, ("x", "x", "", " 100755")));
    assert!(!is_proved(executable, ("x", "x", "", " 100755")));
    assert!(!is_proved(plain, ("y", "y", "", " 100644")));
    assert!(!is_proved(plain, ("x", "x", &to_itself, " 100644")));
    // What else the file holds by now would come to the new name unread.
    assert!(!is_proved(renamed, renamed));
}

/// Holds a patch against the approved one on its own base, on another, and on the moved one, both ways.
fn assert_no_proof(patch: &[u8]) {
    for (base, known) in [('a', APPROVED), ('b', APPROVED), ('b', BASE_MOVED)] {
        let (known, new) = (on(base, known), on('a', patch));
        assert_eq!(proved(&known, &new, &Proof::ALL), None);
        assert_eq!(proved(&new, &known, &Proof::ALL), None);
    }
}

macro_rules! look_alikes {
    ($($test:ident: $name:literal),* $(,)?) => {
        const LOOK_ALIKES: &[&[u8]] = &[$(fixture!($name)),*];
        $(
            #[test]
            fn $test() {
                assert_no_proof(fixture!($name));
            }
        )*
    };
}

look_alikes! {
    one_changed_byte_is_another_change: "one-byte",
    another_mode_is_another_change: "mode",
    a_rename_with_an_edit_is_another_change: "rename-edit",
    a_new_file_is_another_change: "new-file",
    the_same_lines_in_another_function_are_another_change: "another-function",
    the_same_lines_in_a_function_that_looks_the_same_are_another_change: "twin-function",
    two_hunks_swapped_are_another_change: "hunks-swapped",
    a_changed_line_in_the_context_is_another_change: "context",
    another_commit_of_a_submodule_is_another_change: "submodule",
    no_newline_at_the_end_is_another_change: "no-newline",
    other_white_space_is_another_change: "whitespace",
    a_carriage_return_is_another_change: "crlf",
    the_same_content_under_another_name_is_another_change: "another-name",
    a_symlink_for_a_file_is_another_change: "symlink",
    other_bytes_of_a_binary_file_are_another_change: "binary",
}

#[test]
fn lines_that_stand_elsewhere_in_the_same_content_are_another_change() {
    let at = |line: u32| format!("@@ -{line},3 +{line},4 @@\n a\n b\n c\n+d\n");
    let old = edit('1', '2', &at(8));
    for (blobs, is_same) in [(['3', '4'], true), (['1', '4'], false), (['3', '2'], false)] {
        let new = edit(blobs[0], blobs[1], &at(9));
        let found = proved(&on('a', &old), &on('b', &new), &Proof::ALL);
        assert_eq!(found.is_some(), is_same, "{blobs:?}");
    }
}

#[test]
fn lines_on_a_moved_base_are_the_same_only_where_the_base_moved() {
    let (old, new) = (on('a', APPROVED), on('a', BASE_MOVED));
    assert_eq!(proved(&old, &new, &Proof::ALL), None);
}

/// An edit of a file `x` with these blobs and hunks.
fn edit(old: char, new: char, hunks: &str) -> Vec<u8> {
    let (old, new) = (old.to_string().repeat(40), new.to_string().repeat(40));
    format!("diff --git a/x b/x\nindex {old}..{new} 100644\n--- a/x\n+++ b/x\n{hunks}").into()
}

fn proved_by_patch(approved: &str, new: &str) -> bool {
    let (old, new) = (edit('1', '2', approved), edit('3', '4', new));
    proved(&on('a', &old), &on('b', &new), &Proof::ALL) == Some(Proof::Patch)
}

#[test]
fn each_proof_says_something_else() {
    let said = Proof::ALL.map(Proof::sentence);
    assert!(said[0].contains("blobs") && said[1].contains("tree") && said[2].contains("line"));
}

#[test]
fn fewer_than_three_lines_of_context_are_no_proof() {
    let (old, new) = (fixture!("narrow"), fixture!("narrow-base-moved"));
    assert_eq!(proved(&on('a', old), &on('b', new), &Proof::ALL), None);

    const LAST: &str = "@@ -22,4 +22,3 @@\n a\n b\n c\n-d\n";
    let first =
        |after: &str, lines: usize| format!("@@ -1,{lines} +1,{lines} @@\n-x\n+y\n{after}{LAST}");
    let (wide, short) = (first(" a\n b\n c\n", 4), first(" a\n b\n", 3));
    assert!(proved_by_patch(&wide, &wide));
    assert!(!proved_by_patch(&short, &short));
}

#[test]
fn the_beginning_of_a_file_stands_for_context_only_where_it_is_the_beginning() {
    let at = |line: u32| format!("@@ -{line},5 +{line},6 @@\n a\n b\n+x\n c\n d\n e\n");
    assert!(proved_by_patch(&at(1), &at(1)));
    assert!(!proved_by_patch(&at(1), &at(9)));
    assert!(!proved_by_patch(&at(9), &at(1)));
}

#[test]
fn one_hunk_more_or_fewer_is_another_change() {
    const ONE: &str = "@@ -1,4 +1,4 @@\n-x\n+y\n a\n b\n c\n";
    const TWO: &str = "@@ -1,4 +1,4 @@\n-x\n+y\n a\n b\n c\n@@ -22,3 +22,4 @@\n a\n b\n c\n+d\n";
    assert!(proved_by_patch(ONE, ONE));
    assert!(!proved_by_patch(ONE, TWO));
    assert!(!proved_by_patch(TWO, ONE));
}

#[test]
fn a_revert_undoes_a_change_and_the_change_undoes_the_revert() {
    assert!(undoes(REVERT, APPROVED));
    assert!(undoes(APPROVED, REVERT));
}

macro_rules! no_reverts {
    ($($test:ident: $name:literal),* $(,)?) => {$(
        #[test]
        fn $test() {
            assert!(!undoes(fixture!($name), APPROVED));
        }
    )*};
}

no_reverts! {
    a_revert_with_one_more_line_is_no_revert: "revert-one-more-line",
    a_revert_with_one_more_file_is_no_revert: "revert-one-more-file",
    a_revert_with_one_file_fewer_is_no_revert: "revert-one-file-fewer",
    a_revert_with_another_mode_is_no_revert: "revert-mode",
    a_partial_revert_is_no_revert: "revert-partial",
    a_revert_in_a_file_that_others_changed_since_is_no_proof: "revert-base-moved",
    the_change_itself_is_no_revert: "approved",
}

#[test]
fn a_revert_on_another_target_is_no_revert() {
    let undone = on('a', APPROVED);
    let mut new = on('b', REVERT);
    assert!(only_undoes(&new.side(), &undone.side()));
    new.target = Branch::parse("release").unwrap();
    assert!(!only_undoes(&new.side(), &undone.side()));
}

#[test]
fn an_empty_patch_proves_nothing() {
    assert_eq!(proved(&on('a', b""), &on('a', b""), &Proof::ALL), None);
}

#[test]
fn nothing_undoes_nothing() {
    assert!(!undoes(b"", b""));
}

#[test]
fn renaming_back_a_file_whose_content_is_not_named_is_no_proof() {
    let there = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n";
    let back = "diff --git a/y b/x\nsimilarity index 100%\nrename from y\nrename to x\n";
    assert!(!undoes(back.as_bytes(), there.as_bytes()));
}

#[test]
fn a_copy_is_nobodys_other_side() {
    let blobs = ["1".repeat(40), "2".repeat(40)];
    let moved = |what: &str, [old, new]: [&str; 2], [from, to]: [&String; 2], line: &str| {
        format!(
            "diff --git a/{old} b/{new}\nsimilarity index 90%\n{what} from {old}\n{what} to {new}\n\
             index {from}..{to} 100644\n--- a/{old}\n+++ b/{new}\n@@ -1 +1 @@\n{line}"
        )
    };
    let [one, two] = &blobs;
    let there = |what| moved(what, ["x", "y"], [one, two], "-a\n+b\n");
    let back = |what| moved(what, ["y", "x"], [two, one], "-b\n+a\n");
    assert!(undoes(
        back("rename").as_bytes(),
        there("rename").as_bytes()
    ));
    assert!(!undoes(back("rename").as_bytes(), there("copy").as_bytes()));
    assert!(!undoes(back("copy").as_bytes(), there("rename").as_bytes()));
}

#[test]
fn exchanged_blobs_over_other_lines_are_no_revert() {
    let lie = with(REVERT, "-    note(total);", "-    gone(total);");
    assert!(!undoes(&lie, APPROVED));
    let lie = with(REVERT, "+v1\n\\ No newline at end of file\n", "+v1\n");
    assert!(!undoes(&lie, APPROVED));
}

fn any_fixture() -> impl Strategy<Value = &'static [u8]> {
    let known: Vec<&[u8]> = LOOK_ALIKES
        .iter()
        .copied()
        .chain([APPROVED, BASE_MOVED, REVERT, RENAME, MODE])
        .collect();
    proptest::sample::select(known)
}

/// The patch with one byte replaced by another, and where.
fn one_byte_else(patch: &'static [u8]) -> impl Strategy<Value = (Vec<u8>, usize)> {
    (any::<Index>(), 1..=255_u8).prop_map(move |(at, by)| {
        let mut patch = patch.to_vec();
        let at = at.index(patch.len());
        patch[at] = patch[at].wrapping_add(by);
        (patch, at)
    })
}

/// The line of a patch that this byte stands in.
fn line_of(patch: &[u8], at: usize) -> &[u8] {
    let start = patch[..at]
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |n| n + 1);
    let line = &patch[start..];
    &line[..line.iter().position(|&b| b == b'\n').unwrap_or(line.len())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_patch_with_another_byte_anywhere_is_proved(
        (known, (other, _)) in any_fixture().prop_flat_map(|known| (Just(known), one_byte_else(known))),
        base in proptest::sample::select(vec!['a', 'b']),
    ) {
        let known = on('a', known);
        if let Some(other) = Revision::read(base, &other) {
            prop_assert_eq!(proved(&known, &other, &Proof::ALL), None);
            prop_assert_eq!(proved(&other, &known, &Proof::ALL), None);
        }
    }

    #[test]
    fn no_patch_with_another_byte_is_proved_line_by_line((other, at) in one_byte_else(BASE_MOVED)) {
        let line = line_of(BASE_MOVED, at);
        // The blobs and line numbers are what may differ there.
        let may_differ = line.starts_with(b"index ") || line.starts_with(b"@@ ");
        if let Some(other) = Revision::read('b', &other).filter(|_| !may_differ) {
            prop_assert_eq!(proved(&on('a', APPROVED), &other, &Proof::ALL), None);
        }
    }

    #[test]
    fn every_change_is_proved_to_be_itself(patch in any_fixture()) {
        prop_assert_eq!(proved(&on('a', patch), &on('a', patch), &Proof::ALL), Some(Proof::Blobs));
        prop_assert_eq!(proved(&on('a', patch), &on('a', patch), &[Proof::Patch]), Some(Proof::Patch));
    }

    #[test]
    fn a_proof_holds_both_ways(
        one in any_fixture(),
        two in any_fixture(),
        base in proptest::sample::select(vec!['a', 'b']),
        allowed in proptest::sample::subsequence(Proof::ALL.to_vec(), 0..=3),
    ) {
        let (one, two) = (on('a', one), on(base, two));
        prop_assert_eq!(proved(&one, &two, &allowed), proved(&two, &one, &allowed));
    }

    #[test]
    fn no_revert_with_another_byte_in_what_it_adds_and_removes_is_one((other, at) in one_byte_else(REVERT)) {
        let line = line_of(REVERT, at);
        let says = matches!(line.first(), Some(b'+' | b'-' | b'\\')) || line.starts_with(b"index ");
        if says && parts(&other).is_ok() {
            prop_assert!(!undoes(&other, APPROVED));
        }
    }
}
