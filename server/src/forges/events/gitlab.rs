//! Events of GitLab, which calls changes merge requests and their numbers `iid`.

use super::{Event, Look, Unreadable, before, key, repository};
use serde::Deserialize;

pub(super) fn event(name: &str) -> Option<Event> {
    Some(match name {
        "Merge Request Hook" => Event::Change,
        "Push Hook" => Event::Push,
        "Note Hook" => Event::Comment,
        "Confidential Note Hook" | "Pipeline Hook" | "Job Hook" | "Tag Push Hook" => Event::Nothing,
        _ => return None,
    })
}

pub(super) fn told(event: Event, payload: Payload) -> Result<Vec<Look>, Unreadable> {
    let repository = repository(payload.project.map(|project| project.path_with_namespace))?;
    match event {
        Event::Change => {
            let number = payload.object_attributes.and_then(|change| change.iid);
            Ok(vec![Look::Change(repository, key(number)?)])
        }
        Event::Comment => match payload.merge_request {
            Some(change) => Ok(vec![Look::Change(repository, key(change.iid)?)]),
            // Of an issue, a commit or a snippet.
            None => Ok(vec![]),
        },
        Event::Push => before(repository, payload.before),
        Event::MergeGroup | Event::Check | Event::Nothing => Ok(vec![]),
    }
}

#[derive(Deserialize)]
pub(super) struct Payload {
    project: Option<Project>,
    object_attributes: Option<Attributes>,
    merge_request: Option<Attributes>,
    before: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    path_with_namespace: String,
}

#[derive(Deserialize)]
struct Attributes {
    /// A note has none.
    iid: Option<u64>,
}
