//! One repository: what it demands, since when and by whom, and the forms with which admins change that.

use domain::{
    Timestamp,
    case::Case,
    ids::{PersonId, RepositoryId},
    names::RepositoryName,
    policy::{
        Admin, Document, Fault, Mode, Policy, Terms,
        lowering::DAYS,
        may_administer,
        trial::{Rollout, Why, rollout, why},
    },
    problem::Problem,
    readers::Readers,
};
use leptos::prelude::*;
use store::{
    Tx, modes,
    policies::{self, Measured, Version, drafts},
    readers,
};
use time::Duration;

use crate::{
    actions::Theme,
    caller::{Site, failed, viewer},
    components::{
        frame::{Frame, Place, Viewer},
        mode::{self, Observed},
        policy::{Editor, Faults, InForce, Modes, PERIODS, RolloutOf, Tried, Versions, WhyOf},
        readers::MayRead,
        title::PageTitle,
        unmarked::LetsThrough,
    },
};

/// How many versions and modes the page shows.
const MOST: i64 = 50;

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct RepositoryPage {
    /// Who is looking.
    pub viewer: Viewer,
    /// As it was first written.
    pub name: RepositoryName,
    /// What holds now.
    pub terms: Terms,
    /// The text of it, if it is still there.
    pub text: Option<String>,
    /// Of its own policy, newest first.
    pub versions: Vec<Version>,
    /// How its mode was set, latest first.
    pub modes: Vec<modes::Set>,
    /// Who may see it.
    pub readers: Readers,
    /// How that was said, latest first.
    pub readings: Vec<readers::Set>,
    /// For admins.
    pub desk: Option<Desk>,
    /// One change under the draft, or under what holds where there is none.
    pub why: Option<(Case, Why)>,
    /// The key that was asked for and is no change's.
    pub unknown: Option<String>,
    /// Why the last form was refused, where no script could say so.
    pub told: Option<Problem>,
    /// When all of this was so.
    pub now: Timestamp,
}

/// What an admin works at.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Who it is.
    pub admin: Admin,
    /// Their draft, if they asked for it.
    pub draft: Option<Drafted>,
    /// What would come of enforcing, if they asked for it.
    pub rollout: Option<(Rollout, usize)>,
}

/// A draft, and what is to be said of it.
#[derive(Clone, Debug)]
pub struct Drafted {
    /// As it was sent.
    pub text: String,
    /// What the form names it by.
    pub hash: String,
    /// How many of the last days it was tried on.
    pub days: i64,
    /// What the past would have been, or what is wrong where.
    pub judged: Result<Box<Measured>, Vec<Fault>>,
}

/// What was asked for, as it stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The caller's draft.
    pub draft: bool,
    /// How many of the last days it is tried on, of those that can be chosen.
    pub days: Option<i64>,
    /// What would come of enforcing.
    pub rollout: bool,
    /// The key of a change.
    pub change: Option<String>,
    /// Why the last form was refused.
    pub told: Option<Problem>,
}

/// Reads the repository, as of one moment.
pub async fn load(
    site: Site,
    caller: Result<PersonId, Problem>,
    theme: Theme,
    name: Option<RepositoryName>,
    asked: Asked,
) -> Result<RepositoryPage, Problem> {
    let mut tx = site.db.read().await.map_err(failed)?;
    let viewer = viewer(&mut tx, &site, caller?, theme).await?;
    let name = name.ok_or(Problem::NotFound)?;
    let (id, terms) = policies::about(tx.conn(), &viewer.reader(), &name)
        .await
        .map_err(failed)?
        .ok_or(Problem::NotFound)?;
    let held = policies::in_force(tx.conn(), &terms)
        .await
        .map_err(failed)?;
    let admin = may_administer(&viewer.person, tx.now(), site.claims_max_age).ok();
    let desk = match admin {
        Some(admin) => Some(desk(&mut tx, &site, id, &terms, admin, &asked).await?),
        None => None,
    };
    let why = match &asked.change {
        Some(key) => explained(&mut tx, &site, id, key, tried(desk.as_ref(), &terms)).await?,
        None => None,
    };
    Ok(RepositoryPage {
        text: held.and_then(|held| held.text),
        versions: policies::versions(tx.conn(), &name.folded(), MOST)
            .await
            .map_err(failed)?,
        modes: modes::history(tx.conn(), id, MOST).await.map_err(failed)?,
        readers: readers::of(tx.conn(), id).await.map_err(failed)?,
        readings: readers::history(tx.conn(), id, MOST)
            .await
            .map_err(failed)?,
        unknown: asked.change.filter(|_| why.is_none()),
        told: asked.told,
        now: tx.now(),
        viewer,
        name,
        terms,
        desk,
        why,
    })
}

async fn desk(
    tx: &mut Tx,
    site: &Site,
    id: RepositoryId,
    terms: &Terms,
    admin: Admin,
    asked: &Asked,
) -> Result<Desk, Problem> {
    let draft = match asked.draft {
        true => drafts::of(tx.conn(), id, admin.person())
            .await
            .map_err(failed)?,
        false => None,
    };
    let days = asked.days.filter(|days| PERIODS.contains(days));
    let days = days.unwrap_or(DAYS);
    let draft = match draft {
        Some(draft) => Some(Drafted {
            judged: judged(tx, site, id, terms, &draft.text, days).await?,
            days,
            text: draft.text,
            hash: draft.hash,
        }),
        None => None,
    };
    let rollout = match asked.rollout {
        true => Some(enforced(tx, site, id).await?),
        false => None,
    };
    Ok(Desk {
        admin,
        draft,
        rollout,
    })
}

