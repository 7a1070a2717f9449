//! `countersign submit`: tells Countersign of a change, from a git checkout in CI.

use super::{
    client::{self, Client},
    evidence,
    git::Checkout,
    landing,
};
use crate::api::wire;
use anyhow::{Context, bail};
use domain::names::{Branch, ChangeKey, CommitSha, RepositoryName};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use std::path::{Path, PathBuf};

/// What somebody is told who does not say whose change it is.
const UNSAID: &str = "hint: without --author (the login at the code host of who opened it) a change counts as nobody's, \
                      whatever addresses its commits bear, unless another submission said whose it is";
const NO_BASE: &str = "the change was merged without a commit of its own, so the gate knows its head already; name what it left with --base to say that it is merged";

/// A message may begin with a line of any length; the server takes titles of 1,000 characters.
const LONGEST_TITLE: usize = 300;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  countersign submit --repository acme/payments --key 142 --author ana --base origin/main --head HEAD

  # GitHub Actions, on pull_request; actions/checkout with fetch-depth: 0
  countersign submit --repository \"$GITHUB_REPOSITORY\" --key \"$PR\" --author \"$PR_AUTHOR\" --title \"$PR_TITLE\" \\
    --target \"$GITHUB_BASE_REF\" --base \"origin/$GITHUB_BASE_REF\" --head \"$PR_HEAD_SHA\"

  # GitLab CI, on merge requests; GIT_DEPTH: 0; MR_AUTHOR asked of its API (GITLAB_USER_LOGIN is whoever ran the pipeline)
  countersign submit --repository \"$CI_PROJECT_PATH\" --key \"!$CI_MERGE_REQUEST_IID\" --author \"$MR_AUTHOR\" \\
    --target \"$CI_MERGE_REQUEST_TARGET_BRANCH_NAME\" --base \"origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME\" --head \"$CI_COMMIT_SHA\"

  # After the merge: the commit on the target is what ships, and the gate shall know it
  countersign submit --repository acme/payments --key 142 --head \"$PR_HEAD_SHA\" --merged-as \"$GITHUB_SHA\"

What git-ai noted of the commits (refs/notes/ai; fetch them first: git fetch origin '+refs/notes/*:refs/notes/*') and records of Agent Trace about
them (.agent-trace/traces.jsonl in the change) are sent along.

Submitting the same revision again changes nothing. A token with scope `submit` is needed.
Exit codes: 0 submitted, 3 not submitted.")]
pub struct Options {
    #[command(flatten)]
    change: ChangeOptions,
    /// The git checkout [default: where you are]
    #[arg(long, value_name = "DIR")]
    repo_dir: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: client::ServerOptions,
}

/// Which change, and what the checkout cannot tell of it.
#[derive(Debug, clap::Args)]
pub struct ChangeOptions {
    /// The repository, as owner/name
    #[arg(long, value_name = "OWNER/NAME")]
    pub repository: RepositoryName,
    /// What the repository calls the change, such as 142
    #[arg(long)]
    pub key: ChangeKey,
    /// The branch that the change goes to, as git knows it here; the patch begins where head left it. With --merged-as only where the target took a part of the change before the rest: the commit where the patch begins that was signed off
    #[arg(long, value_name = "REV", required_unless_present = "merged_as")]
    pub base: Option<String>,
    /// The change's last commit
    #[arg(long, value_name = "REV")]
    pub head: String,
    /// Name of the branch that the change goes to
    #[arg(long, value_name = "BRANCH", default_value = "main")]
    pub target: Branch,
    /// What the change is about [default: first line of its first commit's message]
    #[arg(long, allow_hyphen_values = true)]
    pub title: Option<String>,
    /// Where people find the change
    #[arg(long)]
    pub url: Option<String>,
    /// Who opened the change: their login at the code host; without it the change counts as nobody's
    #[arg(long, value_name = "LOGIN")]
    pub author: Option<String>,
    /// The name of who opened the change, as people should read it
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub author_name: Option<String>,
    /// A machine took part (nothing here can say that none did)
    #[arg(long)]
    pub ai: bool,
    /// Which machine took part, such as claude-code, copilot, cursor, codex; implies --ai
    #[arg(long, value_name = "NAME")]
    pub tool: Option<String>,
    /// The change's own branch: one that is called as an agent calls its branches is a hint
    #[arg(long, value_name = "BRANCH")]
    pub branch: Option<String>,
    /// A label of the change; again for each
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub label: Vec<String>,
    /// What its author wrote about the change: footers of agents and ticked boxes in it are marks
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub description: Option<String>,
    /// Where the change is in its life: open, merged or closed; the gate denies one that is closed
    #[arg(long, value_name = "STATE", default_value = "open", value_parser = state)]
    pub state: wire::State,
    /// The change is a draft
    #[arg(long)]
    pub draft: bool,
    /// Make a head that was submitted before the current one again, as after a force-push back
    #[arg(long)]
    pub current: bool,
    /// The commit that the change became on its target, merged, squashed or rebased, so that the gate knows it; also says that the change is merged
    #[arg(long, value_name = "REV")]
    pub merged_as: Option<String>,
}

