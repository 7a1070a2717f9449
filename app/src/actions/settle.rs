//! Says which of two patches is true that were submitted for one revision: an admin's word, recorded with their name.

use domain::{digest::Digest, ids::ChangeId};
use leptos::prelude::*;

use super::Refusal;

/// Settles the dispute about the current revision of a change, which must be the one that was shown.
#[server(prefix = "/fn", endpoint = "settle")]
pub async fn settle(change: ChangeId, digest: Digest, stored_is_true: bool) -> Result<(), Refusal> {
    let (caller, site) = (crate::caller::caller()?, crate::caller::site()?);
    record(&site, caller, change, digest, stored_is_true).await?;
    leptos_axum::redirect(&format!("/changes/{change}"));
    Ok(())
}

/// Load, ask the rule, record, in one transaction under the change's lock.
#[cfg(feature = "ssr")]
async fn record(
    site: &crate::caller::Site,
    caller: domain::ids::PersonId,
    change: ChangeId,
    seen: Digest,
    stored_is_true: bool,
) -> Result<(), domain::problem::Problem> {
    use crate::caller::failed;
    use domain::problem::Problem;
    use store::{decisions, people, submissions};

    let mut tx = site.db.begin().await.map_err(failed)?;
    let (case, _) = decisions::locked_case(&mut tx, change, caller, site.claims_max_age)
        .await
        .map_err(failed)?
        .ok_or(Problem::NotFound)?;
    let person = people::load(tx.conn(), caller)
        .await
        .map_err(failed)?
        .ok_or(Problem::SignInNeeded)?;
    case.may_settle(&person, tx.now())?;
    if seen != case.revision.digest {
        return Err(Problem::ChangedSinceYouLooked);
    }
    submissions::settle(&mut tx, &case, caller, stored_is_true)
        .await
        .map_err(failed)?;
    tx.commit().await.map_err(failed)
}
