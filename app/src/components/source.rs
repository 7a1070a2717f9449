//! How lately a code host said what is recorded of a change.

use super::time::Ago;
use domain::{Timestamp, case::Case, change::Confirmed, gate::Found};
use leptos::prelude::*;

/// When a code host confirmed the change of a case, and whether that is too long ago for gates.
#[component]
pub fn ConfirmedBy(case: Case, now: Timestamp) -> AnyView {
    let said = match case.change.confirmed {
        Confirmed::At(at) => view! { "confirmed by its host " <Ago at now/> }.into_any(),
        Confirmed::Never | Confirmed::Forgotten => "submitted, and confirmed by no host".into_any(),
    };
    let is_old = Found::of(&case).is_too_old(&case.policy, now);
    view! {
        {said}
        {is_old.then(|| view! { <small>"too long ago for the policy: gates let it pass when its host confirms it"</small> })}
    }
    .into_any()
}