/// Reads the change out of the checkout, and sends it.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let client = Client::new(&options.server)?;
    let (submission, patch) = read(&options.change, options.repo_dir.as_deref())?;
    let submitted = send(&client, &submission, patch).await?;
    if options.change.author.is_none() && options.change.merged_as.is_none() {
        eprintln!("{UNSAID}");
    }
    if options.json {
        println!("{}", serde_json::to_string(&submitted)?);
    } else {
        println!("{}", sentence(&submission, &submitted));
    }
    Ok(())
}

/// The submission and its patch, packed.
pub fn read(
    options: &ChangeOptions,
    repo_dir: Option<&Path>,
) -> anyhow::Result<(wire::Submission, Vec<u8>)> {
    let checkout = Checkout::open(repo_dir)?;
    let head = checkout.commit(&options.head)?;
    let base = options.base.as_deref().map(|base| checkout.commit(base));
    let base = base.transpose()?;
    let became = match &options.merged_as {
        None => None,
        Some(revision) => landing::became(&checkout, revision, &head, base.as_ref())?,
    };
    let (merge_base, merged_as) = match became {
        Some(became) => (became.left, Some(became.merged_as)),
        None => (
            checkout.only_merge_base(&base.context(NO_BASE)?, &head)?,
            None,
        ),
    };
    if merge_base == head {
        bail!(
            "head {head} is already part of {:?}: there is nothing to submit",
            options.base.as_deref().unwrap_or_default()
        );
    }
    let commits = checkout.commits(&merge_base, &head)?;
    refuse_trial_merge(&checkout, &head, &commits)?;
    let patch = checkout.patch(&merge_base, &head)?;
    let evidence = evidence::read(&checkout, &commits, &head)?;
    let submission = wire::Submission {
        repository: options.repository.to_string(),
        key: options.key.to_string(),
        title: options
            .title
            .clone()
            .unwrap_or_else(|| first_line(&commits)),
        url: options.url.clone(),
        author: author(options),
        target: options.target.to_string(),
        base: merge_base.to_string(),
        head: head.to_string(),
        commits,
        draft: options.draft,
        state: if options.merged_as.is_some() {
            wire::State::Merged
        } else {
            options.state
        },
        ai: (options.ai || options.tool.is_some()).then(|| wire::Ai {
            tool: options.tool.clone(),
        }),
        branch: options.branch.clone(),
        labels: options.label.clone(),
        description: options.description.clone(),
        notes: evidence.notes,
        traces: evidence.traces,
        current: options.current,
        merged_as,
    };
    Ok((submission, patch))
}

fn author(options: &ChangeOptions) -> Option<wire::Author> {
    let (login, name) = (options.author.clone(), options.author_name.clone());
    (login.is_some() || name.is_some()).then_some(wire::Author {
        login,
        name,
        email: None,
    })
}

fn state(word: &str) -> Result<wire::State, &'static str> {
    match word {
        "open" => Ok(wire::State::Open),
        "merged" => Ok(wire::State::Merged),
        "closed" => Ok(wire::State::Closed),
        _ => Err("states are open, merged and closed"),
    }
}

fn first_line(commits: &[wire::Commit]) -> String {
    let message = commits.first().map(|commit| lossy(&commit.message));
    let message = message.unwrap_or_default();
    let line = message
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end();
    if line.is_empty() {
        "(no title)".to_owned()
    } else {
        line.chars().take(LONGEST_TITLE).collect()
    }
}

fn lossy(text: &wire::Text) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    match text {
        wire::Text::Utf8(text) => text.clone(),
        wire::Text::Bytes { base64 } => {
            let bytes = BASE64_STANDARD.decode(base64).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }
}

