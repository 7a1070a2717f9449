//! Refusals that come from before a page runs, in the same words and the same look as a page's own.

use app::actions::Refusal;
use app::{
    pages::problem::{Told, Trouble, trouble_page},
    shell::Assets,
};
use axum::{
    Extension, Json,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};

use domain::problem::Problem;
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;

use super::{RequestId, assets, headers::Nonce};

/// Gives a bare refusal (no route, too large, from another site, a panic) a page, for those who can read one, a word
/// that an island understands, for those that called for it, and a problem document for all others.
pub async fn in_words(request: Request, next: Next) -> Response {
    let reads_html = accepts_html(request.headers());
    let calls = request.uri().path().starts_with("/fn/");
    let theme = app::pages::theme_of(request.headers());
    let nonce = request.extensions().get::<Nonce>().cloned();
    let id = request.extensions().get::<RequestId>().map(|id| id.0);
    let response = next.run(request).await;
    if calls && !reads_html {
        return for_an_island(response).await;
    }
    if !is_bare_refusal(&response) {
        return response;
    }
    if !reads_html {
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        return crate::problem::written(response, id);
    }
    let status = response.status();
    let page = trouble_page(
        Trouble::from_status(status.as_u16()),
        response.extensions().get::<Told>().copied(),
        Assets {
            js: None,
            wasm: None,
            ..assets::names()
        },
        theme,
        nonce.map(|nonce| nonce.0),
        id,
    );
    // What the refusal says beside its words, such as when to come back, stays.
    let mut headers = response.headers().clone();
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_TYPE);
    let mut page = (status, Html(page)).into_response();
    page.headers_mut().extend(headers);
    page
}

/// A form that was sent without a script and without saying from where is led to the first page when it is refused, which
/// says nothing of it. The refusal gets a page of its own, with a way back to the change that the form named.
pub async fn with_a_way_back(parts: Parts, body: Bytes, next: Next) -> Response {
    let is_lost =
        parts.uri.path().starts_with("/fn/") && !parts.headers.contains_key(header::REFERER);
    let change = url::form_urlencoded::parse(&body)
        .find(|(name, _)| name == "change")
        .and_then(|(_, value)| value.parse().ok());
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let leads_nowhere = response.status().is_redirection()
        && response.headers().contains_key(SERVER_FN_ERROR_HEADER)
        && response
            .headers()
            .get(header::LOCATION)
            .is_some_and(|to| to == "/");
    if !is_lost || !leads_nowhere {
        return response;
    }
    let body = to_bytes(response.into_body(), LONGEST_REFUSAL).await;
    let said = serde_json::from_slice::<Refusal>(&body.unwrap_or_default());
    let Refusal(problem) = said.unwrap_or(Refusal(Problem::Internal));
    let status =
        StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Extension(Told { problem, change })).into_response()
}

/// Leptos answers every refusal of a call with 500; the refusal itself knows better. What was refused before the call was
/// reached becomes a refusal that the island can say.
async fn for_an_island(response: Response) -> Response {
    if !is_refusal(&response) {
        return response;
    }
    let by_the_call = response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST_REFUSAL).await.unwrap_or_default();
    let said = if by_the_call {
        serde_json::from_slice::<Refusal>(&body).ok()
    } else {
        None
    };
    let Refusal(problem) = said.unwrap_or(Refusal(before_the_call(parts.status)));
    if by_the_call {
        parts.status = StatusCode::from_u16(problem.status()).unwrap_or(parts.status);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    (parts.status, parts.headers, Json(Refusal(problem))).into_response()
}

/// A word and perhaps a level or a role.
const LONGEST_REFUSAL: usize = 1024;

fn before_the_call(status: StatusCode) -> Problem {
    match status {
        StatusCode::UNAUTHORIZED => Problem::SignInNeeded,
        StatusCode::FORBIDDEN => Problem::CrossSite,
        StatusCode::TOO_MANY_REQUESTS => Problem::TooMany,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Problem::Unavailable,
        status if status.is_server_error() => Problem::Internal,
        _ => Problem::NotUnderstood,
    }
}

/// A page or a problem document already says what is the matter.
fn is_bare_refusal(response: &Response) -> bool {
    let said = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    is_refusal(response)
        && !said.is_some_and(|said| said.starts_with("text/html") || said.contains("json"))
}

fn is_refusal(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// What answers a path that nobody knows.
pub async fn nothing_here() -> StatusCode {
    StatusCode::NOT_FOUND
}
