//! What code hosts told us lately, what became of it, and what could not be looked at: for admins.

use domain::{Timestamp, ids::PersonId, policy::may_administer, problem::Problem};
use leptos::prelude::*;
use store::{
    deliveries::{Listed, State, one, recent, refused},
    hosts::{Troubled, troubled},
};
use uuid::Uuid;

use crate::{
    actions::Theme,
    caller::{Site, failed, viewer},
    components::{
        frame::{Frame, Place, Viewer},
        sprite::Icon,
        text::{TheirLines, Theirs},
        time::{Ago, exact},
        title::PageTitle,
    },
};

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct DeliveriesPage {
    /// Who is looking: an admin.
    pub viewer: Viewer,
    /// The one that was asked for, with the beginning of its body.
    pub shown: Option<(Listed, String)>,
    /// Newest first.
    pub rows: Vec<Listed>,
    /// The address of the older ones, if there are any.
    pub older: Option<String>,
    /// Changes that could not be looked at.
    pub troubled: Vec<Troubled>,
    /// What was not taken in the last days: host, reason, times.
    pub refused: Vec<(String, String, i64)>,
    /// Why a wish was refused.
    pub told: Option<Problem>,
    /// When all of this was so.
    pub now: Timestamp,
}

/// What stands in the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Only those before this one.
    pub before: Option<(Timestamp, Uuid)>,
    /// This one, whole.
    pub show: Option<Uuid>,
    /// Why a wish was refused.
    pub told: Option<Problem>,
}

const MOST: usize = 50;
const MOST_TROUBLED: i64 = 100;
/// How much of a body is shown, in bytes. It may have 25 MB.
const MOST_OF_BODY: i32 = 100_000;
/// For how long refusals are counted here.
const REFUSED: time::Duration = time::Duration::days(7);

/// Reads what an admin may see.
pub async fn load(
    site: Site,
    caller: Result<PersonId, Problem>,
    theme: Theme,
    asked: Asked,
) -> Result<DeliveriesPage, Problem> {
    let mut tx = site.db.read().await.map_err(failed)?;
    let viewer = viewer(&mut tx, &site, caller?, theme).await?;
    let now = tx.now();
    may_administer(&viewer.person, now, site.claims_max_age)?;
    let shown = match asked.show {
        Some(id) => Some(
            one(tx.conn(), id, MOST_OF_BODY)
                .await
                .map_err(failed)?
                .ok_or(Problem::NotFound)?,
        ),
        None => None,
    };
    let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let mut rows = recent(tx.conn(), asked.before, most)
        .await
        .map_err(failed)?;
    let more = rows.len() > MOST;
    rows.truncate(MOST);
    let older = rows.last().filter(|_| more).map(|last| {
        let at = last.received_at.unix_timestamp_nanos() / 1000;
        format!("/deliveries?before={at},{}", last.id)
    });
    let since = (now - REFUSED).date();
    let refused = refused(tx.conn(), since).await.map_err(failed)?;
    Ok(DeliveriesPage {
        viewer,
        shown: shown.map(|(listed, body)| (listed, String::from_utf8_lossy(&body).into_owned())),
        rows,
        older,
        troubled: troubled(tx.conn(), MOST_TROUBLED).await.map_err(failed)?,
        refused: refused
            .into_iter()
            .map(|(host, reason, times)| (host.name().to_owned(), reason, times))
            .collect(),
        told: asked.told,
        now,
    })
}

/// The whole page.
pub fn show(page: DeliveriesPage) -> AnyView {
    let DeliveriesPage {
        viewer,
        shown,
        rows,
        older,
        troubled,
        refused,
        told,
        now,
    } = page;
    view! {
        <PageTitle text="Deliveries"/>
        <Frame viewer at=Place::Elsewhere>
            <main id="main" class="page">
                <header>
                    <div>
                        <h1>"Deliveries"</h1>
                        <p>"What code hosts told of. Each is only a reason to look; what the host shows then is what is recorded."</p>
                    </div>
                </header>
                {told.map(|problem| view! { <p class="told" role="alert">{problem.sentence()}</p> })}
                {shown.map(|(one, body)| view! { <One one body now/> })}
                {(!troubled.is_empty()).then(|| view! { <Trouble troubled now/> })}
                {if rows.is_empty() {
                    view! { <div class="empty"><p>"No code host has told of anything yet."</p></div> }.into_any()
                } else {
                    view! { <Ledger rows now/> }.into_any()
                }}
                {older
                    .map(|address| {
                        view! { <nav class="pager" aria-label="Pages"><a class="btn sm" href=address>"Older" <Icon name="next"/></a></nav> }
                    })}
                {(!refused.is_empty()).then(|| view! { <Refused refused/> })}
            </main>
        </Frame>
    }
    .into_any()
}

