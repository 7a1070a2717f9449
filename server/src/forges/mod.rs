//! Code hosts: what they send us, and what we ask them.

pub mod events;
pub mod hooks;
mod refused;
mod signature;

pub use refused::{Reason, Refused};
pub use signature::Secrets;
