//! Says at GitLab what is known of a commit, as a commit status.

use crate::forges::{
    bearer::Bearer,
    client::Failed,
    status::{NAME, State, Status},
};
use domain::names::{CommitSha, RepositoryName};
use serde_json::{Value, json};

/// Says it. Of what was said before of the same commit, GitLab shows only the last.
///
/// # Errors
/// The host could not be told.
pub async fn say(
    client: &Bearer,
    repository: &RepositoryName,
    head: &CommitSha,
    status: &Status,
) -> Result<(), Failed> {
    let at = format!("{}/statuses/{head}", super::project(repository));
    match client.post(&at, &commit_status(status)).await? {
        None => Ok(()),
        Some(why) if is_so_already(&why) => Ok(()),
        Some(_) => Err(client.against()),
    }
}

/// What waits cannot be told once more to wait, not even in other words: GitLab keeps the first ones.
fn is_so_already(why: &str) -> bool {
    why.contains("Cannot transition status via :enqueue from :pending")
}

fn commit_status(status: &Status) -> Value {
    let state = match status.state {
        State::Pending => "pending",
        // There is no neutral one; what it says begins with "Only observed".
        State::Success | State::Neutral => "success",
        State::Failure => "failed",
    };
    json!({ "name": NAME, "state": state, "description": status.title, "target_url": status.url })
}
