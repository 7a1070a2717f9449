//! What a delivery gives reason to look at. Whatever else it says counts for nothing: the host is asked instead.

mod gitea;
mod github;
mod gitlab;

use domain::{
    host::Host,
    names::{ChangeKey, CommitSha, RepositoryName},
};
use serde::Deserialize;

/// What kind of thing happened, by the name that its host gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// To a change.
    Change,
    /// To a branch: the changes that began there before.
    Push,
    /// A merge queue took changes.
    MergeGroup,
    /// Somebody asks for checks again.
    Check,
    /// Somebody said something of a change, or of something else.
    Comment,
    /// Nothing that would change what we know.
    Nothing,
}

impl Event {
    /// The event of that name at that host, if it is one.
    #[must_use]
    pub fn of(host: Host, name: &str) -> Option<Self> {
        match host {
            Host::GitHub => github::event(name),
            Host::GitLab => gitlab::event(name),
            Host::Gitea => gitea::event(name),
        }
    }
}

/// What there is reason to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    Change(RepositoryName, ChangeKey),
    /// Every open change of the repository whose head is that commit.
    Head(RepositoryName, CommitSha),
    /// What the repository's merge queues would merge.
    Groups(RepositoryName),
}

/// Why a delivery cannot be read. Trying again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("There is no such event.")]
    Event,
    #[error("The body is not the JSON of this event: {0}.")]
    Json(String),
    #[error("The body has no `{0}` that could be one.")]
    Lacks(&'static str),
}

/// Reads what a delivery gives reason to look at.
///
/// # Errors
/// It cannot be read.
pub fn told(host: Host, event: &str, body: &[u8]) -> Result<Vec<Look>, Unreadable> {
    let event = Event::of(host, event).ok_or(Unreadable::Event)?;
    if event == Event::Nothing {
        return Ok(vec![]);
    }
    match host {
        Host::GitHub => github::told(event, json(body)?),
        Host::GitLab => gitlab::told(event, json(body)?),
        Host::Gitea => gitea::told(event, json(body)?),
    }
}

fn json<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(|error| {
        Unreadable::Json(domain::text::one_line(&error.to_string(), 200).into_owned())
    })
}

fn repository(name: Option<String>) -> Result<RepositoryName, Unreadable> {
    let parsed = name.and_then(|name| RepositoryName::parse(name).ok());
    parsed.ok_or(Unreadable::Lacks("repository"))
}

fn key(number: Option<u64>) -> Result<ChangeKey, Unreadable> {
    let parsed = number.and_then(|number| ChangeKey::parse(number.to_string()).ok());
    parsed.ok_or(Unreadable::Lacks("number"))
}

