//! The REST API of GitHub: the paths that are asked; and what real hosts add to every answer.

use crate::{FakeHost, Mood, Pull, Repository, TOKEN, gitea, gitlab, said};
use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Path, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{collections::HashMap, fmt::Write as _};

/// What an answer is, or a status alone.
pub type Answer<T = Json<Value>> = Result<T, StatusCode>;

pub fn routes(host: FakeHost) -> Router {
    Router::new()
        .route("/repos/{owner}/{name}/pulls", get(pulls))
        .route("/repos/{owner}/{name}/pulls/{number}", get(pull))
        .route(
            "/repos/{owner}/{name}/pulls/{number}/reviews",
            get(said::reviews),
        )
        .route(
            "/repos/{owner}/{name}/pulls/{number}/comments",
            get(said::inline),
        )
        .route(
            "/repos/{owner}/{name}/issues/{number}/comments",
            get(said::comments),
        )
        .route(
            "/repos/{owner}/{name}/git/ref/heads/{*branch}",
            get(reference),
        )
        .route(
            "/repos/{owner}/{name}/git/matching-refs/heads/{*start}",
            get(references),
        )
        .route("/repos/{owner}/{name}/git/trees/{tree}", get(tree))
        .route("/repos/{owner}/{name}/git/blobs/{blob}", get(blob))
        .route(
            "/repos/{owner}/{name}/git/commits/{commit}",
            get(git_commit),
        )
        .route("/repos/{owner}/{name}/compare/{two}", get(compare))
        .route("/repos/{owner}/{name}/activity", get(activity))
        .route(
            "/repos/{owner}/{name}/statuses/{commit}",
            post(commit_status),
        )
        .route("/repos/{owner}/{name}/check-runs", post(check_run))
        .route("/repos/{owner}/{name}/installation", get(installation))
        .route("/app/installations/{id}/access_tokens", post(access_token))
        .merge(gitlab::routes())
        .merge(gitea::routes())
        .layer(from_fn_with_state(host.clone(), as_the_real_one_does))
        .with_state(host)
}

/// Lets nobody in without the token, has its moods, counts, calls what it answers by a tag, and says 304 to who knows it.
async fn as_the_real_one_does(
    State(host): State<FakeHost>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let limits = Limits::of(&path);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let mood = host.state().moods.pop_front().unwrap_or(Mood::Well);
    let mut response = match mood {
        Mood::Well if is_let_in(&host, &path, request.headers()) => {
            tagged(next.run(request).await, known).await
        }
        Mood::Well => StatusCode::UNAUTHORIZED.into_response(),
        Mood::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Mood::RetryAfter(seconds) => {
            let mut response = StatusCode::TOO_MANY_REQUESTS.into_response();
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
            response
        }
        Mood::NoneLeft(reset) => {
            let mut response = limits.refusal.into_response();
            let headers = response.headers_mut();
            headers.insert(limits.remaining, 0.into());
            headers.insert(limits.reset, reset.into());
            response
        }
    };
    let mut state = host.state();
    // What has not changed costs nothing.
    if response.status() != StatusCode::NOT_MODIFIED {
        state.remaining = state.remaining.saturating_sub(1);
    }
    let headers = response.headers_mut();
    headers
        .entry(limits.remaining)
        .or_insert(state.remaining.into());
    state.asked.push((path, response.status().as_u16()));
    response
}

/// How the host whose path this is says that it was asked enough.
struct Limits {
    refusal: StatusCode,
    remaining: &'static str,
    reset: &'static str,
}

impl Limits {
    fn of(path: &str) -> Self {
        // Gitea knows no limits, and whatever stands before it says so like this.
        if path.starts_with(gitlab::AT) || path.starts_with(gitea::AT) {
            return Self {
                refusal: StatusCode::TOO_MANY_REQUESTS,
                remaining: "ratelimit-remaining",
                reset: "ratelimit-reset",
            };
        }
        Self {
            refusal: StatusCode::FORBIDDEN,
            remaining: "x-ratelimit-remaining",
            reset: "x-ratelimit-reset",
        }
    }
}

