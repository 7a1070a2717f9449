//! The REST API of GitLab, version 4.

use crate::{
    FakeHost, Pull, Repository,
    rest::{Answer, called, paged},
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
pub const AT: &str = "/api/v4";

pub fn routes() -> Router<FakeHost> {
    let project = Router::new()
        .route("/merge_requests", get(requests))
        .route("/merge_requests/{iid}", get(request))
        .route("/merge_requests/{iid}/notes", get(said::notes))
        .route("/merge_requests/{iid}/approvals", get(said::approvals))
        .route("/merge_requests/{iid}/versions", get(versions))
        .route("/merge_requests/{iid}/versions/{version}", get(version))
        .route("/merge_requests/{iid}/raw_diffs", get(raw_diffs))
        .route("/repository/merge_base", get(merge_base))
        .route("/repository/commits", get(commits))
        .route("/repository/commits/{commit}", get(commit))
        .route("/repository/tree", get(tree))
        .route("/repository/blobs/{blob}/raw", get(blob))
        .route("/statuses/{commit}", post(status));
    Router::new().nest(&format!("{AT}/projects/{{id}}"), project)
}

type Asked = Query<HashMap<String, String>>;

async fn requests(State(host): State<FakeHost>, Path(id): Path<String>, query: Asked) -> Answer {
    let (at, repository) = called(&host, &id)?;
    let state = host.state();
    let of = state.pulls.iter().filter(|((of, _), _)| *of == at);
    let all = of.map(|((_, iid), pull)| shown(&at, *iid, pull, &repository));
    let wanted = query.get("state").map_or("all", String::as_str);
    let mut all: Vec<Value> = all
        .filter(|request| wanted == "all" || request["state"] == wanted)
        .collect();
    for request in &mut all {
        // A list says less.
        request.as_object_mut().unwrap().remove("diff_refs");
    }
    Ok(Json(paged(all, &query).into()))
}

async fn request(State(host): State<FakeHost>, Path((id, iid)): Path<(String, u64)>) -> Answer {
    let (at, pull, repository) = one(&host, &id, iid)?;
    Ok(Json(shown(&at, iid, &pull, &repository)))
}

pub fn one(host: &FakeHost, id: &str, iid: u64) -> Result<(String, Pull, Repository), StatusCode> {
    let (at, repository) = called(host, id)?;
    let state = host.state();
    let pull = state.pulls.get(&(at.clone(), iid));
    let pull = pull.ok_or(StatusCode::NOT_FOUND)?.clone();
    Ok((at, pull, repository))
}

/// What its patch goes between: it is worked out when somebody pushes.
struct Refs {
    base: String,
    start: String,
    head: String,
}

impl Refs {
    fn of(pull: &Pull, repository: &Repository) -> Self {
        let tip = |branch: &str| repository.tip(branch).unwrap_or_else(|| branch.to_owned());
        let start = pull.base.clone().unwrap_or_else(|| tip(&pull.target));
        let head = tip(&pull.head);
        let base = repository.git(&["merge-base", &start, &head]);
        Self { base, start, head }
    }

    /// Another for another patch.
    fn version(&self) -> u64 {
        let digits = [&self.base[..7], &self.head[..7]].concat();
        u64::from_str_radix(&digits, 16).unwrap()
    }
}

fn shown(at: &str, iid: u64, pull: &Pull, repository: &Repository) -> Value {
    let refs = Refs::of(pull, repository);
    let author = pull.user.as_ref().map(
        |(login, id)| json!({ "id": id, "username": login, "name": login, "state": "active" }),
    );
    let state = match pull.state.as_str() {
        _ if pull.merged => "merged",
        "open" => "opened",
        state => state,
    };
    let (merge, squash) = became(pull, repository, &refs);
    json!({
        "id": 100_000 + iid, "iid": iid, "title": pull.title, "description": pull.body, "state": state, "draft": pull.draft,
        "author": author, "target_branch": pull.target, "source_branch": pull.head, "labels": pull.labels, "user_notes_count": pull.said.len(),
        "sha": refs.head, "merge_commit_sha": merge, "squash_commit_sha": squash, "merge_status": "can_be_merged",
        "web_url": format!("https://gitlab.example/{at}/-/merge_requests/{iid}"),
        "references": { "short": format!("!{iid}"), "relative": format!("!{iid}"), "full": format!("{at}!{iid}") },
        "diff_refs": { "base_sha": refs.base, "start_sha": refs.start, "head_sha": refs.head },
    })
}

/// The merge, and what it was squashed to: neither where the target was moved on to its head.
fn became(pull: &Pull, repository: &Repository, refs: &Refs) -> (Option<String>, Option<String>) {
    let became = pull.became.clone().filter(|became| *became != refs.head);
    match became {
        Some(became) if repository.resolve(&format!("{became}^2")).is_some() => {
            (Some(became), None)
        }
        squash => (None, squash),
    }
}

fn state(host: &FakeHost, refs: &Refs, repository: &Repository) -> &'static str {
    let diff = repository.bytes(&["diff", "--full-index", "-M", &refs.base, &refs.head]);
    match diff.len() {
        0 => "empty",
        large if large > host.state().largest_diff => "overflow",
        _ => "collected",
    }
}

