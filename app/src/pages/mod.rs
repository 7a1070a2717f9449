//! One file per page: load, ask the rules, render. All of it runs only on the server.

pub mod problem;

use axum::http::{HeaderMap, header::COOKIE};
use leptos::prelude::*;
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

use crate::{
    actions::{THEME_COOKIE, Theme},
    components::title::PageTitle,
    islands::ThemeSwitch,
};

/// Every page there is. All are [`SsrMode::Async`]: the status is right and nothing needs a script to be read.
#[component]
pub fn Pages() -> impl IntoView {
    view! {
        <Router>
            <Routes fallback=|| "not found">
                <Route path=path!("/") view=Spike ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}

#[component]
fn Spike() -> impl IntoView {
    let theme = use_context::<Theme>().unwrap_or_default();
    view! {
        <PageTitle text="Spike"/>
        <Suspense>
            {Suspend::new(async move { view! { <main id="main" class="alone"><h1>"Countersign"</h1><ThemeSwitch chosen=theme/></main> } })}
        </Suspense>
    }
    .into_any()
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
