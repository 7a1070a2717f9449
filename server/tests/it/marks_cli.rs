//! `countersign marks` as somebody runs it to try the detector out: on a repository of theirs, and on a corpus.

use crate::{
    cli::{Outcome, countersign, outcome},
    submit_cli::checkout::Checkout,
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Stdio};
use tokio::io::AsyncWriteExt;

async fn marks(dir: &Path, more: &[&str]) -> Outcome {
    outcome(&mut countersign(dir, &[&["marks"], more].concat())).await
}

fn lines(outcome: &Outcome) -> Vec<Value> {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let parsed = outcome.stdout.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().unwrap()
}

/// Two commits with marks and one with a hint above one without.
fn marked() -> (Checkout, Vec<String>) {
    let checkout = Checkout::new();
    let ids = [
        "Pay once\n\nAssisted-by: Codex 5.3\u{1b}[2J\n",
        "Merge branch 'copilot/fix' into main",
        "Pay twice\n\nCo-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>",
    ]
    .map(|message| checkout.commit(message));
    (checkout, ids.into())
}

#[tokio::test]
async fn the_marks_of_a_repository_are_printed_for_people() {
    let (checkout, ids) = marked();
    let seen = marks(&checkout.dir, &[]).await;
    assert_eq!(seen.code, Some(0), "{seen:?}");
    let expected = format!(
        "{} assisted: claude-code\n    marked   trailer 3: Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>\n\
         {} hints only: copilot\n    hinted   body 1: copilot/fix\n\
         {} assisted: codex\n    declared trailer 3: Assisted-by: Codex 5.3[2J\n\
         4 commits: 2 assisted, 1 with hints only, 1 without a mark, which proves nothing\n",
        ids[2], ids[1], ids[0]
    );
    assert_eq!((seen.stdout, seen.stderr), (expected, String::new()));
}

#[tokio::test]
async fn a_range_of_commits_is_printed_as_json() {
    let (checkout, ids) = marked();
    let seen = marks(&checkout.dir, &["--json", "--range", "main..change~1"]).await;
    let [hinted, declared] = &lines(&seen)[..] else {
        panic!("{seen:?}");
    };
    assert_eq!(hinted["id"], ids[1]);
    assert_eq!(
        (&hinted["assisted"], &hinted["strength"]),
        (&json!(false), &json!("hinted"))
    );
    let expected = json!({
        "id": ids[0], "assisted": true, "tools": ["codex"], "strength": "declared",
        "marks": [{
            "where": "trailer", "line": 3, "tool": "codex", "model": null, "strength": "declared", "text": "Assisted-by: Codex 5.3\u{1b}[2J",
        }],
    });
    assert_eq!(declared, &expected);
    assert_eq!(lines(&marks(&checkout.dir, &["--json"]).await).len(), 4);
    assert_eq!(
        lines(&marks(&checkout.dir, &["--json", "--range", "change~2.."]).await).len(),
        2
    );
    assert!(lines(&marks(&checkout.dir, &["--json", "--range", "main..main"]).await).is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_said() {
    let (checkout, _) = marked();
    let nowhere = tempfile::tempdir().unwrap();
    for (dir, more, sentence) in [
        (nowhere.path(), &[][..], "this is no git checkout"),
        (
            &checkout.dir,
            &["--range", "gone..HEAD"],
            "there is no commit \"gone\"",
        ),
        (&checkout.dir, &["--range", "main...HEAD"], "with two dots"),
        (
            &checkout.dir,
            &["--facts", "gone.jsonl"],
            "could not open gone.jsonl",
        ),
    ] {
        let seen = marks(dir, more).await;
        assert_eq!((seen.code, seen.stdout.as_str()), (Some(3), ""), "{seen:?}");
        assert!(seen.stderr.contains(sentence), "{seen:?}");
    }
}

fn fact(id: &str, author: &str, message: &str) -> Value {
    let who = json!({ "name": "X", "email": author });
    json!({ "id": id, "author": who, "committer": who, "message": message, "labels": { "assisted": true } })
}

#[tokio::test]
async fn a_corpus_is_answered_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let facts = [
        fact("g1", "noreply@anthropic.com", "Fix\n"),
        fact("g2", "ana@halden.example", "Fix\n"),
        fact(
            "g3",
            "ana@halden.example",
            "Fix\r\n\r\n🤖 Generated with [Claude Code](https://claude.ai/code)",
        ),
    ];
    let text: String = facts.iter().map(|fact| format!("{fact}\n")).collect();
    fs::write(dir.path().join("facts.jsonl"), &text).unwrap();
    let answers = lines(&marks(dir.path(), &["--facts", "facts.jsonl"]).await);
    let short: Vec<_> = answers
        .iter()
        .map(|a| (&a["id"], &a["assisted"], &a["tools"]))
        .collect();
    let claude = json!(["claude-code"]);
    assert_eq!(
        short,
        [
            (&json!("g1"), &json!(true), &claude),
            (&json!("g2"), &json!(false), &json!([])),
            (&json!("g3"), &json!(true), &claude),
        ]
    );
    assert_eq!(answers[0]["marks"][0]["where"], "author");
    assert_eq!(answers[2]["marks"][0]["where"], "body");

    let mut command = countersign(dir.path(), &["marks", "--facts", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .await
        .unwrap();
    let piped = child.wait_with_output().await.unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn a_line_that_is_no_commit_stops_it_with_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let good = fact("g1", "ana@halden.example", "Fix\n");
    for bad in ["{", "[]", "{\"id\": 1}", &"[".repeat(100_000)] {
        fs::write(dir.path().join("facts.jsonl"), format!("{good}\n\n{bad}\n")).unwrap();
        let seen = marks(dir.path(), &["--facts", "facts.jsonl"]).await;
        assert_eq!(
            (seen.code, seen.stdout.lines().count()),
            (Some(3), 1),
            "{seen:?}"
        );
        assert!(seen.stderr.contains("line 3 of facts.jsonl"), "{seen:?}");
    }
}
