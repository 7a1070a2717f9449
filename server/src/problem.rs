//! Refusals over HTTP for machines: RFC 9457, with stable types and one sentence that says what to do.

use crate::{api::wire, web::RequestId};
use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::problem::Problem;
use std::borrow::Cow;

/// A refusal of a request by a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    /// The last part of the problem's `type`; stable.
    kind: &'static str,
    detail: Cow<'static, str>,
    retry_after: Option<u64>,
    /// How to say who one is, where that is missing.
    challenge: &'static str,
    faults: Vec<wire::Fault>,
}

impl Refusal {
    /// A refusal with this status, of this kind, saying this.
    #[must_use]
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            kind,
            detail: detail.into(),
            retry_after: None,
            challenge: "Bearer realm=\"countersign\"",
            faults: vec![],
        }
    }

    /// We cannot read that.
    #[must_use]
    pub fn unreadable(kind: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, kind, detail)
    }

    /// What the framework could not read, in its words, as a sentence.
    #[must_use]
    pub fn rejected(status: StatusCode, kind: &'static str, words: &str) -> Self {
        Self::new(
            status,
            kind,
            format!(
                "{}.",
                domain::text::one_line(words.trim_end_matches('.'), 300)
            ),
        )
    }

    /// The body stopped arriving, or took too long as a whole.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "too-slow",
            "The body took too long to arrive and nothing of it was kept. Send it again.",
        )
    }

    /// There is no valid token with the request.
    #[must_use]
    pub fn no_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "token",
            "Send a valid token as `Authorization: Bearer …`. This one is missing, unknown, expired or revoked.",
        )
    }

    /// There is no such thing, or not for this token to see.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such thing, or this token may not see it.",
        )
    }

    /// Try again after so many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// Says that who calls says who they are in another way than by a token.
    #[must_use]
    pub fn challenging(self, challenge: &'static str) -> Self {
        Self { challenge, ..self }
    }

    /// With what is wrong where in what was sent.
    #[must_use]
    pub fn with_faults(self, faults: Vec<wire::Fault>) -> Self {
        Self { faults, ..self }
    }

    /// The sentence that says what to do.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status =
            StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let refusal = Self::new(status, problem.code(), problem.sentence());
        match problem {
            Problem::Unavailable | Problem::TooMany => refusal.retry_after(2),
            _ => refusal,
        }
    }
}

/// Logged here, once: whoever asked learns only that it went wrong.
impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        if error.is_unavailable() {
            tracing::error!(%error, "The database could not be asked");
            return Problem::Unavailable.into();
        }
        if let store::Error::Crowded(most) = error {
            let detail = format!(
                "This commit is the head of {most} revisions already. Submit a commit of its own for this change."
            );
            return Self::new(StatusCode::CONFLICT, "crowded-head", detail);
        }
        tracing::error!(%error, "A request failed in the database");
        Problem::Internal.into()
    }
}

impl From<domain::token::Denied> for Refusal {
    fn from(denied: domain::token::Denied) -> Self {
        let kind = match denied {
            domain::token::Denied::Scope(_) => "scope",
            domain::token::Denied::Repository => "repository",
        };
        Self::new(
            StatusCode::FORBIDDEN,
            kind,
            format!("That is not for this token: {denied}."),
        )
    }
}

/// Whether a body could not be read because its sender was too slow.
#[must_use]
pub fn was_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(|error| error.is::<tower_http::timeout::TimeoutError>())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(self.challenge),
            );
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the document of a refusal, with the id of its request; and one for what axum itself refuses without words.
pub async fn documents(request: Request, next: Next) -> Response {
    let id = id_of(&request);
    written(next.run(request).await, id)
}

/// The same for one response.
pub fn written(response: Response, id: String) -> Response {
    let refusal = match response.extensions().get::<Refusal>() {
        Some(refusal) => refusal.clone(),
        None if is_bare(&response) => bare(response.status()),
        None => return response,
    };
    let document = wire::Problem {
        kind: format!("/problems/{}", refusal.kind),
        title: refusal
            .status
            .canonical_reason()
            .unwrap_or("Refused")
            .to_owned(),
        status: refusal.status.as_u16(),
        detail: refusal.detail.into_owned(),
        request_id: id,
        faults: refusal.faults,
    };
    let (mut parts, _) = response.into_parts();
    let body = (refusal.status, Json(document)).into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut whole = Response::from_parts(parts, body.into_body());
    *whole.status_mut() = refusal.status;
    whole.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    whole
}

/// The id of a request, for the document of its refusal.
pub fn id_of(request: &Request) -> String {
    let id = request.extensions().get::<RequestId>();
    id.map(|id| id.0.to_string()).unwrap_or_default()
}

fn is_bare(response: &Response) -> bool {
    let refused = response.status().is_client_error() || response.status().is_server_error();
    let json = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("json"));
    refused
        && !response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(json)
}

fn bare(status: StatusCode) -> Refusal {
    match status {
        StatusCode::NOT_FOUND => Refusal::new(
            status,
            "not-found",
            "There is nothing at this address; /openapi.json lists what is.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => Refusal::new(
            status,
            "method",
            "This address takes other methods; see `Allow`.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(
            status,
            "too-large",
            "The body is larger than this address accepts.",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Refusal::new(
            status,
            "content-type",
            "Send `Content-Type: application/json`.",
        ),
        StatusCode::REQUEST_TIMEOUT => Refusal::too_slow(),
        StatusCode::UNAUTHORIZED => Problem::SignInNeeded.into(),
        StatusCode::FORBIDDEN => Problem::CrossSite.into(),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Problem::Unavailable.into()
        }
        status if status.is_client_error() => Refusal::new(
            status,
            "not-understood",
            "The request was not understood; /docs says how it is made.",
        ),
        status => Refusal::new(
            status,
            "internal",
            "Something went wrong; the request id leads to the log.",
        ),
    }
}
