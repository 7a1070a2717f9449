//! The REST API of Gitea and Forgejo, version 1, where it is another than GitHub's.

use crate::{
    FakeHost, Pull, Repository,
    rest::{self, Answer, called, paged_by},
    said,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Where it begins.
pub const AT: &str = "/api/v1";

pub fn routes() -> Router<FakeHost> {
    let repository = Router::new()
        .route("/pulls", get(pulls))
        .route("/pulls/{number}", get(pull))
        .route("/pulls/{number}/commits", get(commits))
        .route("/pulls/{number}/reviews", get(said::gitea_reviews))
        .route("/issues/{number}/comments", get(said::gitea_comments))
        .route("/compare/{two}", get(compare))
        .route("/git/refs/pull/{number}/head", get(head))
        .route("/git/trees/{tree}", get(tree))
        .route("/git/blobs/{blob}", get(rest::blob))
        .route("/git/commits/{commit}", get(commit))
        .route("/statuses/{commit}", post(rest::commit_status));
    Router::new().nest(&format!("{AT}/repos/{{owner}}/{{name}}"), repository)
}

type Asked = Query<HashMap<String, String>>;
type Named = (String, String);
type At = (String, String, String);

pub fn one(
    host: &FakeHost,
    (owner, name): Named,
    number: &str,
) -> Answer<(String, Pull, Repository)> {
    let (at, repository) = called(host, &format!("{owner}/{name}"))?;
    let number = number.parse().map_err(|_| StatusCode::NOT_FOUND)?;
    let state = host.state();
    let pull = state.pulls.get(&(at.clone(), number));
    let pull = pull.ok_or(StatusCode::NOT_FOUND)?.clone();
    Ok((at, pull, repository))
}

async fn pulls(
    State(host): State<FakeHost>,
    Path((owner, name)): Path<Named>,
    query: Asked,
) -> Answer {
    let (at, repository) = called(&host, &format!("{owner}/{name}"))?;
    let state = host.state();
    let of = state.pulls.iter().filter(|((of, _), _)| *of == at);
    let wanted = query.get("state").map_or("open", String::as_str);
    let of = of.filter(|(_, pull)| wanted == "all" || pull.state == wanted);
    let all = of.map(|((_, number), pull)| shown(&at, *number, pull, &repository));
    Ok(Json(paged_by("limit", all.collect(), &query, 50).into()))
}

/// A pull request, or its patch.
async fn pull(
    State(host): State<FakeHost>,
    Path((owner, name, number)): Path<At>,
) -> Answer<Response> {
    let (number, is_diff) = match number.strip_suffix(".diff") {
        Some(number) => (number, true),
        None => (number.as_str(), false),
    };
    let (at, pull, repository) = one(&host, (owner, name), number)?;
    if !is_diff {
        let number = number.parse().unwrap();
        return Ok(Json(shown(&at, number, &pull, &repository)).into_response());
    }
    let (base, head) = ends(&pull, &repository);
    // Ids cut short, names as they are, and of binary files nothing.
    let asked = ["-c", "core.quotePath=false", "diff", "-p", &base, &head];
    let mut diff = repository.bytes(&asked);
    diff.truncate(host.state().breaks_off);
    Ok(diff.into_response())
}

/// Where its patch begins, and its head.
fn ends(pull: &Pull, repository: &Repository) -> (String, String) {
    let tip = |branch: &str| repository.tip(branch).unwrap_or_else(|| branch.to_owned());
    let target = pull.base.clone().unwrap_or_else(|| tip(&pull.target));
    let head = tip(&pull.head);
    (repository.git(&["merge-base", &target, &head]), head)
}

fn shown(at: &str, number: u64, pull: &Pull, repository: &Repository) -> Value {
    let mut shown = rest::shown(at, number, pull, repository);
    shown["merge_base"] = ends(pull, repository).0.into();
    shown["html_url"] = format!("https://gitea.example/{at}/pulls/{number}").into();
    // Where the target is now.
    shown["base"]["sha"] = repository.tip(&pull.target).unwrap_or_default().into();
    shown
}

/// What it adds to its target now, or added when it was merged.
async fn commits(
    State(host): State<FakeHost>,
    Path((owner, name, number)): Path<At>,
    query: Asked,
) -> Answer {
    let (_, pull, repository) = one(&host, (owner, name), &number)?;
    let (base, head) = ends(&pull, &repository);
    let target = match pull.merged {
        true => base,
        false => repository.tip(&pull.target).ok_or(StatusCode::NOT_FOUND)?,
    };
    let base = repository.git(&["merge-base", &target, &head]);
    let listed = repository.git(&["rev-list", &format!("{base}..{head}")]);
    let all = listed
        .lines()
        .map(|sha| told(&host, &repository, sha))
        .collect();
    Ok(Json(paged_by("limit", all, &query, 50).into()))
}

/// For the tree it gives the commit.
fn told(host: &FakeHost, repository: &Repository, sha: &str) -> Value {
    let mut commit = rest::commit(host, repository, sha);
    commit["commit"]["tree"]["sha"] = sha.into();
    commit
}

async fn compare(State(host): State<FakeHost>, Path((owner, name, two)): Path<At>) -> Answer {
    let (_, repository) = called(&host, &format!("{owner}/{name}"))?;
    let (base, head) = two.split_once("...").ok_or(StatusCode::NOT_FOUND)?;
    let base = repository.git(&["merge-base", base, head]);
    let listed = repository.git(&["rev-list", &format!("{base}..{head}")]);
    let all: Vec<Value> = listed
        .lines()
        .map(|sha| told(&host, &repository, sha))
        .collect();
    Ok(Json(json!({ "total_commits": all.len(), "commits": all })))
}

async fn head(State(host): State<FakeHost>, Path((owner, name, number)): Path<At>) -> Answer {
    let (_, pull, repository) = one(&host, (owner, name), &number)?;
    let (_, head) = ends(&pull, &repository);
    let name = format!("refs/pull/{number}/head");
    Ok(Json(
        json!({ "ref": name, "object": { "type": "commit", "sha": head } }),
    ))
}

async fn commit(State(host): State<FakeHost>, Path((owner, name, commit)): Path<At>) -> Answer {
    let (_, repository) = called(&host, &format!("{owner}/{name}"))?;
    let commit = repository.resolve(&format!("{commit}^{{commit}}"));
    Ok(Json(told(
        &host,
        &repository,
        &commit.ok_or(StatusCode::NOT_FOUND)?,
    )))
}

/// By pages, and without a list where there is nothing on one.
async fn tree(
    State(host): State<FakeHost>,
    Path((owner, name, tree)): Path<At>,
    query: Asked,
) -> Answer {
    let (_, repository) = called(&host, &format!("{owner}/{name}"))?;
    let is_all = query.get("recursive").is_some_and(|all| all == "true");
    let all = rest::entries(&repository, &tree, is_all);
    let most = host.state().largest_tree.min(1_000);
    let page = paged_by("per_page", all.clone(), &query, most);
    let last = page.last() == all.last();
    let page = if page.is_empty() {
        Value::Null
    } else {
        page.into()
    };
    Ok(Json(
        json!({ "sha": tree, "tree": page, "truncated": !last }),
    ))
}