async fn versions(
    State(host): State<FakeHost>,
    Path((id, iid)): Path<(String, u64)>,
    query: Asked,
) -> Answer {
    let (_, pull, repository) = one(&host, &id, iid)?;
    let refs = Refs::of(&pull, &repository);
    let newest = described(&host, iid, &refs, &repository);
    let older = json!({ "id": 1, "merge_request_id": iid, "state": "without_files", "base_commit_sha": refs.base,
        "start_commit_sha": refs.start, "head_commit_sha": refs.base });
    Ok(Json(paged(vec![newest, older], &query).into()))
}

fn described(host: &FakeHost, iid: u64, refs: &Refs, repository: &Repository) -> Value {
    json!({ "id": refs.version(), "merge_request_id": iid, "state": state(host, refs, repository),
        "base_commit_sha": refs.base, "start_commit_sha": refs.start, "head_commit_sha": refs.head })
}

async fn version(
    State(host): State<FakeHost>,
    Path((id, iid, version)): Path<(String, u64, u64)>,
) -> Answer {
    let (_, pull, repository) = one(&host, &id, iid)?;
    let refs = Refs::of(&pull, &repository);
    if refs.version() != version {
        return Err(StatusCode::NOT_FOUND);
    }
    let names = repository.git(&["diff", "--name-status", "-M", "-z", &refs.base, &refs.head]);
    let mut names = names.split('\0').filter(|name| !name.is_empty());
    let mut diffs = vec![];
    while let (Some(status), Some(old)) = (names.next(), names.next()) {
        let new = if status.starts_with(['R', 'C']) {
            names.next().unwrap()
        } else {
            old
        };
        // The lines may be left out, and say nothing then.
        diffs.push(json!({ "old_path": old, "new_path": new, "diff": "" }));
    }
    let mut described = described(&host, iid, &refs, &repository);
    described["diffs"] = diffs.into();
    Ok(Json(described))
}

/// Ids in full, and of binary files nothing. What breaks off ends like what is whole.
async fn raw_diffs(
    State(host): State<FakeHost>,
    Path((id, iid)): Path<(String, u64)>,
) -> Answer<Response> {
    let (_, pull, repository) = one(&host, &id, iid)?;
    let refs = Refs::of(&pull, &repository);
    let mut diff = repository.bytes(&["diff", "--full-index", "-M", &refs.base, &refs.head]);
    diff.truncate(host.state().breaks_off);
    Ok(diff.into_response())
}

async fn merge_base(
    State(host): State<FakeHost>,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    let (_, repository) = called(&host, &id)?;
    let refs = query.iter().filter(|(name, _)| name == "refs[]");
    let mut asked = vec!["merge-base".to_owned()];
    for (_, name) in refs {
        let known = repository.tip(name);
        let known = known.or_else(|| repository.resolve(&format!("{name}^{{commit}}")));
        asked.push(known.ok_or(StatusCode::BAD_REQUEST)?);
    }
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    Ok(Json(told(&repository, &repository.git(&asked))))
}

