//! Says whose an address or a login is: an admin with proof, or people of themselves, which bars them and gives nothing.

use domain::{contributor::Key, ids::PersonId};
use leptos::prelude::*;

use super::Refusal;

/// Links an account to a person: an admin's word, which is proof. `who` is an id, a subject, a name, an address or a login;
/// `rollout` the repository from whose rollout it was sent, if from there.
#[server(prefix = "/fn", endpoint = "link-account")]
pub async fn link_account(
    who: String,
    account: String,
    #[server(default)] rollout: String,
) -> Result<(), Refusal> {
    use domain::{contributor, names::RepositoryName, problem::Problem};
    use store::people;

    let (caller, site) = (crate::caller::caller()?, crate::caller::site()?);
    let keys = contributor::account(&account)?;
    let mut tx = site.db.begin().await?;
    may_link(&mut tx, &site, caller).await?;
    let named = contributor::account(&who).unwrap_or_default();
    let meant = people::meant_by(tx.conn(), who.trim(), &named).await?;
    let [person] = meant.as_slice() else {
        return Err(Problem::UnknownPerson.into());
    };
    nobodys_own(caller, *person)?;
    for key in &keys {
        people::link_by(&mut tx, caller, *person, key).await?;
    }
    tx.commit().await?;
    // Where the form stood. Only a name goes into the address.
    match RepositoryName::parse(rollout) {
        Ok(name) => leptos_axum::redirect(&format!("/repositories/{name}?rollout=1#rollout")),
        Err(_) => leptos_axum::redirect("/people"),
    }
    Ok(())
}

/// Withdraws every link between a person and an account: an admin's word.
#[server(prefix = "/fn", endpoint = "unlink-account")]
pub async fn unlink_account(person: PersonId, account: Key) -> Result<(), Refusal> {
    use domain::problem::Problem;
    use store::people;

    let (caller, site) = (crate::caller::caller()?, crate::caller::site()?);
    let mut tx = site.db.begin().await?;
    may_link(&mut tx, &site, caller).await?;
    nobodys_own(caller, person)?;
    // Doing it twice is harmless.
    if people::load(tx.conn(), person).await?.is_none() {
        return Err(Problem::UnknownPerson.into());
    }
    people::unlink_by(&mut tx, caller, person, &account).await?;
    tx.commit().await?;
    leptos_axum::redirect("/people");
    Ok(())
}

/// Records that whoever is signed in calls an account theirs.
#[server(prefix = "/fn", endpoint = "name-account")]
pub async fn name_account(account: String) -> Result<(), Refusal> {
    use domain::{contributor, problem::Problem};
    use store::people;

    let (caller, site) = (crate::caller::caller()?, crate::caller::site()?);
    let keys = contributor::account(&account)?;
    let mut tx = site.db.begin().await?;
    let person = people::load(tx.conn(), caller).await?;
    if !person.ok_or(Problem::SignInNeeded)?.active {
        return Err(Problem::Inactive.into());
    }
    for key in &keys {
        people::name_own(&mut tx, caller, key).await?;
    }
    tx.commit().await?;
    leptos_axum::redirect("/people");
    Ok(())
}

/// Whether the caller is an admin now.
#[cfg(feature = "ssr")]
async fn may_link(
    tx: &mut store::Tx,
    site: &crate::caller::Site,
    caller: PersonId,
) -> Result<(), Refusal> {
    use domain::{people::Role, problem::Problem};

    let person = store::people::load(tx.conn(), caller)
        .await?
        .ok_or(Problem::SignInNeeded)?;
    if !person.is(Role::Admin, tx.now(), site.claims_max_age) {
        return Err(Problem::NotAllowed.into());
    }
    Ok(())
}

/// Who could free themselves of a change, or make its commits a senior's, would be an admin of nobody's but their own cause.
#[cfg(feature = "ssr")]
fn nobodys_own(caller: PersonId, person: PersonId) -> Result<(), Refusal> {
    if caller == person {
        return Err(domain::problem::Problem::OwnAccount.into());
    }
    Ok(())
}
