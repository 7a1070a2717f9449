//! All SQL and only SQL: plain functions from Postgres rows to domain values and back.
//!
//! A query is a function named for what it returns. Whoever changes state begins a [`Tx`], loads, lets `domain` decide,
//! records, and commits; every record writes its event in the same transaction.

pub mod carries;
pub mod cases;
pub mod checks;
mod db;
pub mod decisions;
pub mod deliveries;
pub mod deployments;
mod error;
pub mod events;
pub mod gates;
pub mod groups;
pub mod hosts;
pub mod ids;
mod labels;
pub mod landings;
pub mod lines;
pub mod listing;
pub mod modes;
pub mod patches;
pub mod people;
pub mod policies;
pub mod queue;
pub mod readers;
pub mod remarks;
pub mod repositories;
pub mod reverts;
pub mod roles;
mod rows;
pub mod sessions;
pub mod standings;
pub mod submissions;
pub mod tokens;
mod updates;

pub use db::{Clock, Db, Tx};
pub use error::Error;

/// The schema, embedded. Shared by everything that needs a database, so that it is built once.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// Whether the database has every migration that this binary knows.
///
/// # Errors
/// The database cannot be asked.
pub async fn is_migrated(pool: &sqlx::PgPool) -> Result<bool, Error> {
    let known: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    // The table is sqlx's own: no migration makes it, so no query macro knows it.
    let applied: i64 = sqlx::query_scalar(
        "select count(*) from _sqlx_migrations where success and version = any($1)",
    )
    .bind(&known)
    .fetch_one(pool)
    .await?;
    Ok(usize::try_from(applied).is_ok_and(|applied| applied == known.len()))
}
