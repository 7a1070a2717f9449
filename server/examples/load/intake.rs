//! The side of a code host: deliveries, and the GitHub that is asked about them. It answers as fast as GitHub does in its better
//! moments, and makes up what it says: git itself would be what is measured.

use crate::{Seen, answer};
use anyhow::{Context as _, bail, ensure};
use axum::{
    Json, Router,
    extract::{Path, Request},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ring::hmac;
use serde_json::{Value, json};
use std::{fmt::Write as _, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

const REPOSITORY: &str = "bench/intake";
/// How long this host takes for an answer.
const TAKES: Duration = Duration::from_millis(20);
/// How long a head may stay unknown.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the gate is asked about a head that it does not know yet.
const ASKS: Duration = Duration::from_millis(5);
const BASE: &str = "0123456789abcdef0123456789abcdef01234567";

/// Where deliveries go, and with what they are signed.
#[derive(Clone, Copy)]
pub struct Hooks<'a> {
    pub address: &'a str,
    pub secret: &'a str,
}

/// Tells of new pull requests, and says how long each head took to be known to the gate.
pub async fn heads(
    hooks: Hooks<'_>,
    token: &str,
    host: &str,
    seconds: u32,
    rate: u32,
) -> anyhow::Result<Seen> {
    let listener = TcpListener::bind(host)
        .await
        .context("could not play a host")?;
    tokio::spawn(async move { axum::serve(listener, routes()).await });
    let (began, first) = (Instant::now(), u64::from(std::process::id()) << 24);
    let asking: Arc<(String, String)> = Arc::new((hooks.address.to_owned(), token.to_owned()));
    let mut told = JoinSet::new();
    for turn in 0..rate * seconds {
        let due = began + Duration::from_secs(1) * turn / rate;
        let (number, asking) = (first + u64::from(turn), asking.clone());
        let body = told_of_a_pull(number);
        let request = delivery(hooks.secret, "pull_request", &sha('d', number), &body);
        sleep_until(due).await;
        told.spawn(async move { known(&asking.0, &asking.1, &request, number, due).await });
    }
    let mut seen = Seen::default();
    while let Some(took) = told.join_next().await {
        match took? {
            Ok(took) => seen.micros.push(u32::try_from(took.as_micros())?),
            Err(error) => {
                seen.wrong += 1;
                seen.example = Some(format!("{error:#}"));
            }
        }
    }
    Ok(seen)
}

/// Delivers, and asks the gate until it knows the head; the time from when the delivery was due.
async fn known(
    address: &str,
    token: &str,
    request: &[u8],
    number: u64,
    due: Instant,
) -> anyhow::Result<Duration> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut stream, mut body) = (BufReader::new(stream), Vec::new());
    stream.get_mut().write_all(request).await?;
    let status = answer(&mut stream, &mut body).await?;
    ensure!(
        status == 202,
        "{status}: {}",
        String::from_utf8_lossy(&body)
    );
    let question = format!(
        "GET /api/v1/gate?repository={REPOSITORY}&commit={} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n",
        sha('c', number)
    );
    while due.elapsed() < PATIENCE {
        stream.get_mut().write_all(question.as_bytes()).await?;
        let status = answer(&mut stream, &mut body).await?;
        let said: Value = serde_json::from_slice(&body)?;
        ensure!(status == 200, "{status}: {said}");
        if said["verdict"] != "unheard" {
            ensure!(said["verdict"] == "waiting", "{said}");
            return Ok(due.elapsed());
        }
        sleep(ASKS).await;
    }
    bail!("the head was still unknown after {PATIENCE:?}")
}

