//! `countersign policy`: checks the text of a policy, and tells a server what a repository demands.

use super::{
    NO_ANSWER,
    client::{self, Client, Failure},
    failed,
};
use crate::api::wire;
use anyhow::Context;
use clap::Subcommand;
use domain::{
    names::RepositoryName,
    policy::{Document, trial::Pace},
};
use reqwest::{Method, RequestBuilder};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The text is wrong.
const FAULTY: u8 = 1;
/// It is right, and holds only when an admin has confirmed it.
const PROPOSED: u8 = 2;

/// What can be done with policies.
#[derive(Debug, Subcommand)]
pub enum Options {
    /// Say what is wrong with a policy, and where. Asks no server.
    #[command(after_help = "\
Exit codes:
  0  it can be read
  1  it cannot: each line names file, line and column
  3  there is no such file, or called wrongly")]
    Check {
        /// The policy, in TOML
        file: PathBuf,
    },
    /// Put a policy in force for a repository. A token with scope `policy` is needed.
    #[command(after_help = "\
Exit codes:
  0  it is in force
  1  the server cannot read it: each line names file, line and column
  2  it lowers what was needed for a change of the last 30 days, and waits for an admin
  3  no answer: could not ask, was refused, or called wrongly")]
    Push {
        /// The policy, in TOML
        file: PathBuf,
        /// Only if this is what is in force now, as `show` names it: nobody else's version is overwritten
        #[arg(long, value_name = "ID:VERSION")]
        replaces: Option<String>,
        #[command(flatten)]
        of: Repository,
    },
    /// Say what a policy would have made of the past, and of one change. Nothing changes. A token with scope `policy` or
    /// `read` is needed.
    Try {
        /// The policy, in TOML
        file: PathBuf,
        /// So many days of the past, 90 at most
        #[arg(long, default_value_t = 30)]
        days: u8,
        /// What the repository calls one change: why, or why not
        #[arg(long, value_name = "KEY")]
        change: Option<String>,
        /// Answer in JSON, as the server gave it
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: Repository,
    },
    /// Print what is in force for a repository. A token with scope `policy` or `read` is needed.
    Show {
        #[command(flatten)]
        of: Repository,
    },
}

/// Whose policy, and at which server.
#[derive(Debug, clap::Args)]
pub struct Repository {
    /// The repository, as owner/name
    #[arg(long, value_name = "OWNER/NAME")]
    repository: RepositoryName,
    #[command(flatten)]
    server: client::ServerOptions,
}

/// Does it.
pub async fn run(options: Options) -> ExitCode {
    let done = match options {
        Options::Check { file } => check(&file),
        Options::Push { file, replaces, of } => push(&file, replaces.as_deref(), &of).await,
        Options::Try {
            file,
            days,
            change,
            json,
            of,
        } => attempt(&file, days, change.as_deref(), json, &of).await,
        Options::Show { of } => show(&of).await,
    };
    done.unwrap_or_else(|error| failed(format_args!("{error:#}"), NO_ANSWER))
}

