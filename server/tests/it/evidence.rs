//! What is told beside the commits: branch, labels, description, notes of git-ai, and records of Agent Trace.

use crate::support::{
    TestServer,
    changes::{Change, change, sha},
    machines::Machine,
};
use domain::{contributor::Role, decision::Kind, problem::Problem};
use serde_json::{Value, json};
use sqlx::PgPool;

fn note_of(commit: &str, above: &str, human: &str) -> Value {
    let json = json!({
        "schema_version": "authorship/3.0.0", "base_commit_sha": commit,
        "sessions": { "s_a76964380084ef": { "agent_id": { "tool": "claude", "id": "1", "model": "claude-opus-4-7" }, "human_author": human } },
    });
    json!({ "commit": commit, "text": format!("{above}---\n{json}") })
}

fn note(human: &str) -> Value {
    note_of(
        &sha("c1"),
        "notes.txt\n  s_a76964380084ef::t_a3a130d3e145e3 1\n",
        human,
    )
}

fn trace(revision: &str, to: u64) -> Value {
    let record = json!({
        "version": "0.1.0", "id": "1", "timestamp": "2026-01-23T14:30:00Z", "vcs": { "type": "git", "revision": revision },
        "tool": { "name": "cursor" },
        "files": [{ "path": "notes.txt", "conversations": [{ "contributor": { "type": "ai" }, "ranges": [{ "start_line": 1, "end_line": to }] }] }],
    });
    json!(record.to_string())
}

