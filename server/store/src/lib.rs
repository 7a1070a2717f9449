//! All SQL and only SQL: plain functions from Postgres rows to domain values and back.
//!
//! A query is a function named for what it returns. Whoever changes state begins a [`Tx`], loads, lets `domain` decide,
//! records, and commits; every record writes its event in the same transaction.

pub mod cases;
mod db;
pub mod decisions;
mod error;
pub mod events;
pub mod gates;
pub mod ids;
pub mod patches;
pub mod people;
pub mod queue;
pub mod repositories;
pub mod roles;
pub mod sessions;
pub mod standings;
pub mod submissions;
pub mod tokens;

pub use db::{Clock, Db, Tx};
pub use error::Error;

/// The schema, embedded. Shared by everything that needs a database, so that it is built once.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");
