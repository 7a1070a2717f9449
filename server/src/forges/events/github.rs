//! Events of GitHub.

use super::{Event, Look, Unreadable, before, key, repository};
use crate::forges::github::named;
use serde::{Deserialize, de::IgnoredAny};

pub(super) fn event(name: &str) -> Option<Event> {
    Some(match name {
        "pull_request" => Event::Change,
        "push" => Event::Push,
        "merge_group" => Event::MergeGroup,
        "check_run" | "check_suite" => Event::Check,
        // What is said is looked at after the change that it is said of.
        "pull_request_review" | "pull_request_review_comment" => Event::Change,
        "issue_comment" => Event::Comment,
        // An app gets some of these without asking for them.
        "ping"
        | "installation"
        | "installation_repositories"
        | "installation_target"
        | "github_app_authorization"
        | "pull_request_review_thread"
        | "status"
        | "repository" => Event::Nothing,
        _ => return None,
    })
}

pub(super) fn told(event: Event, payload: Payload) -> Result<Vec<Look>, Unreadable> {
    let repository = repository(payload.repository.map(|repository| repository.full_name))?;
    let look = |number| Ok(Look::Change(repository.clone(), key(Some(number))?));
    match event {
        Event::Change => Ok(vec![Look::Change(
            repository.clone(),
            key(payload.pull_request.map(|change| change.number))?,
        )]),
        Event::Comment => {
            let issue = payload.issue.ok_or(Unreadable::Lacks("issue"))?;
            // Issues have comments, too.
            let is_of_a_change = issue.pull_request.is_some();
            is_of_a_change
                .then(|| look(issue.number))
                .into_iter()
                .collect()
        }
        Event::Push => before(repository, payload.before),
        Event::MergeGroup => {
            let last = payload.merge_group.and_then(|group| named(&group.head_ref));
            let (_, key) = last.ok_or(Unreadable::Lacks("merge_group.head_ref"))?;
            let change = Look::Change(repository.clone(), key);
            Ok(vec![change, Look::Groups(repository)])
        }
        Event::Check if asked_again(payload.action.as_deref()) => {
            let check = payload.check_run.or(payload.check_suite);
            let changes = check.map(|check| check.pull_requests).unwrap_or_default();
            changes
                .into_iter()
                .map(|change| look(change.number))
                .collect()
        }
        Event::Check | Event::Nothing => Ok(vec![]),
    }
}

fn asked_again(action: Option<&str>) -> bool {
    matches!(action, Some("rerequested" | "requested_action"))
}

#[derive(Deserialize)]
pub(super) struct Payload {
    action: Option<String>,
    repository: Option<Repository>,
    pull_request: Option<Numbered>,
    issue: Option<Issue>,
    before: Option<String>,
    merge_group: Option<MergeGroup>,
    check_run: Option<Check>,
    check_suite: Option<Check>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct Numbered {
    number: u64,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    /// Of one that is a pull request.
    pull_request: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct MergeGroup {
    head_ref: String,
}

#[derive(Deserialize)]
struct Check {
    /// None of them are named where the change comes from a fork.
    #[serde(default)]
    pull_requests: Vec<Numbered>,
}
