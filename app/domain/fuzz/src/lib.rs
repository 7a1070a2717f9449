//! What is done with hostile bytes: one function for each parser of `domain`, which panics where it breaks its word.
//!
//! `cargo fuzz` searches with them for inputs that do, and `domain`'s tests feed them the seeds and mutations of those.

use domain::{
    commit::{Commit, Signature},
    contributor,
    names::{Branch, ChangeKey, CommitSha, RepositoryName},
    patch::{self, LineKind},
    policy::Document,
    provenance::{self, Beside, MOST_MARKS, MOST_TEXT, Mark, Note, Trace},
};

/// One parser: its name, which its seeds' folder bears, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: &[Target] = &[
    ("patch", patch),
    ("since", since),
    ("policy", policy),
    ("message", message),
    ("identity", identity),
    ("description", description),
    ("note", note),
    ("trace", trace),
    ("names", names),
];

/// A patch that can be read is all there, file after file, and its lines are as many as its headers say.
pub fn patch(bytes: &[u8]) {
    let Ok(files) = patch::split(bytes) else {
        return;
    };
    let mut end = 0;
    for file in &files {
        assert_eq!(file.body.start, end, "nothing lies between two files");
        end = file.body.end;
        let hunks = patch::hunks(&bytes[file.body.clone()]);
        let hunks = hunks.expect("what was split can be read");
        let of = |kind| {
            let lines = hunks.iter().flat_map(|hunk| hunk.lines.iter());
            lines.filter(|line| line.kind == kind).count()
        };
        let counted = (of(LineKind::Added), of(LineKind::Removed));
        assert_eq!(counted, (file.added as usize, file.removed as usize));
    }
    assert_eq!(end, bytes.len(), "nothing lies behind the last file");
}

/// Two patches with a zero byte between them: what changed from one to the other, and which lines are carried.
pub fn since(bytes: &[u8]) {
    let Some(middle) = bytes.iter().position(|byte| *byte == 0) else {
        return;
    };
    let (old, new) = (&bytes[..middle], &bytes[middle + 1..]);
    let (Ok(before), Ok(after)) = (patch::parts(old), patch::parts(new)) else {
        return;
    };
    let _ = patch::since(&before, &after);
    let told = claiming_all(&before);
    let Ok(rows) = provenance::written(&told, &head(), old) else {
        return;
    };
    let carried = provenance::carried(&rows, old, new, &[]);
    for row in carried.expect("both can be read") {
        let part = after.iter().find(|part| {
            part.file
                .new
                .as_ref()
                .is_some_and(|name| name.as_bytes() == row.path)
        });
        let body = part.expect("a file of the patch").body;
        let share = provenance::share(&[&row], body).expect("it can be read");
        let share = share.expect("there is a row");
        assert_eq!(
            share.written,
            provenance::count(&row.ranges),
            "only added lines"
        );
    }
}

/// A policy, or its faults.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Document::parse(text) {
        Ok(document) => drop(document.reads_paths()),
        Err(faults) => {
            assert!(!faults.is_empty());
            assert!(faults.iter().all(|fault| fault.line >= 1));
        }
    }
}

/// The message of a commit.
pub fn message(bytes: &[u8]) {
    let one = commit("Ana <ana@halden.example>", bytes.to_vec());
    is_bounded(&provenance::marks(std::slice::from_ref(&one), None));
    let _ = contributor::of_commit(&one);
}

/// Who committed.
pub fn identity(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let one = commit(&text, b"Pay once\n".to_vec());
    is_bounded(&provenance::marks(std::slice::from_ref(&one), None));
    let _ = contributor::of_commit(&one);
}

/// What a change says of itself: its description, and the same as the name of its branch and of a label.
pub fn description(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let told = Beside {
        branch: Some(text.clone()),
        labels: vec![text.clone()],
        description: text,
        ..Beside::default()
    };
    is_bounded(&provenance::beside(&told));
    let _ = contributor::beside(&told, &[], true);
}

/// A note of git-ai about the head of a small change.
pub fn note(bytes: &[u8]) {
    let Ok(note) = Note::parse(&String::from_utf8_lossy(bytes)) else {
        return;
    };
    told(Beside {
        notes: vec![(head(), note)],
        ..Beside::default()
    });
}

/// A record of Agent Trace.
pub fn trace(bytes: &[u8]) {
    let Ok(trace) = Trace::parse(&String::from_utf8_lossy(bytes)) else {
        return;
    };
    told(Beside {
        traces: vec![trace],
        ..Beside::default()
    });
}

/// Whatever is taken for a name stays one.
pub fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(name) = RepositoryName::parse(text) {
        assert_eq!(RepositoryName::parse(name.as_str()).as_ref(), Ok(&name));
        assert!(RepositoryName::parse(name.folded()).is_ok());
    }
    if let Ok(name) = Branch::parse(text) {
        assert_eq!(Branch::parse(name.as_str()), Ok(name));
    }
    if let Ok(name) = ChangeKey::parse(text) {
        assert_eq!(ChangeKey::parse(name.as_str()), Ok(name));
    }
    if let Ok(sha) = CommitSha::parse(text) {
        assert!(matches!(sha.as_str().len(), 40 | 64));
    }
}

fn told(told: Beside) {
    is_bounded(&provenance::beside(&told));
    let _ = contributor::beside(&told, &[], true);
    let rows = provenance::written(&told, &head(), PATCH.as_bytes());
    for row in rows.expect("the patch can be read") {
        assert_eq!(row.path, b"notes.txt");
        assert!(
            row.ranges
                .iter()
                .all(|(from, to)| (1..=*to).contains(from) && *to <= 3)
        );
    }
}

const PATCH: &str = "diff --git a/notes.txt b/notes.txt
new file mode 100644
index 0000000000000000000000000000000000000000..1111111111111111111111111111111111111111
--- /dev/null
+++ b/notes.txt
@@ -0,0 +1,3 @@
+one
+two
+three
";

fn is_bounded(marks: &[Mark]) {
    assert!(marks.len() <= 3 * MOST_MARKS);
    for mark in marks {
        assert!(mark.text.chars().count() <= MOST_TEXT);
        assert!(!mark.text.contains('\0'), "a database keeps none");
    }
}

/// What claims every other line of every file.
fn claiming_all(parts: &[patch::Part<'_>]) -> Beside {
    let name = |part: &patch::Part<'_>| {
        let name = part.file.new.as_ref()?.as_bytes();
        String::from_utf8(name.to_vec()).ok()
    };
    let lines: Vec<String> = (1..200).step_by(2).map(|line| line.to_string()).collect();
    let attest = |name: String| format!("{name}\n  d4a7828bfdafe456 {}\n", lines.join(","));
    let above: String = parts.iter().filter_map(name).map(attest).collect();
    let text = format!("{above}---\n{{\"schema_version\":\"authorship/3.0.0\"}}");
    let notes = Note::parse(&text).into_iter();
    Beside {
        notes: notes.map(|note| (head(), note)).collect(),
        ..Beside::default()
    }
}

fn head() -> CommitSha {
    CommitSha::parse("c".repeat(40)).expect("forty digits")
}

fn commit(who: &str, message: Vec<u8>) -> Commit {
    let (name, email) = who.split_once('<').unwrap_or((who, ""));
    let who = Signature {
        name: name.trim().to_owned(),
        email: email.trim_end_matches('>').to_owned(),
    };
    Commit {
        sha: head(),
        tree: None,
        parents: vec![],
        author: who.clone(),
        authored_at: None,
        committer: who,
        message,
    }
}
