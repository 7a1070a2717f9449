//! `/openapi.json`, for people who are signed in and for tokens: what can be asked of us is not for strangers.

use std::sync::Arc;

use anyhow::Context as _;
use app::pages::reference::Document;
use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::Next,
    response::Response,
    routing::get,
};
use utoipa::openapi::OpenApi;

use crate::{api, auth::ByToken, state::Server};

/// The document of the REST API. Belongs among the guarded pages, with [`openapi_for_tokens`] around them.
pub fn openapi(document: Arc<OpenApi>) -> Router {
    Router::new().route("/openapi.json", get(async move || Json(document)))
}

/// The same as the page `/docs` shows it.
///
/// # Errors
/// Where the document says what that page has no place for.
pub fn reference(document: &OpenApi) -> anyhow::Result<Document> {
    let json = serde_json::to_value(document)?;
    serde_json::from_value(json).context("the document of the API is not as its page expects it")
}

/// Lets a valid token read the document too; it opens nothing else that people see.
pub async fn openapi_for_tokens(
    State(server): State<Server>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_openapi = request.uri().path() == "/openapi.json";
    if is_openapi && api::has_token(&server, request.headers()).await {
        request.extensions_mut().insert(ByToken);
    }
    next.run(request).await
}
