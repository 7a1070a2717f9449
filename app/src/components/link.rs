//! The form with which an admin says who an unknown author is.

use domain::names::RepositoryName;
use leptos::prelude::*;

use super::text::plain;

/// `account` is an address, or a login with an @ before it. `rollout` is the repository to whose rollout the browser comes back.
#[component]
pub fn WhoItIs(account: String, #[prop(optional)] rollout: Option<RepositoryName>) -> AnyView {
    let shown = plain(&account);
    view! {
        <form class="link" method="post" action="/fn/link-account">
            <input type="hidden" name="account" value=account/>
            {rollout.map(|name| view! { <input type="hidden" name="rollout" value=name.to_string()/> })}
            <input
                class="field"
                name="who"
                required
                maxlength="254"
                autocomplete="off"
                placeholder="name, address or login"
                aria-label=format!("Who {shown} is")
            />
            <button class="btn sm">"Link" <span class="vh">{format!(" {shown}")}</span></button>
        </form>
    }
    .into_any()
}

/// What names such an author in that form.
pub fn account(email: &str, login: &str) -> String {
    if email.is_empty() {
        format!("@{login}")
    } else {
        email.to_owned()
    }
}
