//! The decision bar: what is signed stands beside it; what may be pressed, and why not, is the server's word.

use domain::{
    decision::{Kind, REASON_MAX},
    digest::Digest,
    ids::{ChangeId, FormKey},
    problem::Problem,
};
use leptos::{form::ActionForm, prelude::*};
use serde::{Deserialize, Serialize};

use crate::actions::{Decide, Refusal};

/// What somebody may do now, by the same rule that will be asked again when they do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct May {
    /// Why they may not approve.
    pub approve: Option<Problem>,
    /// Why they may not reject.
    pub reject: Option<Problem>,
    /// Whether they have something standing that they could take back.
    pub withdraw: bool,
    /// Whether an approval of theirs counts for this revision: another adds nothing.
    pub approved: bool,
}

/// A form that works without a script; with one, a refusal is said here and nothing is loaded again.
#[island]
pub fn DecisionForm(
    change: ChangeId,
    digest: Digest,
    form_key: FormKey,
    may: May,
    told: Option<Problem>,
    children: Children,
) -> impl IntoView {
    let action = ServerAction::<Decide>::new();
    let said = move || match action.value().get() {
        Some(Err(Refusal(problem))) => Some(problem),
        Some(Ok(())) => None,
        None => told,
    };
    let busy = action.pending();
    let moved = format!("/changes/{change}?moved={digest}");
    Effect::new(move |_| {
        if action.value().get() == Some(Err(Refusal(Problem::ChangedSinceYouLooked))) {
            // The page compares what was read with what it is now. Where it cannot be loaded, the sentence stands here.
            let _ = window().location().set_href(&moved);
        }
    });
    let closed = may
        .approve
        .filter(|_| may.reject.is_some() && !may.withdraw);
    let label = "Reason, required to reject";

    view! {
        <ActionForm action attr:class="sign" attr:aria-label="Decide">
            <input type="hidden" name="change" value=change.to_string()/>
            <input type="hidden" name="digest" value=digest.to_string()/>
            <input type="hidden" name="form_key" value=form_key.0.to_string()/>
            {children()}
            <div class="why">
                {move || said().map(|problem| view! { <p class="told" role="alert">{problem.sentence()}</p> })}
                {match closed {
                    Some(problem) => view! { <p class="barred">{problem.sentence()}</p> }.into_any(),
                    None => {
                        view! {
                            <textarea
                                class="field"
                                name="reason"
                                rows="1"
                                maxlength=REASON_MAX.to_string()
                                placeholder=label
                                aria-label=label
                            ></textarea>
                            {may.approve.map(|problem| view! { <small>{problem.sentence()}</small> })}
                        }
                            .into_any()
                    }
                }}
            </div>
            <div class="acts">
                {may.withdraw.then(|| view! { <Press kind=Kind::Withdraw refusal=None busy/> })}
                <Press kind=Kind::Reject refusal=may.reject busy/>
                <Press kind=Kind::Approve refusal=may.approve plain=may.approved busy/>
            </div>
        </ActionForm>
    }
}

/// One button. Disabled it says why, and is not hidden.
#[component]
fn Press(
    kind: Kind,
    refusal: Option<Problem>,
    /// Without the weight of the one button that signs.
    #[prop(optional)]
    plain: bool,
    busy: Memo<bool>,
) -> impl IntoView {
    let (class, label) = match kind {
        Kind::Approve if plain => ("btn", "Approve"),
        Kind::Approve => ("btn solid", "Approve"),
        Kind::Reject => ("btn no", "Reject"),
        Kind::Withdraw => ("btn", "Withdraw"),
        Kind::Override => ("btn no", "Override"),
        Kind::SetAside => ("btn", "Set aside"),
        Kind::Human => ("btn", "No machine took part"),
        Kind::DisputeMark => ("btn", "Dispute"),
        Kind::MarkWrong => ("btn", "It is wrong"),
        Kind::MarkStands => ("btn", "It stands"),
    };
    let disabled = move || refusal.is_some() || busy.get();
    view! {
        <button class=class name="kind" value=kind.as_str() disabled=disabled title=refusal.map(Problem::sentence)>
            {label}
        </button>
    }
}
