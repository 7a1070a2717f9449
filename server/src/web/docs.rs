//! `/openapi.json` and `/docs`, for people who are signed in and for tokens: what can be asked of us is not for strangers.

use crate::{api, auth, state::Server};
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{Next, from_fn_with_state, map_response},
    response::Response,
};
use tower::ServiceExt;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::Site;

/// The document of the REST API, and a page that shows it from files of our own.
pub fn docs(server: &Server, document: OpenApi) -> Router {
    // Swagger UI would fetch a badge about the document from elsewhere, which the policy forbids anyway.
    let page = SwaggerUi::new("/docs")
        .url("/openapi.json", document)
        .config(Config::default().validator_url("none"));
    let docs = Router::new().merge(page).layer(map_response(policy));
    let for_people = super::browser(
        auth::guarded(&server.auth, docs.clone()),
        Site::of(&server.settings),
    );
    docs.layer(from_fn_with_state((server.clone(), for_people), for_tokens))
}

/// Lets a valid token through; everybody else comes by the way of browsers, which asks for a session.
async fn for_tokens(
    axum::extract::State((server, for_people)): axum::extract::State<(Server, Router)>,
    request: Request,
    next: Next,
) -> Response {
    if api::has_token(&server, request.headers()).await {
        return next.run(request).await;
    }
    let Ok(response) = for_people.oneshot(request).await;
    response
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
