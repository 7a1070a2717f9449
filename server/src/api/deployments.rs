//! Deployments: what was shipped where, told by whoever shipped it.

use super::{caller, parse, show, wire};
use crate::{problem::Refusal, state::Server};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode},
};
use domain::{
    Timestamp,
    names::{CommitSha, Environment, RepositoryName},
    token::{Scope, Token},
};
use std::collections::HashSet;
use store::deployments::{self, Outcome, Report};
use time::{Duration, macros::datetime};

/// The most commits of one deployment: as many as a body has room for, also where ids are long.
pub const MAX_COMMITS: usize = 900;
const MAX_KEY: usize = 200;

/// Record a deployment.
///
/// Judged as it is recorded: what no gate would have allowed then, at that commit, is `unsanctioned`, owed a review, and shown
/// to everybody who may read the repository. Sent again under the same key, it is the deployment already recorded.
#[utoipa::path(
    post, path = "/api/v1/deployments", tag = "deployments", request_body = wire::DeploymentReport, security(("token" = ["incidents"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the report, unless `key` does: 1 to 200 visible characters, unique in the repository.")),
    responses(
        (status = 201, description = "Recorded.", body = wire::Deployment),
        (status = 200, description = "Recorded already, under this key.", body = wire::Deployment),
        (status = 400, description = "The body is not JSON.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 409, description = "`deployment-differs`: another deployment was recorded under this key.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Larger than is accepted.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reports with this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn record(
    State(server): State<Server>,
    headers: HeaderMap,
    sent: Result<Json<wire::DeploymentReport>, JsonRejection>,
) -> Result<(StatusCode, Json<wire::Deployment>), Refusal> {
    // Before anything is said of what was sent: who has no token learns nothing.
    caller::hash(&headers)?;
    let Json(sent) = sent.map_err(parse::unreadable)?;
    let token = caller::token(&server, &headers).await?;
    token.has(Scope::Incidents)?;
    server.auth.limits.submit(token.id)?;
    let key = key(&headers, sent.key.as_deref())?;
    let report = report(&token, sent, key, server.db.now())?;
    token.allows(Scope::Incidents, &report.repository)?;
    let mut tx = server.db.begin().await?;
    let outcome = deployments::record(&mut tx, &report, server.claims_max_age()).await?;
    tx.commit().await?;
    let (status, recorded) = match outcome {
        Outcome::New(recorded) => (StatusCode::CREATED, recorded),
        Outcome::Known(recorded) => (StatusCode::OK, recorded),
        Outcome::Differs => return Err(differs()),
    };
    Ok((status, Json(show::deployment(&report, recorded))))
}

fn report(
    token: &Token,
    sent: wire::DeploymentReport,
    key: String,
    now: Timestamp,
) -> Result<Report, Refusal> {
    Ok(Report {
        repository: parse::name("repository", RepositoryName::parse(sent.repository))?,
        environment: parse::name("environment", Environment::parse(sent.environment))?,
        told_at: sent.when.map(|at| moment(at, now)).transpose()?,
        commits: commits(sent.commits)?,
        key,
        token: token.id,
    })
}

fn commits(sent: Vec<String>) -> Result<Vec<CommitSha>, Refusal> {
    if !(1..=MAX_COMMITS).contains(&sent.len()) {
        return Err(Refusal::unreadable(
            "commits",
            format!("`commits` has 1 to {MAX_COMMITS} entries."),
        ));
    }
    let mut named = HashSet::with_capacity(sent.len());
    let mut commits = Vec::with_capacity(sent.len());
    for (i, sha) in sent.into_iter().enumerate() {
        let sha = parse::name(&format!("commits[{i}]"), CommitSha::parse(sha))?;
        if !named.insert(sha.clone()) {
            return Err(Refusal::unreadable(
                "commits",
                format!("`commits` names {sha} twice."),
            ));
        }
        commits.push(sha);
    }
    Ok(commits)
}

/// When it happened, as they say, to the microsecond that Postgres keeps: a clock may be wrong, but not by a day, and nobody
/// deployed with this before it was made.
fn moment(at: Timestamp, now: Timestamp) -> Result<Timestamp, Refusal> {
    const EARLIEST: Timestamp = datetime!(2000-01-01 0:00 UTC);
    if at < EARLIEST || at > now + Duration::DAY {
        return Err(Refusal::unreadable(
            "when",
            "`when` is neither before the year 2000 nor more than a day ahead.",
        ));
    }
    Ok(at
        .replace_nanosecond(at.nanosecond() / 1000 * 1000)
        .unwrap_or(at))
}

/// What names the report: a header, in quotes or without, or a field of the body; where there are both, they say the same.
fn key(headers: &HeaderMap, field: Option<&str>) -> Result<String, Refusal> {
    let header = headers
        .get("idempotency-key")
        .map(|value| value.to_str().unwrap_or_default());
    let header = header.map(|value| {
        let inner = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        inner.unwrap_or(value)
    });
    let key = match (header, field) {
        (Some(header), Some(field)) if header != field => {
            return Err(Refusal::unreadable(
                "key",
                "`Idempotency-Key` and `key` name two different reports.",
            ));
        }
        (Some(key), _) | (None, Some(key)) => key,
        (None, None) => "",
    };
    let visible = |c: char| c.is_ascii_graphic() || c == ' ';
    if (1..=MAX_KEY).contains(&key.len()) && key.trim() == key && key.chars().all(visible) {
        return Ok(key.to_owned());
    }
    Err(Refusal::unreadable(
        "key",
        format!(
            "Name the report by `Idempotency-Key` or `key`, such as the id of the pipeline's run: 1 to {MAX_KEY} visible ASCII characters."
        ),
    ))
}

fn differs() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "deployment-differs",
        "Another deployment of this repository was recorded under this key: another environment, time, or other commits. Nothing was changed.",
    )
}
