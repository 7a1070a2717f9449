//! Events of GitLab, which calls changes merge requests and their numbers `iid`.

use super::{Event, Look, Unreadable, before, key, repository};
use serde::Deserialize;

pub(super) fn event(name: &str) -> Option<Event> {
    Some(match name {
        "Merge Request Hook" => Event::Change,
        "Push Hook" => Event::Push,
        // Notes are no decisions.
        "Note Hook" | "Confidential Note Hook" | "Pipeline Hook" | "Job Hook" | "Tag Push Hook" => {
            Event::Nothing
        }
        _ => return None,
    })
}

pub(super) fn told(event: Event, payload: Payload) -> Result<Vec<Look>, Unreadable> {
    let repository = repository(payload.project.map(|project| project.path_with_namespace))?;
    match event {
        Event::Change => {
            let number = payload.object_attributes.map(|change| change.iid);
            Ok(vec![Look::Change(repository, key(number)?)])
        }
        Event::Push => before(repository, payload.before),
        Event::MergeGroup | Event::Check | Event::Nothing => Ok(vec![]),
    }
}

#[derive(Deserialize)]
pub(super) struct Payload {
    project: Option<Project>,
    object_attributes: Option<Attributes>,
    before: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    path_with_namespace: String,
}

#[derive(Deserialize)]
struct Attributes {
    iid: u64,
}
