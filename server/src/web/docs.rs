//! `/openapi.json` and `/docs`, for people who are signed in and for tokens: what can be asked of us is not for strangers.

use crate::{api, auth::ByToken, state::Server};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{Next, map_response},
    response::Response,
};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The document of the REST API, and a page that shows it from files of our own. Belongs among the guarded pages, with
/// [`docs_for_tokens`] around them.
pub fn docs(document: OpenApi) -> Router {
    // Swagger UI would fetch a badge about the document from elsewhere, which the policy forbids anyway.
    let page = SwaggerUi::new("/docs")
        .url("/openapi.json", document)
        .config(Config::default().validator_url("none"));
    Router::new().merge(page).layer(map_response(policy))
}

/// Lets a valid token read these too; it opens nothing else that people see.
pub async fn docs_for_tokens(
    State(server): State<Server>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_docs = path == "/openapi.json" || path.starts_with("/docs");
    if is_docs && api::has_token(&server, request.headers()).await {
        request.extensions_mut().insert(ByToken);
    }
    next.run(request).await
}

/// Swagger UI styles its elements one by one; it loads and runs only what we serve.
async fn policy(mut response: Response) -> Response {
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
             font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    );
    response
}
