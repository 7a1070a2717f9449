//! What people said of a change at its code host: beside the decisions that count, and none of them.

use super::{
    text::{TheirLines, Theirs},
    time::Ago,
};
use domain::{
    Timestamp,
    remark::{Kind, Remark},
};
use leptos::prelude::*;
use store::remarks::Said;

/// Folded: whoever decides here may want to know, and nothing here rests on it.
#[component]
pub fn Remarks(said: Said, now: Timestamp) -> AnyView {
    let host = said.host.name();
    let count = said.remarks.all.len();
    let plus = if said.remarks.more { "+" } else { "" };
    let items = said.remarks.all.into_iter();
    view! {
        <section aria-labelledby="remarks">
            <h2 id="remarks">{format!("Said at {host}")} <small>{format!("{count}{plus}")}</small></h2>
            <details class="said">
                <summary>"Reviews and comments there, none of which counts as a decision here"</summary>
                <ol class="history">{items.map(|one| view! { <Line one now/> }).collect_view()}</ol>
                <p class="dim">
                    {said.remarks.more.then(|| format!("There are more at {host} than these. "))}
                    "As it was " <Ago at=said.looked_at now/> "."
                </p>
            </details>
        </section>
    }
    .into_any()
}

#[component]
fn Line(one: Remark, now: Timestamp) -> AnyView {
    let by = one
        .by
        .unwrap_or_else(|| "somebody whose account is gone".to_owned());
    let of = one.commit.map(|commit| commit.short().to_owned());
    view! {
        <li class="past">
            <p>
                <b><Theirs text=by/></b>
                {format!(" {}", word(one.kind))}
                {of.map(|short| view! { " of " <code>{short}</code> })}
                {one.at.map(|at| view! { ", " <Ago at now/> })}
                {one.url.map(|url| view! { ", " <a href=url rel="noreferrer nofollow">"there"</a> })}
            </p>
            {(!one.text.is_empty()).then(|| view! { <blockquote><TheirLines text=one.text/></blockquote> })}
            {one.cut.then(|| view! { <p class="dim">"The text goes on there."</p> })}
        </li>
    }
    .into_any()
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Approved => "approved there",
        Kind::ChangesRequested => "asked for changes",
        Kind::Dismissed => "said, and it was dismissed",
        Kind::Commented => "commented",
    }
}
