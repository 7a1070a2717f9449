//! REST under `/api/v1`: a public contract, described by `/openapi.json` and shown at `/docs`.

mod caller;
mod changes;
mod decisions;
pub mod deployments;
mod desk;
pub mod gate;
mod parse;
mod policies;
mod readers;
mod show;
pub(crate) mod submit;
pub mod wire;

pub use caller::Noted;
pub use desk::Desk;
pub use submit::Intake;

use crate::{forges::hooks, problem, state::Server};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What questions and reports may be long: some hundred commit ids.
const BODY_LIMIT: usize = 64 * 1024;

/// The routes, and the document that describes them; they are made together so that they cannot disagree.
pub fn routes() -> (Router<Server>, utoipa::openapi::OpenApi) {
    let submit = OpenApiRouter::new()
        .routes(routes!(submit::submit))
        .layer(DefaultBodyLimit::max(submit::MAX_BODY));
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(gate::ask, gate::ask_all))
        .routes(routes!(gate::ask_then))
        .routes(routes!(changes::list))
        .routes(routes!(changes::show))
        .routes(routes!(changes::revisions))
        .routes(routes!(changes::decisions))
        .routes(routes!(changes::marks))
        .routes(routes!(decisions::stream))
        .routes(routes!(deployments::record))
        .routes(routes!(policies::show, policies::put, policies::delete))
        .routes(routes!(policies::attempt))
        .routes(routes!(readers::show, readers::put))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .merge(submit)
        // Reads its body itself, as much of it as it takes.
        .merge(OpenApiRouter::new().routes(routes!(hooks::receive)))
        .split_for_parts();
    (
        router
            .layer(axum::middleware::map_response(private))
            .layer(from_fn(problem::documents)),
        document,
    )
}

/// Whether a valid token came with a request, whatever it is for.
pub async fn has_token(server: &Server, headers: &HeaderMap) -> bool {
    caller::token(server, headers).await.is_ok()
}

/// Answers for what is below `/api/` and no address of it, such as one with a slash too many, as the addresses there do: a
/// machine is not sent to sign in.
pub async fn elsewhere(State(server): State<Server>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let response = match caller::token(&server, request.headers()).await {
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(refusal) => refusal.into_response(),
    };
    private(problem::written(response, problem::id_of(&request))).await
}

/// Answers are about now and about whoever asks.
async fn private(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign",
        description = "Asks and tells what may be deployed: submit changes, ask the gate, read decisions. Refusals are RFC 9457 problems with stable types."
    ),
    tags(
        (name = "gate", description = "May this commit pass? A pipeline treats everything but `allow: true` as no."),
        (name = "changes", description = "What was proposed, and what holds for it now."),
        (name = "decisions", description = "The record."),
        (name = "deployments", description = "What was shipped where."),
        (name = "policies", description = "What repositories demand."),
        (name = "readers", description = "Who may see repositories."),
        (name = "hooks", description = "What code hosts tell."),
    ),
    modifiers(&Tokens),
)]
struct Document;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("`countersign token create` prints one, once."))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}
