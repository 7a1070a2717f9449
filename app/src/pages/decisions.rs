//! The record: who decided what, when and why, as it was written then.

use domain::{
    Timestamp,
    decision::{Kind, Recorded},
    ids::PersonId,
    names::RepositoryName,
    people::Level,
    policy::{Mode, mode_at},
    problem::Problem,
};
use leptos::prelude::*;
use store::{
    Tx,
    decisions::{Listed, latest},
    people::meant_by,
};
use uuid::Uuid;

use super::encoded;
use crate::{
    actions::Theme,
    caller::{Site, failed, viewer},
    components::{
        digest::{DigestBars, Size},
        frame::{Frame, Place, Viewer},
        mode::Observed,
        sprite::Icon,
        text::{TheirLines, Theirs, plain},
        time::{Ago, Clock, day},
        title::PageTitle,
        verdict::Decided,
    },
};

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct DecisionsPage {
    /// Who is looking.
    pub viewer: Viewer,
    /// What was asked for.
    pub asked: Asked,
    /// Newest first.
    pub entries: Vec<Entry>,
    /// The address of the older ones, if there are any.
    pub older: Option<String>,
    /// When all of this was so.
    pub now: Timestamp,
}

/// The filters, as they stand in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only by the person with this name or login.
    pub by: String,
    /// Only in this repository.
    pub repository: String,
}

/// One decision and what it was about.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As it was recorded.
    pub recorded: Recorded,
    /// What the change is called now.
    pub title: String,
    /// `owner/name`.
    pub repository: String,
    /// What the repository calls it.
    pub key: String,
    /// Whether gates enforce the policy of that repository now.
    pub mode: Mode,
}

impl Asked {
    fn address(&self, (at, id): (Timestamp, Uuid)) -> String {
        let kind = self.kind.map_or("", Kind::as_str);
        let (by, repository) = (encoded(&self.by), encoded(&self.repository));
        let at = at.unix_timestamp_nanos() / 1000;
        format!("/decisions?kind={kind}&by={by}&repository={repository}&before={at},{id}")
    }
}

/// How many decisions a page shows.
const MOST: usize = 50;

/// Reads the latest decisions that match, as of one moment.
pub async fn load(
    site: Site,
    caller: Result<PersonId, Problem>,
    theme: Theme,
    asked: Asked,
    before: Option<(Timestamp, Uuid)>,
) -> Result<DecisionsPage, Problem> {
    let mut tx = site.db.read().await.map_err(failed)?;
    let viewer = viewer(&mut tx, &site, caller?, theme).await?;
    let mut found = match filter(&mut tx, &asked, before).await? {
        Some(filter) => {
            let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
            latest(tx.conn(), &viewer.reader(), &filter, most)
                .await
                .map_err(failed)?
        }
        None => vec![],
    };
    let more = found.len() > MOST;
    found.truncate(MOST);
    let last = found.last().filter(|_| more);
    let last = last.map(|one| (one.recorded.decision.at, one.recorded.id.0));
    Ok(DecisionsPage {
        older: last.map(|last| asked.address(last)),
        entries: found
            .into_iter()
            .map(|one| Entry::of(one, tx.now()))
            .collect(),
        asked,
        viewer,
        now: tx.now(),
    })
}

/// What to look for; none where nothing can match.
async fn filter(
    tx: &mut Tx,
    asked: &Asked,
    before: Option<(Timestamp, Uuid)>,
) -> Result<Option<store::decisions::Filter>, Problem> {
    let mut filter = store::decisions::Filter {
        kind: asked.kind,
        before,
        ..Default::default()
    };
    if !asked.repository.is_empty() {
        let Ok(name) = RepositoryName::parse(asked.repository.as_str()) else {
            return Ok(None);
        };
        filter.repository = Some(name);
    }
    if !asked.by.is_empty() {
        let meant = meant_by(tx.conn(), &asked.by, &[]).await.map_err(failed)?;
        let Some(person) = meant.first() else {
            return Ok(None);
        };
        filter.person = Some(*person);
    }
    Ok(Some(filter))
}

impl Entry {
    fn of(listed: Listed, now: Timestamp) -> Self {
        Self {
            mode: mode_at(listed.observe_until, now),
            recorded: listed.recorded,
            title: listed.title,
            repository: listed.repository.to_string(),
            key: listed.key.to_string(),
        }
    }
}

