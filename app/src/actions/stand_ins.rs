//! Says who stands in for whom, and ends that: by whoever is away, or an admin.

use domain::ids::StandInId;
use leptos::prelude::*;

use super::Refusal;

/// Lets somebody stand in for the caller, or, by an admin's word, for `principal`, until the end of a day. Both are named by an
/// id, a subject, a name, an address or a login.
#[server(prefix = "/fn", endpoint = "stand-in")]
pub async fn stand_in(
    who: String,
    #[server(default)] principal: String,
    repositories: String,
    until: String,
    reason: String,
) -> Result<(), Refusal> {
    use domain::{
        problem::Problem,
        stand_in::{Pair, Wish},
        text::one_line,
    };
    use store::people::{self, stand_ins};

    let (caller, site) = (crate::caller::caller()?, crate::caller::site()?);
    let until = day(&until).ok_or(Problem::StandInTooLong)?;
    let reason = one_line(&reason.replace('\0', ""), REASON).into_owned();
    if reason.is_empty() {
        return Err(Problem::ReasonNeeded.into());
    }
    let mut tx = site.db.begin().await?;
    let by = people::load(tx.conn(), caller)
        .await?
        .ok_or(Problem::SignInNeeded)?;
    let person = meant(&mut tx, &who).await?;
    let principal = match principal.trim() {
        "" => caller,
        named => meant(&mut tx, named).await?,
    };
    let both = stand_ins::lock(&mut tx, person, principal).await?;
    let both = both.ok_or(Problem::UnknownPerson)?;
    let wish = Wish {
        by: &by,
        person: &both.person,
        principal: &both.principal,
        repositories: &repositories,
        until,
    };
    let granted = wish.grant(&both.held, tx.now(), site.claims_max_age)?;
    let pair = Pair { person, principal };
    stand_ins::begin(&mut tx, pair, &granted, caller, &reason).await?;
    tx.commit().await?;
    leptos_axum::redirect("/people");
    Ok(())
}

/// Ends it at once. Doing it twice is harmless.
#[server(prefix = "/fn", endpoint = "end-stand-in")]
pub async fn end_stand_in(id: StandInId) -> Result<(), Refusal> {
    use domain::{problem::Problem, stand_in::may_end};
    use store::people::{self, stand_ins};

    let (caller, site) = (crate::caller::caller()?, crate::caller::site()?);
    let mut tx = site.db.begin().await?;
    let by = people::load(tx.conn(), caller)
        .await?
        .ok_or(Problem::SignInNeeded)?;
    let pair = stand_ins::pair(tx.conn(), id)
        .await?
        .ok_or(Problem::NotFound)?;
    may_end(&by, pair, tx.now(), site.claims_max_age)?;
    stand_ins::lock(&mut tx, pair.person, pair.principal).await?;
    stand_ins::end(&mut tx, id, caller).await?;
    tx.commit().await?;
    leptos_axum::redirect("/people");
    Ok(())
}

/// The longest reason, in characters.
#[cfg(feature = "ssr")]
const REASON: usize = 400;

/// `2026-12-01`, as a field for dates sends it.
#[cfg(feature = "ssr")]
fn day(text: &str) -> Option<time::Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month: u8 = month.parse().ok()?;
    time::Date::from_calendar_date(
        year.parse().ok()?,
        month.try_into().ok()?,
        day.parse().ok()?,
    )
    .ok()
}

#[cfg(feature = "ssr")]
async fn meant(tx: &mut store::Tx, who: &str) -> Result<domain::ids::PersonId, Refusal> {
    let named = domain::contributor::account(who).unwrap_or_default();
    let meant = store::people::meant_by(tx.conn(), who.trim(), &named).await?;
    match meant.as_slice() {
        [person] => Ok(*person),
        _ => Err(domain::problem::Problem::UnknownPerson.into()),
    }
}
