//! Whether gates enforce what a repository demands: said wherever the repository is shown.

use domain::{Timestamp, names::RepositoryName, policy::Mode};
use leptos::prelude::*;

use super::time::{day, exact};

/// Nothing where the policy is enforced; else that it is not, and until when.
#[component]
pub fn Observed(mode: Mode) -> impl IntoView {
    said(mode).map(|said| view! { <span class="observed">{said}</span> })
}

/// The same in words.
pub fn said(mode: Mode) -> Option<String> {
    match mode {
        Mode::Enforce => None,
        Mode::Observe { until } => Some(format!("observed only, until {}", date(until))),
    }
}

/// What stands above every page about such a repository.
pub fn strip(repository: &RepositoryName, mode: Mode) -> Option<String> {
    match mode {
        Mode::Enforce => None,
        Mode::Observe { until } => Some(format!(
            "{repository} is only observed until {}: gates answer yes whatever the verdict.",
            exact(until)
        )),
    }
}

/// As in "24 November 2026".
pub fn date(at: Timestamp) -> String {
    let day = day(at);
    day.split_once(' ')
        .map_or_else(String::new, |(_, date)| date.to_owned())
}
