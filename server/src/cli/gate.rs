//! `countersign gate`: asks whether a commit may pass, and fails closed.

use super::{
    NO_ANSWER,
    client::{self, Client, Failure},
    failed,
    git::Checkout,
    landing, warn,
};
use crate::{
    api::{
        gate::MAX_COMMITS,
        wire::{Answer, Answers, Need, Past, Questions, Verdict},
    },
    settings,
};
use anyhow::Context as _;
use domain::{
    gate::Moment,
    names::{Branch, CommitSha, Environment, RepositoryName},
    text,
    verdict::SOURCE_OLD,
};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use std::{
    fmt::Display,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};
use tokio::time::Instant;

/// The exit code of an answer about the past: as every code but 0, it lets nothing pass.
const THEN: u8 = 4;

/// How long an answer may take that nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

const MIXED_UP: &str = "the answer is about something else than was asked: something between us and the server mixes answers up";

/// Two questions about parts of a long release have half of their commits in common, so that no head is parted from the commits
/// that pass with it, unless it has more than so many.
const STEP: usize = MAX_COMMITS / 2;

/// The most commits of a release: some forty questions.
const LONGEST: usize = 10_000;

/// The longest that a server keeps one question waiting.
const SLICE: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # Before a deployment: everything that came in since what runs now
  countersign gate --repository acme/payments --range \"$DEPLOYED..HEAD\" --target main --environment production

  # One commit, and nothing that lies below it
  countersign gate --repository acme/payments --commit \"$(git rev-parse HEAD)\" --target main --wait 30m
  countersign gate --repository acme/payments --commit \"$ROLL_BACK_TO\" --environment production
  countersign gate --repository acme/payments --commit \"$GITHUB_SHA\" --as-of \"$(jq -r .snapshot answer.json)\"

A token with scope `gate` is needed.
Exit codes; a pipeline treats everything but 0 as no:
  0  allowed
  1  rejected
  2  not allowed when time ran out: still waiting, or nobody told Countersign of this commit
  3  no answer: could not ask, could not evaluate, or called wrongly
  4  told what was answered then (--as-of): no permission now, whatever it was")]
pub struct Options {
    /// The repository, as owner/name
    #[arg(long, value_name = "OWNER/NAME")]
    repository: RepositoryName,
    /// Full id of the commit that wants to pass
    #[arg(long, value_name = "SHA", required_unless_present = "range")]
    commit: Option<CommitSha>,
    /// A whole release instead, what runs now and what would run then, as git knows them here: allowed only if every commit is that came in between. Of what runs already, or ran before, that commit alone
    #[arg(long, value_name = "DEPLOYED..HEAD", conflicts_with_all = ["commit", "wait", "as_of"])]
    range: Option<String>,
    /// The git checkout, for --range [default: where you are]
    #[arg(long, value_name = "DIR")]
    repo_dir: Option<PathBuf>,
    /// Only changes that go to this branch
    #[arg(long, value_name = "BRANCH")]
    target: Option<Branch>,
    /// Where it would be deployed: what was allowed when it was deployed there before may go back
    #[arg(long, value_name = "NAME")]
    environment: Option<Environment>,
    /// How long to wait for a sign-off, such as 90s, 30m or 2h [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    wait: Option<Duration>,
    /// Tell what was answered then instead: the `snapshot` of an answer
    #[arg(long, value_name = "SNAPSHOT", conflicts_with = "wait")]
    as_of: Option<Moment>,
    /// Answer in JSON, as the server gave it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: client::ServerOptions,
}

/// Asks until there is an answer or no time left.
pub async fn run(options: Options) -> ExitCode {
    let said = match (&options.range, &options.as_of) {
        (Some(range), _) => ask_all(&options, range).await.map(|answers| {
            say(&options, &answers, sentences(&options, &answers));
            exit_code_of_all(&answers)
        }),
        (None, None) => ask(&options).await.map(|answer| {
            say(&options, &answer, sentence(&answer));
            exit_code(&answer)
        }),
        (None, Some(moment)) => ask_then(&options, moment).await.map(|past| {
            say(&options, &past, history(&past.then, moment));
            THEN
        }),
    };
    match said {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if options.json {
                print(no_answer(&error));
            }
            failed(format_args!("{error:#}"), NO_ANSWER)
        }
    }
}

fn exit_code(answer: &Answer) -> u8 {
    match (answer.allow, answer.verdict) {
        (true, _) => 0,
        (false, Verdict::Rejected) => 1,
        (false, Verdict::Undecidable) => NO_ANSWER,
        // Approved and yet not allowed is a change that was closed: it may be opened again.
        (
            false,
            Verdict::Unheard
            | Verdict::Waiting
            | Verdict::Overridden
            | Verdict::Approved
            | Verdict::NotRequired,
        ) => 2,
    }
}

/// That of the answers that lets pass least: whoever rejected a part of it rejected the release.
fn exit_code_of_all(answers: &Answers) -> u8 {
    let codes: Vec<u8> = answers.answers.iter().map(exit_code).collect();
    let first = [1, NO_ANSWER, 2]
        .into_iter()
        .find(|code| codes.contains(code));
    // What says no as a whole lets nothing pass, whatever its parts say.
    first.unwrap_or(if answers.allow { 0 } else { NO_ANSWER })
}

