//! Who calls: a token, found anew by its hash for every request.

use crate::{problem::Refusal, state::Server};
use axum::http::{HeaderMap, header};
use domain::{
    Timestamp,
    ids::TokenId,
    token::{Scope, Token, TokenState},
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use store::tokens::{self, TOUCHED_EVERY, TokenHash};

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
    if server.noted.is_due(&token, now) {
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

/// When this process last had the use of each token noted. However often one is used, and however slow the database is,
/// there is one write a minute under way for it.
#[derive(Debug, Clone, Default)]
pub struct Noted(Arc<Mutex<HashMap<TokenId, Timestamp>>>);

impl Noted {
    /// Whether a use of the token now has to be noted; it then counts as noted.
    fn is_due(&self, token: &Token, now: Timestamp) -> bool {
        let recent = |at: Timestamp| now - at < TOUCHED_EVERY;
        if token.last_used_at.is_some_and(recent) {
            return false;
        }
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&token.id).copied().is_some_and(recent) {
            return false;
        }
        noted.retain(|_, at| recent(*at));
        noted.insert(token.id, now);
        true
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Duration, macros::datetime};

    const NOON: Timestamp = datetime!(2026-11-20 12:00 UTC);

    fn token(id: u128, last_used_at: Option<Timestamp>) -> Token {
        Token {
            id: TokenId(uuid::Uuid::from_u128(id)),
            name: "ci".to_owned(),
            scopes: vec![],
            repositories: vec![],
            created_at: NOON,
            expires_at: NOON + Duration::DAY,
            revoked_at: None,
            last_used_at,
        }
    }

    #[test]
    fn a_token_that_is_used_all_the_time_is_noted_once_a_minute() {
        let noted = Noted::default();
        // The write may be slow or fail: what the database says of the last use stays old meanwhile.
        let busy = token(1, None);
        assert!(noted.is_due(&busy, NOON));
        for second in 0..60 {
            assert!(!noted.is_due(&busy, NOON + Duration::seconds(second)));
        }
        assert!(noted.is_due(&token(2, None), NOON), "another token");
        assert!(noted.is_due(&busy, NOON + Duration::MINUTE));
    }

    #[test]
    fn a_use_that_another_server_noted_is_not_noted_again() {
        let noted = Noted::default();
        let there = token(1, Some(NOON));
        assert!(!noted.is_due(&there, NOON + Duration::seconds(59)));
        assert!(noted.is_due(&there, NOON + Duration::MINUTE));
    }

    #[test]
    fn tokens_that_are_no_longer_used_are_forgotten() {
        let noted = Noted::default();
        for id in 0..100 {
            noted.is_due(&token(id, None), NOON);
        }
        noted.is_due(&token(100, None), NOON + Duration::MINUTE);
        assert_eq!(noted.0.lock().unwrap().len(), 1);
    }
}