/// What a branch pointed to before. Nothing, where there was no such branch.
fn before(repository: RepositoryName, commit: Option<String>) -> Result<Vec<Look>, Unreadable> {
    let commit = commit.ok_or(Unreadable::Lacks("before"))?;
    if commit.bytes().all(|digit| digit == b'0') {
        return Ok(vec![]);
    }
    let commit = CommitSha::parse(commit).map_err(|_| Unreadable::Lacks("before"))?;
    Ok(vec![Look::Head(repository, commit)])
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn change(repository: &str, key: &str) -> Look {
        let repository = RepositoryName::parse(repository).unwrap();
        Look::Change(repository, ChangeKey::parse(key).unwrap())
    }

    fn told(host: Host, event: &str, body: &str) -> Result<Vec<Look>, Unreadable> {
        super::told(host, event, body.as_bytes())
    }

    #[test]
    fn a_change_is_named_by_its_repository_and_number_alone() {
        let body = r#"{"number": 7, "pull_request": {"number": 7}, "repository": {"full_name": "Acme/Payments"}}"#;
        for host in [Host::GitHub, Host::Gitea] {
            let looks = told(host, "pull_request", body);
            assert_eq!(looks, Ok(vec![change("Acme/Payments", "7")]), "{host}");
        }
        let body = r#"{"object_kind": "merge_request", "project": {"path_with_namespace": "acme/team/payments"},
                       "object_attributes": {"iid": 17, "action": "update"}}"#;
        assert_eq!(
            told(Host::GitLab, "Merge Request Hook", body),
            Ok(vec![change("acme/team/payments", "17")])
        );
    }

    #[test]
    fn a_push_is_about_the_changes_that_began_where_the_branch_was() {
        let was = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
        let looks = |host, event, named: &str, before: &str| {
            let body = format!(r#"{{"before": "{before}", "{named}"#);
            told(host, event, &body)
        };
        let head = |name: &str| {
            let repository = RepositoryName::parse(name).unwrap();
            Ok(vec![Look::Head(repository, CommitSha::parse(was).unwrap())])
        };
        let github = r#"repository": {"full_name": "acme/payments"}}"#;
        let gitlab = r#"project": {"path_with_namespace": "acme/payments"}}"#;
        for (host, event, named) in [
            (Host::GitHub, "push", github),
            (Host::Gitea, "push", github),
            (Host::GitLab, "Push Hook", gitlab),
        ] {
            assert_eq!(looks(host, event, named, was), head("acme/payments"));
            assert_eq!(looks(host, event, named, &"0".repeat(40)), Ok(vec![]));
            let lacks = Err(Unreadable::Lacks("before"));
            assert_eq!(looks(host, event, named, "HEAD"), lacks);
        }
    }

    #[test]
    fn a_merge_group_names_the_change_at_its_end_whatever_the_branch_is_called() {
        let group = |head_ref: &str| {
            let body = format!(
                r#"{{"merge_group": {{"head_ref": "{head_ref}"}}, "repository": {{"full_name": "a/b"}}}}"#
            );
            told(Host::GitHub, "merge_group", &body)
        };
        let sha = "f".repeat(40);
        for branch in ["main", "release/pr-3-x"] {
            let head_ref = format!("refs/heads/gh-readonly-queue/{branch}/pr-104-{sha}");
            let groups = Look::Groups(RepositoryName::parse("a/b").unwrap());
            assert_eq!(group(&head_ref), Ok(vec![change("a/b", "104"), groups]));
        }
        for wrong in ["refs/heads/main", "pr--x", "pr-1e3-x", ""] {
            let lacks = Err(Unreadable::Lacks("merge_group.head_ref"));
            assert_eq!(group(wrong), lacks, "{wrong}");
        }
    }

    #[test]
    fn only_who_asks_for_checks_again_gives_reason_to_look() {
        let body = |action: &str| {
            format!(
                r#"{{"action": "{action}", "check_run": {{"pull_requests": [{{"number": 3}}, {{"number": 4}}]}},
                    "repository": {{"full_name": "a/b"}}}}"#
            )
        };
        let told = |action| told(Host::GitHub, "check_run", &body(action));
        let both = vec![change("a/b", "3"), change("a/b", "4")];
        assert_eq!(told("rerequested"), Ok(both));
        assert_eq!(told("completed"), Ok(vec![]));
    }

    #[test]
    fn what_is_said_of_a_change_is_a_reason_to_look_at_it_and_of_anything_else_is_none() {
        let there = r#""repository": {"full_name": "a/b"}"#;
        let issue = format!(r#"{{"issue": {{"number": 7}}, {there}}}"#);
        let of_a_change =
            format!(r#"{{"issue": {{"number": 7, "pull_request": {{"url": "x"}}}}, {there}}}"#);
        let of_one_at_gitea = format!(r#"{{"issue": {{"number": 7}}, "is_pull": true, {there}}}"#);
        let review = format!(r#"{{"number": 7, "pull_request": {{"number": 7}}, {there}}}"#);
        let project = r#""project": {"path_with_namespace": "a/b"}, "object_attributes": {"id": 1, "note": "x"}"#;
        let note = format!(r#"{{"merge_request": {{"iid": 7}}, {project}}}"#);
        for (host, event, body) in [
            (Host::GitHub, "issue_comment", &of_a_change),
            (Host::GitHub, "pull_request_review", &review),
            (Host::GitHub, "pull_request_review_comment", &review),
            (Host::Gitea, "issue_comment", &of_one_at_gitea),
            (Host::Gitea, "pull_request_comment", &of_one_at_gitea),
            (Host::Gitea, "pull_request_review_approved", &review),
            (Host::GitLab, "Note Hook", &note),
        ] {
            assert_eq!(
                told(host, event, body),
                Ok(vec![change("a/b", "7")]),
                "{event}"
            );
        }
        let elsewhere = format!("{{{project}}}");
        for (host, event, body) in [
            (Host::GitHub, "issue_comment", &issue),
            (Host::Gitea, "issue_comment", &issue),
            (Host::GitLab, "Note Hook", &elsewhere),
            (Host::GitLab, "Confidential Note Hook", &note),
        ] {
            assert_eq!(told(host, event, body), Ok(vec![]), "{event}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_what_it_lacks_and_nothing_overflows() {
        let ask = |body: &str| told(Host::GitHub, "pull_request", body).unwrap_err();
        assert_eq!(ask("{}"), Unreadable::Lacks("repository"));
        let no_number = r#"{"repository": {"full_name": "a/b"}}"#;
        assert_eq!(ask(no_number), Unreadable::Lacks("number"));
        for name in ["../..", "a", "a/b?x", "a b/c", ""] {
            let body = format!(r#"{{"number": 1, "repository": {{"full_name": "{name}"}}}}"#);
            assert_eq!(ask(&body), Unreadable::Lacks("repository"), "{name}");
        }
        let deep = "[".repeat(1_000_000);
        for broken in [
            "",
            "null",
            "[]",
            r#"{"pull_request": {"number": -1}}"#,
            &deep,
            "\u{feff}{}",
        ] {
            assert!(matches!(ask(broken), Unreadable::Json(_)), "{broken:.20}");
        }
        let deep = format!(r#"{{"x": {deep}"#);
        assert!(matches!(ask(&deep), Unreadable::Json(_)));
        assert!(matches!(
            super::told(Host::GitLab, "Push Hook", b"{\"x\": \"\xff\"}"),
            Err(Unreadable::Json(_) | Unreadable::Lacks(_))
        ));
    }
}
