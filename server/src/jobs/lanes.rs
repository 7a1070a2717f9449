//! Places for work of which nobody knows before how long it takes: what turns out to be dear gives its place up to what is not, so
//! that who can make work dear keeps nobody else waiting.

use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How many pieces of work are begun at once.
const QUICK: usize = 16;
/// How long one stays among those.
const SOON: Duration = Duration::from_secs(3);
/// How many more there are at once that take longer.
const DEAR: usize = 8;

/// The places of one process. Cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    quick: Arc<Semaphore>,
    dear: Arc<Semaphore>,
    soon: Duration,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            quick: Arc::new(Semaphore::new(QUICK)),
            dear: Arc::new(Semaphore::new(DEAR)),
            soon: SOON,
        }
    }
}

/// A place for one piece of work.
pub struct Place {
    quick: OwnedSemaphorePermit,
    lanes: Lanes,
}

/// There was no place for work that takes so long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowded;

impl Lanes {
    /// All places that are free.
    pub fn free(&self) -> Vec<Place> {
        let all = std::iter::from_fn(|| self.quick.clone().try_acquire_owned().ok());
        let place = |quick| Place {
            quick,
            lanes: self.clone(),
        };
        all.map(place).collect()
    }
}

impl Place {
    /// Does the work here, as long as it takes no longer than others may wait; and from then on among what is dear.
    ///
    /// # Errors
    /// There is as much dear work as there may be; this one was left.
    pub async fn run<T>(self, work: impl Future<Output = T>) -> Result<T, Crowded> {
        let mut work = pin!(work);
        if let Ok(done) = timeout(self.lanes.soon, &mut work).await {
            return Ok(done);
        }
        let _place = self.lanes.dear.try_acquire().map_err(|_| Crowded)?;
        drop(self.quick);
        Ok(work.await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::task::{JoinSet, yield_now};

    /// Where everything is dear that does not end at once.
    fn impatient() -> Lanes {
        Lanes {
            soon: Duration::from_millis(1),
            ..Lanes::default()
        }
    }

    /// What is free as soon as anything is.
    async fn soon_free(lanes: &Lanes) -> Vec<Place> {
        let any = timeout(Duration::from_secs(20), async {
            loop {
                let free = lanes.free();
                if !free.is_empty() {
                    return free;
                }
                yield_now().await;
            }
        });
        any.await.expect("no place became free")
    }

    #[tokio::test]
    async fn however_much_is_dear_there_soon_is_a_place_for_what_is_not() {
        let (lanes, mut dear) = (impatient(), JoinSet::new());
        for _ in 0..20 {
            for place in soon_free(&lanes).await {
                dear.spawn(place.run(pending::<()>()));
            }
            let place = soon_free(&lanes).await.pop().unwrap();
            assert_eq!(place.run(ready(7)).await, Ok(7));
        }
        assert_eq!(lanes.dear.available_permits(), 0);
    }

    #[tokio::test]
    async fn dear_work_is_done_to_its_end_where_there_is_a_place_and_left_where_there_is_none() {
        let (lanes, mut all) = (impatient(), JoinSet::new());
        let over = Arc::new(Semaphore::new(0));
        for place in lanes.free() {
            let over = over.clone();
            all.spawn(place.run(async move { over.acquire().await.is_err() }));
        }
        assert!(lanes.free().is_empty());
        for _ in 0..QUICK - DEAR {
            assert_eq!(all.join_next().await.unwrap().unwrap(), Err(Crowded));
        }
        assert_eq!(lanes.free().len(), QUICK);
        over.close();
        assert_eq!(all.join_all().await, vec![Ok(true); DEAR]);
        assert_eq!(lanes.dear.available_permits(), DEAR);
    }
}
