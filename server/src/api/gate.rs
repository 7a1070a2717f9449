//! The gate: may this commit pass? One statement for each question, another where somebody may go back, and no call to a code host.

use super::{caller, parse, show, wire};
use crate::{jobs::watch::Waiter, problem::Refusal, state::Server};
use axum::{
    Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
};
use domain::{
    Timestamp,
    gate::{Answer, Moment, NoMoment, Question},
    ids::TokenId,
    landing,
    names::{CommitSha, Environment, RepositoryName},
    policy::Terms,
    problem::Problem,
    token::Scope,
    verdict::Word,
};
use serde::Deserialize;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use store::{
    deployments::{self, Before},
    gates::{self, Asking},
    landings,
    tokens::TokenHash,
};
use tokio::time::Instant;
use utoipa::IntoParams;

/// The longest that a question waits.
const MAX_WAIT: u64 = 60;
/// The most commits of one release.
pub const MAX_COMMITS: usize = 500;
/// How long a waiting question sleeps at most before it asks again: news may be held back by a long transaction.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// By what a question was answered.
pub struct Judged {
    pub terms: Terms,
    /// What the database had committed.
    pub snapshot: String,
}

/// What is asked of the gate.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// `owner/name`.
    repository: String,
    /// Full commit id.
    commit: String,
    /// Only revisions that go to this branch.
    target: Option<String>,
    /// Where it would be deployed: what was allowed when it was deployed there before may go back.
    environment: Option<String>,
    /// Seconds to wait for a yes, 60 at most.
    #[serde(default)]
    wait: u64,
}

