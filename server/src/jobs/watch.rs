//! Wakes who waits when something has happened in their repository. One poll for all waiters of a process, and none when nobody
//! waits.

use domain::names::RepositoryName;
use std::{collections::HashMap, sync::Arc, time::Duration};
use store::{
    Db,
    events::{self, News, Seen},
};
use tokio::{
    sync::{Notify, watch},
    time,
};

/// How often the stream of events is looked at while somebody waits.
const EVERY: Duration = Duration::from_millis(100);

/// Hands out [`Waiter`]s. A waiter holds no database connection.
#[derive(Clone)]
pub struct Watch {
    latest: watch::Sender<Latest>,
    /// Told when the first waiter comes, so that an idle server asks nothing.
    begun: Arc<Notify>,
}

/// Waits for news of one repository.
pub struct Waiter {
    latest: watch::Receiver<Latest>,
    repository: String,
    heard: u64,
}

/// The number of the last look that found something: anywhere, and in each repository by its folded name.
#[derive(Debug, Default)]
struct Latest {
    look: u64,
    everywhere: u64,
    of: HashMap<String, u64>,
}

impl Watch {
    /// A watch over this database, polled by a task of its own until the last handle is gone.
    #[must_use]
    pub fn over(db: Db) -> Self {
        let watch = Self {
            latest: watch::Sender::default(),
            begun: Arc::new(Notify::new()),
        };
        let (latest, begun) = (watch.latest.clone(), Arc::downgrade(&watch.begun));
        tokio::spawn(async move {
            let mut seen = Seen::default();
            while let Some(begun) = begun.upgrade() {
                if latest.receiver_count() == 0 {
                    seen = Seen::default();
                    let _ = time::timeout(Duration::from_secs(1), begun.notified()).await;
                    continue;
                }
                drop(begun);
                time::sleep(EVERY).await;
                match events::news(db.pool(), &mut seen).await {
                    Ok(news) => {
                        latest.send_if_modified(|latest| latest.hear(news));
                    }
                    // Whoever waits asks again by themselves and is told then that the database is away.
                    Err(error) => tracing::warn!(%error, "The stream of events could not be read"),
                }
            }
        });
        watch
    }

    /// Somebody who wants to hear of what happens in a repository from now on. Take one before asking, or what happens in
    /// between is missed.
    #[must_use]
    pub fn waiter(&self, repository: &RepositoryName) -> Waiter {
        let mut latest = self.latest.subscribe();
        let repository = repository.folded();
        let heard = latest.borrow_and_update().of(&repository);
        self.begun.notify_one();
        Waiter {
            latest,
            repository,
            heard,
        }
    }

    /// How many wait just now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.latest.receiver_count()
    }
}

impl Waiter {
    /// Returns when something has happened, or after `at_most`, whichever comes first.
    pub async fn news(&mut self, at_most: Duration) {
        let is_news = |latest: &Latest| latest.of(&self.repository) != self.heard;
        if let Ok(Ok(latest)) = time::timeout(at_most, self.latest.wait_for(is_news)).await {
            self.heard = latest.of(&self.repository);
        }
    }
}

impl Latest {
    /// Whether there was any news.
    fn hear(&mut self, news: News) -> bool {
        self.look += 1;
        match news {
            News::Everywhere => {
                self.everywhere = self.look;
                // What is known of each is older than that.
                self.of.clear();
                true
            }
            News::Of(repositories) if repositories.is_empty() => false,
            News::Of(repositories) => {
                let look = self.look;
                self.of
                    .extend(repositories.into_iter().map(|name| (name, look)));
                true
            }
        }
    }

    fn of(&self, repository: &str) -> u64 {
        self.of.get(repository).copied().unwrap_or(self.everywhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(repositories: &[&str]) -> News {
        News::Of(repositories.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_repository_hears_of_itself_and_of_what_is_everywhere() {
        let mut latest = Latest::default();
        let quiet = latest.of("acme/ledger");
        assert!(latest.hear(news(&["acme/payments"])));
        assert_eq!(latest.of("acme/ledger"), quiet);
        assert_ne!(latest.of("acme/payments"), quiet);
        assert!(latest.hear(News::Everywhere));
        assert_ne!(latest.of("acme/ledger"), quiet);
    }

    #[test]
    fn each_news_is_another_and_a_look_that_finds_nothing_is_none() {
        let mut latest = Latest::default();
        let mut heard = vec![latest.of("acme/payments")];
        for found in [
            news(&["acme/payments"]),
            News::Everywhere,
            news(&["acme/payments"]),
        ] {
            assert!(latest.hear(found));
            let now = latest.of("acme/payments");
            assert!(!heard.contains(&now), "{now} after {heard:?}");
            heard.push(now);
            assert!(!latest.hear(news(&[])));
            assert_eq!(latest.of("acme/payments"), now);
        }
    }
}
