//! The stream of decisions: whoever follows the cursor gets every one, once, whatever commits late.

use super::{caller, changes, policies, show, wire};
use crate::{problem::Refusal, state::Server};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use domain::{Timestamp, policy::mode_at, readers::Reader};
use serde::Deserialize;
use store::decisions::{self, Cursor, Listed};
use utoipa::IntoParams;

/// How many decisions a page has at most.
const MOST: i64 = 500;

/// Where to read on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// The `cursor` of the page before; from the beginning without one.
    after: Option<String>,
    /// 1 to 500; 100 unless told.
    limit: Option<i64>,
}

/// Decisions about changes of the token's repositories, oldest first. Nothing is ever put before a cursor. Of two about one
/// change that were taken at the same moment either may come first: `seq` says which of them counts as the later.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "decisions", params(After), security(("token" = ["read"])),
    responses((status = 200, description = "One page; empty with the same cursor where nothing is new.", body = wire::Decisions),
              (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 422, description = "Not understood.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json")))]
pub async fn stream(
    State(server): State<Server>,
    headers: HeaderMap,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Response, Refusal> {
    let token = caller::reader(&server, &headers).await?;
    let Query(asked) = after.map_err(|error| {
        Refusal::rejected(
            StatusCode::UNPROCESSABLE_ENTITY,
            "query",
            &error.body_text(),
        )
    })?;
    let limit = asked.limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::unreadable(
            "limit",
            format!("`limit` is 1 to {MOST}."),
        ));
    }
    let given = asked.after.filter(|after| !after.is_empty());
    let after = given
        .as_deref()
        .map(|text| parse(text).ok_or_else(not_a_cursor))
        .transpose()?;
    let mut tx = server.db.read().await?;
    let now = tx.now();
    let listed = decisions::after(&mut tx, &Reader::token(&token), after, limit).await?;
    let cursor = listed.last().map(|one| write(one.cursor)).or(given);
    let full = i64::try_from(listed.len()).is_ok_and(|n| n == limit);
    let following = cursor
        .as_ref()
        .filter(|_| full)
        .map(|cursor| format!("/api/v1/decisions?after={cursor}&limit={limit}"));
    let decisions = listed
        .into_iter()
        .map(|one| in_the_stream(one, now))
        .collect();
    let mut response = Json(wire::Decisions { decisions, cursor }).into_response();
    if let Some(address) = following {
        changes::next(&mut response, &address);
    }
    Ok(response)
}

/// A decision together with what gates make of its repository's policy now.
fn in_the_stream(listed: Listed, now: Timestamp) -> wire::Decision {
    wire::Decision {
        repository: Some(listed.repository.to_string()),
        gates: Some(policies::mode(mode_at(listed.observe_until, now))),
        ..show::decision(listed.recorded)
    }
}

fn write(cursor: Cursor) -> String {
    format!("{}.{}", cursor.xid, cursor.id)
}

fn parse(text: &str) -> Option<Cursor> {
    let (xid, id) = text.split_once('.')?;
    Some(Cursor {
        xid: xid.parse().ok()?,
        id: id.parse().ok()?,
    })
}

fn not_a_cursor() -> Refusal {
    Refusal::unreadable(
        "after",
        "`after` is a `cursor` that an answer of this address gave.",
    )
}
