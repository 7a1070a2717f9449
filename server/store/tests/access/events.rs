//! News: what has happened since the last look, whatever order it was committed in.

use crate::World;
use domain::{ids::RepositoryId, names::RepositoryName};
use sqlx::PgPool;
use store::{
    Tx,
    events::{self, News, Seen},
    ids, repositories,
};

impl World {
    async fn news(&self, seen: &mut Seen) -> News {
        events::news(self.db.pool(), seen).await.unwrap()
    }

    async fn repository(&self, name: &str) -> RepositoryId {
        let mut tx = self.db.begin().await.unwrap();
        let name = RepositoryName::parse(name).unwrap();
        let id = repositories::ensure(&mut tx, &name).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn happens(&self, repository: Option<RepositoryId>) {
        self.begun(repository).await.commit().await.unwrap();
    }

    /// It has happened, and nobody can see it yet.
    async fn begun(&self, repository: Option<RepositoryId>) -> Tx {
        let mut tx = self.db.begin().await.unwrap();
        events::record(
            &mut tx,
            repository,
            "test",
            ids::new(),
            serde_json::json!({}),
        )
        .await
        .unwrap();
        tx
    }
}

fn of(names: &[&str]) -> News {
    News::Of(names.iter().map(ToString::to_string).collect())
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn news_is_of_the_repository_in_which_something_happened_and_is_told_once(pool: PgPool) {
    let world = World::new(pool).await;
    let (payments, ledger) = (
        world.repository("acme/payments").await,
        world.repository("acme/ledger").await,
    );
    let mut seen = Seen::default();
    world.happens(Some(ledger)).await;
    assert_eq!(
        world.news(&mut seen).await,
        News::Everywhere,
        "the first look"
    );
    assert_eq!(world.news(&mut seen).await, of(&[]));
    world.happens(Some(payments)).await;
    assert_eq!(world.news(&mut seen).await, of(&["acme/payments"]));
    assert_eq!(world.news(&mut seen).await, of(&[]));
    world.happens(Some(payments)).await;
    world.happens(Some(ledger)).await;
    assert_eq!(
        world.news(&mut seen).await,
        of(&["acme/ledger", "acme/payments"])
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_of_no_repository_is_news_everywhere(pool: PgPool) {
    let world = World::new(pool).await;
    let payments = world.repository("acme/payments").await;
    let mut seen = Seen::default();
    world.news(&mut seen).await;
    world.happens(Some(payments)).await;
    world.happens(None).await;
    assert_eq!(world.news(&mut seen).await, News::Everywhere);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_committed_late_is_news_although_later_things_were_seen_before(pool: PgPool) {
    let world = World::new(pool).await;
    let (payments, ledger) = (
        world.repository("acme/payments").await,
        world.repository("acme/ledger").await,
    );
    let mut seen = Seen::default();
    let late = world.begun(Some(payments)).await;
    world.happens(Some(ledger)).await;
    assert_eq!(world.news(&mut seen).await, News::Everywhere);
    assert_eq!(
        world.news(&mut seen).await,
        of(&[]),
        "what was there before the first look"
    );
    world.happens(Some(ledger)).await;
    assert_eq!(world.news(&mut seen).await, of(&["acme/ledger"]));
    assert_eq!(world.news(&mut seen).await, of(&[]));
    late.commit().await.unwrap();
    assert_eq!(world.news(&mut seen).await, of(&["acme/payments"]));
    assert_eq!(world.news(&mut seen).await, of(&[]));
}
