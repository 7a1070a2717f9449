//! Real patches (`fixtures/patches`, made by git from small repositories) and liars.

use super::*;
use proptest::prelude::*;

macro_rules! fixtures {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../fixtures/patches/", $name, ".patch")))),*]
    };
}

const FIXTURES: &[(&str, &[u8])] = fixtures![
    "binary",
    "copy",
    "crlf",
    "empty",
    "empty-added",
    "empty-deleted",
    "hunks",
    "looks-like-headers",
    "mode",
    "names",
    "names-added",
    "names-mode-only",
    "names-not-quoted",
    "names-renamed",
    "no-newline",
    "nothing",
    "rename",
    "rename-edit",
    "rename-mode",
    "sha256",
    "submodule",
    "suppressed-blank",
    "symlink",
    "three-thousand-lines",
    "three-thousand-lines-added",
];

fn fixture(name: &str) -> &'static [u8] {
    FIXTURES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, patch)| *patch)
        .unwrap()
}

/// Several fixtures in one snapshot, each under its name.
fn all(names: &[&str], text: fn(&str) -> String) -> String {
    names
        .iter()
        .map(|name| format!("{name}:\n{}\n\n", text(name)))
        .collect()
}

/// One line a file, as a reviewer would want to hear it.
fn told(name: &str) -> String {
    let files = split(fixture(name)).unwrap();
    let lines: Vec<String> = files.iter().map(tell).collect();
    lines.join("\n")
}

fn tell(file: &FilePatch) -> String {
    let name = |name: &Option<FileName>| match name {
        Some(name) => format!("{:?}", name.display()),
        None => "-".to_owned(),
    };
    let mode = |mode: Option<Mode>| mode.map_or("-", Mode::as_str);
    let blob = |id: &Option<String>| {
        id.as_deref()
            .unwrap_or("-")
            .get(..7)
            .unwrap_or("-")
            .to_owned()
    };
    format!(
        "{:?} {} {} | {} {} | {}..{}{} +{} -{}",
        file.status,
        name(&file.old),
        name(&file.new),
        mode(file.old_mode),
        mode(file.new_mode),
        blob(&file.old_blob),
        blob(&file.new_blob),
        if file.binary { " binary" } else { "" },
        file.added,
        file.removed,
    )
}

/// The hunks of the only file of this fixture, as text.
fn drawn(name: &str) -> String {
    let patch = fixture(name);
    let mut out = String::new();
    for file in split(patch).unwrap() {
        for hunk in hunks(&patch[file.body.clone()]).unwrap() {
            out += &format!(
                "@@ {},{} {},{} {}\n",
                hunk.old_start,
                hunk.old_lines,
                hunk.new_start,
                hunk.new_lines,
                String::from_utf8_lossy(hunk.section)
            );
            for line in hunk.lines.iter() {
                let no = |no: Option<u32>| no.map_or_else(String::new, |no| no.to_string());
                let sign = match line.kind {
                    LineKind::Context => ' ',
                    LineKind::Added => '+',
                    LineKind::Removed => '-',
                };
                out += &format!(
                    "{:>3} {:>3} {sign}{:?}{}\n",
                    no(line.old_no),
                    no(line.new_no),
                    String::from_utf8_lossy(line.text),
                    if line.no_newline { " (end)" } else { "" }
                );
            }
        }
    }
    out
}

#[test]
fn the_bodies_of_all_files_together_are_the_patch() {
    for (name, patch) in FIXTURES {
        let files = split(patch).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut at = 0;
        for file in &files {
            assert_eq!(file.body.start, at, "{name}");
            at = file.body.end;
        }
        assert_eq!(at, patch.len(), "{name}");
    }
}

#[test]
fn each_body_is_a_patch_of_its_own_with_the_same_counts() {
    for (name, patch) in FIXTURES {
        for file in split(patch).unwrap() {
            let body = &patch[file.body.clone()];
            let count = |kind| {
                let all = hunks(body).unwrap();
                let lines = all.iter().flat_map(|hunk| hunk.lines.iter());
                lines.filter(|line| line.kind == kind).count()
            };
            assert_eq!(count(LineKind::Added), file.added as usize, "{name}");
            assert_eq!(count(LineKind::Removed), file.removed as usize, "{name}");
            let again = split(body).unwrap();
            let moved = FilePatch {
                body: 0..body.len(),
                ..file
            };
            assert_eq!(again, [moved], "{name}");
        }
    }
}

#[test]
fn no_bytes_are_no_files() {
    assert_eq!(split(b""), Ok(Vec::new()));
    assert_eq!(fixture("nothing"), b"");
}

#[test]
fn renames_copies_and_modes_are_told() {
    insta::assert_snapshot!(all(
        &["rename", "rename-edit", "rename-mode", "copy", "mode"],
        told
    ));
}