async fn provenance(ci: &Machine, change: &Change) -> (Value, Vec<Value>) {
    let id = ci.submit(change).await.json["change"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = ci.get(&format!("/api/v1/changes/{id}")).await.json["provenance"].clone();
    let marks = ci.get(&format!("/api/v1/changes/{id}/marks")).await.json["marks"].clone();
    (shown, marks.as_array().unwrap().clone())
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn each_way_in_raises_what_it_proves_and_says_where_it_was(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let c1 = sha("c1");
    for (key, over, assisted, expected) in [
        (
            "1",
            json!({ "branch": "codex/retry" }),
            false,
            ["codex", "hinted", "branch", "", "", "codex/retry"],
        ),
        (
            "2",
            json!({ "labels": ["payments", "ai-assisted"] }),
            true,
            [
                "other:unspecified",
                "declared",
                "label",
                "",
                "",
                "ai-assisted",
            ],
        ),
        (
            "3",
            json!({ "labels": ["codex"] }),
            false,
            ["codex", "hinted", "label", "", "", "codex"],
        ),
        (
            "4",
            json!({ "description": "Retries.\n\n- [ ] No AI\n- [x] I used Copilot to write this\n" }),
            true,
            [
                "copilot",
                "declared",
                "description",
                "",
                "4",
                "- [x] I used Copilot to write this",
            ],
        ),
        (
            "5",
            json!({ "description": "Retries.\r\n\r\n[Codex Task](https://chatgpt.com/codex/tasks/task_e_1)" }),
            true,
            [
                "codex",
                "marked",
                "description",
                "",
                "3",
                "[Codex Task](https://chatgpt.com/codex/tasks/task_e_1)",
            ],
        ),
        (
            "6",
            json!({ "notes": [note("Ana <ana@halden.example>")] }),
            true,
            [
                "claude-code",
                "declared",
                "note",
                &c1,
                "2",
                "notes.txt 1 (prompted by Ana <ana@halden.example>)",
            ],
        ),
        (
            "7",
            json!({ "traces": [trace(&c1, 1)] }),
            true,
            ["cursor", "declared", "trace", &c1, "", "notes.txt 1-1"],
        ),
    ] {
        let (shown, marks) = provenance(&ci, &change().unmarked().key(key).with(over)).await;
        assert_eq!(
            shown,
            if assisted { "assisted" } else { "unknown" },
            "{key}"
        );
        let mark = &marks[0];
        let shown = |name: &str| match &mark[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(
            ["tool", "strength", "place", "commit", "line", "text"].map(shown),
            expected,
            "{key}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nothing_told_beside_the_commits_lowers_what_is_asked(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let human = json!({ "commit": sha("c1"), "text": "notes.txt\n  h_dca485b1adf836 1\n---\n{\"schema_version\":\"authorship/3.0.0\",\"humans\":{\"h_dca485b1adf836\":{\"author\":\"Ana\"}}}" });
    for (key, over) in [
        (
            "1",
            json!({ "labels": ["human", "no-ai", "not ai-generated"] }),
        ),
        (
            "2",
            json!({ "description": "- [x] No AI was used\n- [x] Written by a human\n\nAI-assisted: no\n" }),
        ),
        ("3", json!({ "notes": [human] })),
        ("4", json!({ "branch": "human/retry" })),
        (
            "5",
            json!({ "title": "Retry settlement (written by hand)" }),
        ),
    ] {
        let says_so =
            "Retry settlement\n\nI wrote this without AI.\n\nAI-assisted: no\nHuman-written: yes\n";
        let change = change().message(says_so).key(key);
        let (shown, marks) = provenance(&ci, &change.clone().with(over.clone())).await;
        assert_eq!((shown, marks.len()), (json!("unknown"), 0), "{over}");
        assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");
        let marked = Change {
            message: super::support::changes::change().message,
            ..change
        }
        .key(&format!("1{key}"));
        assert_eq!(provenance(&ci, &marked.with(over)).await.0, "assisted");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_prompted_had_a_hand_in_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben, li) = (t.ci().await, t.senior("ben").await, t.senior("li").await);
    let asked = "Retries.\n\n*PR created automatically by Jules for task [1](https://jules.google.com/task/1) started by @li*";
    let change = change()
        .unmarked()
        .with(json!({ "notes": [note("Ben <ben@halden.example>")], "description": asked }));
    ci.submit(&change).await;
    for senior in [ben, li] {
        let refused = senior.presses(Kind::Approve, &change, "").await;
        assert_eq!(refused, Err(Problem::Contributor(Role::Requester)));
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_about_something_else_or_absurd_is_refused_whole(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let (c1, c9) = (sha("c1"), sha("c9"));
    for (over, says) in [
        (
            json!({ "notes": [note_of(&c9, "", "")] }),
            "`notes[0]` is about none of the commits",
        ),
        (
            json!({ "notes": [note(""), note("")] }),
            "`notes[1]` is the second about its commit",
        ),
        (
            json!({ "notes": [note_of(&c1, "a.rs\n  s_a76964380084ef 9-1\n", "")] }),
            "`notes[0]` is no note of git-ai: line 2 names lines",
        ),
        (
            json!({ "notes": [{ "commit": c1, "text": "looks good to me" }] }),
            "`notes[0]` is no note of git-ai: line 1",
        ),
        (
            json!({ "notes": [{ "commit": c1, "text": format!("---\n{}", "[".repeat(100_000)) }] }),
            "`notes[0]` is no note",
        ),
        (
            json!({ "notes": [{ "commit": c1, "text": "x".repeat(1_000_001) }] }),
            "`notes[0]` is no note",
        ),
        (
            json!({ "traces": [trace(&c9, 1)] }),
            "`traces[0]` is about none of the commits",
        ),
        (
            json!({ "traces": [trace(&c1, 1), trace(&c1, u64::MAX)] }),
            "`traces[1]` line 1 is no record",
        ),
        (
            json!({ "traces": [trace(&c1, 4_000_000_000)] }),
            "`traces[0]` line 1 names lines that no file has",
        ),
        (
            json!({ "traces": vec![trace(&c1, 1); 2_001] }),
            "`traces` are more than 2000",
        ),
        (
            json!({ "labels": vec!["x"; 101] }),
            "`labels` are more than 100",
        ),
        (json!({ "labels": ["x".repeat(501)] }), "`labels` is longer"),
        (json!({ "branch": "x".repeat(501) }), "`branch` is longer"),
        (
            json!({ "description": "x".repeat(1_000_001) }),
            "`description` is longer",
        ),
    ] {
        let reply = ci.try_to_submit(&change().with(over)).await;
        assert_eq!(reply.problem(), (422, "field"), "{says}");
        let detail = reply.json["detail"].as_str().unwrap();
        assert!(detail.starts_with(says), "{says}: {detail}");
    }
    for table in ["change", "revision", "mark", "contributor", "patch"] {
        assert_eq!(t.count(table).await, 0, "{table}");
    }
}

async fn lines(ci: &Machine, change: &Change) -> Value {
    let id = ci.submit(change).await.json["change"].clone();
    let path = format!("/api/v1/changes/{}/marks", id.as_str().unwrap());
    ci.get(&path).await.json["lines"].clone()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn which_added_lines_a_machine_wrote_is_kept_shown_and_found_again_after_a_rebase(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let above = "notes.txt\n  s_a76964380084ef::t_a3a130d3e145e3 1,7-9\nother.txt\n  s_a76964380084ef::t_a3a130d3e145e3 1\n";
    let noted = note_of(&sha("c1"), above, "Ana <ana@halden.example>");
    let first = change().with(json!({ "notes": [noted], "traces": [trace(&sha("c1"), 3)] }));
    let row = |source: &str| {
        json!({ "path": "notes.txt", "source": source, "session": "s_a76964380084ef", "tool": "claude-code",
                "model": "claude-opus-4-7", "prompter": "Ana <ana@halden.example>", "ranges": [[1, 1]] })
    };
    let of_trace = json!({ "path": "notes.txt", "source": "trace", "session": "1", "tool": "cursor", "model": null, "prompter": null, "ranges": [[1, 1]] });
    assert_eq!(lines(&ci, &first).await, json!([row("note"), of_trace]));
    assert_eq!(lines(&ci, &first).await, json!([row("note"), of_trace]));

    let path = format!("/changes/{}", t.id_of(&first).await);
    let page = ben.browser.page(&t, &path).await;
    assert!(page.contains("1 of 1 by tools"), "of the file");
    assert!(page.contains("1 of 1 added (100 %)"), "of all");

    let rebased = Change {
        head: sha("c2"),
        base: sha("b2"),
        ..first.clone()
    };
    let rebased = lines(&ci, &rebased.with(json!({}))).await;
    let carried = json!([row("carried")]);
    assert_eq!(rebased, carried, "a line is one session's");

    let other = change().pushed("c3").over("b3").with(json!({}));
    assert_eq!(lines(&ci, &other).await, json!([]));
    let page = ben.browser.page(&t, &path).await;
    assert!(page.contains("no note and no trace says which lines"));
    assert!(!page.contains("by tools</span>"));
}
