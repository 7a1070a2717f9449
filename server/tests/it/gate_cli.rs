//! `countersign gate` against a server that a test plays: one row for each line of the contract, and what can go wrong between.

use crate::cli::{self, Outcome, countersign, gate_of, outcome};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
};

const COMMIT: &str = "1f0c9a4e5b7d3826f0c9e1d2a4b6c8d0e2f4a6b8";

/// What the played server says, in turn; the last of it again and again.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Said>>>,
    asked: Arc<Mutex<Vec<HashMap<String, String>>>>,
}

#[derive(Clone)]
enum Said {
    Answer(Value),
    Problem(u16, &'static str),
    Words(u16, &'static str),
    Elsewhere,
}

impl Script {
    fn saying(answers: impl IntoIterator<Item = Said>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            ..Self::default()
        }
    }

    async fn serve(&self) -> String {
        cli::play(
            Router::new()
                .route("/api/v1/gate", get(answer))
                .with_state(self.clone()),
        )
        .await
    }

    fn asked(&self) -> Vec<HashMap<String, String>> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    State(script): State<Script>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    assert_eq!(headers[header::AUTHORIZATION], "Bearer token-of-a-test");
    script.asked.lock().unwrap().push(query);
    let mut answers = script.answers.lock().unwrap();
    let said = if answers.len() > 1 {
        answers.pop_front()
    } else {
        answers.front().cloned()
    };
    match said.unwrap() {
        Said::Answer(answer) => Json(answer).into_response(),
        Said::Problem(status, kind) => problem(status, kind),
        Said::Words(status, words) => {
            (StatusCode::from_u16(status).unwrap(), words).into_response()
        }
        Said::Elsewhere => Redirect::temporary("https://elsewhere.example/").into_response(),
    }
}

fn problem(status: u16, kind: &str) -> Response {
    let body = json!({
        "type": kind, "title": "No", "status": status, "detail": "The server says why.", "request_id": "r-1"
    });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

fn said(verdict: &str, allow: bool) -> Said {
    Said::Answer(of(verdict, allow))
}

/// The answer about a repository that is only observed: yes, whatever the verdict.
fn observed(verdict: &str) -> Said {
    let mut answer = of(verdict, true);
    answer["enforced"] = json!(false);
    Said::Answer(answer)
}

fn of(verdict: &str, allow: bool) -> Value {
    json!({
        "repository": "acme/payments", "commit": COMMIT, "allow": allow, "enforced": true, "verdict": verdict,
        "reasons": [{ "code": "because", "sentence": "Because of a rule." }], "needs": [],
        "changes": [{
            "id": "01900000-0000-7000-8000-000000000001", "repository": "acme/payments", "key": "142", "target": "main",
            "state": "open", "revision": 1, "head": COMMIT, "digest": "d", "current": true, "verdict": verdict, "source_age": null, "decisions": []
        }],
        "via": null, "policy": { "id": "default", "version": 1 }, "as_of": "2026-11-22T12:00:00Z", "source_age": null
    })
}

async fn gate(server: &str, more: &[&str]) -> Outcome {
    let arguments = [&gate_of(server, COMMIT), more].concat();
    outcome(&mut countersign(Path::new("."), &arguments)).await
}

#[tokio::test]
async fn every_answer_has_its_exit_code() {
    let rows = [
        (said("not_required", true), 0),
        (said("approved", true), 0),
        (said("overridden", true), 0),
        (observed("rejected"), 0),
        (said("rejected", false), 1),
        (said("waiting", false), 2),
        (said("unheard", false), 2),
        // Closed without merging.
        (said("approved", false), 2),
        (said("undecidable", false), 3),
        (Said::Problem(401, "/problems/token"), 3),
        (Said::Problem(403, "/problems/scope"), 3),
        (Said::Problem(403, "/problems/repository"), 3),
        (Said::Problem(422, "/problems/field"), 3),
        (Said::Problem(429, "/problems/too-many"), 3),
        (Said::Problem(500, "/problems/internal"), 3),
        (Said::Problem(503, "/problems/unavailable"), 3),
        (Said::Words(404, "not found"), 3),
        (Said::Words(502, "<html>bad gateway"), 3),
        (Said::Words(200, "<html>welcome"), 3),
        (Said::Answer(json!({ "allow": true })), 3),
        (Said::Elsewhere, 3),
    ];
    for (row, (says, code)) in rows.into_iter().enumerate() {
        let server = Script::saying([says]).serve().await;
        let seen = gate(&server, &[]).await;
        assert_eq!(seen.code, Some(code), "row {row}: {seen:?}");
        assert_eq!(
            seen.stdout.lines().count(),
            usize::from(code != 3 || seen.stdout.contains("undecidable")),
            "row {row}: {seen:?}"
        );
    }
}

/// A pipeline that throws the line away, or whose disk is full, still gets the answer.
#[tokio::test]
async fn the_exit_code_is_the_answer_where_nothing_can_be_written() {
    for (says, code) in [(said("approved", true), 0), (said("rejected", false), 1)] {
        let server = Script::saying([says]).serve().await;
        let mut command = countersign(Path::new("."), &gate_of(&server, COMMIT));
        let full = || {
            std::fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap()
        };
        command.stdin(Stdio::null()).stdout(full()).stderr(full());
        assert_eq!(command.status().await.unwrap().code(), Some(code));
    }
}

/// A terminal obeys what nobody sees: text of other people goes there without it.
#[tokio::test]
async fn the_line_holds_nothing_that_turns_it_round() {
    let mut answer = of("rejected", false);
    answer["reasons"][0]["sentence"] = json!("Ben \u{202e}rejected it.");
    let server = Script::saying([Said::Answer(answer)]).serve().await;
    let seen = gate(&server, &[]).await;
    assert!(seen.stdout.contains("Ben rejected it."), "{seen:?}");
}

#[tokio::test]
async fn whoever_calls_it_wrongly_gets_no_answer() {
    let server = Script::saying([said("approved", true)]).serve().await;
    let right = gate_of(&server, COMMIT);
    let with = |changes: &[(usize, &'static str)], more: &[&'static str]| {
        let mut arguments: Vec<String> = right.iter().map(|&word| word.to_owned()).collect();
        for (at, word) in changes {
            arguments[*at] = (*word).to_owned();
        }
        arguments.extend(more.iter().map(|&word| word.to_owned()));
        arguments
    };
    let wrong = [
        with(&[(4, "payments")], &[]),
        with(&[(6, "HEAD")], &[]),
        with(&[(6, "1f0c9a4")], &[]),
        with(&[(2, "ftp://x.example")], &[]),
        with(&[(2, "countersign.example")], &[]),
        with(&[], &["--wait", "soon"]),
        with(&[], &["--wait", "1e9h"]),
        with(&[], &["--target", "-x"]),
        with(&[], &["--token", "visible-to-everybody"]),
        with(&[], &["--allow"]),
        vec!["gate".to_owned()],
        vec!["gates".to_owned()],
        vec![],
    ];
    for arguments in wrong {
        let seen = outcome(&mut countersign(Path::new("."), &arguments)).await;
        assert_eq!(seen.code, Some(3), "{arguments:?}: {seen:?}");
        assert_eq!(seen.stdout, "", "{arguments:?}");
    }
    let seen = outcome(countersign(Path::new("."), &right).env("COUNTERSIGN_TOKEN", "")).await;
    assert_eq!(seen.code, Some(3));
    assert!(seen.stderr.contains("there is no token"), "{}", seen.stderr);
    assert_eq!(
        outcome(&mut countersign(Path::new("."), &right)).await.code,
        Some(0)
    );
}

#[tokio::test]
async fn help_is_no_wrong_call() {
    let seen = outcome(&mut countersign(Path::new("."), &["gate", "--help"])).await;
    assert_eq!(seen.code, Some(0));
    assert!(seen.stdout.contains("2  not allowed when time ran out"));
}

#[tokio::test]
async fn one_line_names_what_is_missing_and_who_could_give_it() {
    let mut waiting = of("waiting", false);
    waiting["needs"] = json!([
        { "rule": "r", "missing": "One senior has to approve.", "eligible": 7, "people": ["Ben Okonkwo", "Li Na\u{1b}[2J Zhou"] }
    ]);
    let server = Script::saying([Said::Answer(waiting)]).serve().await;
    let seen = gate(&server, &[]).await;
    assert_eq!(
        seen.stdout,
        "not allowed: waiting: acme/payments 142 at 1f0c9a4: One senior has to approve (Ben Okonkwo, Li Na [2J Zhou and 5 more could give it)\n"
    );
}

#[tokio::test]
async fn the_answer_comes_as_json_as_the_server_gave_it() {
    let server = Script::saying([said("rejected", false)]).serve().await;
    let seen = gate(&server, &["--json"]).await;
    assert_eq!(seen.code, Some(1));
    assert_eq!(
        serde_json::from_str::<Value>(&seen.stdout).unwrap(),
        of("rejected", false)
    );

    for (status, kind) in [(403, "/problems/scope"), (503, "/problems/unavailable")] {
        let refused = Script::saying([Said::Problem(status, kind)]).serve().await;
        let seen = gate(&refused, &["--json"]).await;
        let answer: Value = serde_json::from_str(&seen.stdout).unwrap();
        assert_eq!(
            (seen.code, &answer["allow"], &answer["problem"]["type"]),
            (Some(3), &json!(false), &json!(kind))
        );
    }
}

#[tokio::test]
async fn it_waits_until_somebody_signs_off() {
    let script = Script::saying([
        said("unheard", false),
        said("waiting", false),
        said("approved", true),
    ]);
    let seen = gate(
        &script.serve().await,
        &["--wait", "30m", "--target", "main"],
    )
    .await;
    // The played server forgets the target, which is an answer to another question.
    assert_eq!(seen.code, Some(3), "{seen:?}");

    let script = Script::saying([
        said("unheard", false),
        said("waiting", false),
        said("approved", true),
    ]);
    let seen = gate(&script.serve().await, &["--wait", "30m"]).await;
    assert_eq!(seen.code, Some(0), "{seen:?}");
    let waits: Vec<_> = script
        .asked()
        .iter()
        .map(|query| query["wait"].clone())
        .collect();
    assert_eq!(waits, ["60", "60", "60"]);
}

#[tokio::test]
async fn it_waits_until_the_code_host_was_looked_at_and_for_no_other_doubt() {
    let doubt = |code: &str| {
        let mut answer = of("undecidable", false);
        answer["reasons"] = json!([{ "code": code, "sentence": "Because of a rule." }]);
        Said::Answer(answer)
    };
    for (code, exit, asked) in [("source_old", 0, 2), ("patch_incomplete", 3, 1)] {
        let script = Script::saying([doubt(code), said("approved", true)]);
        let seen = gate(&script.serve().await, &["--wait", "30m"]).await;
        assert_eq!(seen.code, Some(exit), "{seen:?}");
        assert_eq!(script.asked().len(), asked, "{code}");
    }
}

#[tokio::test]
async fn it_asks_again_while_the_server_is_away_and_time_is_left() {
    let script = Script::saying([
        Said::Problem(503, "/problems/unavailable"),
        said("approved", true),
    ]);
    let seen = gate(&script.serve().await, &["--wait", "1m"]).await;
    assert_eq!(seen.code, Some(0), "{seen:?}");
    assert!(
        seen.stderr.contains("The server says why."),
        "{}",
        seen.stderr
    );
}

#[tokio::test]
async fn time_runs_out_as_a_no_and_never_as_a_yes() {
    let script = Script::saying([said("waiting", false)]);
    assert_eq!(
        gate(&script.serve().await, &["--wait", "1s"]).await.code,
        Some(2)
    );

    let seen = gate(&cli::nowhere().await, &["--wait", "1s"]).await;
    assert_eq!(seen.code, Some(3));
    assert!(
        seen.stderr.contains("could not reach http://127.0.0.1:"),
        "{}",
        seen.stderr
    );
}

#[tokio::test]
async fn an_answer_to_another_question_is_none() {
    for (field, other) in [
        ("commit", json!("0".repeat(40))),
        ("repository", json!("acme/other")),
        ("target", json!("release")),
    ] {
        let mut answer = of("approved", true);
        answer[field] = other;
        let server = Script::saying([Said::Answer(answer)]).serve().await;
        assert_eq!(gate(&server, &[]).await.code, Some(3), "{field}");
    }
}

#[tokio::test]
async fn a_token_may_lie_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "token-of-a-test\n").unwrap();
    let server = Script::saying([said("approved", true)]).serve().await;
    let arguments = gate_of(&server, COMMIT);
    let mut by_variable = countersign(dir.path(), &arguments);
    by_variable
        .env_remove("COUNTERSIGN_TOKEN")
        .env("COUNTERSIGN_TOKEN_FILE", &file);
    assert_eq!(outcome(&mut by_variable).await.code, Some(0));
    let mut by_option = countersign(
        dir.path(),
        &[&arguments[..], &["--token-file", "token"]].concat(),
    );
    assert_eq!(
        outcome(by_option.env_remove("COUNTERSIGN_TOKEN"))
            .await
            .code,
        Some(0)
    );
    let mut missing = countersign(
        dir.path(),
        &[&arguments[..], &["--token-file", "other"]].concat(),
    );
    assert_eq!(outcome(&mut missing).await.code, Some(3));
}
