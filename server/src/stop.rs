//! Word that this process is to end, for whoever waits for something else.

use tokio::sync::watch;

/// Hears it once, and for good. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Tells everybody.
    pub fn tell(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is told.
    pub async fn told(&self) {
        // The sender is ours, so there is always one.
        let _ = self.0.subscribe().wait_for(|told| *told).await;
    }
}
