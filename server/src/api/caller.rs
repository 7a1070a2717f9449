//! Who calls: a token, found anew by its hash for every request.

use crate::{problem::Refusal, state::Server};
use axum::http::{HeaderMap, header};
use domain::token::{Scope, Token, TokenState};
use sha2::{Digest as _, Sha256};
use store::tokens::{self, TokenHash};

/// The longest token that is hashed; ours are shorter.
const LONGEST: usize = 200;

/// The hash of the token that came with a request. Only the `Authorization` header counts: an address ends up in logs.
///
/// # Errors
/// 401 where there is none.
pub fn hash(headers: &HeaderMap) -> Result<TokenHash, Refusal> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(Refusal::no_token)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(Refusal::no_token)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.len() > LONGEST {
        return Err(Refusal::no_token());
    }
    Ok(Sha256::digest(token.as_bytes()).into())
}

/// The active token of a request.
///
/// # Errors
/// 401 where it is missing, unknown, expired or revoked; 503 where the database cannot be asked.
pub async fn token(server: &Server, headers: &HeaderMap) -> Result<Token, Refusal> {
    let hash = hash(headers)?;
    let mut conn = server
        .db
        .pool()
        .acquire()
        .await
        .map_err(store::Error::from)?;
    active(server, tokens::find(&mut conn, &hash).await?)
}

/// The token, if it opens anything now. Its use is noted beside the request, at most once a minute.
///
/// # Errors
/// 401 where it does not.
pub fn active(server: &Server, token: Option<Token>) -> Result<Token, Refusal> {
    let now = server.db.now();
    let token = token
        .filter(|token| token.state(now) == TokenState::Active)
        .ok_or_else(Refusal::no_token)?;
    if token
        .last_used_at
        .is_none_or(|at| now - at >= time::Duration::MINUTE)
    {
        let (db, id) = (server.db.clone(), token.id);
        tokio::spawn(async move {
            let Ok(mut conn) = db.pool().acquire().await else {
                return;
            };
            if let Err(error) = tokens::touch(&mut conn, id, now).await {
                tracing::warn!(%error, token.id = %id, "The use of a token could not be noted");
            }
        });
    }
    Ok(token)
}

/// The repositories of a token as the store compares them.
#[must_use]
pub fn repositories(token: &Token) -> Vec<String> {
    token.repositories.iter().map(ToString::to_string).collect()
}

/// A token that may read.
///
/// # Errors
/// 401, 403 or 503.
pub async fn reader(server: &Server, headers: &HeaderMap) -> Result<Token, Refusal> {
    let token = token(server, headers).await?;
    token.has(Scope::Read)?;
    Ok(token)
}
