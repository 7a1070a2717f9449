//! Reading changes: the list, one, and its parts.

use super::{caller, show, wire};
use crate::{problem::Refusal, state::Server};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{case::Case, ids::ChangeId, readers::Reader};
use serde::{Deserialize, Deserializer, de::Error as _};
use store::{
    Tx,
    cases::{self, Which},
    lines, listing, policies, queue,
};
use utoipa::IntoParams;
use uuid::Uuid;

/// How many changes a page has at most.
const MOST: i64 = 100;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// The id of the last change of the page before; `Link: rel="next"` has it.
    #[serde(default, deserialize_with = "unless_empty")]
    after: Option<Uuid>,
    /// 1 to 100; 50 unless told.
    limit: Option<i64>,
}

/// Without a value it says as much as if it were not there.
fn unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Uuid>, D::Error> {
    let text = String::deserialize(from)?;
    let id = (!text.is_empty()).then(|| text.parse()).transpose();
    id.map_err(D::Error::custom)
}

type Id = Result<Path<Uuid>, PathRejection>;

/// The changes of the token's repositories, by id.
#[utoipa::path(get, path = "/api/v1/changes", tag = "changes", params(Page), security(("token" = ["read"])),
    responses((status = 200, description = "One page.", body = wire::Changes),
              (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 422, description = "Not understood.", body = wire::Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(server): State<Server>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Refusal> {
    let token = caller::reader(&server, &headers).await?;
    let Query(page) = page.map_err(|error| {
        Refusal::rejected(
            StatusCode::UNPROCESSABLE_ENTITY,
            "query",
            &error.body_text(),
        )
    })?;
    let limit = page.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::unreadable(
            "limit",
            format!("`limit` is 1 to {MOST}."),
        ));
    }
    let mut tx = server.db.read().await?;
    let reader = Reader::token(&token);
    let ids = queue::changes(&mut tx, &reader, page.after, limit).await?;
    let listed = listing::by_ids(tx.conn(), &reader, &ids, server.claims_max_age()).await?;
    let changes = listed
        .iter()
        .map(|one| show::listed(one, tx.now(), page_of(&server, one.change.id)))
        .collect();
    let mut response = Json(wire::Changes { changes }).into_response();
    let full = i64::try_from(ids.len()).is_ok_and(|n| n == limit);
    if let Some(last) = ids.last().filter(|_| full) {
        next(
            &mut response,
            &format!("/api/v1/changes?after={last}&limit={limit}"),
        );
    }
    Ok(response)
}

/// One change, with its verdict now.
#[utoipa::path(get, path = "/api/v1/changes/{id}", tag = "changes", params(("id" = Uuid, Path)), security(("token" = ["read"])),
    responses((status = 200, description = "The change.", body = wire::Change),
              (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 404, description = "No such change for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json")))]
pub async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    id: Id,
) -> Result<Json<wire::Change>, Refusal> {
    let (mut tx, reader, case) = visible(&server, &headers, id).await?;
    let terms = policies::about(tx.conn(), &reader, &case.change.repository_name).await?;
    let (_, terms) = terms.ok_or_else(Refusal::not_found)?;
    Ok(Json(show::change(
        &case,
        &terms,
        tx.now(),
        page_of(&server, case.change.id),
    )))
}

/// All revisions of a change, the first first.
#[utoipa::path(get, path = "/api/v1/changes/{id}/revisions", tag = "changes", params(("id" = Uuid, Path)), security(("token" = ["read"])),
    responses((status = 200, description = "The revisions.", body = wire::Revisions),
              (status = 404, description = "No such change for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json")))]
pub async fn revisions(
    State(server): State<Server>,
    headers: HeaderMap,
    id: Id,
) -> Result<Json<wire::Revisions>, Refusal> {
    let (mut tx, _, case) = visible(&server, &headers, id).await?;
    let revisions = cases::revisions(tx.conn(), case.change.repository, case.change.id).await?;
    Ok(Json(wire::Revisions {
        revisions: revisions.iter().map(show::revision).collect(),
    }))
}

/// All decisions about a change, the first first.
#[utoipa::path(get, path = "/api/v1/changes/{id}/decisions", tag = "changes", params(("id" = Uuid, Path)), security(("token" = ["read"])),
    responses((status = 200, description = "The decisions.", body = wire::Decisions),
              (status = 404, description = "No such change for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json")))]
pub async fn decisions(
    State(server): State<Server>,
    headers: HeaderMap,
    id: Id,
) -> Result<Json<wire::Decisions>, Refusal> {
    let (.., case) = visible(&server, &headers, id).await?;
    Ok(Json(wire::Decisions {
        decisions: show::decisions(case),
        cursor: None,
    }))
}

/// The marks found in the current revision of a change.
#[utoipa::path(get, path = "/api/v1/changes/{id}/marks", tag = "changes", params(("id" = Uuid, Path)), security(("token" = ["read"])),
    responses((status = 200, description = "The marks.", body = wire::Marks),
              (status = 404, description = "No such change for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
              (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json")))]
pub async fn marks(
    State(server): State<Server>,
    headers: HeaderMap,
    id: Id,
) -> Result<Json<wire::Marks>, Refusal> {
    let (mut tx, _, case) = visible(&server, &headers, id).await?;
    let (repository, revision) = (case.change.repository, case.revision.id);
    let marks = cases::marks(tx.conn(), repository, revision).await?;
    let lines = lines::of(tx.conn(), repository, revision).await?;
    Ok(Json(wire::Marks {
        marks: marks.into_iter().map(show::mark).collect(),
        lines: lines.into_iter().map(show::lines).collect(),
    }))
}

/// The case of a change that the token may read. A change of another repository is as if it were not there.
async fn visible(
    server: &Server,
    headers: &HeaderMap,
    id: Id,
) -> Result<(Tx, Reader, Case), Refusal> {
    let token = caller::reader(server, headers).await?;
    let Path(id) = id.map_err(|_| Refusal::not_found())?;
    let mut tx = server.db.read().await?;
    let reader = Reader::token(&token);
    let (which, max_age) = (Which::Current, server.claims_max_age());
    let case = cases::read(tx.conn(), &reader, ChangeId(id), which, max_age).await?;
    Ok((tx, reader, case.ok_or_else(Refusal::not_found)?))
}

/// Where a person reads a change.
pub(super) fn page_of(server: &Server, change: ChangeId) -> String {
    server.settings.site.at(&format!("/changes/{change}"))
}

/// RFC 8288.
pub(super) fn next(response: &mut Response, address: &str) {
    if let Ok(link) = HeaderValue::from_str(&format!("<{address}>; rel=\"next\"")) {
        response.headers_mut().insert(header::LINK, link);
    }
}
