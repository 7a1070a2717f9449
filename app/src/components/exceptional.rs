//! What is rarely done and never by accident: breaking the glass, setting a rejection aside, saying that no machine took part,
//! and saying which of two patches is true. Plain forms, folded away, because nobody needs a script at 3 a.m.

use domain::{
    Timestamp,
    case::{Case, Open, OpenMark},
    change::{Dispute, Disputed, Revision},
    decision::{Kind, REASON_MAX},
    ids::FormKey,
    problem::Problem,
    provenance::{Mark, Provenance, Strength},
};
use leptos::prelude::*;

use super::{
    frame::Viewer,
    marks::place,
    text::{Theirs, plain},
    time::{Ago, Clock, day},
};

/// The key of each form: what is sent with one is one decision, however often it is sent.
#[derive(Clone, Debug)]
pub struct RareKeys {
    pub glass: FormKey,
    pub human: FormKey,
    pub dispute: FormKey,
    /// One for each rejection that stands.
    pub set_aside: Vec<(Open, FormKey)>,
    /// One for each mark that somebody disputes.
    pub marks: Vec<(OpenMark, FormKey)>,
}

/// The rare decisions that this viewer may take on the current revision now, one form each.
#[component]
pub fn Rare(
    case: Case,
    marks: Vec<Mark>,
    viewer: Viewer,
    keys: RareKeys,
    now: Timestamp,
) -> AnyView {
    let may = |kind| case.may_decide(&viewer.person, kind, now).is_ok();
    let may_override = may(Kind::Override) && !case.verdict(now).word().allows();
    let may_set_aside = may(Kind::SetAside);
    let says_human = may(Kind::Human) && case.standing().believed.is_none();
    let can_be_set_aside =
        |open: &Open| may_set_aside && open.person != viewer.person.id && open.from <= now;
    let believed = case.believes(&viewer.held(), case.people_version);
    let disputable = if may(Kind::DisputeMark) {
        disputable(&case, &marks)
    } else {
        Vec::new()
    };
    let may_decide_marks = may(Kind::MarkWrong);
    let others = |open: &OpenMark| may_decide_marks && open.person != viewer.person.id;
    let not_yet = keys.set_aside.iter().filter(|(open, _)| open.from > now);
    view! {
        {not_yet
            .map(|(open, _)| {
                view! { <p class="note not-yet">"The rejection by " <Theirs text=open.name.clone()/> " can be set aside from " {day(open.from)} ", " <Clock at=open.from/> " UTC."</p> }
            })
            .collect_view()}
        {keys
            .set_aside
            .into_iter()
            .filter(|(open, _)| can_be_set_aside(open))
            .map(|(open, form_key)| view! { <SetAsideForm case=case.clone() open form_key/> })
            .collect_view()}
        {keys
            .marks
            .into_iter()
            .filter(|(open, _)| others(open))
            .map(|(open, form_key)| {
                let said = mark_said(&marks, open.number);
                view! { <MarkForm case=case.clone() number=open.number said form_key/> }
            })
            .collect_view()}
        {(!disputable.is_empty())
            .then(|| view! { <DisputeForm case=case.clone() disputable form_key=keys.dispute/> })}
        {says_human.then(|| view! { <HumanForm case=case.clone() believed form_key=keys.human/> })}
        {may_override.then(|| view! { <OverrideForm case=case.clone() form_key=keys.glass/> })}
    }
    .into_any()
}

#[component]
fn SetAsideForm(case: Case, open: Open, form_key: FormKey) -> AnyView {
    view! {
        <details class="rare">
            <summary>"Set aside the rejection by " <Theirs text=open.name/></summary>
            <form method="post" action="/fn/decide">
                <p>"It ends for this revision and those that come later, under your name and with your reason. What else is missing stays missing."</p>
                <Hidden case=case.clone() form_key/>
                <NotUnknown case/>
                <input type="hidden" name="about" value=open.seq.to_string()/>
                <label>"Why it should not stand" <input class="field" name="reason" required maxlength=REASON_MAX.to_string() autocomplete="off"/></label>
                <button class="btn" name="kind" value=Kind::SetAside.as_str()>"Set aside"</button>
            </form>
        </details>
    }
    .into_any()
}

