//! What opens the REST interface for machines: tokens, by the hash of their secret.

use crate::{Error, Tx, error::known, events, ids};
use domain::{
    Timestamp,
    ids::TokenId,
    token::{Pattern, Scope, Token},
};
use serde_json::json;
use sqlx::PgConnection;
use time::Duration;
use uuid::Uuid;

/// SHA-256 of a token's secret: 256 random bits need no slow hash.
pub type TokenHash = [u8; 32];

/// A token to be.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    pub name: &'a str,
    pub hash: TokenHash,
    pub scopes: &'a [Scope],
    pub repositories: &'a [Pattern],
    pub expires_at: Timestamp,
}

/// How exactly the last use is known.
pub const TOUCHED_EVERY: Duration = Duration::MINUTE;

/// Records a new token.
///
/// # Errors
/// The database refused.
pub async fn create(tx: &mut Tx, token: &NewToken<'_>) -> Result<TokenId, Error> {
    let id = ids::new();
    let now = tx.now();
    let scopes: Vec<String> = token.scopes.iter().map(|s| s.as_str().to_owned()).collect();
    let repositories: Vec<String> = token.repositories.iter().map(Pattern::to_string).collect();
    sqlx::query!(
        "insert into token (id, name, hash, scopes, repositories, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)",
        id,
        token.name,
        token.hash.as_slice(),
        &scopes,
        &repositories,
        now,
        token.expires_at,
    )
    .execute(tx.conn())
    .await?;
    let data = json!({ "name": token.name, "scopes": scopes, "repositories": repositories });
    events::record(tx, None, "token.created", id, data).await?;
    Ok(TokenId(id))
}

/// The token with this hash, whatever its state.
///
/// # Errors
/// The database cannot be asked.
pub async fn find(conn: &mut PgConnection, hash: &TokenHash) -> Result<Option<Token>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, name, scopes, repositories, created_at, expires_at, revoked_at, last_used_at from token where hash = $1",
        hash.as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_token).transpose()
}

/// All tokens, the newest first.
///
/// # Errors
/// The database cannot be asked.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<Token>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, name, scopes, repositories, created_at, expires_at, revoked_at, last_used_at from token
         order by created_at desc, id desc",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_token).collect()
}

/// Ends a token, from the next question on. False if it had ended already.
///
/// # Errors
/// The database refused.
pub async fn revoke(tx: &mut Tx, token: TokenId) -> Result<bool, Error> {
    let now = tx.now();
    let ended = sqlx::query!(
        "update token set revoked_at = $2 where id = $1 and revoked_at is null",
        token.0,
        now,
    )
    .execute(tx.conn())
    .await?
    .rows_affected()
        == 1;
    if ended {
        events::record(tx, None, "token.revoked", token.0, json!({})).await?;
    }
    Ok(ended)
}

/// Notes that a token was used. Writes at most once a minute for each, however many servers ask it to.
///
/// # Errors
/// The database refused.
pub async fn touch(conn: &mut PgConnection, token: TokenId, now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        "update token set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at <= $3)",
        token.0,
        now,
        now - TOUCHED_EVERY,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The columns of a token, for queries that join it with other things.
#[derive(Debug)]
pub(crate) struct Row {
    pub id: Uuid,
    pub name: String,
    pub scopes: Vec<String>,
    pub repositories: Vec<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

impl Row {
    /// The token that these columns hold.
    pub(crate) fn into_token(self) -> Result<Token, Error> {
        let scope = |word: &String| known(Scope::parse(word), "token", "scopes");
        let pattern = |text: &String| known(Pattern::parse(text).ok(), "token", "repositories");
        Ok(Token {
            id: TokenId(self.id),
            name: self.name,
            scopes: self.scopes.iter().map(scope).collect::<Result<_, _>>()?,
            repositories: self
                .repositories
                .iter()
                .map(pattern)
                .collect::<Result<_, _>>()?,
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
        })
    }
}
