//! What says that a tool took part: hatched where a machine did, stroked where a person says it was theirs, dotted where
//! nobody knows; and each mark with the place where it was found.

use domain::{
    case::Case,
    decision::{Kind, Recorded},
    provenance::{self, Mark, Place, Provenance, Share, Strength, Tool, Written},
};
use leptos::prelude::*;

use super::text::Theirs;

/// The pattern and the words.
#[component]
pub fn Origin(provenance: Provenance, tools: Vec<Tool>) -> impl IntoView {
    let class = format!("pv pv-{}", word(provenance));
    view! { <span class=class><span>{said(provenance, &tools)}</span></span> }
}

/// The word used in classes and filters.
pub fn word(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Assisted => "assisted",
        Provenance::Human => "human",
        Provenance::Unknown => "unknown",
    }
}

fn said(provenance: Provenance, tools: &[Tool]) -> String {
    match (provenance, tools) {
        (Provenance::Assisted, []) => "assisted".to_owned(),
        (Provenance::Assisted, tools) => names(tools),
        (Provenance::Human, _) => "declared human".to_owned(),
        (Provenance::Unknown, []) => "unknown, no mark found".to_owned(),
        (Provenance::Unknown, tools) => format!("unknown, hints at {}", names(tools)),
    }
}

fn names(tools: &[Tool]) -> String {
    let names: Vec<String> = tools
        .iter()
        .map(|tool| super::text::plain(tool.name()))
        .collect();
    names.join(", ")
}

/// Every tool that a mark names, each once, in the order of the marks.
pub fn tools(marks: &[Mark]) -> Vec<Tool> {
    marks.iter().fold(Vec::new(), |mut tools, mark| {
        if !tools.contains(&mark.tool) {
            tools.push(mark.tool.clone());
        }
        tools
    })
}

/// Each mark: where it was found, how much it proves, what stands there.
#[component]
pub fn Marks(marks: Vec<Mark>, case: Case) -> impl IntoView {
    if marks.is_empty() {
        return view! {
            <p class="dim">"No mark was found. That proves nothing: a mark is easy to leave out, so the origin is unknown."</p>
        }
        .into_any();
    }
    let items = (1..)
        .zip(marks)
        .map(|(number, mark)| {
            let model = mark.model.clone().map(|model| format!(", {}", super::text::plain(&model)));
            view! {
                <li>
                    <span>{format!("{number}. ")} <b>{names(std::slice::from_ref(&mark.tool))}</b> {model} ": " {place(&mark.place)}</span>
                    <Proof strength=mark.strength/>
                    {(!mark.text.is_empty()).then(|| view! { <code><Theirs text=mark.text/></code> })}
                    {case.last_about(number).map(|said| view! { <Doubt said=said.clone()/> })}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="marks">{items}</ul> }.into_any()
}

/// That somebody disputes a mark, or what was decided about that.
#[component]
fn Doubt(said: Recorded) -> impl IntoView {
    let what = match said.decision.kind {
        Kind::DisputeMark => "disputed by ",
        Kind::MarkWrong => "wrong, and counts no more: ",
        _ => "was disputed, and stands: ",
    };
    let reason = said.decision.reason.as_str().to_owned();
    view! { <small class="doubt">{what} <Theirs text=said.name/> ": " <Theirs text=reason/></small> }
}

/// How many added lines came out of sessions with tools, as far as notes and traces say. `shares` has one for each file that adds
/// lines, none where nothing is said of it.
#[component]
pub fn LinesByTools(written: Vec<Written>, added: u32, shares: Vec<Option<Share>>) -> AnyView {
    let unknown = shares.iter().filter(|share| share.is_none()).count();
    if unknown == shares.len() {
        return view! { "unknown" <small>"no note and no trace says which lines a tool wrote"</small> }
            .into_any();
    }
    let by_tools: u32 = shares.iter().flatten().map(|share| share.written).sum();
    let percent = u64::from(by_tools) * 100 / u64::from(added.max(1));
    let at_least = if unknown > 0 { "at least " } else { "" };
    let files = shares.len();
    view! {
        {format!("{at_least}{by_tools} of {added} added ({percent} %)")}
        {sessions(&written).into_iter().map(|said| view! { <small><Theirs text=said/></small> }).collect_view()}
        {(unknown > 0).then(|| view! { <small>{format!("nothing is said of {unknown} of {files} files: unknown, not human")}</small> })}
    }
    .into_any()
}

/// Each tool with how many lines are said to be its, and whose prompts it had; whoever has most first.
fn sessions(written: &[Written]) -> Vec<String> {
    const MOST: usize = 6;
    let mut by: Vec<((&Tool, Option<&str>), u32)> = Vec::new();
    for row in written {
        let key = (&row.tool, row.prompter.as_deref().map(name_of));
        let lines = provenance::count(&row.ranges);
        match by.iter_mut().find(|(known, _)| *known == key) {
            Some((_, all)) => *all += lines,
            None => by.push((key, lines)),
        }
    }
    by.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    let said = |((tool, prompter), lines): ((&Tool, Option<&str>), u32)| match prompter {
        Some(prompter) => format!("{} {lines}, prompted by {prompter}", tool.name()),
        None => format!("{} {lines}", tool.name()),
    };
    by.into_iter().take(MOST).map(said).collect()
}

/// Without the address.
fn name_of(prompter: &str) -> &str {
    prompter.split(" <").next().unwrap_or(prompter)
}

/// Where a mark was found, in words.
pub fn place(place: &Place) -> String {
    match place {
        Place::Author { commit } => format!("author of {}", commit.short()),
        Place::Committer { commit } => format!("committer of {}", commit.short()),
        Place::Trailer { commit, line } => format!("trailer of {}, line {line}", commit.short()),
        Place::Message { commit, line } => format!("message of {}, line {line}", commit.short()),
        Place::Submission => "said by whoever submitted it".to_owned(),
        Place::Branch => "name of the branch".to_owned(),
        Place::Label => "label".to_owned(),
        Place::Description { line } => format!("description, line {line}"),
        Place::Note {
            commit,
            line: Some(line),
        } => format!("git-ai note of {}, line {line}", commit.short()),
        Place::Note { commit, line: None } => format!("git-ai note of {}", commit.short()),
        Place::Trace {
            commit: Some(commit),
        } => format!("agent trace of {}", commit.short()),
        Place::Trace { commit: None } => "agent trace without a commit".to_owned(),
    }
}

/// One, two or three bars of three.
#[component]
fn Proof(strength: Strength) -> impl IntoView {
    let bars = ["M0 8h3v4H0z", "M4.5 4h3v8h-3z", "M9 0h3v12H9z"];
    let (on, said) = match strength {
        Strength::Hinted => (1, "hinted"),
        Strength::Marked => (2, "marked"),
        Strength::Declared => (3, "declared"),
    };
    view! {
        <span class="strength">
            <svg viewBox="0 0 12 12" aria-hidden="true">
                {bars
                    .into_iter()
                    .enumerate()
                    .map(|(n, bar)| view! { <path class=(n < on).then_some("on") d=bar></path> })
                    .collect_view()}
            </svg>
            {said}
        </span>
    }
}