/// An app is let in to ask for a token, whoever signed for it.
fn is_let_in(host: &FakeHost, path: &str, headers: &HeaderMap) -> bool {
    let said = headers.get(header::AUTHORIZATION);
    let said = said
        .and_then(|said| said.to_str().ok()?.strip_prefix("Bearer "))
        .unwrap_or("");
    if path.ends_with("/installation") || path.starts_with("/app/") {
        host.state().said = said.to_owned();
        return said.split('.').count() == 3;
    }
    said == TOKEN
}

async fn tagged(response: Response, known: Option<HeaderValue>) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut tag = "\"".to_owned();
    for byte in &Sha256::digest(&body)[..16] {
        write!(tag, "{byte:02x}").unwrap();
    }
    tag.push('"');
    let tag = HeaderValue::from_str(&tag).unwrap();
    parts.headers.insert(header::ETAG, tag.clone());
    if known == Some(tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

type Named = (String, String);

async fn pulls(
    State(host): State<FakeHost>,
    Path((owner, name)): Path<Named>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer {
    let (at, repository) = found(&host, &owner, &name)?;
    let state = host.state();
    let of = state
        .pulls
        .iter()
        .filter(|((of, _), _)| of.eq_ignore_ascii_case(&at));
    let wanted = query.get("state").map_or("open", String::as_str);
    let of = of.filter(|(_, pull)| wanted == "all" || pull.state == wanted);
    let all = of.map(|((_, number), pull)| shown(&at, *number, pull, &repository));
    Ok(Json(paged(all.collect(), &query).into()))
}

async fn pull(
    State(host): State<FakeHost>,
    Path((owner, name, number)): Path<(String, String, u64)>,
) -> Answer {
    let (at, repository) = found(&host, &owner, &name)?;
    let state = host.state();
    let pull = state.pulls.get(&(at.clone(), number));
    let pull = pull.ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(shown(&at, number, pull, &repository)))
}

pub fn shown(at: &str, number: u64, pull: &Pull, repository: &Repository) -> Value {
    let user = pull.user.as_ref().map(|(login, id)| account(login, *id));
    let tip = |branch: &str| repository.tip(branch).unwrap_or_else(|| branch.to_owned());
    json!({
        "number": number, "title": pull.title, "user": user, "state": pull.state, "merged": pull.merged, "draft": pull.draft,
        "html_url": format!("https://github.com/{at}/pull/{number}"), "body": pull.body, "comments": pull.said.len(),
        "labels": pull.labels.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(), "merge_commit_sha": pull.became,
        "base": { "ref": pull.target, "sha": pull.base.clone().unwrap_or_else(|| tip(&pull.target)), "repo": { "full_name": at } },
        "head": { "ref": pull.head, "sha": tip(&pull.head) },
    })
}

/// An account, as it is shown. That of an app has `[bot]` behind its name, which nobody else can take.
fn account(login: &str, id: u64) -> Value {
    let kind = match login.ends_with("[bot]") {
        true => "Bot",
        false => "User",
    };
    json!({ "login": login, "id": id, "type": kind })
}

/// Who changed a branch, the last first.
async fn activity(
    State(host): State<FakeHost>,
    Path((owner, name)): Path<Named>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer {
    let (_, repository) = found(&host, &owner, &name)?;
    let branch = query
        .get("ref")
        .and_then(|of| of.strip_prefix("refs/heads/"));
    let branch = branch.ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    let state = host.state();
    let opened = state.pulls.values().find(|pull| pull.head == branch);
    let opened = opened.and_then(|pull| pull.user.as_ref());
    let by = state.hands.get(branch).into_iter().chain(opened);
    let tip = repository.tip(branch);
    let all = by.map(|(login, id)| json!({ "actor": account(login, *id), "after": tip }));
    Ok(Json(all.collect()))
}

async fn reference(
    State(host): State<FakeHost>,
    Path((owner, name, branch)): Path<(String, String, String)>,
) -> Answer {
    let (_, repository) = found(&host, &owner, &name)?;
    let sha = repository.tip(&branch).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({ "object": { "sha": sha, "type": "commit" } })))
}

