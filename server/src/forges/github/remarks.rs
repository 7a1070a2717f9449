//! Reviews and comments of a pull request.

use super::Client;
use crate::forges::{client::Failed, shown::is_number};
use domain::{
    Timestamp,
    names::CommitSha,
    remark::{Kind, Remark, Remarks},
};
use serde::Deserialize;
use store::hosts::Change;

/// Of more than this nobody is asked: it lists the oldest first.
const MOST_PAGES: usize = 10;
const A_PAGE: usize = 100;

/// What people said of a pull request.
///
/// # Errors
/// The host could not be asked.
pub async fn remarks(client: &Client, change: &Change) -> Result<Remarks, Failed> {
    if !is_number(change.key.as_str()) {
        return Err(Failed::NotThere);
    }
    let (repository, number) = (&change.repository, &change.key);
    let mut all = vec![];
    let mut more = false;
    for list in ["pulls", "issues"] {
        more |= listed(
            client,
            &format!("/repos/{repository}/{list}/{number}/comments"),
            &mut all,
        )
        .await?;
    }
    more |= listed(
        client,
        &format!("/repos/{repository}/pulls/{number}/reviews"),
        &mut all,
    )
    .await?;
    Ok(Remarks::newest(all, more))
}

/// Adds what is listed there, and says whether there is more.
async fn listed(client: &Client, at: &str, all: &mut Vec<Remark>) -> Result<bool, Failed> {
    for page in 1..=MOST_PAGES {
        let asked = format!("{at}?per_page={A_PAGE}&page={page}");
        let some: Vec<Said> = client.get(&asked).await?;
        let is_last = some.len() < A_PAGE;
        all.extend(some.into_iter().filter_map(Said::remark));
        if is_last {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A review or a comment. Gitea's are nearly the same.
#[derive(Deserialize)]
pub struct Said {
    user: Option<Login>,
    body: Option<String>,
    /// Of a review.
    state: Option<String>,
    #[serde(default)]
    dismissed: bool,
    html_url: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_at: Option<Timestamp>,
    /// The same of a review.
    #[serde(default, with = "time::serde::rfc3339::option")]
    submitted_at: Option<Timestamp>,
    /// Of a remark beside a line, the head to which it was moved on.
    commit_id: Option<String>,
    /// And the one that it was said of.
    original_commit_id: Option<String>,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

impl Said {
    /// As it is shown; none of what nobody has said yet, or of what only holds others together.
    pub fn remark(self) -> Option<Remark> {
        let kind = match self.state.as_deref() {
            Some("PENDING" | "REQUEST_REVIEW") => return None,
            _ if self.dismissed => Kind::Dismissed,
            Some("APPROVED") => Kind::Approved,
            Some("CHANGES_REQUESTED" | "REQUEST_CHANGES") => Kind::ChangesRequested,
            Some("DISMISSED") => Kind::Dismissed,
            _ => Kind::Commented,
        };
        let text = self.body.as_deref().unwrap_or_default().trim();
        if kind == Kind::Commented && text.is_empty() {
            return None;
        }
        let by = self.user.as_ref().map(|user| &*user.login);
        let said_of = self.original_commit_id.or(self.commit_id);
        let remark = Remark {
            at: self.created_at.or(self.submitted_at),
            commit: said_of.and_then(|sha| CommitSha::parse(sha).ok()),
            ..Remark::new(by, kind, text)
        };
        Some(remark.standing_at(self.html_url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn remark(said: Value) -> Option<Remark> {
        serde_json::from_value::<Said>(said).unwrap().remark()
    }

    #[test]
    fn a_review_is_read_as_its_host_means_it() {
        for (state, kind) in [
            ("APPROVED", Some(Kind::Approved)),
            ("CHANGES_REQUESTED", Some(Kind::ChangesRequested)),
            ("REQUEST_CHANGES", Some(Kind::ChangesRequested)),
            ("DISMISSED", Some(Kind::Dismissed)),
            ("COMMENTED", Some(Kind::Commented)),
            ("something new", Some(Kind::Commented)),
            ("PENDING", None),
            ("REQUEST_REVIEW", None),
        ] {
            let said = json!({ "user": { "login": "ben" }, "body": "Fine", "state": state, "submitted_at": "2026-11-22T12:00:00Z" });
            assert_eq!(remark(said).map(|one| one.kind), kind, "{state}");
        }
        let set_aside = json!({ "body": "", "state": "APPROVED", "dismissed": true });
        assert_eq!(remark(set_aside).unwrap().kind, Kind::Dismissed);
    }

    #[test]
    fn what_holds_others_together_is_none_and_an_account_may_be_gone() {
        assert_eq!(remark(json!({ "body": " ", "state": "COMMENTED" })), None);
        assert_eq!(remark(json!({ "state": "COMMENTED" })), None);
        let commit = "a".repeat(40);
        let url = "https://github.example/acme/pay/pull/7#r1";
        let said = json!({ "user": null, "body": "Why?", "created_at": "2026-11-22T12:00:00Z", "html_url": url, "commit_id": "b".repeat(40), "original_commit_id": commit });
        let one = remark(said).unwrap();
        assert_eq!(
            (one.by, one.text.as_str(), one.url.as_deref()),
            (None, "Why?", Some(url))
        );
        assert_eq!(one.commit.unwrap().as_str(), commit);
        assert!(one.at.is_some());
        let review =
            json!({ "body": "Fine", "state": "COMMENTED", "submitted_at": "2026-11-22T12:00:00Z" });
        assert_eq!(remark(review).unwrap().at, one.at);
    }
}
