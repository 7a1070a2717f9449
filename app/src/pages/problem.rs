//! What people read when there is no page: what happened, whether anything was recorded, what to do.

use std::sync::Arc;

use domain::{ids::ChangeId, problem::Problem};
use leptos::{nonce::Nonce, prelude::*};
use uuid::Uuid;

use crate::{
    actions::Theme,
    components::sprite::Sprite,
    shell::{Assets, Document},
};

/// Everything that can go wrong before or instead of a page. Closed, so that no address can put words on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The request is not one that a form of ours makes.
    Unreadable,
    /// Not this person, or not from another site.
    NotYou,
    /// Not there, or not for this person to see.
    NotFound,
    /// The world moved while somebody was reading.
    Moved,
    /// More than a form of ours ever sends.
    TooLarge,
    /// Asked again too soon.
    TooOften,
    /// It takes too long, or what we need does not answer.
    Unavailable,
    /// Our fault.
    Broken,
}

impl Trouble {
    /// What a status means for people.
    pub fn from_status(status: u16) -> Self {
        match status {
            403 => Trouble::NotYou,
            404 | 405 => Trouble::NotFound,
            409 => Trouble::Moved,
            413 => Trouble::TooLarge,
            429 => Trouble::TooOften,
            503 | 504 => Trouble::Unavailable,
            500.. => Trouble::Broken,
            _ => Trouble::Unreadable,
        }
    }

    /// The status that a page with this trouble has.
    pub fn status(self) -> u16 {
        match self {
            Trouble::Unreadable => 422,
            Trouble::NotYou => 403,
            Trouble::NotFound => 404,
            Trouble::Moved => 409,
            Trouble::TooLarge => 413,
            Trouble::TooOften => 429,
            Trouble::Unavailable => 503,
            Trouble::Broken => 500,
        }
    }

    /// In one line.
    pub fn title(self) -> &'static str {
        match self {
            Trouble::Unreadable => "This request cannot be read",
            Trouble::NotYou => "This is not yours to do",
            Trouble::NotFound => "Nothing is here for you to see",
            Trouble::Moved => "Nothing was recorded: it moved while you were reading",
            Trouble::TooLarge => "This is more than a form here can take",
            Trouble::TooOften => "That was too often in too short a time",
            Trouble::Unavailable => "Countersign cannot answer now",
            Trouble::Broken => "Something went wrong on our side",
        }
    }

    fn note(self) -> &'static str {
        match self {
            Trouble::Unreadable => {
                "A part of it is missing or is not what the form sends. Nothing was recorded. Go back and send the form again."
            }
            Trouble::NotYou => {
                "Either it takes another person, or the request came from another site than this one. Nothing was recorded."
            }
            Trouble::NotFound => {
                "The address is wrong, or what it names belongs to a repository that your teams do not read. An admin can say which."
            }
            Trouble::Moved => {
                "A decision is about one exact digest, and that is no longer the one you were shown. Read what changed, then decide."
            }
            Trouble::TooLarge => {
                "Nothing was recorded. Shorten the reason; the change itself is the place for long text."
            }
            Trouble::TooOften => "Nothing was recorded. Wait a minute, then try again.",
            Trouble::Unavailable => {
                "The database or the sign-in provider does not answer. No gate opens meanwhile. Try again in a minute."
            }
            Trouble::Broken => {
                "It is written in the log under the number below; whoever runs Countersign can find it there."
            }
        }
    }
}

/// What a form was refused with, and the change that it named: anything that is an id may stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Why.
    pub problem: Problem,
    /// Where the form may have stood.
    pub change: Option<ChangeId>,
}

/// The slip that says it, for a page that has its frame already.
#[component]
pub fn TroubleSlip(
    trouble: Trouble,
    told: Option<Told>,
    #[prop(into)] request: Option<Uuid>,
) -> impl IntoView {
    let back = told.and_then(|told| told.change);
    view! {
        <main id="main" class="alone">
            <section class="slip" aria-labelledby="h">
                <div>
                    <h1 id="h">{trouble.title()}</h1>
                    {told.map(|told| view! { <p class="told" role="alert">{told.problem.sentence()}</p> })}
                    <p class="note">{trouble.note()}</p>
                </div>
                <div class="acts">
                    {back.map(|change| view! { <a class="btn" href=format!("/changes/{change}")>"Back to the change"</a> })}
                    <a class="btn" href="/">"To the queue"</a>
                </div>
                <small>
                    {trouble.status()}
                    {request.map(|id| view! { ", request " <code>{id.to_string()}</code> })}
                </small>
            </section>
        </main>
    }
}

/// The whole document, for what is refused before any page runs.
pub fn trouble_page(
    trouble: Trouble,
    told: Option<Told>,
    assets: Assets,
    theme: Theme,
    nonce: Option<Arc<str>>,
    request: Option<Uuid>,
) -> String {
    Owner::new().with(|| {
        if let Some(nonce) = nonce {
            provide_context(Nonce::from_value(nonce));
        }
        view! {
            <Document assets theme head=move || view! { <title>{format!("{} · Countersign", trouble.title())}</title> }.into_any()>
                <Sprite/>
                <TroubleSlip trouble told request/>
            </Document>
        }
        .to_html()
    })
}
