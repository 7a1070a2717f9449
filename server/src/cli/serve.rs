//! `countersign serve`: the server itself.

use crate::web::{self, Site};
use anyhow::Context;

/// Serves until it is stopped.
pub async fn run() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let site = Site {
        https: false,
        provider: None,
    };
    let routes = web::outermost(web::browser(web::pages(), site));
    let listen =
        std::env::var("COUNTERSIGN_LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(&listen)
        .await
        .with_context(|| format!("could not listen on {listen}"))?;
    Ok(axum::serve(listener, routes).await?)
}
