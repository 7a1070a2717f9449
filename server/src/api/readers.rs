//! Who may see a repository, by whoever sets repositories up: also before the first submission, so that nobody sees that.

use super::{
    caller,
    policies::{Body, Place, named, received},
    wire,
};
use crate::{problem::Refusal, state::Server};
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use domain::{
    names::RepositoryName,
    problem::Problem,
    readers::{Reader, Readers},
    text::one_line,
    token::Scope,
};
use store::{
    policies::{self, Author},
    readers, repositories,
};

/// The longest reason, in characters.
const REASON: usize = 400;

/// Who may see a repository besides admins.
#[utoipa::path(
    operation_id = "show_readers",
    get, path = "/api/v1/repositories/{owner}/{name}/readers", tag = "readers", security(("token" = ["read"]), ("token" = ["admin"])),
    params(("owner" = String, Path, example = "acme"), ("name" = String, Path, example = "payments", description = "With `%2F` for a slash.")),
    responses(
        (status = 200, description = "Who may see it.", body = wire::Readers),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody told of this repository.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the name of a repository.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(place): Place,
) -> Result<Json<wire::Readers>, Refusal> {
    let token = caller::token(&server, &headers).await?;
    let repository = named(&place)?;
    token
        .allows(Scope::Admin, &repository)
        .or_else(|_| token.allows(Scope::Read, &repository))?;
    let mut tx = server.db.read().await?;
    let (id, _) = policies::about(tx.conn(), &Reader::token(&token), &repository)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let readers = readers::of(tx.conn(), id).await?;
    Ok(Json(told(&repository, &readers)))
}

/// Lets only people of these teams see a repository, or everybody who is signed in. Holds from the next request on.
#[utoipa::path(
    operation_id = "put_readers",
    put, path = "/api/v1/repositories/{owner}/{name}/readers", tag = "readers", security(("token" = ["admin"])),
    params(("owner" = String, Path, example = "acme"), ("name" = String, Path, example = "payments", description = "With `%2F` for a slash.")),
    request_body = wire::SetReaders,
    responses(
        (status = 200, description = "Who may see it from now on.", body = wire::Readers),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Larger than is accepted.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests with this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn put(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(place): Place,
    body: Body,
) -> Result<Json<wire::Readers>, Refusal> {
    let body = received(&headers, body)?;
    let token = caller::token(&server, &headers).await?;
    let repository = named(&place)?;
    token.allows(Scope::Admin, &repository)?;
    server.auth.limits.submit(token.id)?;
    let (readers, reason) = read(&body)?;
    let mut tx = server.db.begin().await?;
    repositories::ensure(&mut tx, &repository).await?;
    let locked = policies::lock(&mut tx, &repository)
        .await?
        .ok_or_else(Refusal::not_found)?;
    readers::set(&mut tx, &locked, &readers, Author::Token(token.id), &reason).await?;
    tx.commit().await?;
    Ok(Json(told(&repository, &readers)))
}

fn read(body: &[u8]) -> Result<(Readers, String), Refusal> {
    let asked: wire::SetReaders = serde_json::from_slice(body).map_err(|error| {
        Refusal::unreadable("body", format!("{}.", one_line(&error.to_string(), 300)))
    })?;
    let readers = match asked.teams {
        Some(teams) => Readers::named(teams)?,
        None => Readers::Everybody,
    };
    let reason = one_line(&asked.reason.replace('\0', ""), REASON).into_owned();
    if reason.is_empty() {
        return Err(Problem::ReasonNeeded.into());
    }
    Ok((readers, reason))
}

fn told(repository: &RepositoryName, readers: &Readers) -> wire::Readers {
    wire::Readers {
        repository: repository.to_string(),
        teams: readers.teams().map(<[String]>::to_vec),
    }
}
