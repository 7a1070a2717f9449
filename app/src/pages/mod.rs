//! One file per page: load, ask the rules, render. All of it runs only on the server.

pub mod change;
pub mod decisions;
pub mod deliveries;
pub mod people;
pub mod problem;
pub mod queue;
pub mod reference;
pub mod repositories;
pub mod repository;
pub mod sign_in;
#[cfg(test)]
mod specimen;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use axum::http::{HeaderMap, StatusCode, header::COOKIE, request::Parts};
use domain::{
    decision::Kind,
    digest::Digest,
    ids::{ChangeId, PersonId},
    names::RepositoryName,
    next::LocalPath,
    problem::Problem,
};
use leptos::{prelude::*, server_fn::error::ServerFnUrlError};
use leptos_axum::ResponseOptions;
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    hooks::use_params_map,
    path,
};

use self::{
    problem::{Trouble, TroubleSlip},
    sign_in::{Failed, SignInPage},
};
use crate::{
    actions::{Refusal, THEME_COOKIE, Theme},
    caller::{RequestId, Site, caller, site},
    components::{sprite::Sprite, title::PageTitle},
};

/// Every page there is. All are [`SsrMode::Async`]: the status is right and nothing needs a script to be read.
#[component]
pub fn Pages() -> impl IntoView {
    view! {
        <Router>
            <Routes fallback=|| ()>
                <Route path=path!("/") view=Queue ssr=SsrMode::Async/>
                <Route path=path!("/changes/:id") view=Change ssr=SsrMode::Async/>
                <Route path=path!("/decisions") view=Decisions ssr=SsrMode::Async/>
                <Route path=path!("/deliveries") view=Deliveries ssr=SsrMode::Async/>
                <Route path=path!("/repositories") view=Repositories ssr=SsrMode::Async/>
                <Route path=path!("/repositories/*name") view=Repository ssr=SsrMode::Async/>
                <Route path=path!("/people") view=People ssr=SsrMode::Async/>
                <Route path=path!("/docs") view=Reference ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=SignIn ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}

#[component]
fn Queue() -> impl IntoView {
    let query = Query::of_request();
    let after = query
        .get("after")
        .and_then(|text| queue::parse_after(&text));
    let asked = query.get("q").unwrap_or_default();
    page(
        |site, caller, theme| queue::load(site, caller, theme, asked, after),
        queue::show,
    )
}

#[component]
fn Change() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")?.parse::<ChangeId>().ok());
    let query = Query::of_request();
    let asked = change::Asked {
        revision: query.get("revision").and_then(|text| text.parse().ok()),
        file: query
            .number("file")
            .map(|file| (file, query.number("after").unwrap_or(0))),
        since: query.get("since").and_then(|text| text.parse().ok()),
        moved: query.get("moved").and_then(|text| Digest::parse(&text)),
        told: query.refusal(),
    };
    let load = move |site, caller: Result<PersonId, Problem>, theme| async move {
        // Strangers learn nothing, not even which ids there are.
        let caller = caller?;
        change::load(site, Ok(caller), theme, id.ok_or(Problem::NotFound)?, asked).await
    };
    page(load, change::show)
}

#[component]
fn Decisions() -> impl IntoView {
    let query = Query::of_request();
    let before = query
        .get("before")
        .and_then(|text| queue::parse_after(&text));
    let asked = decisions::Asked {
        kind: query.get("kind").and_then(|word| Kind::parse(&word)),
        by: query.get("by").unwrap_or_default().trim().to_owned(),
        repository: query
            .get("repository")
            .unwrap_or_default()
            .trim()
            .to_owned(),
    };
    let before = before.map(|(at, id)| (at, id.0));
    page(
        |site, caller, theme| decisions::load(site, caller, theme, asked, before),
        decisions::show,
    )
}

#[component]
fn Deliveries() -> impl IntoView {
    let query = Query::of_request();
    let before = query
        .get("before")
        .and_then(|text| queue::parse_after(&text));
    let asked = deliveries::Asked {
        before: before.map(|(at, id)| (at, id.0)),
        show: query.get("show").and_then(|text| text.parse().ok()),
        told: query.refusal(),
    };
    page(
        move |site, caller, theme| deliveries::load(site, caller, theme, asked),
        deliveries::show,
    )
}

#[component]
fn People() -> impl IntoView {
    let query = Query::of_request();
    let id = query.get("after").and_then(|text| text.parse().ok());
    let asked = people::Asked {
        text: query.get("q").unwrap_or_default().trim().to_owned(),
        after: query.get("name").zip(id),
        told: query.refusal(),
    };
    page(
        |site, caller, theme| people::load(site, caller, theme, asked),
        people::show,
    )
}

