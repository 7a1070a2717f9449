//! Stories at the doors that people and pipelines use, told by typed clients against a real Postgres as the application's role.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod bypasses;
mod carrying;
mod cli;
mod decisions;
mod deployments;
mod desk;
mod disputes;
mod evidence;
mod gate;
mod gate_cli;
mod gate_probes;
mod gate_table;
mod hooks;
mod hostile;
mod hosts;
mod marks_cli;
mod pages;
mod people;
mod policies;
mod reading;
mod replay;
mod reverting;
mod roles;
mod since;
mod slowness;
mod stopping;
mod stream;
mod submissions;
mod submit_cli;
mod support;
mod surface;
