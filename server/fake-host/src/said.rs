//! Reviews and comments, as each host tells of them.

use crate::{
    FakeHost, Said, gitea, gitlab,
    rest::{Answer, paged, paged_by},
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde_json::{Value, json};
use std::collections::HashMap;

type Asked = Query<HashMap<String, String>>;
type At = (String, String, String);

pub async fn reviews(State(host): State<FakeHost>, Path(at): Path<At>, query: Asked) -> Answer {
    let all = all(&host, at, |one| one.state.is_some())?;
    Ok(Json(
        paged(
            all.map(|(n, one)| review(n, &one, one.state)).collect(),
            &query,
        )
        .into(),
    ))
}

pub async fn inline(State(host): State<FakeHost>, Path(at): Path<At>, query: Asked) -> Answer {
    let all = all(&host, at, |one| one.inline)?;
    Ok(Json(paged(all.map(comment).collect(), &query).into()))
}

pub async fn comments(State(host): State<FakeHost>, Path(at): Path<At>, query: Asked) -> Answer {
    let all = all(&host, at, is_comment)?;
    Ok(Json(paged(all.map(comment).collect(), &query).into()))
}

/// It calls two of their states otherwise.
pub async fn gitea_reviews(
    State(host): State<FakeHost>,
    Path(at): Path<At>,
    query: Asked,
) -> Answer {
    let all = all(&host, at, |one| one.state.is_some() || one.inline)?;
    let shown = |(n, one): (usize, Said)| {
        let state = match one.state {
            Some("CHANGES_REQUESTED") => "REQUEST_CHANGES",
            Some("APPROVED") => "APPROVED",
            _ => "COMMENT",
        };
        review(n, &one, Some(state))
    };
    Ok(Json(
        paged_by("limit", all.map(shown).collect(), &query, 50).into(),
    ))
}

/// All at once.
pub async fn gitea_comments(State(host): State<FakeHost>, Path(at): Path<At>) -> Answer {
    let all = all(&host, at, is_comment)?;
    Ok(Json(all.map(comment).collect()))
}

/// The newest first, with what it wrote itself.
pub async fn notes(
    State(host): State<FakeHost>,
    Path((id, iid)): Path<(String, u64)>,
    query: Asked,
) -> Answer {
    let (_, pull, _) = gitlab::one(&host, &id, iid)?;
    let shown = |(n, one): (usize, Said)| {
        let (body, system) = match one.text.as_str() {
            "" => ("approved this merge request", true),
            text => (text, false),
        };
        json!({ "id": n, "body": body, "author": { "username": one.by }, "created_at": at(n), "system": system,
                "internal": false, "confidential": false })
    };
    let all = pull.said.into_iter().enumerate().map(shown).rev().collect();
    Ok(Json(paged(all, &query).into()))
}

pub async fn approvals(
    State(host): State<FakeHost>,
    Path((id, iid)): Path<(String, u64)>,
) -> Answer {
    let (_, pull, _) = gitlab::one(&host, &id, iid)?;
    let approved = |one: &&Said| one.state == Some("APPROVED");
    let by: Vec<Value> = pull
        .said
        .iter()
        .filter(approved)
        .map(|one| json!({ "user": { "username": one.by } }))
        .collect();
    Ok(Json(json!({ "approved_by": by })))
}

fn is_comment(one: &Said) -> bool {
    one.state.is_none() && !one.inline
}

/// Those of a pull request that are such, each with its number.
fn all(
    host: &FakeHost,
    (owner, name, number): At,
    such: fn(&Said) -> bool,
) -> Result<impl Iterator<Item = (usize, Said)>, StatusCode> {
    let (_, pull, _) = gitea::one(host, (owner, name), &number)?;
    let all = pull.said.into_iter().enumerate();
    Ok(all.filter(move |(_, one)| such(one)))
}

fn at(n: usize) -> String {
    format!("2026-11-20T12:{:02}:{:02}Z", n / 60, n % 60)
}

fn review(n: usize, one: &Said, state: Option<&str>) -> Value {
    json!({ "id": n, "user": { "login": one.by }, "body": one.text, "state": state, "submitted_at": at(n),
            "html_url": format!("https://host.example/r{n}"), "dismissed": false })
}

fn comment((n, one): (usize, Said)) -> Value {
    json!({ "id": n, "user": { "login": one.by }, "body": one.text, "created_at": at(n), "updated_at": at(n),
            "html_url": format!("https://host.example/c{n}") })
}