/// A delivery as GitHub sends it.
pub fn delivery(secret: &str, event: &str, id: &str, body: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, body.as_bytes());
    let signature = signature
        .as_ref()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
    format!(
        "POST /hooks/github HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-GitHub-Event: {event}\r\n\
         X-GitHub-Delivery: {id}\r\nX-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// That a check ended: of this, nothing follows.
pub fn told_of_a_check() -> String {
    let text = "All 4,711 tests passed. ".repeat(400);
    json!({ "action": "completed", "check_run": { "output": { "text": text }, "pull_requests": [] },
        "repository": { "full_name": REPOSITORY } })
    .to_string()
}

fn told_of_a_pull(number: u64) -> String {
    json!({ "action": "opened", "number": number, "pull_request": { "number": number }, "repository": { "full_name": REPOSITORY } })
        .to_string()
}

/// 40 digits, of which the first says of what it is.
fn sha(kind: char, number: u64) -> String {
    format!("{kind}{number:039x}")
}

fn routes() -> Router {
    let at = |path: &str| format!("/repos/{REPOSITORY}/{path}");
    Router::new()
        .route(&at("pulls"), get(async || Json(json!([]))))
        .route(&at("pulls/{number}"), get(pull))
        .route(
            &at("git/ref/heads/main"),
            get(async || Json(json!({ "object": { "sha": BASE } }))),
        )
        .route(&at("compare/{two}"), get(compare))
        .route(&at("git/trees/{tree}"), get(tree))
        .route(
            &at("statuses/{commit}"),
            post(async || (StatusCode::CREATED, Json(json!({ "id": 1 })))),
        )
        .fallback(async |request: Request| {
            // What is missing here shows as heads that stay unknown.
            (StatusCode::NOT_FOUND, request.uri().to_string())
        })
        .layer(from_fn(async |request: Request, next: Next| {
            sleep(TAKES).await;
            next.run(request).await
        }))
}

async fn pull(Path(number): Path<u64>) -> Json<Value> {
    let repository = json!({ "full_name": REPOSITORY });
    Json(json!({
        "number": number, "title": "Round interest only once", "state": "open", "html_url": "https://git.example/pull",
        "user": { "login": "ana", "id": 77, "type": "User" }, "draft": false, "merged": false, "labels": [],
        "base": { "ref": "main", "sha": BASE, "repo": repository },
        "head": { "ref": "interest", "sha": sha('c', number), "repo": repository },
    }))
}

async fn compare(Path(two): Path<String>, headers: HeaderMap) -> Response {
    let number = two
        .rsplit_once("...c")
        .and_then(|(_, digits)| u64::from_str_radix(digits, 16).ok());
    let Some(number) = number else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = headers
        .get(header::ACCEPT)
        .and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.ends_with(".diff")) {
        return diff(number).into_response();
    }
    let head = commit(&sha('c', number), &sha('e', number), Some(BASE));
    Json(json!({ "merge_base_commit": commit(BASE, BASE, None), "total_commits": 1, "commits": [head] }))
        .into_response()
}

fn commit(commit: &str, tree: &str, parent: Option<&str>) -> Value {
    let who =
        json!({ "name": "Ana", "email": "ana@halden.example", "date": "2026-11-20T11:00:00Z" });
    let message = "Round interest only once\n\nCo-authored-by: Claude <noreply@anthropic.com>\n";
    let parents: Vec<Value> = parent.iter().map(|sha| json!({ "sha": sha })).collect();
    json!({ "sha": commit, "parents": parents, "author": null, "committer": null,
        "commit": { "tree": { "sha": tree }, "author": who, "committer": who, "message": message } })
}

/// One file among two hundred.
async fn tree(Path(tree): Path<String>) -> Json<Value> {
    let number = tree
        .strip_prefix('e')
        .and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let blob = number.map_or_else(|| BASE.to_owned(), |number| sha('b', number));
    let entry = |path: String, id: &str| json!({ "path": path, "mode": "100644", "type": "blob", "sha": id, "size": 40 });
    let mut entries: Vec<Value> = (0..200)
        .map(|file| entry(format!("src/part_{file:03}.rs"), &sha('a', file)))
        .collect();
    entries.push(entry("src/rate.rs".to_owned(), &blob));
    Json(json!({ "sha": tree, "tree": entries, "truncated": false }))
}

fn diff(number: u64) -> String {
    let lines = |sign: char| -> String {
        (0..20)
            .map(|line| {
                format!(
                    "{sign}    let amount_{line} = balance.checked_mul(rate)?; // {sign}{number}\n"
                )
            })
            .collect()
    };
    format!(
        "diff --git a/src/rate.rs b/src/rate.rs\nindex {BASE}..{} 100644\n--- a/src/rate.rs\n+++ b/src/rate.rs\n@@ -1,20 +1,20 @@\n{}{}",
        sha('b', number),
        lines('-'),
        lines('+')
    )
}