/// May this commit pass?
#[utoipa::path(
    get, path = "/api/v1/gate", tag = "gate", params(Asked), security(("token" = ["gate"])),
    responses(
        (status = 200, description = "The answer; also for a commit that nobody told of.", body = wire::Answer),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many questions of this token wait already.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked: not a yes.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ask(
    State(server): State<Server>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<wire::Answer>, Refusal> {
    caller::hash(&headers)?;
    let Query(asked) = asked.map_err(misspelt)?;
    if asked.wait > MAX_WAIT {
        return Err(Refusal::unreadable(
            "wait",
            format!("`wait` is at most {MAX_WAIT} seconds; ask again to wait longer."),
        ));
    }
    let until = Instant::now() + Duration::from_secs(asked.wait);
    let question = question(
        asked.repository,
        asked.commit,
        asked.target,
        asked.environment,
    )?;
    // Taken before the first look, or a decision between look and wait would not be heard of.
    let mut waiter = (asked.wait > 0).then(|| server.watch.waiter(&question.repository));
    let mut place = None;
    loop {
        let questions = std::slice::from_ref(&question);
        let (mut answers, judged, token) = answers(&server, &headers, questions).await?;
        let answer = answers.pop().ok_or(Problem::Internal)?;
        match &mut waiter {
            // A server that stops says what holds now: whoever asked asks again, elsewhere.
            Some(waiter)
                if may_change(&answer) && Instant::now() < until && !server.stop.is_told() =>
            {
                if place.is_none() {
                    place = Some(server.auth.limits.wait(token)?);
                }
                tokio::select! {
                    () = rest(waiter, until) => {}
                    () = server.stop.told() => {}
                }
            }
            _ => return Ok(Json(show::answer(&question, answer, &judged))),
        }
    }
}

/// May all of these pass? For a whole release.
#[utoipa::path(
    post, path = "/api/v1/gate", tag = "gate", request_body = wire::Questions, security(("token" = ["gate"])),
    responses(
        (status = 200, description = "An answer for each commit, in the order asked; allowed only if all are.", body = wire::Answers),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 400, description = "The body is not JSON.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Larger than is accepted.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked: not a yes.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ask_all(
    State(server): State<Server>,
    headers: HeaderMap,
    asked: Result<Json<wire::Questions>, JsonRejection>,
) -> Result<Json<wire::Answers>, Refusal> {
    // Before anything is said of what was sent: who has no token learns nothing.
    caller::hash(&headers)?;
    let Json(asked) = asked.map_err(parse::unreadable)?;
    if !(1..=MAX_COMMITS).contains(&asked.commits.len()) {
        return Err(Refusal::unreadable(
            "commits",
            format!("`commits` has 1 to {MAX_COMMITS} entries."),
        ));
    }
    let repository = parse::name("repository", RepositoryName::parse(asked.repository))?;
    let target = asked
        .target
        .map(|target| parse::branch("target", target))
        .transpose()?;
    let environment = environment(asked.environment)?;
    let commits = asked
        .commits
        .into_iter()
        .enumerate()
        .map(|(i, commit)| parse::name(&format!("commits[{i}]"), CommitSha::parse(commit)))
        .collect::<Result<Vec<_>, _>>()?;
    let questions: Vec<Question> = commits
        .into_iter()
        .map(|commit| Question {
            repository: repository.clone(),
            commit,
            target: target.clone(),
            environment: environment.clone(),
        })
        .collect();
    let (distinct, places) = distinct(questions);
    let (answers, judged, _) = answers(&server, &headers, &distinct).await?;
    let shown = |place: usize| show::answer(&distinct[place], answers[place].clone(), &judged);
    let answers: Vec<wire::Answer> = places.into_iter().map(shown).collect();
    Ok(Json(wire::Answers {
        allow: answers.iter().all(|answer| answer.allow),
        answers,
    }))
}

/// What is asked several times is looked up once: the questions that differ, and for each that was asked its place among them.
fn distinct(questions: Vec<Question>) -> (Vec<Question>, Vec<usize>) {
    let (mut distinct, mut known) = (Vec::new(), HashMap::new());
    let mut place = |question: Question| {
        *known.entry(question.commit.clone()).or_insert_with(|| {
            distinct.push(question);
            distinct.len() - 1
        })
    };
    let places = questions.into_iter().map(&mut place).collect();
    (distinct, places)
}

/// What is asked of the past.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskedThen {
    /// `owner/name`.
    repository: String,
    /// Full commit id.
    commit: String,
    /// Only revisions that go to this branch, if the answer was about those.
    target: Option<String>,
    /// Where it would have been deployed, if that was asked.
    environment: Option<String>,
    /// The `snapshot` of an answer.
    as_of: String,
}

/// What was answered then? An answer once more, from the facts as they were and at the time that it was: to explain it, never
/// to let anything pass.
#[utoipa::path(
    get, path = "/api/v1/gate/past", tag = "gate", params(AskedThen), security(("token" = ["gate"])),
    responses(
        (status = 200, description = "The answer as it was, inside one that allows nothing.", body = wire::Past),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood, or no snapshot that this database had.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be asked.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ask_then(
    State(server): State<Server>,
    headers: HeaderMap,
    asked: Result<Query<AskedThen>, QueryRejection>,
) -> Result<Json<wire::Past>, Refusal> {
    let token = caller::token(&server, &headers).await?;
    let Query(asked) = asked.map_err(misspelt)?;
    let question = question(
        asked.repository,
        asked.commit,
        asked.target,
        asked.environment,
    )?;
    token.allows(Scope::Gate, &question.repository)?;
    let moment: Moment = asked
        .as_of
        .parse()
        .map_err(|error: NoMoment| Refusal::unreadable("as_of", format!("`as_of` {error}.")))?;
    let to_come = || Refusal::unreadable("as_of", "`as_of` is a moment that is yet to come.");
    // The clocks of two servers may differ a little.
    if moment.at() > server.db.now() + time::Duration::MINUTE {
        return Err(to_come());
    }
    let then = gates::then(&server.db, &question, &moment, server.claims_max_age()).await?;
    let then = then.ok_or_else(to_come)?;
    let policy = &then.terms.policy;
    let answer = landing::landed(then.found, then.sources, policy, moment.at());
    let judged = Judged {
        terms: then.terms,
        snapshot: moment.snapshot().to_owned(),
    };
    let questions = std::slice::from_ref(&question);
    let answers = going_back(&server, questions, vec![answer], &judged, moment.at()).await?;
    let answer = answers.into_iter().next().ok_or(Problem::Internal)?;
    let answer = answer.in_mode(judged.terms.mode(moment.at()));
    Ok(Json(wire::Past {
        allow: false,
        then: show::answer(&question, answer, &judged),
    }))
}

fn misspelt(error: QueryRejection) -> Refusal {
    Refusal::rejected(
        StatusCode::UNPROCESSABLE_ENTITY,
        "query",
        &error.body_text(),
    )
}

fn question(
    repository: String,
    commit: String,
    target: Option<String>,
    environment: Option<String>,
) -> Result<Question, Refusal> {
    Ok(Question {
        repository: parse::name("repository", RepositoryName::parse(repository))?,
        commit: parse::name("commit", CommitSha::parse(commit))?,
        target: target
            .map(|target| parse::branch("target", target))
            .transpose()?,
        environment: self::environment(environment)?,
    })
}

fn environment(name: Option<String>) -> Result<Option<Environment>, Refusal> {
    let parsed = name.map(|name| parse::name("environment", Environment::parse(name)));
    Ok(parsed.transpose()?)
}

/// The answers to questions that differ in the commit only, in the order asked, from one snapshot, by what they were judged, and
/// whose questions they are. The token is found in the same statement, so that one that was revoked a moment ago opens
/// nothing, also not for a question that has been waiting.
async fn answers(
    server: &Server,
    headers: &HeaderMap,
    questions: &[Question],
) -> Result<(Vec<Answer>, Judged, TokenId), Refusal> {
    let hash = caller::hash(headers)?;
    let mut left = ASKED_ANEW;
    loop {
        let began = server.db.now();
        let asked = look_up(server, hash, questions).await?;
        let now = server.db.now();
        let (answers, judged, token) = judge(server, questions, asked, now)?;
        let policy = &judged.terms.policy;
        let no = |one: &&Answer| !one.allow;
        let ended = answers
            .iter()
            .filter(no)
            .any(|one| one.was_more_at(policy, began));
        if ended && left > 0 {
            left -= 1;
            continue;
        }
        let answers = going_back(server, questions, answers, &judged, now).await?;
        let answers = together(server, questions, answers, &judged).await?;
        let mode = judged.terms.mode(now);
        let answers = answers.into_iter().map(|answer| answer.in_mode(mode));
        return Ok((answers.collect(), judged, token));
    }
}

/// How often is asked anew where something ended between the facts and the clock: what replaced it in time may be among facts
/// that are newer, and both together would be a no that held at no moment.
const ASKED_ANEW: usize = 2;

async fn look_up(
    server: &Server,
    hash: TokenHash,
    questions: &[Question],
) -> Result<Vec<Option<gates::Asked>>, Refusal> {
    if let [one] = questions {
        return Ok(vec![server.desk.ask(asking(hash, one)).await?]);
    }
    let all: Vec<Asking> = questions.iter().map(|one| asking(hash, one)).collect();
    server.desk.ask_all(&all).await
}

fn asking(token: TokenHash, question: &Question) -> Asking {
    Asking {
        token,
        repository: question.repository.clone(),
        commit: question.commit.clone(),
        target: question.target.clone(),
    }
}

/// What was asked with one token about one repository, by its revisions alone.
fn judge(
    server: &Server,
    questions: &[Question],
    asked: Vec<Option<gates::Asked>>,
    now: Timestamp,
) -> Result<(Vec<Answer>, Judged, TokenId), Refusal> {
    let asked: Option<Vec<gates::Asked>> = asked.into_iter().collect();
    let mut asked = asked.ok_or_else(Refusal::no_token)?;
    let last = asked.pop().ok_or(Problem::Internal)?;
    let token = caller::active(server, Some(last.token))?;
    for question in questions {
        token.allows(Scope::Gate, &question.repository)?;
    }
    let terms = last.terms;
    let known = asked.into_iter().map(|one| (one.found, one.sources));
    let known = known.chain([(last.found, last.sources)]);
    let answers = known
        .map(|(found, sources)| landing::landed(found, sources, &terms.policy, now))
        .collect();
    let judged = Judged {
        terms,
        snapshot: last.snapshot,
    };
    Ok((answers, judged, token.id))
}

/// The answers about a whole release, from the snapshot that the others came from: of commits that do not pass it is looked up
/// whether they stand below one that does, and of nothing else.
async fn together(
    server: &Server,
    questions: &[Question],
    answers: Vec<Answer>,
    by: &Judged,
) -> Result<Vec<Answer>, Refusal> {
    let asked = questions.iter().map(|question| &question.commit);
    let asked: Vec<(CommitSha, Answer)> = asked.cloned().zip(answers).collect();
    let refused: Vec<CommitSha> = asked
        .iter()
        .filter(|(_, answer)| !answer.allow)
        .map(|(commit, _)| commit.clone())
        .collect();
    let below = match questions.first() {
        Some(question) if (1..asked.len()).contains(&refused.len()) => {
            let mut conn = server
                .db
                .pool()
                .acquire()
                .await
                .map_err(store::Error::from)?;
            landings::above(
                &mut conn,
                &question.repository,
                &refused,
                Some(&by.snapshot),
            )
            .await?
        }
        _ => HashMap::new(),
    };
    Ok(landing::together(asked, &below))
}

/// The answers to who would deploy to an environment, from the snapshot that the others came from. Only of commits that would get a no it is looked up whether they were
/// allowed when they were deployed there before: another yes costs nothing, nor does a question that names no environment.
async fn going_back(
    server: &Server,
    questions: &[Question],
    answers: Vec<Answer>,
    by: &Judged,
    now: Timestamp,
) -> Result<Vec<Answer>, Refusal> {
    let refused: Vec<CommitSha> = questions
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| !answer.allow && !answer.changes.is_empty())
        .map(|(question, _)| question.commit.clone())
        .collect::<HashSet<_>>()
        .into_iter()
        .collect();
    let Some(question) = questions.first().filter(|_| !refused.is_empty()) else {
        return Ok(answers);
    };
    let Some(environment) = &question.environment else {
        return Ok(answers);
    };
    let policy = &by.terms.policy;
    let asked = Before {
        repository: &question.repository,
        commits: &refused,
        environment,
        after: now - policy.document.back.redeploy_for,
        snapshot: Some(&by.snapshot),
    };
    let before = deployments::allowed_before(&server.db, &asked).await?;
    let back = |(question, answer): (&Question, Answer)| {
        answer.back_to(before.get(&question.commit), policy, now)
    };
    Ok(questions.iter().zip(answers).map(back).collect())
}

/// Whether waiting may turn this no into a yes by itself. A rejection takes a person's change of mind, doubt an admin, unless
/// its host is about to be looked at.
fn may_change(answer: &Answer) -> bool {
    match answer.verdict {
        Word::Undecidable => !answer.allow && answer.waits_for_a_host(),
        Word::Rejected => false,
        // Where the repository is only observed, it is a yes already.
        Word::Unheard | Word::Waiting | Word::Overridden | Word::Approved | Word::NotRequired => {
            !answer.allow
        }
    }
}

async fn rest(waiter: &mut Waiter, until: Instant) {
    waiter
        .news(ASK_AGAIN.min(until.saturating_duration_since(Instant::now())))
        .await;
}
