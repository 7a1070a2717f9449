//! Every repository, with what it demands and whether gates enforce it.

use domain::{
    Timestamp,
    ids::PersonId,
    people::Role,
    policy::{Mode, mode_at},
    problem::Problem,
    readers::Readers,
};
use leptos::prelude::*;
use store::repositories::{Listed, listed};

use super::encoded;
use crate::{
    actions::Theme,
    caller::{Site, failed, viewer},
    components::{
        frame::{Frame, Place, Viewer},
        mode::Observed,
        sprite::Icon,
        text::Theirs,
        title::PageTitle,
        unmarked::LetsThrough,
    },
};

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct RepositoriesPage {
    /// Who is looking.
    pub viewer: Viewer,
    /// By name.
    pub rows: Vec<Listed>,
    /// The name after which the next page begins, if there is one.
    pub next: Option<String>,
    /// When all of this was so.
    pub now: Timestamp,
}

/// How many repositories a page shows.
const MOST: usize = 100;

/// Reads the repositories after this name.
pub async fn load(
    site: Site,
    caller: Result<PersonId, Problem>,
    theme: Theme,
    after: String,
) -> Result<RepositoriesPage, Problem> {
    let mut tx = site.db.read().await.map_err(failed)?;
    let viewer = viewer(&mut tx, &site, caller?, theme).await?;
    let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let after = after.replace('\0', "").to_ascii_lowercase();
    let mut rows = listed(tx.conn(), &viewer.reader(), &after, most)
        .await
        .map_err(failed)?;
    let more = rows.len() > MOST;
    rows.truncate(MOST);
    Ok(RepositoriesPage {
        next: rows.last().filter(|_| more).map(|row| row.name.clone()),
        rows,
        viewer,
        now: tx.now(),
    })
}

/// The whole page.
pub fn show(page: RepositoriesPage) -> AnyView {
    let RepositoriesPage {
        viewer,
        rows,
        next,
        now,
    } = page;
    let is_admin = viewer.roles.contains(&Role::Admin);
    view! {
        <PageTitle text="Repositories"/>
        <Frame viewer at=Place::Repositories>
            <main id="main" class="page">
                <header>
                    <div>
                        <h1>"Repositories"</h1>
                        {is_admin.then(|| view! { <p><a href="/deliveries">"Deliveries of code hosts"</a></p> })}
                        <p>"What each demands before a gate opens, and whether gates enforce it. A repository is known by its first submission."</p>
                    </div>
                </header>
                {if rows.is_empty() {
                    view! { <div class="empty"><p>"Nobody has told of a repository yet."</p></div> }.into_any()
                } else {
                    view! { <Ledger rows now/> }.into_any()
                }}
                {next
                    .map(|name| {
                        let address = format!("/repositories?after={}", encoded(&name));
                        view! { <nav class="pager" aria-label="Pages"><a class="btn sm" href=address>"More" <Icon name="next"/></a></nav> }
                    })}
            </main>
        </Frame>
    }
    .into_any()
}

#[component]
fn Ledger(rows: Vec<Listed>, now: Timestamp) -> AnyView {
    view! {
        <table class="ledger fold">
            <caption class="vh">"Repositories by name"</caption>
            <thead>
                <tr>
                    <th scope="col">"Repository"</th>
                    <th scope="col">"Policy"</th>
                    <th scope="col">"Mode"</th>
                    <th scope="col" class="num">"Waiting"</th>
                </tr>
            </thead>
            <tbody>{rows.into_iter().map(|row| view! { <Line row now/> }).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Line(row: Listed, now: Timestamp) -> AnyView {
    let whose = if row.policy == "default" {
        "the default"
    } else {
        "its own"
    };
    let mode = mode_at(row.observe_until, now);
    let only = match &row.readers {
        Readers::Everybody => None,
        Readers::Teams(teams) => {
            let teams = format!("only for {}", teams.join(", "));
            Some(view! { <small><Theirs text=teams/></small> })
        }
    };
    view! {
        <tr>
            <td class="all"><a href=format!("/repositories/{}", row.name)>{row.name.clone()}</a> {only}</td>
            <td>{format!("{whose}, version {}", row.policy_version)} <LetsThrough levels=row.lets_through/></td>
            <td>
                {match mode {
                    Mode::Enforce => "enforced".into_any(),
                    Mode::Observe { .. } => view! { <Observed mode/> }.into_any(),
                }}
            </td>
            <td class="num">{row.waiting}<span class="vh">" waiting"</span></td>
        </tr>
    }
    .into_any()
}
