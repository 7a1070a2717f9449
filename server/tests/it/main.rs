//! Stories at the doors that people and pipelines use.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod cli;
mod gate_cli;
mod submit_cli;
