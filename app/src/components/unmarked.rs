//! Says in red what a policy lets through that asks only of what is marked: taking a mark out is one line of work.

use domain::{people::Level, verdict::Word};
use leptos::prelude::*;

/// Nothing where a policy asks of unmarked changes what it asks of marked ones.
#[component]
pub fn LetsThrough(levels: Vec<Level>) -> impl IntoView {
    sentence(&levels).map(|said| view! { <strong class="red">{said}</strong> })
}

fn sentence(levels: &[Level]) -> Option<String> {
    let levels: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
    let (last, others) = levels.split_last()?;
    let whose = match others {
        [] => format!("level {last}"),
        _ => format!("levels {} and {last}", others.join(", ")),
    };
    Some(format!(
        "Lets through: every change without a mark by people of {whose}, also one that a tool wrote and whose mark is missing or was taken out."
    ))
}

/// Why nothing was asked of a change, where a mark would have asked for something.
#[component]
pub fn PassedUnmarked(word: Word, passes: bool) -> impl IntoView {
    (passes && word == Word::NotRequired).then(|| {
        view! {
            <p class="say">
                <strong class="red">
                    "Passed only because it has no mark: this policy asks about marked changes alone, and a mark that is missing or was taken out is not seen."
                </strong>
            </p>
        }
    })
}
