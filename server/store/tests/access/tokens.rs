//! Tokens are found by the hash of their secret, and end when somebody says so.

use super::World;
use domain::token::{Pattern, Scope, TokenState};
use sqlx::PgPool;
use store::tokens::{self, NewToken, TokenHash};
use time::Duration;

const HASH: TokenHash = [9; 32];

async fn create(w: &World) -> domain::ids::TokenId {
    let mut tx = w.db.begin().await.unwrap();
    let new = NewToken {
        name: "ci",
        hash: HASH,
        scopes: &[Scope::Submit, Scope::Gate],
        repositories: &[
            Pattern::parse("Acme/*").unwrap(),
            Pattern::parse("other/One").unwrap(),
        ],
        expires_at: tx.now() + Duration::days(90),
    };
    let id = tokens::create(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_token_reads_back_as_it_was_made(pool: PgPool) {
    let w = World::new(pool).await;
    let id = create(&w).await;
    let mut conn = w.db.pool().acquire().await.unwrap();
    let token = tokens::find(&mut conn, &HASH).await.unwrap().unwrap();
    assert_eq!(token.id, id);
    assert_eq!(token.scopes, [Scope::Submit, Scope::Gate]);
    let patterns: Vec<String> = token.repositories.iter().map(ToString::to_string).collect();
    assert_eq!(patterns, ["acme/*", "other/one"]);
    assert_eq!(token.state(w.db.now()), TokenState::Active);
    assert_eq!(tokens::all(&mut conn).await.unwrap(), [token]);
    assert!(tokens::find(&mut conn, &[8; 32]).await.unwrap().is_none());
    assert_eq!(w.events().await, ["token.created"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_token_is_revoked_once_and_stays_known(pool: PgPool) {
    let w = World::new(pool).await;
    let id = create(&w).await;
    for first in [true, false] {
        let mut tx = w.db.begin().await.unwrap();
        assert_eq!(tokens::revoke(&mut tx, id).await.unwrap(), first);
        tx.commit().await.unwrap();
    }
    let mut conn = w.db.pool().acquire().await.unwrap();
    let token = tokens::find(&mut conn, &HASH).await.unwrap().unwrap();
    assert_eq!(token.state(w.db.now()), TokenState::Revoked);
    assert_eq!(w.events().await, ["token.created", "token.revoked"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_last_use_is_written_once_a_minute(pool: PgPool) {
    let w = World::new(pool).await;
    let id = create(&w).await;
    let began = w.db.now();
    let mut conn = w.db.pool().acquire().await.unwrap();
    let mut last_use = async |after: Duration| {
        w.pass(after);
        tokens::touch(&mut conn, id, w.db.now()).await.unwrap();
        tokens::find(&mut conn, &HASH)
            .await
            .unwrap()
            .unwrap()
            .last_used_at
            .unwrap()
            - began
    };
    assert_eq!(last_use(Duration::ZERO).await, Duration::ZERO);
    assert_eq!(last_use(Duration::seconds(59)).await, Duration::ZERO);
    assert_eq!(last_use(Duration::seconds(1)).await, Duration::MINUTE);
}