#[component]
fn Repositories() -> impl IntoView {
    let after = Query::of_request().get("after").unwrap_or_default();
    page(
        |site, caller, theme| repositories::load(site, caller, theme, after),
        repositories::show,
    )
}

#[component]
fn Repository() -> impl IntoView {
    let name = use_params_map().with_untracked(|params| params.get("name"));
    let name = name.and_then(|name| RepositoryName::parse(name).ok());
    let query = Query::of_request();
    let asked = repository::Asked {
        draft: query.get("draft").is_some(),
        days: query.get("days").and_then(|text| text.parse().ok()),
        rollout: query.get("rollout").is_some(),
        change: query.get("change").filter(|key| !key.trim().is_empty()),
        told: query.refusal(),
    };
    page(
        |site, caller, theme| repository::load(site, caller, theme, name, asked),
        repository::show,
    )
}

#[component]
fn Reference() -> impl IntoView {
    page(reference::load, reference::show)
}

#[component]
fn SignIn() -> impl IntoView {
    let query = Query::of_request();
    let next = query
        .get("next")
        .and_then(|path| LocalPath::parse(&path))
        .unwrap_or_else(LocalPath::home);
    if caller().is_ok() {
        leptos_axum::redirect(next.as_str());
        return ().into_any();
    }
    match site() {
        Ok(site) => sign_in::show(SignInPage {
            provider: site.provider.to_string(),
            next: next.as_str().to_owned(),
            failed: query.get("failed").and_then(|word| Failed::parse(&word)),
        }),
        Err(problem) => refused(problem),
    }
}

/// Loads a value for whoever asks and shows it, or the refusal.
fn page<T, L, F>(load: L, show: fn(T) -> AnyView) -> AnyView
where
    T: Send + 'static,
    L: FnOnce(Site, Result<PersonId, Problem>, Theme) -> F,
    F: Future<Output = Result<T, Problem>> + Send + 'static,
{
    let theme = use_context::<Theme>().unwrap_or_default();
    let loading = match site() {
        Ok(site) => load(site, caller(), theme),
        Err(problem) => return refused(problem),
    };
    view! {
        <Suspense>
            {Suspend::new(async move {
                match loading.await {
                    Ok(value) => show(value),
                    Err(problem) => refused(problem),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// Strangers are led to the sign-in and back; everybody else is told what is the matter, with its status.
fn refused(problem: Problem) -> AnyView {
    let parts = use_context::<Parts>();
    if problem == Problem::SignInNeeded {
        let here = parts.and_then(|parts| Some(parts.uri.path_and_query()?.to_string()));
        leptos_axum::redirect(&format!(
            "/sign-in?next={}",
            encoded(here.as_deref().unwrap_or("/"))
        ));
        return ().into_any();
    }
    let trouble = Trouble::from_status(problem.status());
    if let Some(options) = use_context::<ResponseOptions>() {
        options.set_status(
            StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        );
    }
    let request =
        parts.and_then(|parts| parts.extensions.get::<RequestId>().map(|RequestId(id)| *id));
    view! {
        <PageTitle text=trouble.title()/>
        <Sprite/>
        <TroubleSlip trouble told=None request/>
    }
    .into_any()
}

/// What stands in the address behind the question mark. The router's own map decodes it twice, and `%` would mean another thing.
struct Query(Vec<(String, String)>);

impl Query {
    fn of_request() -> Self {
        let pairs = use_context::<Parts>()
            .and_then(|parts| axum::extract::Query::try_from_uri(&parts.uri).ok())
            .map(|axum::extract::Query(pairs)| pairs);
        Self(pairs.unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<String> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.clone())
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    /// Why the form of a page without a script was refused. Anybody can write an address, so only closed words come out.
    fn refusal(&self) -> Option<Problem> {
        let refusal = ServerFnUrlError::<Refusal>::decode_err(&self.get("__err")?);
        Some(refusal.0)
    }
}

/// For a value in the query of an address.
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The colours that this browser asked for.
pub fn theme_of(headers: &HeaderMap) -> Theme {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == THEME_COOKIE)
        .map_or(Theme::System, |(_, word)| Theme::parse(word))
}

#[cfg(test)]
mod address_tests {
    use super::*;

    #[test]
    fn a_value_cannot_add_to_an_address() {
        assert_eq!(encoded("a&b=c #é"), "a%26b%3Dc%20%23%C3%A9");
    }
}