#[test]
fn links_submodules_binaries_and_empty_files_are_told() {
    insta::assert_snapshot!(all(
        &[
            "symlink",
            "submodule",
            "binary",
            "empty",
            "empty-added",
            "empty-deleted",
            "sha256"
        ],
        told
    ));
}

#[test]
fn strange_names_are_read_wherever_git_writes_them() {
    insta::assert_snapshot!(all(
        &["names", "names-added", "names-mode-only", "names-renamed"],
        told
    ));
    let names = |name| {
        let files = split(fixture(name)).unwrap();
        files.into_iter().map(|file| file.new).collect::<Vec<_>>()
    };
    assert_eq!(names("names"), names("names-not-quoted"));
    assert_eq!(names("names"), names("names-mode-only"));
    assert_eq!(names("names"), names("names-added"));
}

#[test]
fn hunks_have_line_numbers_sections_and_ends() {
    insta::assert_snapshot!(all(&["hunks", "no-newline", "crlf"], drawn));
}

#[test]
fn a_line_that_looks_like_a_header_is_a_line() {
    insta::assert_snapshot!(told("looks-like-headers") + "\n" + &drawn("looks-like-headers"));
}

#[test]
fn an_empty_context_line_may_lack_its_sign() {
    insta::assert_snapshot!(drawn("suppressed-blank"));
}

#[test]
fn three_thousand_lines_are_counted() {
    insta::assert_snapshot!(all(
        &["three-thousand-lines", "three-thousand-lines-added"],
        told
    ));
}

