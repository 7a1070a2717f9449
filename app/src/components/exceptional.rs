//! What is rarely done and never by accident: breaking the glass, and saying which of two patches is true. Plain forms,
//! folded away, because nobody needs a script at 3 a.m.

use domain::{
    Timestamp,
    case::Case,
    change::Patch,
    decision::{Kind, REASON_MAX},
    ids::FormKey,
};
use leptos::prelude::*;

use super::frame::Viewer;

/// The forms that this viewer may use on this change now; nothing where there are none.
#[component]
pub fn Exceptional(case: Case, viewer: Viewer, form_key: FormKey, now: Timestamp) -> AnyView {
    let may_settle = case.may_settle(&viewer.person, now).is_ok();
    let may_override = case.may_decide(&viewer.person, Kind::Override, now).is_ok()
        && !case.verdict(now).word().allows();
    view! {
        {may_settle.then(|| view! { <SettleForm case=case.clone()/> })}
        {may_override.then(|| view! { <OverrideForm case=case.clone() form_key/> })}
    }
    .into_any()
}

#[component]
fn OverrideForm(case: Case, form_key: FormKey) -> AnyView {
    let hours = case.policy.override_for.whole_hours();
    view! {
        <details class="rare">
            <summary>"Override: let this revision pass without the approval"</summary>
            <form method="post" action="/fn/decide">
                <p>{format!("For an emergency. It allows deployments of exactly this revision for {hours} hours, is shown everywhere as overridden under your name, and leaves a review owed.")}</p>
                <input type="hidden" name="change" value=case.change.id.to_string()/>
                <input type="hidden" name="digest" value=case.revision.digest.to_string()/>
                <input type="hidden" name="form_key" value=form_key.0.to_string()/>
                <label>"Incident" <input class="field" name="incident" required maxlength="100" placeholder="INC-20417" autocomplete="off"/></label>
                <label>"Why it cannot wait" <input class="field" name="reason" required maxlength=REASON_MAX.to_string() autocomplete="off"/></label>
                <button class="btn no" name="kind" value=Kind::Override.as_str()>"Override"</button>
            </form>
        </details>
    }
    .into_any()
}

#[component]
fn SettleForm(case: Case) -> AnyView {
    debug_assert_eq!(
        case.revision.patch,
        Patch::Disputed,
        "nothing else is settled"
    );
    view! {
        <details class="rare" open>
            <summary>"Two patches were submitted for this revision: say which is true"</summary>
            <form method="post" action="/fn/settle">
                <p>"Compare the patch below with the repository. If it is not what lies between merge base and head, this revision stays undecidable for good, and a new commit has to come."</p>
                <input type="hidden" name="change" value=case.change.id.to_string()/>
                <input type="hidden" name="digest" value=case.revision.digest.to_string()/>
                <button class="btn" name="stored_is_true" value="true">"The patch shown here is true"</button>
                <button class="btn no" name="stored_is_true" value="false">"It is not"</button>
            </form>
        </details>
    }
    .into_any()
}