/// Time can only help where somebody may still sign off, or a code host is about to be looked at.
fn may_change(answer: &Answer) -> bool {
    let mut reasons = answer.reasons.iter();
    match exit_code(answer) {
        2 => true,
        NO_ANSWER => reasons.all(|reason| reason.code == SOURCE_OLD),
        _ => false,
    }
}

async fn ask(options: &Options) -> anyhow::Result<Answer> {
    let client = Client::new(&options.server)?;
    let end = Instant::now() + options.wait.unwrap_or_default();
    let mut told = false;
    let mut pauses = [1, 2, 5]
        .into_iter()
        .chain(std::iter::repeat(10))
        .map(Duration::from_secs);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match ask_once(&client, options, left.min(SLICE)).await {
            Ok(answer)
                if may_change(&answer)
                    && !end.saturating_duration_since(Instant::now()).is_zero() =>
            {
                if !std::mem::replace(&mut told, true) {
                    warn(sentence(&answer));
                }
                // A server that cuts questions short must not be asked in a tight loop.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(answer) => return Ok(answer),
            Err(failure @ Failure::Passing { retry_after, .. }) => {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(failure.into());
                }
                let pause = pauses
                    .next()
                    .unwrap_or(SLICE)
                    .max(retry_after.unwrap_or_default())
                    .min(left);
                warn(format_args!(
                    "{failure}; asking again in {} s",
                    pause.as_secs()
                ));
                tokio::time::sleep(pause).await;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
}

async fn ask_once(client: &Client, options: &Options, wait: Duration) -> Result<Answer, Failure> {
    let wait_for = (wait >= Duration::from_secs(1)).then(|| ("wait", wait.as_secs().to_string()));
    let lasting = |error| Failure::Lasting(format!("{error:#}"));
    let request = request(client, options, "api/v1/gate", wait_for).map_err(lasting)?;
    let answer = client::answer(request.timeout(wait + PATIENCE)).await?;
    let about = commit(options).and_then(|commit| is_about(options, commit, &answer));
    about.map_err(lasting)?;
    Ok(answer)
}

/// Asks once for what was answered at a moment: it is what it is, and no waiting changes it.
async fn ask_then(options: &Options, moment: &Moment) -> anyhow::Result<Past> {
    let client = Client::new(&options.server)?;
    let as_of = Some(("as_of", moment.to_string()));
    let request = request(&client, options, "api/v1/gate/past", as_of)?;
    let past: Past = client::answer(request.timeout(PATIENCE)).await?;
    is_about(options, commit(options)?, &past.then)?;
    Ok(past)
}

/// Asks once about every commit that came in.
async fn ask_all(options: &Options, range: &str) -> anyhow::Result<Answers> {
    let client = Client::new(&options.server)?;
    let checkout = Checkout::open(options.repo_dir.as_deref())?;
    let commits = landing::release(&checkout, range)?;
    anyhow::ensure!(
        commits.len() <= LONGEST,
        "--range {range} has {} commits, and at most {LONGEST} are asked about: ask about a part of them first",
        commits.len()
    );
    let mut answers: Vec<Answer> = Vec::new();
    for start in (0..commits.len()).step_by(STEP) {
        let end = commits.len().min(start + MAX_COMMITS);
        for (place, answer) in
            (start..).zip(ask_some(&client, options, &commits[start..end]).await?)
        {
            match answers.get_mut(place) {
                Some(known) if weight(known) >= weight(&answer) => {}
                Some(known) => *known = answer,
                None => answers.push(answer),
            }
        }
        if end == commits.len() {
            break;
        }
    }
    let allow = answers.iter().all(|answer| answer.allow);
    Ok(Answers { allow, answers })
}

/// Of two answers about a commit the one counts that saw the head that it passes with.
fn weight(answer: &Answer) -> (bool, bool) {
    (answer.allow, answer.verdict != Verdict::Unheard)
}

async fn ask_some(
    client: &Client,
    options: &Options,
    commits: &[CommitSha],
) -> anyhow::Result<Vec<Answer>> {
    let questions = Questions {
        repository: options.repository.to_string(),
        target: options.target.as_ref().map(ToString::to_string),
        environment: options.environment.as_ref().map(ToString::to_string),
        commits: commits.iter().map(ToString::to_string).collect(),
    };
    let request = client
        .request(Method::POST, "api/v1/gate")?
        .json(&questions);
    let answers: Answers = client::answer(request.timeout(PATIENCE)).await?;
    anyhow::ensure!(answers.answers.len() == commits.len(), MIXED_UP);
    for (commit, answer) in commits.iter().zip(&answers.answers) {
        is_about(options, commit, answer)?;
    }
    let parts_allow = answers.answers.iter().all(|answer| answer.allow);
    anyhow::ensure!(answers.allow == parts_allow, MIXED_UP);
    Ok(answers.answers)
}

fn request(
    client: &Client,
    options: &Options,
    path: &str,
    more: Option<(&str, String)>,
) -> anyhow::Result<RequestBuilder> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("repository", options.repository.as_str());
    query.append_pair("commit", commit(options)?.as_str());
    if let Some(target) = &options.target {
        query.append_pair("target", target.as_str());
    }
    if let Some(environment) = &options.environment {
        query.append_pair("environment", environment.as_str());
    }
    query.extend_pairs(more);
    let request = client.request(Method::GET, &format!("{path}?{}", query.finish()))?;
    Ok(request.header("cache-control", "no-cache"))
}

fn commit(options: &Options) -> anyhow::Result<&CommitSha> {
    options.commit.as_ref().context("--commit is missing")
}

fn is_about(options: &Options, commit: &CommitSha, answer: &Answer) -> anyhow::Result<()> {
    let asked = answer.commit == commit.as_str()
        && answer
            .repository
            .eq_ignore_ascii_case(options.repository.as_str())
        && answer.target.as_deref() == options.target.as_ref().map(Branch::as_str)
        && answer.environment.as_deref() == options.environment.as_ref().map(Environment::as_str);
    anyhow::ensure!(asked, MIXED_UP);
    Ok(())
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    settings::duration(text)
        .and_then(|time| time.try_into().ok())
        .ok_or("is no time: write 90s, 30m or 2h")
}

fn say(options: &Options, answer: &impl Serialize, sentence: String) {
    if options.json {
        match serde_json::to_string(answer) {
            Ok(json) => print(json),
            Err(error) => warn(format_args!("could not write the answer as JSON: {error}")),
        }
    } else {
        // Names and titles are other people's text, and a terminal obeys what nobody sees.
        for line in sentence.lines() {
            print(text::visible(line));
        }
    }
}

/// The exit code is the answer, so it is given also where nobody reads the line: into a closed pipe, on a full disk.
fn print(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn no_answer(error: &anyhow::Error) -> serde_json::Value {
    let problem = error.downcast_ref().and_then(Failure::problem);
    serde_json::json!({ "allow": false, "error": format!("{error:#}"), "problem": problem })
}

/// A line for each commit that may not pass, and one for all of them.
fn sentences(options: &Options, answers: &Answers) -> String {
    let refused = answers.answers.iter().filter(|answer| !answer.allow);
    let mut lines: Vec<String> = refused.map(sentence).collect();
    let (count, repository) = (answers.answers.len(), &options.repository);
    lines.push(match (answers.allow, lines.len()) {
        (true, _) if count == 1 => format!("allowed: the one commit of {repository}"),
        (true, _) => format!("allowed: all {count} commits of {repository}"),
        (false, refused) => {
            format!("not allowed: {refused} of {count} commits of {repository} may not pass")
        }
    });
    lines.join("\n")
}

/// One line that nobody takes for an answer about now.
fn history(then: &Answer, moment: &Moment) -> String {
    let at = moment.to_string();
    let at = at.split('/').next().unwrap_or_default();
    format!("as of {at}, and no permission now: {}", sentence(then))
}

/// One line: yes or no, which change, why, what is missing and who could give it.
fn sentence(answer: &Answer) -> String {
    let observed = if answer.allow && !answer.enforced {
        " (observed only: the repository does not enforce this yet)"
    } else {
        ""
    };
    let mut line = format!(
        "{}: {}{observed}: {} at {}",
        if answer.allow {
            "allowed"
        } else {
            "not allowed"
        },
        word(answer.verdict),
        which(answer),
        answer.commit.get(..7).unwrap_or(&answer.commit),
    );
    let why: Vec<String> = if answer.needs.is_empty() {
        answer
            .reasons
            .iter()
            .map(|reason| reason.sentence.clone())
            .collect()
    } else {
        answer.needs.iter().map(missing).collect()
    };
    if !why.is_empty() {
        line.push_str(": ");
        line.push_str(&why.join("; "));
    }
    // Names come from outside: one line stays one line, and a terminal is told nothing but text.
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn which(answer: &Answer) -> String {
    let keys: Vec<&str> = answer
        .changes
        .iter()
        .map(|change| change.key.as_str())
        .collect();
    if keys.is_empty() {
        answer.repository.clone()
    } else {
        format!("{} {}", answer.repository, keys.join(", "))
    }
}

pub(super) fn missing(need: &Need) -> String {
    let shown = u32::try_from(need.people.len()).unwrap_or(u32::MAX);
    let mut people = need.people.join(", ");
    if need.eligible > shown {
        people = format!("{people} and {} more", need.eligible - shown);
    }
    if people.is_empty() {
        need.missing.clone()
    } else {
        format!(
            "{} ({people} could give it)",
            need.missing.trim_end_matches('.')
        )
    }
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unheard => "unheard of",
        Verdict::Undecidable => "undecidable",
        Verdict::Rejected => "rejected",
        Verdict::Waiting => "waiting",
        Verdict::Overridden => "overridden",
        Verdict::Approved => "approved",
        Verdict::NotRequired => "no sign-off required",
    }
}
