//! Whether this process lives, and whether it can do its work. For load balancers: no details for strangers.

use crate::state::Server;
use axum::{Router, extract::State, http::StatusCode, routing::get};

/// `/livez` and `/readyz`.
pub fn routes() -> Router<Server> {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
}

/// Ready: the database answers, and has every migration that this binary knows.
async fn ready(State(server): State<Server>) -> (StatusCode, &'static str) {
    match store::is_migrated(server.db.pool()).await {
        Ok(true) => (StatusCode::OK, "ok\n"),
        Ok(false) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the schema is not this version's; run `countersign migrate`\n",
        ),
        Err(error) => {
            tracing::warn!(%error, "Not ready: the database could not be asked");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database cannot be reached\n",
            )
        }
    }
}
