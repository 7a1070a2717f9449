//! What tools left in a checkout beside the commits goes along with them, and what cannot be read keeps no change back.

use super::{Checkout, Server, stories::Pipeline, submit, told};
use crate::{
    cli::{countersign, outcome},
    support::TestServer,
};
use serde_json::{Value, json};
use sqlx::PgPool;

fn note(commit: &str) -> String {
    let json = json!({
        "schema_version": "authorship/3.0.0", "base_commit_sha": commit,
        "prompts": { "d4a7828bfdafe456": { "agent_id": { "tool": "codex", "id": "1", "model": "gpt-5" } } },
    });
    format!("payments/fee.rs\n  d4a7828bfdafe456 2\n---\n{json}")
}

fn trace(revision: &str) -> String {
    json!({
        "version": "0.1.0", "id": "1", "timestamp": "2026-01-23T14:30:00Z", "vcs": { "type": "git", "revision": revision },
        "files": [{ "path": "a", "conversations": [{ "contributor": { "type": "ai" }, "ranges": [] }] }],
    })
    .to_string()
}

fn notes(checkout: &Checkout, commit: &str, text: &str) {
    checkout.git(&["notes", "--ref=ai", "add", "--force", "-m", text, commit]);
}

/// A change of two commits, of which the first is noted and traced, over a base that is, too.
fn noted() -> (Checkout, String) {
    let checkout = Checkout::new();
    let base = checkout.head();
    checkout.write("payments/fee.rs", "fn fee() {\n    100\n}\n");
    let first = checkout.commit("Raise the fee");
    checkout.write(
        ".agent-trace/traces.jsonl",
        format!("{}\n\n{}\n", trace(&base), trace(&first)),
    );
    checkout.commit("Record");
    notes(&checkout, &base, &note(&base));
    notes(&checkout, &first, &note(&first));
    (checkout, first)
}

#[tokio::test]
async fn notes_and_traces_of_the_commits_are_sent_and_those_of_others_are_not() {
    let (checkout, first) = noted();
    let (change, _) = told(
        &checkout,
        &[
            "--branch",
            "codex/fee",
            "--label",
            "ai-assisted",
            "--label",
            "-x",
            "--description",
            "- [x] AI was used",
        ],
    )
    .await;
    assert_eq!(change["notes"].as_array().unwrap().len(), 1);
    assert_eq!(change["notes"][0]["commit"], first);
    assert_eq!(
        change["notes"][0]["text"].as_str().unwrap().trim(),
        note(&first)
    );
    assert_eq!(change["traces"], json!([trace(&first)]));
    assert_eq!(change["branch"], "codex/fee");
    assert_eq!(change["labels"], json!(["ai-assisted", "-x"]));
    assert_eq!(change["description"], "- [x] AI was used");
}

#[tokio::test]
async fn without_any_nothing_is_said_of_them() {
    let checkout = Checkout::new();
    checkout.commit("By hand");
    let (change, _) = told(&checkout, &[]).await;
    for field in ["notes", "traces", "branch", "labels", "description"] {
        assert!(change.get(field).is_none(), "{field}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_left_out_with_a_sentence() {
    let (checkout, first) = noted();
    notes(&checkout, &first, "looks good to me");
    checkout.write(
        ".agent-trace/traces.jsonl",
        format!("{{\n{}\n", trace(&first)),
    );
    checkout.commit("Break the record");
    let server = Server::default();
    let seen = outcome(&mut submit(&server.serve().await, &checkout.dir, &[])).await;
    assert_eq!(seen.code, Some(0), "{seen:?}");
    let sentence = format!(
        "the note of commit {first} in refs/notes/ai is not sent: its line 1 is not followed by JSON"
    );
    assert!(seen.stderr.contains(&sentence), "{}", seen.stderr);
    assert!(
        seen.stderr
            .contains("1 records of .agent-trace/traces.jsonl are not sent"),
        "{}",
        seen.stderr
    );
    let (change, _) = server.only();
    assert_eq!(change.get("notes"), None);
    assert_eq!(change["traces"], json!([trace(&first)]));
}

#[tokio::test]
async fn the_marks_of_a_repository_hold_what_was_noted() {
    let (checkout, first) = noted();
    let mut command = countersign(
        &checkout.dir,
        &["marks", "--json", "--range", "main..change"],
    );
    let seen = outcome(&mut command).await;
    let lines: Vec<Value> = seen
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["assisted"], &lines[1]["assisted"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(lines[1]["id"], first);
    assert_eq!(
        lines[1]["marks"][0],
        json!({ "where": "note", "line": 2, "tool": "codex", "model": "gpt-5", "strength": "declared", "text": "payments/fee.rs 2" })
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_option_of_submit_lowers_what_is_asked(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = Checkout::new();
    let pipeline = Pipeline {
        ci: t.ci().await,
        checkout: &checkout,
    };
    let head = checkout.commit("Pay once");
    let human = "h_dca485b1adf836";
    let json = json!({ "schema_version": "authorship/3.0.0", "base_commit_sha": head, "humans": { human: { "author": "Ana" } } });
    notes(&checkout, &head, &format!("a\n  {human} 1\n---\n{json}"));
    let words = [
        "--label",
        "human",
        "--branch",
        "human/pay",
        "--author",
        "ana",
    ];
    let boxes = ["--description", "- [x] No AI was used\n\nAI-assisted: no"];
    pipeline.submits(&[&words[..], &boxes].concat()).await;
    let seen = pipeline.asks(&head).await;
    assert_eq!(seen.code, Some(2), "{seen:?}");
    assert!(seen.stdout.starts_with("not allowed: waiting"), "{seen:?}");
    for word in ["--human", "--no-ai"] {
        let seen = outcome(&mut submit(&t.at(""), &checkout.dir, &[word])).await;
        assert_eq!(seen.code, Some(3), "there is no {word}");
    }
}
