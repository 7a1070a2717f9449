//! What was deployed: of one change, and on the front page what nobody had allowed.

use domain::{Timestamp, deployment::Sanction, verdict::Word};
use leptos::prelude::*;
use store::deployments::{OfChange, Unsanctioned};

use super::{
    text::Theirs,
    time::{Age, Ago, exact},
    verdict::{Glyph, Mark, said},
};

/// How many stand there at once; the others are folded away behind them.
const AT_ONCE: usize = 3;

/// What was deployed without having been allowed and is owed a review, the latest first; nothing where there is none.
#[component]
pub fn Owed(owed: Vec<Unsanctioned>, more: bool, now: Timestamp) -> AnyView {
    if owed.is_empty() {
        return ().into_any();
    }
    let plus = if more { "+" } else { "" };
    let count = format!("{}{plus}", owed.len());
    let mut first = owed;
    let rest = first.split_off(first.len().min(AT_ONCE));
    let folded = format!("{}{plus} more", rest.len());
    let lines = move |some: Vec<Unsanctioned>| {
        let line = |one| view! { <Line one now/> };
        view! { <ol>{some.into_iter().map(line).collect_view()}</ol> }
    };
    view! {
        <section class="group owed" aria-labelledby="owed">
            <header>
                <h2 id="owed">"Deployed without having been allowed"</h2>
                <span class="dim">{count}</span>
                <small>"latest first"</small>
            </header>
            {lines(first)}
            {(!rest.is_empty()).then(|| view! { <details><summary>{folded}</summary> {lines(rest)}</details> })}
        </section>
    }
    .into_any()
}

#[component]
fn Line(one: Unsanctioned, now: Timestamp) -> AnyView {
    let repository = one.repository.to_string();
    let (owner, name) = repository.rsplit_once('/').unwrap_or(("", &repository));
    let (owner, name) = (owner.to_owned(), name.to_owned());
    let key = one.change.as_ref().map(|(_, key, _)| format!(" {key}"));
    let short = one.sha.short().to_owned();
    let what = match one.change {
        Some((id, _, title)) => {
            view! { <a href=format!("/changes/{id}#deployments")><Theirs text=title/></a> }
                .into_any()
        }
        None => view! { <b>"Commit " <code>{short.clone()}</code></b> }.into_any(),
    };
    let due = if now < one.review_by {
        "due "
    } else {
        "overdue since "
    };
    view! {
        <li class="row">
            <Mark word=one.verdict/>
            <div class="what">
                {what}
                <p class="why">{why(one.verdict)}</p>
            </div>
            <div class="repo">
                <span>{name}</span>
                <span class="sub">{owner} {key}</span>
                {(!one.enforced).then(|| view! { <span class="observed">"observed only"</span> })}
            </div>
            <div class="by">
                <span>{one.environment.to_string()}</span>
                <span class="sub">"commit " <code title=one.sha.to_string()>{short}</code></span>
            </div>
            <div class="need">
                <span>"1 review owed"</span>
                <span class="sub">{due} {date(one.review_by)}</span>
            </div>
            <div class="num size"></div>
            <div class="num age"><Age at=one.at now/></div>
        </li>
    }
    .into_any()
}

fn why(verdict: Word) -> String {
    match verdict {
        Word::Unheard => "Nobody told of this commit before it was deployed".to_owned(),
        word => format!("It was {} when it was deployed", said(word)),
    }
}

fn date(at: Timestamp) -> String {
    exact(at).chars().take(10).collect()
}

/// The deployments of a change, the latest first, each with what was made of it then.
#[component]
pub fn Deployments(deployments: Vec<OfChange>, now: Timestamp) -> AnyView {
    let items = deployments
        .into_iter()
        .map(|one| {
            let (drawing, word) = drawn(one.sanction);
            view! {
                <li>
                    <span class=format!("v v-{drawing}")>
                        <Glyph drawing/>
                        <span>{word}</span>
                    </span>
                    <p>
                        <b>{one.environment.to_string()}</b>
                        {format!(", revision {}, commit ", one.revision)}
                        <code title=one.sha.to_string()>{one.sha.short().to_owned()}</code>
                        ", reported " <Ago at=one.at now/> " by " <Theirs text=one.by.clone()/>
                        {one.told_at.map(|at| format!("; it happened at {}, they say", exact(at)))}
                        {(!one.enforced).then_some("; observed only")}
                        {review(&one)}
                    </p>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="history">{items}</ol> }.into_any()
}

fn drawn(sanction: Sanction) -> (&'static str, &'static str) {
    match sanction {
        Sanction::Allowed => ("approved", "allowed"),
        Sanction::Redeployed => ("not_required", "went back"),
        Sanction::Part => ("approved", "as part"),
        Sanction::Unsanctioned => ("rejected", "unsanctioned"),
    }
}

/// What is owed for a deployment that nobody had allowed, and whether it was given.
fn review(one: &OfChange) -> Option<AnyView> {
    let due = one.review_by?;
    let why = why(one.verdict);
    let review = match one.reviewed_by.clone() {
        Some(name) => view! { <Theirs text=name/> " reviewed it since" }.into_any(),
        None => format!("a review is owed by {}", exact(due)).into_any(),
    };
    Some(view! { ". " {why} "; " {review} }.into_any())
}
