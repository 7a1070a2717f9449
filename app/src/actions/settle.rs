//! Says which of two patches is true that were submitted for one revision: an admin's word, recorded with their name.

use domain::{change::Disputed, digest::Digest, ids::ChangeId};
use leptos::prelude::*;

use super::Refusal;

/// Settles the disputes about one revision of a change, current or not: exactly those that were shown.
#[server(prefix = "/fn", endpoint = "settle")]
pub async fn settle(
    change: ChangeId,
    digest: Digest,
    disputed: Disputed,
    stored_is_true: bool,
) -> Result<(), Refusal> {
    let (caller, site) = (crate::caller::caller()?, crate::caller::site()?);
    let ruling = store::submissions::Ruling {
        by: caller,
        about: &disputed,
        stored_is_true,
    };
    record(&site, change, digest, ruling).await?;
    leptos_axum::redirect(&format!("/changes/{change}"));
    Ok(())
}

/// Load, ask the rule, record, in one transaction under the change's lock.
#[cfg(feature = "ssr")]
async fn record(
    site: &crate::caller::Site,
    change: ChangeId,
    seen: Digest,
    ruling: store::submissions::Ruling<'_>,
) -> Result<(), domain::problem::Problem> {
    use crate::caller::failed;
    use domain::problem::Problem;
    use store::{cases, decisions, submissions};

    let mut tx = site.db.begin().await.map_err(failed)?;
    let locked = decisions::locked_case(&mut tx, change, ruling.by, site.claims_max_age)
        .await
        .map_err(failed)?
        .ok_or(Problem::NotFound)?;
    let (case, person) = (locked.case, locked.person);
    let repository = case.change.repository;
    let revisions = cases::revisions(tx.conn(), repository, change)
        .await
        .map_err(failed)?;
    let revision = revisions
        .iter()
        .find(|revision| revision.digest == seen)
        .ok_or(Problem::ChangedSinceYouLooked)?;
    let disputes = cases::disputes(tx.conn(), repository, change)
        .await
        .map_err(failed)?;
    let open = Disputed::about(revision.id, &disputes);
    case.settle(&person, revision, &open, ruling.about, tx.now())?;
    submissions::settle(&mut tx, &case, revision.id, &ruling)
        .await
        .map_err(failed)?;
    tx.commit().await.map_err(failed)
}