/// Code hosts merge a change on trial and check that commit out in CI. Nobody reviews or ships it, so nobody would ask the gate about it.
fn refuse_trial_merge(
    checkout: &Checkout,
    head: &CommitSha,
    commits: &[wire::Commit],
) -> anyhow::Result<()> {
    let merge = commits
        .iter()
        .find(|commit| commit.sha == head.as_str() && commit.parents.len() > 1);
    let Some(merge) = merge else {
        return Ok(());
    };
    let setting = |name| std::env::var(name).unwrap_or_default();
    let head_of_github =
        setting("GITHUB_SHA") == head.as_str() && is_trial_ref(&setting("GITHUB_REF"));
    let head_of_gitlab = setting("CI_COMMIT_SHA") == head.as_str()
        && matches!(
            setting("CI_MERGE_REQUEST_EVENT_TYPE").as_str(),
            "merged_result" | "merge_train"
        );
    let trial = head_of_github
        || head_of_gitlab
        || says_it_is_a_trial(merge)
        || checkout
            .refs_at(head)?
            .iter()
            .any(|name| is_trial_ref(name));
    if trial {
        bail!(
            "head {head} is a trial merge that the code host made, not the change's own last commit; submit that one: \
             on GitHub `--head ${{{{ github.event.pull_request.head.sha }}}}`, on GitLab `--head \"$CI_MERGE_REQUEST_SOURCE_BRANCH_SHA\"`, elsewhere {}",
            merge
                .parents
                .get(1)
                .map_or("its second parent", String::as_str)
        );
    }
    Ok(())
}

/// `refs/pull/7/merge` at GitHub and Gitea, also as a checkout stores it (`refs/remotes/pull/7/merge`); GitLab has `merge-requests` and `train`.
fn is_trial_ref(name: &str) -> bool {
    let mut parts = name.rsplit('/');
    let (last, number, kind) = (parts.next(), parts.next(), parts.next());
    matches!(last, Some("merge" | "train"))
        && number.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
        && matches!(kind, Some("pull" | "merge-requests"))
}

/// GitHub writes `Merge <head> into <base>`, both in full, which no person does.
fn says_it_is_a_trial(merge: &wire::Commit) -> bool {
    match merge.parents.as_slice() {
        [base, head] => lossy(&merge.message).trim_end() == format!("Merge {head} into {base}"),
        _ => false,
    }
}

/// Sends a change until it is answered for good.
pub async fn send(
    client: &Client,
    submission: &wire::Submission,
    patch: Vec<u8>,
) -> anyhow::Result<wire::Submitted> {
    let change = serde_json::to_vec(submission).context("could not write the change as JSON")?;
    let (change, patch) = (bytes::Bytes::from(change), bytes::Bytes::from(patch));
    client::insist(|| {
        let form = Form::new()
            .part("change", part(&change, "application/json")?)
            .part(
                "patch",
                part(&patch, "application/zstd")?.file_name("change.patch.zst"),
            );
        let request = client.request(Method::PUT, "api/v1/changes")?;
        Ok(request.multipart(form))
    })
    .await
}

fn part(bytes: &bytes::Bytes, kind: &str) -> anyhow::Result<Part> {
    let length = u64::try_from(bytes.len())?;
    Ok(Part::stream_with_length(bytes.clone(), length).mime_str(kind)?)
}

fn sentence(submission: &wire::Submission, submitted: &wire::Submitted) -> String {
    let what = match (submitted.new, submitted.current) {
        (true, _) => "submitted",
        (false, true) => "known already",
        (false, false) => {
            "known already, and a newer one is current (--current makes this one current again)"
        }
    };
    format!(
        "{} {}: revision {} {what}: {}",
        submission.repository, submission.key, submitted.number, submitted.url
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_merge_is_known_by_its_ref() {
        for trial in [
            "refs/pull/142/merge",
            "refs/remotes/pull/142/merge",
            "refs/remotes/origin/pull/1/merge",
            "refs/merge-requests/3/train",
        ] {
            assert!(is_trial_ref(trial), "{trial}");
        }
        for own in [
            "refs/heads/merge",
            "refs/pull/142/head",
            "refs/heads/pull/x/merge",
            "",
            "refs/heads/pull//merge",
        ] {
            assert!(!is_trial_ref(own), "{own}");
        }
    }
}
