//! `countersign deployment`: tells Countersign what was shipped where.

use super::{
    client::{self, Client},
    git::Checkout,
    warn,
};
use crate::api::{deployments::MAX_COMMITS, wire};
use anyhow::{Context, bail};
use clap::Subcommand;
use domain::{
    names::{CommitSha, Environment, RepositoryName},
    text,
};
use reqwest::Method;
use std::path::PathBuf;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What can be done with deployments.
#[derive(Debug, Subcommand)]
pub enum Options {
    /// Record a deployment, so that going back to it stays possible, and what was never allowed is seen.
    #[command(after_help = "\
Examples:
  countersign deployment record --repository acme/payments --environment production --commit \"$GITHUB_SHA\" --key \"$GITHUB_RUN_ID\"
  countersign deployment record --repository acme/payments --environment production --commit HEAD --previous v1.41.0

Record it when the deployment has happened, also when it goes back to an older commit. A token with scope `incidents` is needed.
Exit codes: 0 recorded, whether or not it had been allowed (stderr says what had not); 3 not recorded.")]
    Record(Box<Record>),
}

/// What was deployed, and where.
#[derive(Debug, clap::Args)]
pub struct Record {
    /// The repository, as owner/name
    #[arg(long, value_name = "OWNER/NAME")]
    repository: RepositoryName,
    /// Where it was deployed to, such as production
    #[arg(long, value_name = "NAME")]
    environment: Environment,
    /// Full id of the commit that runs there now; again for each other that came with it. With --previous, as git knows it here
    #[arg(long, value_name = "SHA", required = true)]
    commit: Vec<String>,
    /// What ran there before, as git knows it here: everything since then came with the commit
    #[arg(long, value_name = "REV")]
    previous: Option<String>,
    /// When it happened, as 2026-11-24T13:58:02Z; shown, and never a reason to allow anything [default: not said]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    when: Option<OffsetDateTime>,
    /// Names the deployment: recorded once, however often it is told [default: another one each time]
    #[arg(long)]
    key: Option<String>,
    /// The git checkout, for --previous [default: where you are]
    #[arg(long, value_name = "DIR")]
    repo_dir: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: client::ServerOptions,
}

/// Does it.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let Options::Record(options) = options;
    let client = Client::new(&options.server)?;
    let report = wire::DeploymentReport {
        repository: options.repository.to_string(),
        environment: options.environment.to_string(),
        commits: commits(&options)?,
        when: options.when,
        // Made here, so that a report that is sent twice because an answer got lost is recorded once.
        key: Some(options.key.unwrap_or_else(|| store::ids::new().to_string())),
    };
    let body = bytes::Bytes::from(serde_json::to_vec(&report)?);
    let recorded: wire::Deployment = client::insist(|| {
        let request = client.request(Method::POST, "api/v1/deployments")?;
        let request = request.header("content-type", "application/json");
        Ok(request.body(body.clone()))
    })
    .await?;
    for line in unsanctioned(&recorded) {
        warn(text::visible(&line));
    }
    if options.json {
        println!("{}", serde_json::to_string(&recorded)?);
    } else {
        println!("{}", sentence(&recorded));
    }
    Ok(())
}

/// What runs there now, then everything that came with it, each once.
fn commits(options: &Record) -> anyhow::Result<Vec<String>> {
    let listed = match (&options.previous, options.commit.as_slice()) {
        (None, named) => full(named)?,
        (Some(previous), [commit]) => {
            let checkout = Checkout::open(options.repo_dir.as_deref())?;
            let (previous, commit) = (checkout.commit(previous)?, checkout.commit(commit)?);
            let mut listed = vec![commit.to_string()];
            let since = checkout.since(&previous, &commit)?;
            listed.extend(since.iter().map(ToString::to_string));
            listed
        }
        (Some(_), _) => bail!("--previous lists what came with one --commit, not with several"),
    };
    let mut commits: Vec<String> = Vec::new();
    for sha in listed {
        if !commits.contains(&sha) {
            commits.push(sha);
        }
    }
    if commits.len() > MAX_COMMITS {
        bail!(
            "{} commits came with it, and at most {MAX_COMMITS} are taken at once: name a later --previous",
            commits.len()
        );
    }
    Ok(commits)
}

fn full(named: &[String]) -> anyhow::Result<Vec<String>> {
    let full = |name: &String| {
        let sha = CommitSha::parse(name.as_str()).with_context(|| {
            format!("--commit {name}: without --previous no checkout is asked what that means")
        })?;
        Ok(sha.to_string())
    };
    named.iter().map(full).collect()
}

fn moment(text: &str) -> Result<OffsetDateTime, &'static str> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "write it as 2026-11-24T13:58:02Z")
}

fn sentence(recorded: &wire::Deployment) -> String {
    let commits = match recorded.commits.len() {
        1 => "1 commit".to_owned(),
        n => format!("{n} commits"),
    };
    let allowed = match recorded.unsanctioned {
        0 => "all of it allowed".to_owned(),
        n => format!("{n} of it unsanctioned"),
    };
    format!(
        "{} in {}: {commits} recorded, {allowed}",
        recorded.repository, recorded.environment
    )
}

/// What had not been allowed, a line for each commit.
fn unsanctioned(recorded: &wire::Deployment) -> Vec<String> {
    let observed = if recorded.enforced {
        ""
    } else {
        " (observed only)"
    };
    let line = |one: &wire::DeployedCommit| {
        let keys: Vec<&str> = one
            .changes
            .iter()
            .map(|change| change.key.as_str())
            .collect();
        let of = match keys.as_slice() {
            [] => "of no change that anybody told of".to_owned(),
            keys => format!("of {}", keys.join(", ")),
        };
        let verdict = super::gate::word(one.verdict);
        format!(
            "unsanctioned{observed}: {} {of} was deployed without having been allowed: {verdict}",
            one.commit
        )
    };
    let never_allowed = |one: &&wire::DeployedCommit| one.sanction == wire::Sanction::Unsanctioned;
    recorded
        .commits
        .iter()
        .filter(never_allowed)
        .map(line)
        .collect()
}
