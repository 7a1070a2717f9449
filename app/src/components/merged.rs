//! What went into its target without a sign-off: said wherever the change is shown.

use domain::{change::ChangeState, verdict::Verdict};
use leptos::prelude::*;

/// Whether a change was merged at a head that may not pass.
pub fn without_sign_off(state: ChangeState, verdict: &Verdict) -> bool {
    state == ChangeState::Merged && !verdict.word().allows()
}

/// Nothing, or the two words that stand beside what observes.
#[component]
pub fn Unsigned(merged: bool) -> impl IntoView {
    merged.then(|| view! { <span class="observed">"merged without sign-off"</span> })
}
