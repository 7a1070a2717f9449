//! Who is asking, and what pages and calls may use to answer: what the server hands over with each request.

use std::sync::Arc;

use axum::http::request::Parts;
use domain::{ids::PersonId, problem::Problem};
use leptos::prelude::use_context;
use store::{Db, Tx};
use time::Duration;
use tokio::sync::Semaphore;
use tracing::error;
use uuid::Uuid;

use crate::{
    actions::{Refusal, Theme},
    components::frame::Viewer,
    pages::reference::Document,
};

/// Put into a request by the server's session layer, and by nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedIn(pub PersonId);

/// Names one request, in its answer and in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub Uuid);

/// What is the same for every request.
#[derive(Clone, Debug)]
pub struct Site {
    /// The database.
    pub db: Db,
    /// What the sign-in provider is called.
    pub provider: Arc<str>,
    /// How old the claims of a sign-in may be to grant something.
    pub claims_max_age: Duration,
    /// A place for each large patch that is being read to be shown.
    pub large: Arc<Semaphore>,
    /// What can be asked over REST.
    pub reference: Arc<Document>,
}

/// What this server is, if it is one: a page rendered outside a request has none.
pub fn site() -> Result<Site, Problem> {
    use_context::<Site>().ok_or(Problem::Internal)
}

/// Who is signed in. The first line of everything that is not for strangers.
pub fn caller() -> Result<PersonId, Problem> {
    let parts = use_context::<Parts>().ok_or(Problem::Internal)?;
    parts
        .extensions
        .get::<SignedIn>()
        .map(|SignedIn(person)| *person)
        .ok_or(Problem::SignInNeeded)
}

/// The caller as they are now, with what counts for them.
pub async fn viewer(
    tx: &mut Tx,
    site: &Site,
    caller: PersonId,
    theme: Theme,
) -> Result<Viewer, Problem> {
    let person = store::people::load(tx.conn(), caller)
        .await
        .map_err(failed)?
        .ok_or(Problem::SignInNeeded)?;
    Ok(Viewer {
        level: person.level(tx.now(), site.claims_max_age),
        teams: person.teams(tx.now(), site.claims_max_age),
        roles: person.roles(tx.now(), site.claims_max_age),
        person,
        theme,
    })
}

/// A failure of the database, logged once, as what people are told of it.
pub fn failed(failure: store::Error) -> Problem {
    error!(error = %failure, "The database did not do what was asked");
    if failure.is_unavailable() {
        Problem::Unavailable
    } else {
        Problem::Internal
    }
}

impl From<store::Error> for Refusal {
    fn from(failure: store::Error) -> Self {
        Refusal(failed(failure))
    }
}
