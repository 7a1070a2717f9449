//! Has what a code host told worked on once more, and a change that could not be looked at looked at: an admin's wish.

use leptos::prelude::*;
use uuid::Uuid;

use super::Refusal;

/// Has a delivery that is over worked on again, from the start.
#[server(prefix = "/fn", endpoint = "work-again")]
pub async fn work_again(delivery: Uuid) -> Result<(), Refusal> {
    use crate::caller::{caller, failed, site};
    use domain::{policy::may_administer, problem::Problem};

    let (caller, site) = (caller()?, site()?);
    let mut tx = site.db.begin().await.map_err(failed)?;
    let person = store::people::load(tx.conn(), caller)
        .await
        .map_err(failed)?;
    let person = person.ok_or(Problem::SignInNeeded)?;
    may_administer(&person, tx.now(), site.claims_max_age)?;
    // One that is not over is being worked on: then there is nothing to do, also for who pressed twice.
    let known = store::deliveries::one(tx.conn(), delivery, 0)
        .await
        .map_err(failed)?;
    known.ok_or(Problem::NotFound)?;
    store::deliveries::again(&mut tx, delivery)
        .await
        .map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    leptos_axum::redirect(&format!("/deliveries?show={delivery}"));
    Ok(())
}
