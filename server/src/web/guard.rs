//! What stands before every route that a cookie opens: nobody else's page may make a browser write here.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, rejection::BytesRejection},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::{
    catch_panic::CatchPanicLayer, csrf::CsrfLayer, limit::RequestBodyLimitLayer,
    timeout::TimeoutLayer,
};

use crate::problem::was_too_slow;

use super::{
    headers::{Site, guarding_headers},
    problem::{in_words, with_a_way_back},
    trace::after_a_panic,
};

/// A form of ours is a few hundred bytes and a reason; nothing that a browser sends needs more.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A page that takes longer than this is better answered with a sentence.
const PATIENCE: Duration = Duration::from_secs(30);

/// Wraps routes that a session cookie opens. From the outside in: headers, refusals in words, patience, cross-site
/// writes refused, small bodies.
pub fn browser<S: Clone + Send + Sync + 'static>(routes: Router<S>, site: Site) -> Router<S> {
    routes
        .layer(from_fn(with_a_way_back))
        .layer(from_fn(whole))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(from_fn(only_from_a_page))
        .layer(CsrfLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            PATIENCE,
        ))
        .layer(CatchPanicLayer::custom(after_a_panic))
        .layer(from_fn(in_words))
        .layer(from_fn_with_state(site, guarding_headers))
}

/// Hands a request on when all of its body is there. What never said how large it is and turns out to be too large is so
/// refused as such everywhere, whether or not anybody would have read it.
async fn whole(parts: Parts, body: Result<Bytes, BytesRejection>, next: Next) -> Response {
    match body {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(error) if was_too_slow(&error) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Err(error) => error.into_response(),
    }
}

/// Refuses a write that carries a cookie and neither `Sec-Fetch-Site` nor `Origin`. Every browser of the last years
/// sends one of them, so what sends neither is no browser of a signed-in person; a client that is a program has a token.
async fn only_from_a_page(request: Request, next: Next) -> Response {
    if writes(request.method())
        && carries_a_cookie(request.headers())
        && !says_where_from(request.headers())
    {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

fn writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn carries_a_cookie(headers: &HeaderMap) -> bool {
    headers.contains_key(header::COOKIE)
}

fn says_where_from(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN)
}