fn check(file: &Path) -> anyhow::Result<ExitCode> {
    match Document::parse(&text(file)?) {
        Ok(document) => {
            let rules = document.rules.len();
            println!("{}: {rules} rules, all of them understood.", file.display());
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => Ok(faulty(file, faults.iter().map(wire::Fault::from))),
    }
}

async fn push(file: &Path, replaces: Option<&str>, of: &Repository) -> anyhow::Result<ExitCode> {
    let request = of.sending(Method::PUT, "", file)?;
    let request = match replaces {
        Some(label) => request.header("if-match", format!("\"{label}\"")),
        None => request,
    };
    match client::answer::<wire::PolicySet>(request).await {
        Ok(set) => Ok(told(&set)),
        Err(Failure::Refused(problem)) if !problem.faults.is_empty() => {
            Ok(faulty(file, problem.faults.into_iter()))
        }
        Err(failure) => Err(failure.into()),
    }
}

fn told(set: &wire::PolicySet) -> ExitCode {
    let held = format!("{}:{}", set.policy.id, set.policy.version);
    match set.state {
        wire::PolicyState::InForce => {
            println!("{held} is in force for {}.", set.repository);
            ExitCode::SUCCESS
        }
        wire::PolicyState::Unchanged => {
            println!("{held} says that already; nothing was changed.");
            ExitCode::SUCCESS
        }
        wire::PolicyState::Proposed => {
            println!(
                "It lowers what is needed, so {held} stays in force until an admin confirms it: {}",
                set.page
            );
            for why in &set.lowers {
                println!("  {why}");
            }
            ExitCode::from(PROPOSED)
        }
    }
}

async fn attempt(
    file: &Path,
    days: u8,
    change: Option<&str>,
    json: bool,
    of: &Repository,
) -> anyhow::Result<ExitCode> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("days", &days.to_string());
    if let Some(key) = change {
        query.append_pair("change", key);
    }
    let request = of.sending(Method::POST, &format!("/try?{}", query.finish()), file)?;
    match client::answer::<wire::PolicyTried>(request).await {
        Ok(tried) if json => println!("{}", serde_json::to_string(&tried)?),
        Ok(tried) => println!("{}", words(&tried)),
        Err(Failure::Refused(problem)) if !problem.faults.is_empty() => {
            return Ok(faulty(file, problem.faults.into_iter()));
        }
        Err(failure) => return Err(failure.into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// What was found, for people: one finding a line.
fn words(tried: &wire::PolicyTried) -> String {
    let mut lines: Vec<String> = tried.change.iter().flat_map(why).collect();
    let all = if tried.whole { "all" } else { "the latest" };
    lines.push(format!(
        "Of {all} {} revisions of the last {} days, {} wait now and {} would; {} would be judged otherwise.",
        tried.looked_at,
        tried.days,
        tried.wait_now,
        tried.would_wait,
        tried.differ.len()
    ));
    if tried.nobody > 0 {
        lines.push(format!("  {} of them nobody could clear.", tried.nobody));
    }
    lines.extend(tried.differ.iter().map(|one| {
        let (now, then) = (super::gate::word(one.now), super::gate::word(one.then));
        format!(
            "  {} revision {}: {now}, would be {then}",
            one.key, one.revision
        )
    }));
    lines.extend(tried.waits.iter().map(for_whom));
    let each = tried.seconds_each.map(|seconds| Pace {
        median: time::Duration::seconds(seconds),
        decisions: Pace::FEWEST,
    });
    lines.extend(tried.reviews.iter().map(|one| {
        let took = each.map_or_else(
            || "how long that takes is not known".to_owned(),
            |pace| {
                format!(
                    "about {} now, {} then",
                    pace.words(one.now),
                    pace.words(one.then)
                )
            },
        );
        format!(
            "  approvals by {}: {} asked for now, {} then; {took}",
            one.whom, one.now, one.then
        )
    }));
    if !tried.reviews.is_empty() {
        lines.push(format!("  {}", Pace::MEANS));
    }
    if !tried.lowers.is_empty() {
        lines.push(
            "It lowers what is needed, so another admin would have to confirm it:".to_owned(),
        );
        lines.extend(tried.lowers.iter().map(|why| format!("  {why}")));
    }
    lines
        .iter()
        .map(|line| plain(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn for_whom(waits: &wire::Waits) -> String {
    let who = match (waits.people.as_slice(), waits.others) {
        ([], _) => "nobody could clear them".to_owned(),
        (names, 0) => names.join(", "),
        (names, others) => format!("{} and {others} more", names.join(", ")),
    };
    format!("  {} would wait for {}: {who}", waits.revisions, waits.whom)
}

fn why(change: &wire::PolicyWhy) -> Vec<String> {
    let verdict = super::gate::word(change.verdict);
    let mut lines = vec![format!(
        "{} revision {}: {verdict}.",
        change.key, change.revision
    )];
    for rule in &change.rules {
        if !rule.applies {
            lines.push(format!(
                "  {}: does not apply: {}",
                rule.rule,
                rule.unmet.join(", ")
            ));
            continue;
        }
        for ask in &rule.asks {
            let given = if ask.given.is_empty() {
                "nobody yet".to_owned()
            } else {
                ask.given.join(", ")
            };
            lines.push(format!(
                "  {}: asks for {} {}: {given}",
                rule.rule, ask.approvals, ask.whom
            ));
        }
    }
    lines.extend(
        change
            .needs
            .iter()
            .map(|need| format!("  {}", super::gate::missing(need))),
    );
    lines
}

async fn show(of: &Repository) -> anyhow::Result<ExitCode> {
    let held: wire::PolicyInForce = client::answer(of.request(Method::GET, "")?).await?;
    eprintln!(
        "{}:{}, mode {}",
        held.policy.id, held.policy.version, held.mode.mode
    );
    let text = held
        .text
        .context("the text of this policy is gone from the server's database")?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

impl Repository {
    fn sending(&self, method: Method, below: &str, file: &Path) -> anyhow::Result<RequestBuilder> {
        let request = self.request(method, below)?.body(text(file)?);
        Ok(request.header("content-type", "application/toml"))
    }

    fn request(&self, method: Method, below: &str) -> anyhow::Result<RequestBuilder> {
        let path = format!(
            "api/v1/repositories/{}/policy{below}",
            segments(&self.repository)
        );
        Ok(Client::new(&self.server)?
            .request(method, &path)?
            .timeout(std::time::Duration::from_secs(60)))
    }
}

/// The owner, and all the rest as one part of the address.
fn segments(repository: &RepositoryName) -> String {
    let name = repository.as_str();
    let (owner, rest) = name.split_once('/').unwrap_or((name, ""));
    format!("{owner}/{}", rest.replace('/', "%2F"))
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))
}

/// One line for each, as compilers write them: editors jump there.
fn faulty(file: &Path, faults: impl Iterator<Item = wire::Fault>) -> ExitCode {
    for fault in faults {
        eprintln!("{}:{}", file.display(), line(&fault));
    }
    ExitCode::from(FAULTY)
}

fn line(fault: &wire::Fault) -> String {
    let said = match fault.said.as_str() {
        "" => String::new(),
        said => format!("`{said}`: "),
    };
    let nearest = fault.nearest.as_deref();
    let nearest = nearest.map(|word| format!("; did you mean `{word}`?"));
    let line = format!(
        "{}:{}: {said}expected {}{}",
        fault.line,
        fault.column,
        fault.expected,
        nearest.unwrap_or_default()
    );
    plain(&line)
}

/// What a server says goes to a terminal, which is told nothing but text.
fn plain(line: &str) -> String {
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
