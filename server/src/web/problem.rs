//! Refusals that come from before a page runs, in the same words and the same look as a page's own.

use app::{
    pages::problem::{Trouble, trouble_page},
    shell::Assets,
};
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};

use super::{RequestId, assets, headers::Nonce};

/// Gives a bare refusal (no route, too large, from another site, a panic) a page, for those who can read one.
pub async fn in_words(request: Request, next: Next) -> Response {
    let reads_html = accepts_html(request.headers());
    let theme = app::pages::theme_of(request.headers());
    let nonce = request.extensions().get::<Nonce>().cloned();
    let id = request.extensions().get::<RequestId>().map(|id| id.0);
    let response = next.run(request).await;
    if !reads_html || !is_bare_refusal(&response) {
        return response;
    }
    let status = response.status();
    let page = trouble_page(
        Trouble::from_status(status.as_u16()),
        Assets {
            js: None,
            wasm: None,
            ..assets::names()
        },
        theme,
        nonce.map(|nonce| nonce.0),
        id,
    );
    (status, Html(page)).into_response()
}

/// A page or a problem document already says what is the matter.
fn is_bare_refusal(response: &Response) -> bool {
    let refused = response.status().is_client_error() || response.status().is_server_error();
    let said = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    refused && !said.is_some_and(|said| said.starts_with("text/html") || said.contains("json"))
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
