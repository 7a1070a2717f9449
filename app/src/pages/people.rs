//! People: who is known here, at which level, by whose word, and the authors to whom nobody leads. Everybody sees what is
//! known of themselves; admins see everybody.

use domain::{
    Timestamp,
    contributor::Key,
    ids::PersonId,
    people::{Account, Granted, LevelNow, Link, Person, Role},
    problem::Problem,
    stand_in::Listed,
};
use leptos::prelude::*;
use store::{
    Tx,
    people::{self, Stranger},
};
use time::Duration;

use super::encoded;
use crate::{
    actions::Theme,
    caller::{Site, failed, viewer},
    components::{
        frame::{Frame, Place, Viewer},
        link::{WhoItIs, account},
        sprite::Icon,
        stand_ins::StandIns,
        text::{Theirs, plain},
        time::Ago,
        title::PageTitle,
    },
};

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct PeoplePage {
    /// Who is looking.
    pub viewer: Viewer,
    /// Who stands in for whom: what the viewer has a part in, or all for an admin.
    pub stand_ins: Vec<Listed>,
    /// What only admins see.
    pub everybody: Option<Everybody>,
    /// Why the last form was refused.
    pub told: Option<Problem>,
    /// How old the claims of a sign-in may be to grant something.
    pub claims_max_age: Duration,
    /// When all of this was so.
    pub now: Timestamp,
}

/// Who is known, and who is not.
#[derive(Clone, Debug)]
pub struct Everybody {
    /// What was looked for.
    pub asked: String,
    /// By name.
    pub people: Vec<Person>,
    /// The address of the next ones, if there are any.
    pub next: Option<String>,
    /// Authors to whom nobody leads, the most frequent first.
    pub strangers: Vec<Stranger>,
}

/// What stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// A part of a name, an address or a login.
    pub text: String,
    /// Where the page begins: behind this name and id.
    pub after: Option<(String, PersonId)>,
    /// Why the last form was refused.
    pub told: Option<Problem>,
}

/// How many people a page shows.
const MOST: usize = 50;
/// How many of those are listed who stand in.
const MOST_STAND_INS: i64 = 200;
/// How many authors are listed to whom nobody leads.
const MOST_STRANGERS: i64 = 50;
/// How far back these are looked for.
const RECENT: Duration = Duration::days(30);

/// Reads what this viewer may see, as of one moment.
pub async fn load(
    site: Site,
    caller: Result<PersonId, Problem>,
    theme: Theme,
    asked: Asked,
) -> Result<PeoplePage, Problem> {
    let mut tx = site.db.read().await.map_err(failed)?;
    let viewer = viewer(&mut tx, &site, caller?, theme).await?;
    let is_admin = viewer.person.is(Role::Admin, tx.now(), site.claims_max_age);
    let told = asked.told;
    let everybody = if is_admin {
        Some(everybody(&mut tx, &viewer, asked).await.map_err(failed)?)
    } else {
        None
    };
    let of = (!is_admin).then_some(viewer.person.id);
    let now = tx.now();
    let stand_ins = people::stand_ins::listed(tx.conn(), of, now, MOST_STAND_INS)
        .await
        .map_err(failed)?;
    Ok(PeoplePage {
        viewer,
        stand_ins,
        everybody,
        told,
        claims_max_age: site.claims_max_age,
        now: tx.now(),
    })
}

async fn everybody(tx: &mut Tx, viewer: &Viewer, asked: Asked) -> Result<Everybody, store::Error> {
    let after = asked.after.as_ref().map(|(name, id)| (name.as_str(), *id));
    let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let mut ids = people::found(tx.conn(), &asked.text, after, most).await?;
    let more = ids.len() > MOST;
    ids.truncate(MOST);
    let mut people = people::load_all(tx.conn(), &ids).await?;
    let place = |person: &Person| ids.iter().position(|id| *id == person.id);
    people.sort_by_key(place);
    let last = people.last().filter(|_| more);
    let next = last.map(|last| {
        let (text, name) = (encoded(&asked.text), encoded(&last.name));
        format!("/people?q={text}&after={}&name={name}", last.id)
    });
    let since = tx.now() - RECENT;
    Ok(Everybody {
        strangers: people::strangers(tx.conn(), &viewer.reader(), since, MOST_STRANGERS).await?,
        asked: asked.text,
        people,
        next,
    })
}

