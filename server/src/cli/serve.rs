//! `countersign serve`: the server itself.

use crate::{serve, settings::Settings};
use std::io::IsTerminal as _;

/// Serves until it is stopped.
pub async fn run() -> anyhow::Result<()> {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    // Colours are for a person at a terminal; in a file they are noise.
    let colours = std::io::stdout().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .init();
    serve::run(Settings::from_environment()?).await
}