/// The whole page.
pub fn show(page: DecisionsPage) -> AnyView {
    let DecisionsPage {
        viewer,
        asked,
        entries,
        older,
        now,
    } = page;
    let count = entries.len();
    let filtered = asked != Asked::default();
    view! {
        <PageTitle text="Decisions"/>
        <Frame viewer at=Place::Decisions>
            <main id="main" class="page">
                <header>
                    <div>
                        <h1>"Decisions"</h1>
                        <p>"Every decision as it was recorded: never edited, never deleted. Level and teams are those of the moment."</p>
                    </div>
                </header>
                <Filters asked/>
                {if entries.is_empty() {
                    view! { <Nothing filtered/> }.into_any()
                } else {
                    view! { <Ledger entries now/> }.into_any()
                }}
                <nav class="pager" aria-label="Pages">
                    <span>{if count == 1 { "1 shown, newest first".to_owned() } else { format!("{count} shown, newest first") }}</span>
                    {older
                        .map(|address| view! { <a class="btn sm" href=address>"Older" <Icon name="next"/></a> })}
                </nav>
            </main>
        </Frame>
    }
    .into_any()
}

#[component]
fn Filters(asked: Asked) -> AnyView {
    view! {
        <form class="filters" action="/decisions">
            <label>
                "Kind"
                <select class="field" name="kind">
                    <option value="">"all kinds"</option>
                    {Kind::ALL
                        .into_iter()
                        .map(|kind| {
                            view! { <option value=kind.as_str() selected=asked.kind == Some(kind)>{kind.words()}</option> }
                        })
                        .collect_view()}
                </select>
            </label>
            <label>"Person" <input class="field" name="by" value=asked.by placeholder="anyone" size="16"/></label>
            <label>
                "Repository" <input class="field" name="repository" value=asked.repository placeholder="owner/name" size="22"/>
            </label>
            <button class="btn">"Show"</button>
        </form>
    }
    .into_any()
}

#[component]
fn Nothing(filtered: bool) -> AnyView {
    let said = if filtered {
        "No decision matches. "
    } else {
        "Nothing was decided yet. "
    };
    view! {
        <div class="empty">
            <p>{said}</p>
            <div class="acts">
                {filtered.then(|| view! { <a class="btn" href="/decisions">"Show all"</a> })}
                <a class="btn bare" href="/">"To the queue"</a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Ledger(entries: Vec<Entry>, now: Timestamp) -> AnyView {
    let mut days: Vec<(String, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let day = day(entry.recorded.decision.at);
        match days.last_mut() {
            Some((last, entries)) if *last == day => entries.push(entry),
            _ => days.push((day, vec![entry])),
        }
    }
    view! {
        <table class="ledger fold record">
            <caption class="vh">"Decisions, newest first"</caption>
            <thead>
                <tr>
                    <th scope="col">"At, UTC"</th>
                    <th scope="col">"Decision"</th>
                    <th scope="col">"Change and what was signed"</th>
                    <th scope="col">"By"</th>
                    <th scope="col">"Why"</th>
                </tr>
            </thead>
            <tbody>
                {days
                    .into_iter()
                    .map(|(day, entries)| {
                        view! {
                            <tr class="day"><th colspan="5" scope="rowgroup">{day}</th></tr>
                            {entries.into_iter().map(|entry| view! { <Line entry now/> }).collect_view()}
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Line(entry: Entry, now: Timestamp) -> AnyView {
    let Recorded {
        name,
        principal,
        revision_number,
        decision,
        ..
    } = entry.recorded;
    let level = decision.level.map_or("no level", Level::as_str);
    let rank: Vec<&str> = std::iter::once(level)
        .chain(decision.teams.iter().map(String::as_str))
        .collect();
    let reason = decision.reason.as_str().to_owned();
    // The page shows three lines of them.
    let (whole_title, whole_name) = (plain(&entry.title), plain(&name));
    view! {
        <tr>
            <td><Clock at=decision.at/><small><Ago at=decision.at now/></small></td>
            <td><Decided kind=decision.kind/></td>
            <td class="all">
                <a href=format!("/changes/{}", decision.change) title=whole_title><Theirs text=entry.title/></a>
                <small>
                    {format!("{} {}, r{revision_number}; digest ", entry.repository, entry.key)}
                    <DigestBars digest=decision.digest size=Size::Small/>
                    " "
                    <Observed mode=entry.mode/>
                </small>
            </td>
            <td class="by" title=whole_name><Theirs text=name/><small>{principal.map(|name| view! { "standing in for " <Theirs text=name/> ": " })} {format!("{}, as of then", rank.join(", "))}</small></td>
            <td class="reason">
                {if reason.is_empty() {
                    view! { <span class="dim">"no reason was given"</span> }.into_any()
                } else {
                    view! { <TheirLines text=reason/> }.into_any()
                }}
                <small>
                    {decision.incident.map(|name| view! { "for " <Theirs text=name/> "; " })}
                    {format!("policy {}, version {}", decision.policy, decision.policy_version)}
                </small>
            </td>
        </tr>
    }
    .into_any()
}
