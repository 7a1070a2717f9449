//! The one binary, `countersign`.

use server::web::{self, Site};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let site = Site {
        https: false,
        provider: None,
    };
    let routes = web::outermost(web::browser(web::pages(), site));
    let listen =
        std::env::var("COUNTERSIGN_LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, routes).await?;
    Ok(())
}