/// A patch that is fine, for liars to change.
const GOOD: &str = "\
diff --git a/x b/x
index 1111111111111111111111111111111111111111..2222222222222222222222222222222222222222 100644
--- a/x
+++ b/x
@@ -1,2 +1,2 @@ fn main() {
 one
-two
+zwei
@@ -9 +9,2 @@
 nine
+ten
";

fn refused(patch: &str) -> String {
    split(patch.as_bytes()).unwrap_err().to_string()
}

#[test]
fn the_patch_that_liars_start_from_is_fine() {
    assert_eq!(split(GOOD.as_bytes()).unwrap().len(), 1);
}

#[test]
fn a_liar_is_told_the_line_and_what_was_expected() {
    let liars = [
        ("@@ -1,2 +1,2", "@@ -1,3 +1,2"),
        ("@@ -1,2 +1,2", "@@ -1,2 +1,1"),
        ("@@ -1,2 +1,2", "@@ -1,2 +7,2"),
        ("@@ -1,2 +1,2", "@@ -01,2 +1,2"),
        ("@@ -1,2 +1,2", "@@ -4294967295,2 +4294967295,2"),
        ("@@ -1,2 +1,2", "@@ -1,99999999999 +1,2"),
        ("@@ -9 +9,2", "@@ -2 +2,2"),
        ("@@ -9 +9,2", "@@ -9 +10,2"),
        ("@@ -9 +9,2", "@@ +9,2 -9"),
        ("@@ -9 +9,2 @@", "@@ -9 +9,2 @@x"),
        ("+zwei", "zwei"),
        ("+ten\n", "+ten"),
        ("+ten\n", " ten\n"),
        ("+ten\n", "+ten\n\n"),
        ("+ten\n", "+ten\n more\n"),
        ("+ten\n", ""),
        (
            "-two\n",
            "-two\n\\ No newline at end of file\n\\ No newline at end of file\n",
        ),
        ("+zwei\n", "+zwei\n\\ No newline at end of file\n"),
        (" one\n", " one\n\\ No newline at end of file\n"),
        ("+ten\n", "+ten\n\\ No newline, he says\n"),
        ("--- a/x", "--- a/y"),
        ("+++ b/x", "+++ b/y"),
        ("+++ b/x", "+++ /dev/null"),
        ("--- a/x\n", ""),
        ("+++ b/x\n", ""),
        ("a/x b/x", "a/x b/y"),
        ("a/x b/x", "x x"),
        ("a/x b/x\n", "a/x b/x\nold mode 100644\nnew mode 100755\n"),
        ("a/x b/x\n", "a/x b/x\nold mode 100644\nnew mode 100644"),
        ("a/x b/x\n", "a/x b/x\nnew file mode 100644\n"),
        ("a/x b/x\n", "a/x b/x\ndeleted file mode 100644\n"),
        ("a/x b/x\n", "a/x b/x\nsimilarity index 90%\n"),
        (
            "a/x b/x\n",
            "a/x b/x\nsimilarity index 190%\nrename from x\nrename to x\n",
        ),
        (
            "a/x b/x\n",
            "a/x b/x\nsimilarity index 90%\nrename from x\nrename to y\n",
        ),
        ("a/x b/x\n", "a/x b/x\ndissimilarity index 90%\n"),
        (" 100644", " 100666"),
        ("2222222222222222222222222222222222222222", "2222222"),
        (
            "2222222222222222222222222222222222222222",
            "0000000000000000000000000000000000000000",
        ),
        (
            "2222222222222222222222222222222222222222",
            "1111111111111111111111111111111111111111",
        ),
        ("diff --git", "commit 12\ndiff --git"),
        ("diff --git", "diff --cc"),
        ("\n", "\r\n"),
    ];
    let told: Vec<String> = liars
        .iter()
        .map(|(from, to)| {
            let lie = GOOD.replacen(from, to, if *from == "\n" { 99 } else { 1 });
            assert_ne!(lie, GOOD);
            format!("{from:?} as {to:?}\n    {}", refused(&lie))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn content_that_is_announced_must_be_shown() {
    let hidden: String = GOOD
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    let nothing = "diff --git a/x b/x\n";
    let differ = format!("{hidden}Binary files a/x and b/x differ\n");
    let added = format!(
        "diff --git a/x b/x\nnew file mode 100644\nindex {}..{}\n",
        "0".repeat(40),
        "1".repeat(40)
    );
    for lie in [&hidden, nothing, &differ, &added] {
        assert!(split(lie.as_bytes()).is_err(), "{lie}");
    }
}

#[test]
fn a_new_file_has_no_old_lines() {
    let patch = format!(
        "diff --git a/x b/x\nnew file mode 100644\nindex {}..{}\n--- /dev/null\n+++ b/x\n",
        "0".repeat(40),
        "1".repeat(40)
    );
    assert!(split(format!("{patch}@@ -0,0 +1 @@\n+a\n").as_bytes()).is_ok());
    assert!(split(format!("{patch}@@ -1 +1 @@\n-b\n+a\n").as_bytes()).is_err());
    assert!(split(format!("{patch}@@ -1 +1 @@\n a\n").as_bytes()).is_err());
}

#[test]
fn a_file_comes_once_or_deleted_and_added_as_something_else() {
    assert!(split(fixture("symlink")).is_ok());
    assert_eq!(
        refused(&GOOD.repeat(2)),
        "line 12 of the patch: expected each file once"
    );
}

#[test]
fn hunks_are_asked_of_one_file() {
    let two = fixture("mode");
    assert!(hunks(two).is_err());
    assert!(hunks(b"").is_err());
}

#[test]
fn limits_are_told_before_any_work() {
    let large = vec![b'x'; MAX_BYTES + 1];
    assert_eq!(
        split(&large).unwrap_err().to_string(),
        "the patch is 20000001 bytes long; 20000000 are accepted"
    );
    let files = |n: usize| -> String {
        let one = |n| format!("diff --git a/{n} b/{n}\nold mode 100644\nnew mode 100755\n");
        (0..n).map(one).collect()
    };
    assert_eq!(split(files(MAX_FILES).as_bytes()).unwrap().len(), MAX_FILES);
    assert_eq!(
        split(files(MAX_FILES + 1).as_bytes()),
        Err(PatchError::TooManyFiles)
    );
}

#[test]
fn the_largest_patch_of_empty_lines_takes_no_memory_a_line() {
    let lines = (MAX_BYTES - 400) / 2;
    let mut patch = format!(
        "diff --git a/x b/x\nnew file mode 100644\nindex {}..{}\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,{lines} @@\n",
        "0".repeat(40),
        "1".repeat(40)
    );
    patch.push_str(&"+\n".repeat(lines));
    let files = split(patch.as_bytes()).unwrap();
    assert_eq!(files[0].added as usize, lines);
    assert_eq!(hunks(patch.as_bytes()).unwrap().len(), 1);
}

/// A real patch with a few bytes replaced, put in or taken out.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let edits =
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..4);
    (0..FIXTURES.len(), edits).prop_map(|(which, edits)| {
        let mut patch = FIXTURES[which].1.to_vec();
        for (at, byte, how) in edits {
            if patch.is_empty() {
                break;
            }
            let at = at.index(patch.len());
            match how {
                0 => patch[at] = byte,
                1 => patch.insert(at, byte),
                2 => patch.truncate(at),
                _ => drop(patch.remove(at)),
            }
        }
        patch
    })
}

proptest! {
    #[test]
    fn anything_at_all_is_read_or_refused(patch in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = split(&patch);
        let _ = hunks(&patch);
    }

    #[test]
    fn a_damaged_patch_is_refused_or_still_whole(patch in damaged()) {
        if let Ok(files) = split(&patch) {
            let together: Vec<u8> = files.iter().flat_map(|f| patch[f.body.clone()].to_vec()).collect();
            prop_assert_eq!(&together, &patch);
            for file in files {
                let body = &patch[file.body.clone()];
                let hunks = hunks(body).unwrap();
                let lines = hunks.iter().map(|hunk| hunk.lines.iter().count()).sum::<usize>();
                let said = hunks.iter().map(|h| h.old_lines.max(h.new_lines) as usize).sum::<usize>();
                prop_assert!(lines >= said);
                prop_assert!(lines >= (file.added + file.removed) as usize);
            }
        }
    }
}
