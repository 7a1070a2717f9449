//! What was decided about a change, and what it is made of: decisions and commits, as they were recorded.

use domain::{Timestamp, commit::Commit, contributor::Role, decision::Recorded, people::Level};
use leptos::prelude::*;

use super::{
    text::{TheirLines, Theirs},
    time::Ago,
    verdict::Decided,
};

/// Whether a decision counts for the revision shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Yes,
    No,
    /// An approval by somebody who is tied to the change, in this way.
    Contributor(Role),
    /// The same, by a link that was found after it and is withdrawn by now.
    Unlinked(Role),
    /// It would carry over, but for a contributor whom nobody knows and who is new since.
    Unasked,
}

impl Counts {
    fn sentence(self) -> Option<String> {
        match self {
            Counts::Yes => None,
            Counts::No => Some("; does not count for the revision shown".to_owned()),
            Counts::Contributor(role) => Some(format!(
                "; does not count: as is known now, they had a hand in the change ({})",
                role.words()
            )),
            Counts::Unlinked(role) => Some(format!(
                "; does not count: a link ended it by which they had a hand in the change ({}); it was withdrawn since, so they may approve again",
                role.words()
            )),
            Counts::Unasked => Some(
                "; does not carry over: of a contributor whom nobody knows they did not say that it is not them"
                    .to_owned(),
            ),
        }
    }
}

/// Every decision of a change, the latest first, and of each whether it counts for the revision shown.
#[component]
pub fn Decisions(decisions: Vec<(Recorded, Counts)>, now: Timestamp) -> AnyView {
    let items = decisions
        .into_iter()
        .rev()
        .map(|(recorded, counts)| {
            let principal = recorded.principal;
            let decision = recorded.decision;
            let level = decision.level.map_or("no level", Level::as_str);
            let reason = decision.reason.as_str().to_owned();
            view! {
                <li class=if counts == Counts::Yes { "" } else { "past" }>
                    <Decided kind=decision.kind/>
                    <p>
                        <b><Theirs text=recorded.name/></b>
                        {principal.map(|name| view! { ", standing in for " <Theirs text=name/> })}
                        {format!(", {level}, about ")}
                        {decision.mark.map(|number| format!("mark {number} of "))}
                        {format!("revision {}, ", recorded.revision_number)}
                        <Ago at=decision.at now/>
                        {counts.sentence()}
                        {decision
                            .none_of_these_is_me
                            .then_some("; said to be none of the contributors whom nobody knew")}
                        {decision
                            .since
                            .map(|number| format!("; having read what changed since revision {number}, which they had approved"))}
                        {decision.incident.map(|name| view! { "; for " <Theirs text=name/> })}
                    </p>
                    {(!reason.is_empty()).then(|| view! { <blockquote><TheirLines text=reason/></blockquote> })}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="history">{items}</ol> }.into_any()
}

/// Every commit that the revision adds, oldest first, with its whole message behind it.
#[component]
pub fn Commits(commits: Vec<Commit>, now: Timestamp) -> AnyView {
    let items = commits
        .into_iter()
        .map(|commit| {
            let text = commit.text().into_owned();
            let subject = text.lines().next().unwrap_or_default().to_owned();
            let subject = if subject.trim().is_empty() { "(no message)".to_owned() } else { subject };
            let committer = (commit.committer != commit.author).then(|| commit.committer.name.clone());
            view! {
                <li>
                    <details>
                        <summary>
                            <code>{commit.sha.short().to_owned()}</code>
                            <span class="cut"><Theirs text=subject/></span>
                            <small>
                                <Theirs text=commit.author.name.clone()/>
                                {commit.authored_at.map(|at| view! { ", " <Ago at now/> })}
                            </small>
                        </summary>
                        <p class="dim">
                            <code>{commit.sha.to_string()}</code> ", by " <Theirs text=commit.author.name/> " <"
                            <Theirs text=commit.author.email/> ">"
                            {committer.map(|name| view! { ", committed by " <Theirs text=name/> })}
                        </p>
                        <div class="message" tabindex="0" role="region" aria-label="Message"><TheirLines text/></div>
                    </details>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="commits">{items}</ol> }.into_any()
}