/// The branches whose names begin so.
async fn references(
    State(host): State<FakeHost>,
    Path((owner, name, start)): Path<(String, String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer {
    let (_, repository) = found(&host, &owner, &name)?;
    let all = repository.branches(&format!("refs/heads/{start}"));
    let shown = |(name, sha)| json!({ "ref": name, "object": { "sha": sha, "type": "commit" } });
    let all = all.into_iter().map(shown).collect();
    Ok(Json(paged(all, &query).into()))
}

async fn tree(
    State(host): State<FakeHost>,
    Path((owner, name, tree)): Path<(String, String, String)>,
) -> Answer {
    let (_, repository) = found(&host, &owner, &name)?;
    let mut entries = entries(&repository, &tree, true);
    let most = host.state().largest_tree;
    let truncated = entries.len() > most;
    entries.truncate(most);
    Ok(Json(
        json!({ "sha": tree, "tree": entries, "truncated": truncated }),
    ))
}

/// What is in a tree, or in all that are in it too.
pub fn entries(repository: &Repository, tree: &str, is_all: bool) -> Vec<Value> {
    let kind: &[&str] = if is_all { &["-r", "-t"] } else { &[] };
    let asked = [&["ls-tree", "-l", "--full-tree", "-z"], kind, &[tree]].concat();
    let listed = repository.git(&asked);
    let entry = |line: &str| {
        let (head, path) = line.split_once('\t')?;
        let parts: Vec<&str> = head.split_whitespace().collect();
        let [mode, kind, sha, size] = parts[..] else {
            return None;
        };
        Some(
            json!({ "path": path, "mode": mode, "type": kind, "sha": sha, "size": size.parse::<u64>().ok() }),
        )
    };
    let mut entries: Vec<Value> = listed.split('\0').filter_map(entry).collect();
    for entry in &mut entries {
        if entry["size"].is_null() {
            entry.as_object_mut().unwrap().remove("size");
        }
    }
    entries
}

pub async fn blob(
    State(host): State<FakeHost>,
    Path((owner, name, blob)): Path<(String, String, String)>,
) -> Answer {
    let (_, repository) = found(&host, &owner, &name)?;
    let text = BASE64_STANDARD.encode(repository.bytes(&["cat-file", "blob", &blob]));
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(60)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    Ok(Json(
        json!({ "content": lines.join("\n") + "\n", "encoding": "base64" }),
    ))
}

async fn git_commit(
    State(host): State<FakeHost>,
    Path((owner, name, asked)): Path<(String, String, String)>,
) -> Answer {
    let (_, repository) = found(&host, &owner, &name)?;
    let known = repository.resolve(&format!("{asked}^{{commit}}"));
    let all = commit(&host, &repository, &known.ok_or(StatusCode::NOT_FOUND)?);
    let (sha, tree) = (&all["sha"], &all["commit"]["tree"]);
    Ok(Json(
        json!({ "sha": sha, "tree": tree, "parents": all["parents"] }),
    ))
}

async fn compare(
    State(host): State<FakeHost>,
    Path((owner, name, two)): Path<(String, String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (_, repository) = found(&host, &owner, &name)?;
    let (base, head) = two.split_once("...").ok_or(StatusCode::NOT_FOUND)?;
    let there = |commit: &str| {
        repository
            .resolve(&format!("{commit}^{{commit}}"))
            .ok_or(StatusCode::NOT_FOUND)
    };
    let (base, head) = (there(base)?, there(head)?);
    let merge_base = repository.git(&["merge-base", &base, &head]);
    let kind = headers
        .get(header::ACCEPT)
        .and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.ends_with(".diff")) {
        // Ids cut short, and of binary files nothing.
        let mut diff = repository.bytes(&["diff", "-M", &merge_base, &head]);
        if diff.len() > host.state().largest_diff {
            return Err(StatusCode::NOT_ACCEPTABLE);
        }
        diff.truncate(host.state().breaks_off);
        return Ok(diff.into_response());
    }
    let listed = repository.git(&[
        "rev-list",
        "--reverse",
        "--topo-order",
        &format!("{base}..{head}"),
    ]);
    let listed = listed.lines();
    let all: Vec<Value> = listed.map(|sha| commit(&host, &repository, sha)).collect();
    let total = all.len();
    Ok(Json(json!({
        "merge_base_commit": commit(&host, &repository, &merge_base), "total_commits": total, "commits": paged(all, &query),
    }))
    .into_response())
}

pub fn commit(host: &FakeHost, repository: &Repository, sha: &str) -> Value {
    let said = repository.git(&[
        "show",
        "-s",
        "--format=%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B",
        sha,
    ]);
    let mut lines = said.splitn(9, '\n');
    let mut line = || lines.next().unwrap_or("").to_owned();
    let (tree, parents) = (line(), line());
    let author = json!({ "name": line(), "email": line(), "date": line() });
    let committer = json!({ "name": line(), "email": line(), "date": line() });
    let parents: Vec<Value> = parents
        .split_whitespace()
        .map(|sha| json!({ "sha": sha }))
        .collect();
    let (by, from) = (
        belongs_to(&author["email"]),
        belongs_to(&committer["email"]),
    );
    let verified = host.state().signed.contains(sha);
    json!({
        "sha": sha, "parents": parents, "author": by, "committer": from,
        "commit": { "tree": { "sha": tree }, "author": author, "committer": committer, "message": line(),
                    "verification": { "verified": verified, "reason": if verified { "valid" } else { "unsigned" } } },
    })
}

/// Whose an address is, as far as the host knows: it goes by what stands there, whoever wrote it.
fn belongs_to(email: &Value) -> Option<Value> {
    match email.as_str()? {
        "ana@halden.example" => Some(account("ana-hub", 77)),
        "noreply@github.com" => Some(account("web-flow", 19_864_447)),
        email => {
            let (id, login) = email
                .strip_suffix("@users.noreply.github.com")?
                .split_once('+')?;
            Some(account(login, id.parse().ok()?))
        }
    }
}

pub async fn commit_status(
    State(host): State<FakeHost>,
    Path((owner, name, commit)): Path<(String, String, String)>,
    Json(said): Json<Value>,
) -> Answer<Response> {
    told(&host, &owner, &name, commit, said)
}

/// Only apps make them.
async fn check_run(
    State(host): State<FakeHost>,
    Path((owner, name)): Path<Named>,
    Json(said): Json<Value>,
) -> Answer<Response> {
    if host.was_said().is_empty() {
        return Err(StatusCode::FORBIDDEN);
    }
    let commit = said["head_sha"].as_str();
    let commit = commit.ok_or(StatusCode::UNPROCESSABLE_ENTITY)?.to_owned();
    told(&host, &owner, &name, commit, said)
}

fn told(host: &FakeHost, owner: &str, name: &str, commit: String, said: Value) -> Answer<Response> {
    let (_, repository) = found(host, owner, name)?;
    if repository
        .resolve(&format!("{commit}^{{commit}}"))
        .is_none()
    {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    host.state().told.push((commit, said));
    Ok((StatusCode::CREATED, Json(json!({ "id": 1 }))).into_response())
}

async fn installation() -> Json<Value> {
    Json(json!({ "id": 4711 }))
}

async fn access_token(Path(id): Path<u64>) -> Answer<Response> {
    if id != 4711 {
        return Err(StatusCode::NOT_FOUND);
    }
    let token = json!({ "token": TOKEN, "expires_at": "2026-11-20T13:00:00Z" });
    Ok((StatusCode::CREATED, Json(token)).into_response())
}

/// The repository, by the name that it has, in whatever case it is asked for.
fn found(host: &FakeHost, owner: &str, name: &str) -> Result<(String, Repository), StatusCode> {
    called(host, &format!("{owner}/{name}"))
}

/// The same, by its whole name.
pub fn called(host: &FakeHost, asked: &str) -> Result<(String, Repository), StatusCode> {
    let state = host.state();
    let mut all = state.repositories.iter();
    let found = all.find(|(name, _)| name.eq_ignore_ascii_case(asked));
    let (name, repository) = found.ok_or(StatusCode::NOT_FOUND)?;
    Ok((name.clone(), repository.clone()))
}

pub fn paged(all: Vec<Value>, query: &HashMap<String, String>) -> Vec<Value> {
    paged_by("per_page", all, query, 100)
}

/// The page that is asked for, which says so how long it is to be, and is no longer than that.
pub fn paged_by(
    length: &str,
    all: Vec<Value>,
    query: &HashMap<String, String>,
    most: usize,
) -> Vec<Value> {
    let number = |name: &str, default| {
        query
            .get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (size, page) = (number(length, 30).min(most), number("page", 1).max(1));
    all.into_iter().skip((page - 1) * size).take(size).collect()
}