/// The whole page.
pub fn show(page: PeoplePage) -> AnyView {
    let PeoplePage {
        viewer,
        stand_ins,
        everybody,
        told,
        claims_max_age,
        now,
    } = page;
    let me = viewer.person.clone();
    view! {
        <PageTitle text="People"/>
        <Frame viewer at=Place::People>
            <main id="main" class="page">
                <header>
                    <div>
                        <h1>"People"</h1>
                        <p>"Levels, teams and accounts, each with who says so. Any account bars its owner from approving its commits; only a proved one gives them their level."</p>
                    </div>
                </header>
                {told.map(|problem| view! { <p class="told" role="alert">{problem.sentence()}</p> })}
                <You me=me.clone() now/>
                <StandIns stand_ins me=me.id admin=everybody.is_some() now/>
                {everybody
                    .map(|everybody| {
                        let Everybody { asked, people, next, strangers } = everybody;
                        view! {
                            <Known asked people next me=me.id claims_max_age now/>
                            <Strangers strangers/>
                        }
                    })}
            </main>
        </Frame>
    }
    .into_any()
}

/// What is known of whoever looks, and the form by which they name an account.
#[component]
fn You(me: Person, now: Timestamp) -> AnyView {
    let none = me.accounts.is_empty();
    view! {
        <section class="of-people" aria-labelledby="you">
            <h2 id="you">"Your accounts"</h2>
            {none.then(|| view! { <p class="dim">"No address and no login is known to be yours."</p> })}
            <ul class="accounts">
                {me.accounts.into_iter().map(|account| view! { <li><Linked account now/></li> }).collect_view()}
            </ul>
            <form class="filters" method="post" action="/fn/name-account">
                <label>
                    "An address or login that is yours, too"
                    <input class="field" name="account" required maxlength="254" size="30" autocomplete="off"/>
                </label>
                <button class="btn">"Name it"</button>
            </form>
            <p class="dim">"Your own word bars you from approving what comes from there, and gives nothing. An admin can prove it."</p>
        </section>
    }
    .into_any()
}

/// An account and who says whose it is.
#[component]
fn Linked(account: Account, now: Timestamp) -> AnyView {
    let proof = if account.proved { "proved" } else { "unproved" };
    let says = |(n, link): (usize, Link)| {
        view! { {if n == 0 { "; " } else { ", " }} {link.source.words()} " " <Ago at=link.at now/> }
    };
    view! {
        <span class="key"><Theirs text=account.key.shown()/></span>
        " "
        <small>{proof} {account.links.into_iter().enumerate().map(says).collect_view()}</small>
    }
    .into_any()
}

#[component]
fn Known(
    asked: String,
    people: Vec<Person>,
    next: Option<String>,
    me: PersonId,
    claims_max_age: Duration,
    now: Timestamp,
) -> AnyView {
    let count = match people.len() {
        1 => "1 shown, by name".to_owned(),
        n => format!("{n} shown, by name"),
    };
    let nobody = people.is_empty();
    view! {
        <section class="of-people" aria-labelledby="known">
            <h2 id="known">"Everybody"</h2>
            <form class="filters" action="/people">
                <label>"Name, address or login" <input class="field" name="q" value=asked size="30" maxlength="200"/></label>
                <button class="btn">"Show"</button>
            </form>
            {nobody.then(|| view! { <p class="dim">"Nobody matches. People are known once they have signed in or were imported."</p> })}
            {(!nobody)
                .then(|| {
                    view! {
                        <table class="ledger fold">
                            <caption class="vh">"People, by name"</caption>
                            <thead>
                                <tr>
                                    <th scope="col">"Name"</th>
                                    <th scope="col">"Level, teams and roles"</th>
                                    <th scope="col">"Accounts"</th>
                                </tr>
                            </thead>
                            <tbody>
                                {people
                                    .into_iter()
                                    .map(|person| view! { <Row own=person.id == me person claims_max_age now/> })
                                    .collect_view()}
                            </tbody>
                        </table>
                    }
                })}
            <nav class="pager" aria-label="Pages">
                <span>{count}</span>
                {next.map(|address| view! { <a class="btn sm" href=address>"Next" <Icon name="next"/></a> })}
            </nav>
        </section>
    }
    .into_any()
}