async fn commits(State(host): State<FakeHost>, Path(id): Path<String>, query: Asked) -> Answer {
    let (_, repository) = called(&host, &id)?;
    let range = query.get("ref_name").ok_or(StatusCode::BAD_REQUEST)?;
    let listed = repository.git(&["rev-list", "--topo-order", range]);
    let all = listed.lines().map(|sha| told(&repository, sha)).collect();
    Ok(Json(paged(all, &query).into()))
}

async fn commit(
    State(host): State<FakeHost>,
    Path((id, commit)): Path<(String, String)>,
) -> Answer {
    let (_, repository) = called(&host, &id)?;
    let commit = repository.resolve(&format!("{commit}^{{commit}}"));
    Ok(Json(told(
        &repository,
        &commit.ok_or(StatusCode::NOT_FOUND)?,
    )))
}

/// It does not say which tree it has, nor whom it takes the author for.
fn told(repository: &Repository, sha: &str) -> Value {
    let format = "--format=%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B";
    let said = repository.git(&["show", "-s", format, sha]);
    let mut lines = said.splitn(8, '\n');
    let mut line = || lines.next().unwrap_or("").to_owned();
    let parents = line();
    let parents: Vec<&str> = parents.split_whitespace().collect();
    json!({
        "id": sha, "short_id": sha[..8], "parent_ids": parents,
        "author_name": line(), "author_email": line(), "authored_date": line(),
        "committer_name": line(), "committer_email": line(), "committed_date": line(), "message": line(),
    })
}

async fn tree(State(host): State<FakeHost>, Path(id): Path<String>, query: Asked) -> Answer {
    let (_, repository) = called(&host, &id)?;
    let (commit, path) = (&query["ref"], &query["path"]);
    let there = repository.resolve(&format!("{commit}:{path}"));
    let folder = there.and_then(|there| repository.resolve(&format!("{there}^{{tree}}")));
    let folder = folder.ok_or(StatusCode::NOT_FOUND)?;
    let listed = repository.git(&["ls-tree", "-z", &folder]);
    let entry = |line: &str| {
        let (head, name) = line.split_once('\t')?;
        let [mode, kind, id] = head.split_whitespace().collect::<Vec<_>>()[..] else {
            return None;
        };
        let path = [path.as_str(), name].join("/");
        Some(
            json!({ "id": id, "name": name, "type": kind, "path": path.trim_start_matches('/'), "mode": mode }),
        )
    };
    let mut all: Vec<Value> = listed.split('\0').filter_map(entry).collect();
    // Folders come first.
    all.sort_by_key(|one| one["type"] != "tree");
    Ok(Json(paged(all, &query).into()))
}

async fn blob(
    State(host): State<FakeHost>,
    Path((id, blob)): Path<(String, String)>,
) -> Answer<Response> {
    let (_, repository) = called(&host, &id)?;
    let blob = repository.resolve(&format!("{blob}^{{blob}}"));
    let blob = blob.ok_or(StatusCode::NOT_FOUND)?;
    Ok(repository
        .bytes(&["cat-file", "blob", &blob])
        .into_response())
}

/// A job of that name in a pipeline of a branch: what waits cannot be made to wait once more.
async fn status(
    State(host): State<FakeHost>,
    Path((id, commit)): Path<(String, String)>,
    Json(said): Json<Value>,
) -> Answer<Response> {
    let (_, repository) = called(&host, &id)?;
    let known = repository.resolve(&format!("{commit}^{{commit}}"));
    let known = known.ok_or(StatusCode::NOT_FOUND)?;
    let branches = repository.git(&["for-each-ref", "--contains", &known, "refs/heads"]);
    if branches.is_empty() {
        return Err(StatusCode::NOT_FOUND);
    }
    let mut state = host.state();
    let waits = state.waits.contains(&known);
    match said["state"].as_str() {
        Some("pending") if waits => {
            let why = "Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via \"enqueue\")";
            let why = Json(json!({ "message": why }));
            return Ok((StatusCode::BAD_REQUEST, why).into_response());
        }
        Some("pending") => drop(state.waits.insert(known)),
        Some("running" | "success" | "failed" | "canceled" | "skipped") => {
            state.waits.remove(&known);
        }
        _ => return Err(StatusCode::BAD_REQUEST),
    }
    state.told.push((commit, said));
    Ok((StatusCode::CREATED, Json(json!({ "id": 1 }))).into_response())
}
