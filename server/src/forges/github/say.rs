//! Says at GitHub what is known of a commit: an app as a check run, which no other app can make; a token as a commit status.

use super::Client;
use crate::forges::{
    client::Failed,
    status::{NAME, State, Status},
};
use domain::names::{CommitSha, RepositoryName};
use serde_json::{Value, json};

/// Says it. Of what was said before of the same commit, GitHub shows only the last.
///
/// # Errors
/// The host could not be told.
pub async fn say(
    client: &Client,
    repository: &RepositoryName,
    head: &CommitSha,
    status: &Status,
) -> Result<(), Failed> {
    let at = format!("/repos/{repository}");
    if client.is_app() {
        let run = check_run(head, status);
        client.post(&format!("{at}/check-runs"), &run).await
    } else {
        let told = commit_status(status);
        client.post(&format!("{at}/statuses/{head}"), &told).await
    }
}

fn check_run(head: &CommitSha, status: &Status) -> Value {
    let lines: Vec<String> = status
        .reasons
        .iter()
        .map(|reason| format!("- {}", plain(reason)))
        .collect();
    let mut run = json!({
        "name": NAME, "head_sha": head.as_str(), "details_url": status.url,
        "output": { "title": status.title, "summary": lines.join("\n") },
    });
    let (field, word) = match status.state {
        State::Pending => ("status", "in_progress"),
        State::Success => ("conclusion", "success"),
        State::Failure => ("conclusion", "failure"),
        State::Neutral => ("conclusion", "neutral"),
    };
    run[field] = word.into();
    run
}

/// As a commit status.
pub fn commit_status(status: &Status) -> Value {
    let state = match status.state {
        State::Pending => "pending",
        // There is no neutral one; what it says begins with "Only observed".
        State::Success | State::Neutral => "success",
        State::Failure => "failure",
    };
    json!({ "context": NAME, "state": state, "description": status.title, "target_url": status.url })
}

/// As Markdown that shows exactly this. A name calls nobody, and is no link.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && c != '\'' {
            plain.push('\\');
        }
        plain.push(c);
        if matches!(c, '@' | '#' | ':') {
            plain.push('\u{200b}');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_no_markup() {
        let said = plain("<img src=x> [a](http://b) @ana's #1 *");
        assert_eq!(
            said,
            "\\<img src\\=x\\> \\[a\\]\\(http\\:\u{200b}\\/\\/b\\) \\@\u{200b}ana's \\#\u{200b}1 \\*"
        );
    }

    #[test]
    fn each_state_is_said_in_words_that_github_knows() {
        let head = CommitSha::parse("a".repeat(40)).unwrap();
        let said = |state| {
            let status = Status {
                state,
                title: "One is missing.".to_owned(),
                reasons: vec!["One is missing".to_owned()],
                url: "http://x/changes/1".to_owned(),
            };
            let (run, status) = (check_run(&head, &status), commit_status(&status));
            (
                run["status"].clone(),
                run["conclusion"].clone(),
                status["state"].clone(),
            )
        };
        let none = Value::Null;
        assert_eq!(
            said(State::Pending),
            (json!("in_progress"), none.clone(), json!("pending"))
        );
        assert_eq!(
            said(State::Success),
            (none.clone(), json!("success"), json!("success"))
        );
        assert_eq!(
            said(State::Failure),
            (none.clone(), json!("failure"), json!("failure"))
        );
        assert_eq!(
            said(State::Neutral),
            (none, json!("neutral"), json!("success"))
        );
    }
}
