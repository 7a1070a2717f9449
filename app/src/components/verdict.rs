//! Verdicts and decisions: a shape, a hue and a word each, so that colour is never alone.

use domain::{decision::Kind, verdict::Word};
use leptos::prelude::*;

/// The name of the drawing and the class of a verdict.
pub fn drawing(word: Word) -> &'static str {
    match word {
        Word::Unheard | Word::Undecidable => "unknown",
        Word::Rejected => "rejected",
        Word::Waiting => "waiting",
        Word::Overridden => "overridden",
        Word::Approved => "approved",
        Word::NotRequired => "not_required",
    }
}

/// The same for a decision.
pub fn drawing_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Approve => "approved",
        Kind::Reject => "rejected",
        Kind::Withdraw
        | Kind::SetAside
        | Kind::Human
        | Kind::DisputeMark
        | Kind::MarkWrong
        | Kind::MarkStands => "not_required",
        Kind::Override => "overridden",
    }
}

/// A verdict in words.
pub fn said(word: Word) -> &'static str {
    match word {
        Word::Unheard => "unheard",
        Word::Undecidable => "undecidable",
        Word::Rejected => "rejected",
        Word::Waiting => "waiting",
        Word::Overridden => "overridden",
        Word::Approved => "approved",
        Word::NotRequired => "not required",
    }
}

/// The drawing alone.
#[component]
pub fn Glyph(drawing: &'static str) -> impl IntoView {
    view! { <svg class="g" aria-hidden="true" fill="currentColor"><use href=format!("#v-{drawing}")></use></svg> }
}

/// A verdict in a row: the drawing, and the word for who cannot see it.
#[component]
pub fn Mark(word: Word) -> impl IntoView {
    let drawing = drawing(word);
    view! {
        <span class=format!("v v-{drawing}")>
            <Glyph drawing/>
            <span class="vh">{said(word)}</span>
        </span>
    }
}

/// A decision: the drawing and the word.
#[component]
pub fn Decided(kind: Kind) -> impl IntoView {
    let drawing = drawing_of(kind);
    view! {
        <span class=format!("v v-{drawing}")>
            <Glyph drawing/>
            <span>{kind.words()}</span>
        </span>
    }
}
