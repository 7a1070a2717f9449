//! One id for each request, in its answer and in every line that is logged about it; one line when it is over.

use std::{any::Any, time::Instant};

use app::caller::RequestId;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument as _, error, info, info_span};

/// Wraps everything that the server answers.
pub fn outermost<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .layer(CatchPanicLayer::custom(after_a_panic))
        .layer(from_fn(traced))
}

async fn traced(mut request: Request, next: Next) -> Response {
    // Made here: what a client says about itself does not get into our logs.
    let id = RequestId(store::ids::new());
    request.extensions_mut().insert(id);
    // The path and not the query: codes of the sign-in and filters with people's names stand there.
    let span =
        info_span!("request", id = %id.0, method = %request.method(), path = request.uri().path());
    async move {
        let began = Instant::now();
        let mut response = next.run(request).await;
        if let Ok(value) = HeaderValue::from_str(&id.0.to_string()) {
            response.headers_mut().insert("x-request-id", value);
        }
        info!(
            status = response.status().as_u16(),
            micros = began.elapsed().as_micros() as u64,
            "Answered"
        );
        response
    }
    .instrument(span)
    .await
}

/// Says in the log what happened and to the client only that it did.
pub fn after_a_panic(what: Box<dyn Any + Send>) -> Response {
    let said = what
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(what.downcast_ref::<&str>().copied());
    error!(said, "A request panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
