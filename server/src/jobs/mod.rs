//! What runs beside requests: on a timer, or woken by events.

pub mod checks;
pub mod deliveries;
pub mod groups;
mod lanes;
pub mod looks;
pub mod policy;
pub mod reconcile;
pub mod remarks;
pub mod sessions;
pub mod standings;
pub mod watch;

use std::{sync::Arc, time::Duration};
use store::Error;
use tokio::{sync::Notify, time::timeout};

/// Works for as long as there is work; then waits until there is said to be more, or for so long, and looks again. What is broken
/// is said and tried again.
async fn repeatedly<Count, Work>(
    every: Duration,
    more: Arc<Notify>,
    broken: &'static str,
    work: impl Fn() -> Work,
) where
    Count: PartialEq + Default,
    Work: Future<Output = Result<Count, Error>>,
{
    loop {
        match work().await {
            Ok(done) if done == Count::default() => {
                let _ = timeout(every, more.notified()).await;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "{broken}; this is tried again");
                tokio::time::sleep(every).await;
            }
        }
    }
}