#[component]
fn HumanForm(case: Case, believed: bool, form_key: FormKey) -> AnyView {
    let effect = if believed {
        "The policy believes you: this revision counts as human from then on, until a mark says otherwise."
    } else if case.marked() == Provenance::Assisted {
        "Your word is recorded and shown, and changes nothing while a mark says otherwise. If that is wrong, dispute it first."
    } else {
        "Your word is recorded and shown, and changes nothing: the policy believes others about this revision."
    };
    view! {
        <details class="rare">
            <summary>"Say that no machine took part in this revision"</summary>
            <form method="post" action="/fn/decide">
                <p>{effect}</p>
                <Hidden case=case.clone() form_key/>
                <NotUnknown case/>
                <label>"How you know" <input class="field" name="reason" maxlength=REASON_MAX.to_string() autocomplete="off"/></label>
                <button class="btn" name="kind" value=Kind::Human.as_str()>"No machine took part"</button>
            </form>
        </details>
    }
    .into_any()
}

/// How many marks a form lists: whoever has more has other troubles.
const MOST_LISTED: usize = 200;

/// The marks that prove something and that can be disputed, with their numbers.
fn disputable(case: &Case, marks: &[Mark]) -> Vec<(i32, String)> {
    let is_free = |number: i32| {
        let last = case.last_about(number).map(|last| last.decision.kind);
        last.is_none_or(|kind| kind == Kind::MarkStands)
    };
    (1..)
        .zip(marks)
        .filter(|(number, mark)| mark.strength >= Strength::Marked && is_free(*number))
        .take(MOST_LISTED)
        .map(|(number, _)| (number, mark_said(marks, number)))
        .collect()
}

/// A mark as an option of a list and a heading name it.
fn mark_said(marks: &[Mark], number: i32) -> String {
    let index = usize::try_from(number - 1).ok();
    match index.and_then(|index| marks.get(index)) {
        Some(mark) => {
            let tool = plain(mark.tool.name());
            format!("{number}: {tool}, {}", place(&mark.place))
        }
        None => number.to_string(),
    }
}

#[component]
fn DisputeForm(case: Case, disputable: Vec<(i32, String)>, form_key: FormKey) -> AnyView {
    let options = disputable
        .into_iter()
        .map(|(number, said)| view! { <option value=number.to_string()>{said}</option> })
        .collect_view();
    view! {
        <details class="rare">
            <summary>"Dispute a mark"</summary>
            <form method="post" action="/fn/decide">
                <p>"Your word is recorded and shown. The mark counts until somebody else decides that it is wrong: whom the policy believes, and who had no hand in the change."</p>
                <Hidden case form_key/>
                <label>"The mark" <select class="field" name="about">{options}</select></label>
                <label>"Why it is wrong" <input class="field" name="reason" required maxlength=REASON_MAX.to_string() autocomplete="off"/></label>
                <button class="btn" name="kind" value=Kind::DisputeMark.as_str()>"Dispute"</button>
            </form>
        </details>
    }
    .into_any()
}

#[component]
fn MarkForm(case: Case, number: i32, said: String, form_key: FormKey) -> AnyView {
    view! {
        <details class="rare">
            <summary>{format!("Decide about the disputed mark {said}")}</summary>
            <form method="post" action="/fn/decide">
                <p>"One that is wrong counts no more for this revision, under your name and with your reason. A revision without a mark is unknown, not human."</p>
                <Hidden case=case.clone() form_key/>
                <NotUnknown case/>
                <input type="hidden" name="about" value=number.to_string()/>
                <label>"Why" <input class="field" name="reason" required maxlength=REASON_MAX.to_string() autocomplete="off"/></label>
                <button class="btn" name="kind" value=Kind::MarkStands.as_str()>"It stands"</button>
                <button class="btn no" name="kind" value=Kind::MarkWrong.as_str()>"It is wrong"</button>
            </form>
        </details>
    }
    .into_any()
}

/// What every form about a revision says: which one was shown.
#[component]
fn Hidden(case: Case, form_key: FormKey) -> impl IntoView {
    view! {
        <input type="hidden" name="change" value=case.change.id.to_string()/>
        <input type="hidden" name="digest" value=case.revision.digest.to_string()/>
        <input type="hidden" name="form_key" value=form_key.0.to_string()/>
    }
}

/// Whoever lowers what is asked, or ends a rejection, says as who approves does that they are no unknown contributor.
#[component]
fn NotUnknown(case: Case) -> AnyView {
    let count = case.unidentified().len();
    let which = match count {
        0 => return ().into_any(),
        1 => "The contributor whom nobody knows is not me".to_owned(),
        n => format!("None of the {n} contributors whom nobody knows is me"),
    };
    view! {
        <label class="tick"><input type="checkbox" name="none_of_these_is_me" value="true" required/> {which}</label>
    }
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
                <Hidden case form_key/>
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
