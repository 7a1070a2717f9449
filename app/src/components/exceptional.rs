//! What is rarely done and never by accident: breaking the glass, and saying which of two patches is true. Plain forms,
//! folded away, because nobody needs a script at 3 a.m.

use domain::{
    Timestamp,
    case::Case,
    change::{Dispute, Disputed, Revision},
    decision::{Kind, REASON_MAX},
    ids::FormKey,
    problem::Problem,
};
use leptos::prelude::*;

use super::{frame::Viewer, time::Ago};

/// The override, where this viewer may use it on this change now.
#[component]
pub fn Override(case: Case, viewer: Viewer, form_key: FormKey, now: Timestamp) -> AnyView {
    let may_override = case.may_decide(&viewer.person, Kind::Override, now).is_ok()
        && !case.verdict(now).word().allows();
    may_override
        .then(|| view! { <OverrideForm case form_key/> })
        .into_any()
}

#[component]
fn OverrideForm(case: Case, form_key: FormKey) -> AnyView {
    let hours = case.policy.document.glass.lasts.whole_hours();
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

/// One disputed revision of the change: what was submitted beside it, and the form of whoever may say which is true.
#[component]
pub fn DisputedRevision(
    case: Case,
    viewer: Viewer,
    revision: Revision,
    disputes: Vec<Dispute>,
    now: Timestamp,
) -> AnyView {
    let refusal = case.may_settle(&viewer.person, &revision, now).err();
    let is_shown = revision.id == case.revision.id;
    let disputed = Disputed::about(revision.id, &disputes);
    let patch = format!(
        "/changes/{}?revision={}#files-here",
        case.change.id, revision.number
    );
    let number = revision.number;
    let press = move |stored_is_true: bool, class, label| {
        view! {
            <button
                class=class
                name="stored_is_true"
                value=stored_is_true.to_string()
                disabled=refusal.is_some()
                title=refusal.map(Problem::sentence)
            >
                {label}
            </button>
        }
    };
    view! {
        <details class="rare" open=refusal.is_none()>
            <summary>{format!("Revision {number} is disputed: another patch was submitted for it")}</summary>
            <form method="post" action="/fn/settle">
                <p>
                    "An admin who had no hand in the change compares "
                    {if is_shown {
                        "the patch below".into_any()
                    } else {
                        view! { <a href=patch>{format!("the patch of revision {number}")}</a> }.into_any()
                    }}
                    " with the repository. If it is not what lies between merge base and head, the revision stays undecidable for good, and a new commit has to come."
                </p>
                <ul class="people">
                    {disputes
                        .into_iter()
                        .filter(|dispute| dispute.revision == revision.id)
                        .map(|dispute| {
                            let hash = dispute.patch.to_string();
                            view! {
                                <li>
                                    "Other patch, SHA-256 "
                                    <code>{hash}</code>
                                    <small><Ago at=dispute.at now/></small>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
                <input type="hidden" name="change" value=case.change.id.to_string()/>
                <input type="hidden" name="digest" value=revision.digest.to_string()/>
                <input type="hidden" name="disputed" value=String::from(disputed)/>
                {refusal.map(|problem| view! { <p class="barred">{problem.sentence()}</p> })}
                {press(true, "btn", "The stored patch is true")}
                {press(false, "btn no", "It is not")}
            </form>
        </details>
    }
    .into_any()
}
