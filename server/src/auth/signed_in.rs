//! Who is asking: the person behind a session, read anew for every request, so that nothing outlives its being taken away.

use super::{Auth, sessions};
use crate::problem::Refusal;
use app::caller::SignedIn;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::{ids::PersonId, next::LocalPath, problem::Problem};
use tower_sessions::Session;

/// Put into a request that a valid token has opened, by what knows that this token may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByToken;

/// What everybody may see: signing in, whether we are alive, and the files that pages are made of.
const OPEN: [&str; 7] = [
    "/sign-in",
    "/auth/start",
    "/auth/callback",
    "/livez",
    "/readyz",
    "/favicon.ico",
    "/robots.txt",
];

/// Files that are the same for everybody.
const OPEN_FOLDER: &str = "/pkg/";

/// Lets nobody in who is not signed in and active, and hands on who it is, as [`SignedIn`] in the request's extensions. Goes around everything that a browser can reach; what
/// it does not know is closed.
///
/// Strangers who look for a page are sent to sign in and come back to it; everybody else gets a 401.
pub async fn required(State(auth): State<Auth>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with(OPEN_FOLDER) || request.extensions().get::<ByToken>().is_some() {
        return next.run(request).await;
    }
    let is_open = OPEN.contains(&path);
    match who(&auth, request.extensions().get::<Session>()).await {
        Ok(person) => {
            let too_many = writes(request.method()).then(|| auth.limits.decide(person));
            if let Some(Err(too_many)) = too_many {
                return Refusal::from(too_many).into_response();
            }
            request.extensions_mut().insert(SignedIn(person));
            next.run(request).await
        }
        Err(_) if is_open => next.run(request).await,
        Err(Problem::SignInNeeded | Problem::Inactive) if wants_a_page(request.headers()) => {
            to_sign_in(request.method(), request.uri(), request.headers()).into_response()
        }
        Err(problem) => Refusal::from(problem).into_response(),
    }
}

/// The person of a session. Reads the database each time.
async fn who(auth: &Auth, session: Option<&Session>) -> Result<PersonId, Problem> {
    let session = session.ok_or(Problem::SignInNeeded)?;
    let person: Option<PersonId> = session.get(sessions::PERSON).await.map_err(unavailable)?;
    let person = person.ok_or(Problem::SignInNeeded)?;
    if auth.is_active(person).await.map_err(unavailable)? {
        Ok(person)
    } else {
        Err(Problem::Inactive)
    }
}

fn unavailable(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "A session could not be read");
    Problem::Unavailable
}

fn writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn wants_a_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// To the page of signing in, which leads back: to the page itself, or for a form to the page that it stood on.
fn to_sign_in(method: &Method, uri: &Uri, headers: &HeaderMap) -> Redirect {
    let wanted = if writes(method) {
        referring_path(headers)
    } else {
        uri.path_and_query()
            .and_then(|path| LocalPath::parse(path.as_str()))
    };
    match wanted {
        Some(next) if next != LocalPath::home() => {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("next", next.as_str())
                .finish();
            Redirect::to(&format!("/sign-in?{query}"))
        }
        Some(_) | None => Redirect::to("/sign-in"),
    }
}

/// The path of the page that a form stood on. Its host does not matter: only the path is used, and here.
fn referring_path(headers: &HeaderMap) -> Option<LocalPath> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let url = url::Url::parse(referer).ok()?;
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    LocalPath::parse(&format!("{}{query}", url.path()))
}
