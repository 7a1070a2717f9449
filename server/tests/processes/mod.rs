//! The real server as processes over a Postgres of its own, and those who talk to it: for tests in which they are killed, or race.

pub mod chance;
#[path = "../it/support/changes.rs"]
pub mod changes;
pub mod clients;
pub mod cluster;
pub mod site;
