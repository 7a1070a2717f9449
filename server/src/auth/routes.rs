//! The way out to the provider, the way back, and the way out for good.

use super::{
    Auth,
    attempt::{self, Attempt},
    cookies,
    provider::ProviderError,
    secret::NoRandomness,
    sessions,
};
use crate::problem::Refusal;
use axum::{
    Router,
    extract::{Query, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::{ids::PersonId, next::LocalPath, problem::Problem};
use serde::Deserialize;
use tower_sessions::Session;

/// `GET /auth/start`, `GET /auth/callback` and `POST /sign-out`.
pub fn router(auth: Auth) -> Router {
    Router::new()
        .route("/auth/start", get(start))
        .route("/auth/callback", get(callback))
        .route("/sign-out", post(sign_out))
        .with_state(auth)
}

/// Why somebody who tried is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotSignedIn {
    /// This browser did not begin this attempt, or too long ago, or it is over already.
    Lost,
    /// The provider said no, or the person did, or what the provider said is not proved.
    Refused,
    /// The provider cannot be asked.
    Unreachable,
    /// The person was deactivated.
    Inactive,
    /// Something went wrong here.
    Here(Problem),
}

impl IntoResponse for NotSignedIn {
    /// Back to the page of signing in, with a word of a closed set: an address cannot put sentences on it.
    fn into_response(self) -> Response {
        let word = match self {
            NotSignedIn::Lost => "lost",
            NotSignedIn::Refused => "refused",
            NotSignedIn::Unreachable => "unreachable",
            NotSignedIn::Inactive => "inactive",
            NotSignedIn::Here(problem) => return Refusal::from(problem).into_response(),
        };
        Redirect::to(&format!("/sign-in?failed={word}")).into_response()
    }
}

#[derive(Debug, Deserialize)]
struct Start {
    next: Option<String>,
}

async fn start(
    State(auth): State<Auth>,
    Query(Start { next }): Query<Start>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    if let Err(too_many) = auth.limits.sign_in(&parts) {
        return Refusal::from(too_many).into_response();
    }
    let next = next
        .as_deref()
        .and_then(LocalPath::parse)
        .unwrap_or_else(LocalPath::home);
    match leave(&auth, &parts.headers, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn leave(auth: &Auth, headers: &HeaderMap, next: LocalPath) -> Result<Response, NotSignedIn> {
    let attempt = Attempt::begin(next).map_err(unguessable)?;
    let url = auth
        .provider
        .authorization_url(&attempt)
        .await
        .map_err(not_believed)?;
    let mut response = Redirect::to(url.as_str()).into_response();
    for name in attempt::surplus(headers, &auth.cookies) {
        cookies::add(response.headers_mut(), &auth.cookies.forget(name));
    }
    cookies::add(response.headers_mut(), &attempt.cookie(&auth.cookies));
    Ok(response)
}

/// What the provider sends back. Everything in it is a stranger's word until the state was found in a cookie.
#[derive(Debug, Deserialize)]
struct Callback {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

async fn callback(
    State(auth): State<Auth>,
    Query(query): Query<Callback>,
    session: Session,
    headers: HeaderMap,
) -> Response {
    let Some(attempt) = Attempt::find(&headers, &auth.cookies, &query.state) else {
        return NotSignedIn::Lost.into_response();
    };
    let arrived = arrive(&auth, &attempt, query, &session).await;
    let mut response = match arrived {
        Ok(()) => Redirect::to(attempt.next().as_str()).into_response(),
        Err(problem) => problem.into_response(),
    };
    // Whatever became of it, an attempt is made once.
    let over = auth.cookies.forget(auth.cookies.attempt(&attempt.state()));
    cookies::add(response.headers_mut(), &over);
    response
}

async fn arrive(
    auth: &Auth,
    attempt: &Attempt,
    query: Callback,
    session: &Session,
) -> Result<(), NotSignedIn> {
    if let Some(error) = query.error {
        let error: String = error
            .chars()
            .filter(char::is_ascii_graphic)
            .take(80)
            .collect();
        tracing::info!(error, "The provider refused a sign-in");
        return Err(NotSignedIn::Refused);
    }
    let code = query.code.ok_or(NotSignedIn::Refused)?;
    let arrival = auth
        .provider
        .arrival(attempt, code, query.iss.as_deref(), auth.db.now())
        .await
        .map_err(not_believed)?;
    let person = record(auth, &arrival.claims).await?;
    open(session, person, &arrival.id_token)
        .await
        .map_err(not_opened)
}

/// Records the sign-in, also of somebody who may not come in: that they tried is worth knowing.
async fn record(auth: &Auth, claims: &store::people::Claims) -> Result<PersonId, NotSignedIn> {
    let mut tx = auth.db.begin().await.map_err(failed)?;
    let id = store::people::upsert_at_sign_in(&mut tx, claims)
        .await
        .map_err(failed)?;
    let active = store::people::is_active(tx.conn(), id)
        .await
        .map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    if !active {
        tracing::info!(person.id = %id, "Refused to sign in somebody who was deactivated");
        return Err(NotSignedIn::Inactive);
    }
    tracing::info!(person.id = %id, groups = claims.groups.as_str(), "Signed in");
    Ok(id)
}

/// Opens the session under a new id, and ends the one that this browser had: nobody can prepare a session for somebody else.
async fn open(
    session: &Session,
    person: PersonId,
    id_token: &str,
) -> Result<(), tower_sessions::session::Error> {
    session.cycle_id().await?;
    session.insert(sessions::PERSON, person).await?;
    // A longer one fits in no address, which is where it is for.
    let hint = Some(id_token).filter(|token| token.len() <= LONGEST_HINT);
    session.insert(sessions::ID_TOKEN, hint).await
}

/// With many groups an ID token grows; servers accept addresses of about twice this length.
const LONGEST_HINT: usize = 4_000;

async fn sign_out(State(auth): State<Auth>, session: Session) -> Response {
    match close(&auth, &session).await {
        Ok(leads_to) => Redirect::to(&leads_to).into_response(),
        Err(problem) => Refusal::from(problem).into_response(),
    }
}

/// Ends the session here first, so that it ends whatever the provider does; then says where it ends there.
async fn close(auth: &Auth, session: &Session) -> Result<String, Problem> {
    let hint: Option<Option<String>> = session.get(sessions::ID_TOKEN).await.map_err(not_closed)?;
    if session.id().is_some() {
        session.flush().await.map_err(not_closed)?;
    }
    let url = auth
        .provider
        .sign_out_url(hint.flatten().as_deref(), &auth.site.at("/"))
        .await;
    let url = url.unwrap_or_else(|error| {
        tracing::warn!(%error, "Signed out here, and not at the provider");
        None
    });
    Ok(url.map_or_else(|| "/sign-in".to_owned(), String::from))
}

fn not_closed(error: tower_sessions::session::Error) -> Problem {
    tracing::error!(%error, "A session could not be written");
    Problem::Unavailable
}

fn not_believed(error: ProviderError) -> NotSignedIn {
    tracing::warn!(%error, "A sign-in failed at the provider");
    match error {
        ProviderError::Unreachable(_) => NotSignedIn::Unreachable,
        _ => NotSignedIn::Refused,
    }
}

fn failed(error: store::Error) -> NotSignedIn {
    tracing::error!(%error, "A sign-in failed in the database");
    NotSignedIn::Here(if error.is_unavailable() {
        Problem::Unavailable
    } else {
        Problem::Internal
    })
}

fn not_opened(error: tower_sessions::session::Error) -> NotSignedIn {
    NotSignedIn::Here(not_closed(error))
}

fn unguessable(error: NoRandomness) -> NotSignedIn {
    tracing::error!(%error, "A sign-in could not begin");
    NotSignedIn::Here(Problem::Internal)
}
