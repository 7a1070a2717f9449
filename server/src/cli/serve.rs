//! `countersign serve`: the server itself.

use crate::{serve, settings::Settings};

/// Serves until it is stopped.
pub async fn run() -> anyhow::Result<()> {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).init();
    serve::run(Settings::from_environment()?).await
}
