//! What runs beside requests: on a timer, or woken by events.

pub mod checks;
pub mod deliveries;
pub mod looks;
pub mod policy;
pub mod reconcile;
pub mod sessions;
pub mod standings;
pub mod watch;
