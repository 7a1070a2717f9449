//! Policies by pipelines: what holds for a repository, and pushing another version of it.

use super::{caller, parse, show, wire};
use crate::{problem::Refusal, state::Server};
use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    ids::RepositoryId,
    names::RepositoryName,
    policy::{Document, Fault, Mode, Policy, lowering::DAYS, trial::why},
    readers::Reader,
    token::{Scope, Token},
};
use serde::Deserialize;
use store::{
    Tx,
    policies::{self, Author, Measured, New, Outcome},
    repositories,
};
use utoipa::IntoParams;

/// The longest past that a policy is tried on.
const MOST_DAYS: i64 = 90;

/// `owner` and `name`. The slashes in a name of several parts are written `%2F`.
pub(super) type Place = Path<(String, String)>;

pub(super) type Body = Result<Bytes, BytesRejection>;

/// What holds for a repository: its own policy, or the default.
#[utoipa::path(
    operation_id = "show_policy",
    get, path = "/api/v1/repositories/{owner}/{name}/policy", tag = "policies", security(("token" = ["read"]), ("token" = ["policy"])),
    params(("owner" = String, Path, example = "acme"), ("name" = String, Path, example = "payments", description = "With `%2F` for a slash.")),
    responses(
        (status = 200, description = "What is in force. `ETag` names the version, for `If-Match`.", body = wire::PolicyInForce),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the name of a repository.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody told of this repository.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(place): Place,
) -> Result<Response, Refusal> {
    let (token, repository) = reader(&server, &headers, &place).await?;
    let mut tx = server.db.read().await?;
    let (_, terms) = policies::about(tx.conn(), &Reader::token(&token), &repository)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let held = policies::in_force(tx.conn(), &terms).await?;
    let answer = wire::PolicyInForce {
        repository: repository.to_string(),
        policy: wire::Policy {
            id: terms.policy.id.clone(),
            version: terms.policy.version,
        },
        whole: terms.policy.whole,
        text: held.and_then(|held| held.text),
        mode: mode(terms.mode(tx.now())),
    };
    Ok(tagged(&terms.policy, answer))
}

