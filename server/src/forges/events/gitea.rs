//! Events of Gitea and Forgejo, whose bodies are nearly GitHub's.

use super::{Event, Look, Unreadable, before, key, repository};
use serde::Deserialize;

pub(super) fn event(name: &str) -> Option<Event> {
    Some(match name {
        // Older ones call each of these by the first name; what was told is the same.
        "pull_request"
        | "pull_request_sync"
        | "pull_request_label"
        | "pull_request_assign"
        | "pull_request_milestone"
        | "pull_request_review_request"
        | "pull_request_approved"
        | "pull_request_rejected"
        | "pull_request_review_approved"
        | "pull_request_review_rejected"
        | "pull_request_review_comment" => Event::Change,
        "pull_request_comment" | "issue_comment" => Event::Comment,
        "push" => Event::Push,
        "status" | "repository" => Event::Nothing,
        _ => return None,
    })
}

pub(super) fn told(event: Event, payload: Payload) -> Result<Vec<Look>, Unreadable> {
    let repository = repository(payload.repository.map(|repository| repository.full_name))?;
    match event {
        Event::Change => Ok(vec![Look::Change(repository, key(payload.number)?)]),
        Event::Comment if payload.is_pull => {
            let issue = payload.issue.map(|issue| issue.number);
            Ok(vec![Look::Change(
                repository,
                key(issue.or(payload.number))?,
            )])
        }
        Event::Push => before(repository, payload.before),
        Event::MergeGroup | Event::Check | Event::Comment | Event::Nothing => Ok(vec![]),
    }
}

#[derive(Deserialize)]
pub(super) struct Payload {
    repository: Option<Repository>,
    number: Option<u64>,
    /// What a comment is of.
    issue: Option<Issue>,
    /// Whether that is a pull request.
    #[serde(default)]
    is_pull: bool,
    before: Option<String>,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}