/// One person. Nobody changes their own links: another admin does.
#[component]
fn Row(person: Person, own: bool, claims_max_age: Duration, now: Timestamp) -> AnyView {
    let level = match person.level(now, claims_max_age) {
        LevelNow::Known(level) => level.as_str().to_owned(),
        LevelNow::Stale(level) => format!("{}, too long ago to count", level.as_str()),
        LevelNow::None => "no level".to_owned(),
    };
    let said = sources(&person);
    let id = person.id;
    let name = plain(&person.name);
    let came = person.signed_in.map(|sign_in| sign_in.at);
    let accounts = person.accounts.into_iter().map(|account| {
        let key = account.key.clone();
        let name = name.clone();
        view! {
            <li>
                <Linked account now/>
                {(!own).then(|| view! { <Withdraw person=id key name/> })}
            </li>
        }
    });
    view! {
        <tr>
            <td>
                <b class="name"><Theirs text=person.name/></b>
                <small>
                    {match came {
                        Some(at) => view! { "signed in " <Ago at now/> }.into_any(),
                        None => "never signed in".into_any(),
                    }}
                    {(!person.active).then_some("; deactivated")}
                </small>
            </td>
            <td>{level} <small>{said}</small></td>
            <td class="all">
                <ul class="accounts">{accounts.collect_view()}</ul>
                {(!own)
                    .then(|| {
                        view! {
                            <form class="link" method="post" action="/fn/link-account">
                                <input type="hidden" name="who" value=id.to_string()/>
                                <input
                                    class="field"
                                    name="account"
                                    required
                                    maxlength="254"
                                    autocomplete="off"
                                    placeholder="address or login"
                                    aria-label=format!("Another address or login of {name}")
                                />
                                <button class="btn sm">"Link" <span class="vh">{format!(" to {name}")}</span></button>
                            </form>
                        }
                    })}
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn Withdraw(person: PersonId, key: Key, name: String) -> AnyView {
    let what = format!(" {} from {name}", plain(&key.shown()));
    view! {
        <form class="link" method="post" action="/fn/unlink-account">
            <input type="hidden" name="person" value=person.to_string()/>
            <input type="hidden" name="account" value=key.0/>
            <button class="btn sm bare">"Withdraw" <span class="vh">{what}</span></button>
        </form>
    }
    .into_any()
}

/// `senior (sign-in), payments (import), admin (sign-in)`
fn sources(person: &Person) -> String {
    fn said<T>(granted: &Granted<T>, word: &str) -> String {
        format!("{} ({})", plain(word), granted.source.words())
    }
    let levels = person
        .levels
        .iter()
        .map(|one| said(one, one.value.as_str()));
    let teams = person.teams.iter().map(|one| said(one, &one.value));
    let roles = person.roles.iter().map(|one| said(one, one.value.as_str()));
    levels
        .chain(teams)
        .chain(roles)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Authors of the last days to whom nobody leads, each with a form that says who it is.
#[component]
fn Strangers(strangers: Vec<Stranger>) -> AnyView {
    let days = RECENT.whole_days();
    if strangers.is_empty() {
        return view! {
            <section class="of-people" aria-labelledby="strangers">
                <h2 id="strangers">"Authors nobody has been found for"</h2>
                <p class="dim">{format!("Everybody who had a hand in a change of the last {days} days is known.")}</p>
            </section>
        }
        .into_any();
    }
    view! {
        <section class="of-people" aria-labelledby="strangers">
            <h2 id="strangers">"Authors nobody has been found for"</h2>
            <p class="dim">{format!("Of the last {days} days. Their changes count as by nobody, and they bar nobody but those who call them theirs. A link holds at once: it can end an approval, and it gives what has arrived no level.")}</p>
            <table class="ledger fold">
                <caption class="vh">"Authors nobody has been found for, the most frequent first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Author"</th>
                        <th class="num" scope="col">"Changes"</th>
                        <th scope="col">"Who it is"</th>
                    </tr>
                </thead>
                <tbody>{strangers.into_iter().map(|stranger| view! { <Unknown stranger/> }).collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Unknown(stranger: Stranger) -> AnyView {
    let account = account(&stranger.email, &stranger.login);
    let changes = match stranger.changes {
        1 => "1 change".to_owned(),
        n => format!("{n} changes"),
    };
    view! {
        <tr>
            <td><span class="name"><Theirs text=stranger.name/></span> <small><Theirs text=account.clone()/></small></td>
            <td class="num">{changes}</td>
            <td class="all">
                <WhoItIs account/>
            </td>
        </tr>
    }
    .into_any()
}