/// Puts a policy in force, or proposes it to another admin where it lowers what was needed.
#[utoipa::path(
    operation_id = "put_policy",
    put, path = "/api/v1/repositories/{owner}/{name}/policy", tag = "policies", security(("token" = ["policy"])),
    params(("owner" = String, Path, example = "acme"), ("name" = String, Path, example = "payments", description = "With `%2F` for a slash."),
           ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read: refused if another version is in force by now.")),
    request_body(content = String, content_type = "application/toml", description = "The policy, 64 kB at most. `text/plain` is taken too."),
    responses(
        (status = 200, description = "In force, or what was in force already.", body = wire::PolicySet),
        (status = 202, description = "It lowers what was needed for something of the last 30 days, and waits for an admin.", body = wire::PolicySet),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Larger than is accepted.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood; of a policy `faults` says where.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests with this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 412, description = "Another version is in force by now.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither `application/toml` nor `text/plain`.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn put(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(place): Place,
    body: Body,
) -> Result<Response, Refusal> {
    let body = received(&headers, body)?;
    let (token, repository) = writer(&server, &headers, &place).await?;
    is_text(&headers)?;
    let (text, document) = read(&body)?;
    set(
        &server,
        &headers,
        &repository,
        token,
        Some((text, document)),
    )
    .await
}

/// Back to the default, as a version of its own; proposed to another admin where that lowers what was needed.
#[utoipa::path(
    operation_id = "delete_policy",
    delete, path = "/api/v1/repositories/{owner}/{name}/policy", tag = "policies", security(("token" = ["policy"])),
    params(("owner" = String, Path, example = "acme"), ("name" = String, Path, example = "payments", description = "With `%2F` for a slash."),
           ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read: refused if another version is in force by now.")),
    responses(
        (status = 200, description = "The default is in force.", body = wire::PolicySet),
        (status = 202, description = "It lowers what was needed for something of the last 30 days, and waits for an admin.", body = wire::PolicySet),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Larger than is accepted.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood; of a policy `faults` says where.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests with this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 412, description = "Another version is in force by now.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn delete(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(place): Place,
    body: Body,
) -> Result<Response, Refusal> {
    received(&headers, body)?;
    let (token, repository) = writer(&server, &headers, &place).await?;
    set(&server, &headers, &repository, token, None).await
}

/// What is tried, and on what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Trial {
    /// So many days of the past, 30 unless told, 90 at most.
    days: Option<i64>,
    /// The key of one change: why, or why not.
    change: Option<String>,
}

/// Tries a policy on the past, and on one change. Nothing is kept of it.
#[utoipa::path(
    operation_id = "try_policy",
    post, path = "/api/v1/repositories/{owner}/{name}/policy/try", tag = "policies", security(("token" = ["read"]), ("token" = ["policy"])),
    params(Trial, ("owner" = String, Path, example = "acme"), ("name" = String, Path, example = "payments", description = "With `%2F` for a slash.")),
    request_body(content = String, content_type = "application/toml", description = "The policy, 64 kB at most. `text/plain` is taken too."),
    responses(
        (status = 200, description = "What it would have made of them.", body = wire::PolicyTried),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Larger than is accepted.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood; of a policy `faults` says where.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests with this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody told of this repository or this change.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither `application/toml` nor `text/plain`.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn attempt(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(place): Place,
    trial: Result<Query<Trial>, QueryRejection>,
    body: Body,
) -> Result<Json<wire::PolicyTried>, Refusal> {
    let body = received(&headers, body)?;
    let (token, repository) = reader(&server, &headers, &place).await?;
    server.auth.limits.submit(token.id)?;
    is_text(&headers)?;
    let Query(trial) = trial.map_err(|error| {
        Refusal::rejected(
            StatusCode::UNPROCESSABLE_ENTITY,
            "query",
            &error.body_text(),
        )
    })?;
    let days = trial.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Refusal::unreadable(
            "days",
            format!("`days` is 1 to {MOST_DAYS}."),
        ));
    }
    let (_, document) = read(&body)?;
    let draft = Policy::drafted(document);
    let mut tx = server.db.read().await?;
    let (id, terms) = policies::about(tx.conn(), &Reader::token(&token), &repository)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let (now, max_age) = (tx.now(), server.claims_max_age());
    let why = match &trial.change {
        Some(key) => Some(explained(&mut tx, id, key, &draft, max_age).await?),
        None => None,
    };
    let measured = policies::measure(tx.conn(), id, &terms, &draft, days, now, max_age).await?;
    Ok(Json(show::tried(&repository, days, measured, why)))
}

/// One change of the repository under the draft.
async fn explained(
    tx: &mut Tx,
    repository: RepositoryId,
    key: &str,
    draft: &Policy,
    claims_max_age: time::Duration,
) -> Result<wire::PolicyWhy, Refusal> {
    let case = policies::case_under(tx.conn(), repository, key, draft, claims_max_age).await?;
    let case = case.ok_or_else(Refusal::not_found)?;
    Ok(show::why(&case, why(&case, tx.now())))
}

async fn reader(
    server: &Server,
    headers: &HeaderMap,
    place: &(String, String),
) -> Result<(Token, RepositoryName), Refusal> {
    let token = caller::token(server, headers).await?;
    let repository = named(place)?;
    token
        .allows(Scope::Policy, &repository)
        .or_else(|_| token.allows(Scope::Read, &repository))?;
    Ok((token, repository))
}

/// The mode on the wire.
#[must_use]
pub fn mode(from: Mode) -> wire::Mode {
    match from {
        Mode::Enforce => wire::Mode {
            mode: "enforce".to_owned(),
            until: None,
        },
        Mode::Observe { until } => wire::Mode {
            mode: "observe".to_owned(),
            until: Some(until),
        },
    }
}