/// One of them with the beginning of its body, as it was sent.
#[component]
fn One(one: Listed, body: String, now: Timestamp) -> AnyView {
    let rest = i64::from(one.bytes) - i64::from(MOST_OF_BODY);
    let id = one.id.to_string();
    let left = (rest > 0).then(|| {
        format!("{rest} more bytes are not shown: select body from delivery where id = '{id}'.")
    });
    view! {
        <section class="of-people" aria-labelledby="one">
            <h2 id="one">{one.host.name()} ": " <Theirs text=one.event.clone()/></h2>
            <p>
                <Theirs text=one.sender_id.clone()/> ", received " <Ago at=one.received_at now/> ". " <Became row=one.clone()/>
            </p>
            <Again row=one/>
            <div class="paper"><div class="terms"><TheirLines text=body/></div></div>
            {left.map(|left| view! { <p class="dim">{left}</p> })}
        </section>
    }
    .into_any()
}

/// What became of it.
#[component]
fn Became(row: Listed) -> AnyView {
    let tried = match (row.state, row.attempts) {
        (State::Received, _) | (_, 0 | 1) => String::new(),
        (_, attempts) => format!(", tried {attempts} times"),
    };
    view! {
        <b>{word(row.state)}</b>
        {tried}
        {row.error.map(|error| view! { " " <small><Theirs text=error/></small> })}
    }
    .into_any()
}

fn word(state: State) -> &'static str {
    match state {
        State::Received => "received",
        State::Done => "done",
        State::Failed => "failed, to be tried again",
        State::Dead => "dead",
    }
}

/// The button, and why it cannot be pressed.
#[component]
fn Again(row: Listed) -> AnyView {
    let waits = matches!(row.state, State::Received | State::Failed);
    let why = waits.then_some("It is still to be worked on.");
    let name = format!("{} {}", row.host.name(), row.sender_id);
    view! {
        <form class="link" method="post" action="/fn/work-again">
            <input type="hidden" name="delivery" value=row.id.to_string()/>
            <button class="btn sm" disabled=waits title=why>"Work on it again" <span class="vh">": " {name}</span></button>
        </form>
    }
    .into_any()
}

#[component]
fn Ledger(rows: Vec<Listed>, now: Timestamp) -> AnyView {
    view! {
        <section class="of-people">
        <table class="ledger fold">
            <caption>"Newest first"</caption>
            <thead>
                <tr>
                    <th scope="col">"Delivery"</th>
                    <th scope="col">"Received"</th>
                    <th scope="col">"State"</th>
                    <th scope="col" class="num">"Bytes"</th>
                    <th scope="col">"Again"</th>
                </tr>
            </thead>
            <tbody>{rows.into_iter().map(|row| view! { <Line row now/> }).collect_view()}</tbody>
        </table>
        </section>
    }
    .into_any()
}

#[component]
fn Line(row: Listed, now: Timestamp) -> AnyView {
    let address = format!("/deliveries?show={}", row.id);
    view! {
        <tr>
            <td class="all">
                <a href=address>{row.host.name()} ": " <Theirs text=row.event.clone()/></a>
                <small><Theirs text=row.sender_id.clone()/></small>
            </td>
            <td><Ago at=row.received_at now/></td>
            <td><Became row=row.clone()/></td>
            <td class="num">{row.bytes}<span class="vh">" bytes"</span></td>
            <td><Again row/></td>
        </tr>
    }
    .into_any()
}

/// Changes that hosts would not show.
#[component]
fn Trouble(troubled: Vec<Troubled>, now: Timestamp) -> AnyView {
    let line = |one: Troubled| {
        let next = match one.due_at {
            Some(at) => format!("again at {}", exact(at)),
            None => "given up until there is another reason".to_owned(),
        };
        let asked = one.confirmed_at;
        view! {
            <tr>
                <td class="all">{one.host.name()} ": " <Theirs text=format!("{}#{}", one.repository, one.key)/></td>
                <td><Theirs text=one.error/></td>
                <td>{next}</td>
                <td>
                    {match asked {
                        Some(at) => view! { "last seen " <Ago at now/> }.into_any(),
                        None => "never seen".into_any(),
                    }}
                </td>
            </tr>
        }
    };
    view! {
        <section class="of-people">
        <table class="ledger fold">
            <caption>"Changes that could not be looked at"</caption>
            <thead>
                <tr>
                    <th scope="col">"Change"</th>
                    <th scope="col">"Why"</th>
                    <th scope="col">"Next"</th>
                    <th scope="col">"Seen"</th>
                </tr>
            </thead>
            <tbody>{troubled.into_iter().map(line).collect_view()}</tbody>
        </table>
        </section>
    }
    .into_any()
}

/// What was not taken, counted.
#[component]
fn Refused(refused: Vec<(String, String, i64)>) -> AnyView {
    let line = |(host, reason, times): (String, String, i64)| {
        view! { <tr><td class="all">{host}</td><td><Theirs text=reason/></td><td class="num">{times}<span class="vh">{if times == 1 { " time" } else { " times" }}</span></td></tr> }
    };
    view! {
        <section class="of-people">
        <table class="ledger fold">
            <caption>"Not taken in the last seven days"</caption>
            <thead>
                <tr>
                    <th scope="col">"Host"</th>
                    <th scope="col">"Why"</th>
                    <th scope="col" class="num">"Times"</th>
                </tr>
            </thead>
            <tbody>{refused.into_iter().map(line).collect_view()}</tbody>
        </table>
        </section>
    }
    .into_any()
}
