//! Signatures: a need is an empty line with a cross before it, an approval is a name on the line. Small ones stand in rows.

use domain::{Timestamp, standing::Voice, verdict::Need};
use leptos::prelude::*;

use super::{text::Theirs, time::Ago, verdict::Glyph};

/// One line for each name that is asked for; a tick on those that have signed.
#[component]
pub fn Slots(signed: usize, missing: usize) -> impl IntoView {
    let empty = "M0 11.25h14";
    // More than a few lines say no more than the number beside them.
    let (signed, missing) = (signed.min(4), missing.min(4));
    let any = signed + missing > 0;
    any.then(|| {
        view! {
            <span class="slots" aria-hidden="true">
                {(0..signed)
                    .map(|_| {
                        view! {
                            <svg class="on" viewBox="0 0 14 12">
                                <path d=empty></path>
                                <path class="tick" d="m3 5 2.75 3L11 1.5"></path>
                            </svg>
                        }
                    })
                    .collect_view()}
                {(0..missing)
                    .map(|_| view! { <svg viewBox="0 0 14 12"><path d=empty></path></svg> })
                    .collect_view()}
            </span>
        }
    })
}

/// A name on the line.
#[component]
pub fn Signed(voice: Voice, now: Timestamp) -> AnyView {
    let level = voice
        .level
        .map_or("no level", domain::people::Level::as_str);
    let carried = voice
        .carried
        .map(|proof| format!("; carried over: {}", proof.sentence()));
    view! {
        <li class="line">
            <div class="name">
                <Glyph drawing="approved"/>
                <span class="cut"><Theirs text=voice.name/> {voice.stands_in_for.map(|principal| view! { ", for " <Theirs text=principal.name/> })}</span>
                <small><Ago at=voice.at now/></small>
            </div>
            <div class="under">{format!("{level}, as of then; approved revision {}", voice.revision)} {carried}</div>
        </li>
    }
    .into_any()
}

/// As many empty lines as names are missing; the first is `yours` where you can sign.
#[component]
pub fn Missing(need: Need, yours: bool) -> AnyView {
    let whom = need.whom();
    let rule = need.rule.clone();
    (0..need.count.min(5))
        .map(|n| {
            let yours = yours && n == 0;
            let said = if yours {
                "You can sign here".to_owned()
            } else {
                format!("One {whom}")
            };
            view! {
                <li class=if yours { "line open yours" } else { "line open" }>
                    <div class="name"><span class="cut">{said}</span></div>
                    <div class="under">{whom.clone()} ", for rule " <code>{rule.clone()}</code></div>
                </li>
            }
        })
        .collect_view()
        .into_any()
}
