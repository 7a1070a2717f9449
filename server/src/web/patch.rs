//! `/changes/{id}/patch`: all that was submitted, byte for byte, for what no page can show, such as lines of a megabyte.

use crate::problem::Refusal;
use app::{
    caller::{SignedIn, Site},
    pages::change,
};
use axum::{
    Extension, Router,
    extract::{Path, Query, State},
    http::header,
    response::IntoResponse,
    routing::get,
};
use domain::{ids::ChangeId, problem::Problem};
use serde::Deserialize;
use uuid::Uuid;

/// Its route. Belongs among the guarded pages.
pub fn patch(site: Site) -> Router {
    Router::new()
        .route("/changes/{id}/patch", get(whole))
        .with_state(site)
}

#[derive(Deserialize)]
struct Asked {
    /// The number of a revision, or else the current one.
    revision: Option<i32>,
}

async fn whole(
    State(site): State<Site>,
    caller: Option<Extension<SignedIn>>,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Refusal> {
    let Some(Extension(SignedIn(person))) = caller else {
        return Err(Refusal::from(Problem::SignInNeeded));
    };
    let (digest, patch) = change::patch(&site, person, ChangeId(id), asked.revision).await?;
    // It is anybody's text, and must never be taken for a page of ours.
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{digest}.diff\""),
        ),
    ];
    Ok((headers, patch))
}
