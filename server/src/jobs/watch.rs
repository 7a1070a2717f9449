//! Wakes whoever waits when something has happened. One poll for all waiters of a process, and none when nobody waits.

use std::{sync::Arc, time::Duration};
use store::{Db, events};
use tokio::sync::{Notify, watch};

/// How often the stream of events is looked at while somebody waits.
const EVERY: Duration = Duration::from_millis(100);

/// Hands out [`Waiter`]s. A waiter holds no database connection.
#[derive(Clone)]
pub struct Watch {
    news: watch::Sender<u64>,
    /// Told when the first waiter comes, so that an idle server asks nothing.
    begun: Arc<Notify>,
}

/// Waits for news.
pub struct Waiter(watch::Receiver<u64>);

impl Watch {
    /// A watch over this database, polled by a task of its own until the last handle is gone.
    #[must_use]
    pub fn over(db: Db) -> Self {
        let watch = Self {
            news: watch::Sender::new(0),
            begun: Arc::new(Notify::new()),
        };
        let (news, begun) = (watch.news.clone(), Arc::downgrade(&watch.begun));
        tokio::spawn(async move {
            let mut last = None;
            while let Some(begun) = begun.upgrade() {
                if news.receiver_count() == 0 {
                    let _ = tokio::time::timeout(Duration::from_secs(1), begun.notified()).await;
                    continue;
                }
                drop(begun);
                tokio::time::sleep(EVERY).await;
                match events::sign_of_news(db.pool()).await {
                    Ok(sign) if Some(sign) != last => {
                        last = Some(sign);
                        news.send_modify(|n| *n += 1);
                    }
                    Ok(_) => {}
                    // Whoever waits asks again by themselves and is told then that the database is away.
                    Err(error) => tracing::warn!(%error, "The stream of events could not be read"),
                }
            }
        });
        watch
    }

    /// Somebody who wants to hear of what happens from now on. Take one before asking, or what happens in between is missed.
    #[must_use]
    pub fn waiter(&self) -> Waiter {
        let mut receiver = self.news.subscribe();
        receiver.mark_unchanged();
        self.begun.notify_one();
        Waiter(receiver)
    }
}

impl Watch {
    /// How many wait just now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.news.receiver_count()
    }
}

impl Waiter {
    /// Returns when something has happened, or after `at_most`, whichever comes first.
    pub async fn news(&mut self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.0.changed()).await;
    }
}