async fn judged(
    tx: &mut Tx,
    site: &Site,
    id: RepositoryId,
    terms: &Terms,
    text: &str,
    days: i64,
) -> Result<Result<Box<Measured>, Vec<Fault>>, Problem> {
    let draft = match Document::parse(text) {
        Ok(document) => Policy::drafted(document),
        Err(faults) => return Ok(Err(faults)),
    };
    let (now, max_age) = (tx.now(), site.claims_max_age);
    let measured = policies::measure(tx.conn(), id, terms, &draft, days, now, max_age)
        .await
        .map_err(failed)?;
    Ok(Ok(Box::new(measured)))
}

/// What enforcing would have asked of the last days, and of how many revisions.
async fn enforced(tx: &mut Tx, site: &Site, id: RepositoryId) -> Result<(Rollout, usize), Problem> {
    let since = tx.now() - Duration::days(DAYS);
    let past = policies::past(tx.conn(), id, since, site.claims_max_age)
        .await
        .map_err(failed)?;
    Ok((rollout(&past.cases, tx.now()), past.cases.len()))
}

/// The draft that is shown, if it can be read, else what holds.
fn tried(desk: Option<&Desk>, terms: &Terms) -> Policy {
    let draft = desk.and_then(|desk| desk.draft.as_ref());
    let document = draft.and_then(|draft| Document::parse(&draft.text).ok());
    document.map_or_else(|| (*terms.policy).clone(), Policy::drafted)
}

async fn explained(
    tx: &mut Tx,
    site: &Site,
    id: RepositoryId,
    key: &str,
    policy: Policy,
) -> Result<Option<(Case, Why)>, Problem> {
    let key = key.replace('\0', "");
    let case = policies::case_under(tx.conn(), id, &key, &policy, site.claims_max_age)
        .await
        .map_err(failed)?;
    let now = tx.now();
    Ok(case.map(|case| {
        let said = why(&case, now);
        (case, said)
    }))
}

/// The whole page.
pub fn show(page: RepositoryPage) -> AnyView {
    let title = format!("Policy of {}", page.name);
    let mode = page.terms.mode(page.now);
    let heading = page.name.to_string();
    let observed = mode::strip(&page.name, mode);
    view! {
        <PageTitle text=title/>
        <Frame viewer=page.viewer.clone() at=Place::Repositories observed>
            <main id="main" class="page">
                <header>
                    <div>
                        <h1>{heading}</h1>
                        <p>{standing(&page)} <Observed mode/></p>
                        <LetsThrough levels=page.terms.policy.document.lets_through()/>
                    </div>
                </header>
                {page.told.map(|problem| view! { <p class="strip" role="alert">{problem.sentence()}</p> })}
                <div class="policy">
                    <div><Left page=page.clone()/></div>
                    <div><Right page mode/></div>
                </div>
            </main>
        </Frame>
    }
    .into_any()
}

#[component]
fn Left(page: RepositoryPage) -> AnyView {
    let RepositoryPage {
        name,
        terms,
        text,
        desk,
        ..
    } = page;
    let base = terms.policy.label();
    let draft = desk.as_ref().and_then(|desk| desk.draft.clone());
    let written = draft.as_ref().map(|draft| draft.text.clone());
    let written = written.or_else(|| text.clone()).unwrap_or_default();
    view! {
        {draft
            .map(|draft| match draft.judged {
                Ok(measured) => {
                    view! { <Tried name=name.clone() measured=*measured days=draft.days base=base.clone() digest=draft.hash/> }.into_any()
                }
                Err(faults) => view! { <Faults faults/> }.into_any(),
            })}
        {desk.is_some().then(|| view! { <Editor name=name.clone() written/> })}
        <InForce terms text name admin=desk.is_some()/>
    }
    .into_any()
}

#[component]
fn Right(page: RepositoryPage, mode: Mode) -> AnyView {
    let RepositoryPage {
        name,
        versions,
        modes,
        readers,
        readings,
        desk,
        why,
        unknown,
        now,
        ..
    } = page;
    let admin = desk.as_ref().map(|desk| desk.admin);
    let drafted = desk.as_ref().is_some_and(|desk| desk.draft.is_some());
    let rollout = desk.and_then(|desk| desk.rollout);
    view! {
        <WhyOf name=name.clone() why unknown drafted/>
        <Modes name=name.clone() mode modes admin=admin.is_some() now/>
        <MayRead name=name.clone() readers readings admin=admin.is_some() now/>
        {admin.is_some().then(|| view! { <RolloutOf name=name.clone() rollout/> })}
        <Versions name versions admin now/>
    }
    .into_any()
}

/// What holds, in a sentence.
fn standing(page: &RepositoryPage) -> String {
    let policy = &page.terms.policy;
    let whose = if policy.id == policies::DEFAULT {
        "The default policy"
    } else {
        "Its own policy"
    };
    let holds = format!("{whose} holds, version {}.", policy.version);
    if policy.whole {
        holds
    } else {
        format!("{holds} It cannot be read, so nothing passes until an admin writes it anew. ")
    }
}