/// The body, of which nothing is said to who has no token.
pub(super) fn received(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Bytes, Refusal> {
    caller::hash(headers)?;
    body.map_err(|error| Refusal::rejected(error.status(), "body", &error.body_text()))
}

async fn writer(
    server: &Server,
    headers: &HeaderMap,
    (owner, name): &(String, String),
) -> Result<(Token, RepositoryName), Refusal> {
    let token = caller::token(server, headers).await?;
    let repository = named(&(owner.clone(), name.clone()))?;
    token.allows(Scope::Policy, &repository)?;
    // Each push judges the last 30 days anew.
    server.auth.limits.submit(token.id)?;
    Ok((token, repository))
}

async fn set(
    server: &Server,
    headers: &HeaderMap,
    repository: &RepositoryName,
    token: Token,
    text: Option<(&str, Document)>,
) -> Result<Response, Refusal> {
    let (text, document) = text.unzip();
    let mut tx = server.db.begin().await?;
    repositories::ensure(&mut tx, repository).await?;
    let locked = policies::lock(&mut tx, repository)
        .await?
        .ok_or_else(Refusal::not_found)?;
    if_match(headers, &locked.terms.policy)?;
    let new = New {
        text,
        author: Author::Token(token.id),
        note: "",
    };
    let max_age = server.claims_max_age();
    let (outcome, measured) = policies::set(&mut tx, &locked, &new, document, max_age).await?;
    let (_, now) = policies::about(tx.conn(), &Reader::token(&token), repository)
        .await?
        .ok_or_else(Refusal::not_found)?;
    tx.commit().await?;
    let (status, answer) = told(server, repository, &now.policy, outcome, measured);
    Ok((status, tagged(&now.policy, answer)).into_response())
}

fn told(
    server: &Server,
    repository: &RepositoryName,
    in_force: &Policy,
    outcome: Outcome,
    measured: Measured,
) -> (StatusCode, wire::PolicySet) {
    let (status, state, version) = match outcome {
        Outcome::InForce(version) => (StatusCode::OK, wire::PolicyState::InForce, Some(version)),
        Outcome::Proposed(version) => (
            StatusCode::ACCEPTED,
            wire::PolicyState::Proposed,
            Some(version),
        ),
        Outcome::Unchanged => (StatusCode::OK, wire::PolicyState::Unchanged, None),
    };
    let answer = wire::PolicySet {
        repository: repository.to_string(),
        state,
        version,
        policy: wire::Policy {
            id: in_force.id.clone(),
            version: in_force.version,
        },
        looked_at: measured.hindsight.looked_at,
        lowers: measured.lowers,
        page: server
            .settings
            .site
            .at(&format!("/repositories/{repository}")),
    };
    (status, answer)
}

pub(super) fn named((owner, name): &(String, String)) -> Result<RepositoryName, Refusal> {
    let name = RepositoryName::parse(format!("{owner}/{name}"));
    Ok(parse::name("repository", name)?)
}

fn is_text(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if ["application/toml", "text/plain"].contains(&kind) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "content-type",
        "Send the policy as `Content-Type: application/toml`.",
    ))
}

fn read(body: &[u8]) -> Result<(&str, Document), Refusal> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Err(Refusal::unreadable(
            "policy",
            "The policy is not UTF-8 text.",
        ));
    };
    let document = Document::parse(text).map_err(|faults| faulty(&faults))?;
    Ok((text, document))
}

fn faulty(faults: &[Fault]) -> Refusal {
    let first = faults
        .first()
        .map(|fault| format!(" The first fault: {fault}."));
    let first = first.unwrap_or_default();
    let refusal = Refusal::unreadable("policy", format!("The policy cannot be read.{first}"));
    refusal.with_faults(faults.iter().map(wire::Fault::from).collect())
}

impl From<&Fault> for wire::Fault {
    fn from(fault: &Fault) -> Self {
        Self {
            line: fault.line,
            column: fault.column,
            said: fault.said.clone(),
            expected: fault.expected.clone(),
            nearest: fault.nearest.clone(),
        }
    }
}

fn tag(policy: &Policy) -> String {
    format!("\"{}\"", policy.label())
}

fn tagged(policy: &Policy, answer: impl serde::Serialize) -> Response {
    let mut response = Json(answer).into_response();
    // Names of repositories are ASCII letters and a few signs, so this is always a header.
    if let Ok(tag) = HeaderValue::from_str(&tag(policy)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Refuses where the caller read another version than the one in force.
fn if_match(headers: &HeaderMap, in_force: &Policy) -> Result<(), Refusal> {
    let Some(wanted) = headers.get(header::IF_MATCH) else {
        return Ok(());
    };
    let wanted = wanted.to_str().unwrap_or_default();
    let is = tag(in_force);
    if wanted
        .split(',')
        .any(|one| one.trim() == is || one.trim() == "*")
    {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::PRECONDITION_FAILED,
        "policy-moved",
        format!(
            "Another version than the one that you read is in force: {is}. Read it, and send yours again."
        ),
    ))
}
