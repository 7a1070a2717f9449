//! Says at code hosts what a gate would answer about the heads of changes: soon after it is another, and only then. What is
//! said there is for people to see; nothing here ever reads it.

use super::repeatedly;
use crate::{
    forges::{client::Failed, status::Status},
    state::Server,
};
use domain::{
    Timestamp,
    change::ChangeState,
    gate::{self, Moment, Question},
    landing,
};
use std::{sync::Arc, time::Duration};
use store::{
    Error,
    checks::{self, Due},
    gates::{self, Then},
};
use tokio::task::JoinSet;

/// How often is looked whether something is to be said.
const EVERY: Duration = Duration::from_secs(1);
/// How many are told at once.
const AT_ONCE: i64 = 8;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nobody else tells the same: somewhat longer.
const LASTS: time::Duration = time::Duration::seconds(70);
/// How far is looked ahead for what changes by time alone.
const AHEAD: time::Duration = time::Duration::minutes(10);
/// How often is told what is not there.
const MOST_FOR_NOTHING: i32 = 4;

/// Runs until the process ends.
pub async fn run(server: Server) {
    let broken = "Code hosts could not be told of verdicts";
    repeatedly(EVERY, Arc::default(), broken, || batch(&server)).await;
}

/// Tells of some heads of which there is reason to, and says how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    if server.forges.ready().next().is_none() {
        return Ok(0);
    }
    let mut conn = server.db.pool().acquire().await?;
    let all = checks::take(&mut conn, AT_ONCE, server.db.now(), LASTS).await?;
    drop(conn);
    let count = all.len();
    let mut telling = JoinSet::new();
    for due in all {
        let server = server.clone();
        telling.spawn(async move { finish(&server, &due).await });
    }
    while let Some(done) = telling.join_next().await {
        if let Ok(Err(error)) = done {
            tracing::warn!(%error, "What a code host was told could not be recorded; it is told again");
        }
    }
    Ok(count)
}

async fn finish(server: &Server, due: &Due) -> Result<(), Error> {
    let telling = tokio::time::timeout(PATIENCE, tell(server, due));
    let told = telling
        .await
        .unwrap_or_else(|_| Err(Failed::of("it took too long")));
    let now = server.db.now();
    let mut conn = server.db.pool().acquire().await?;
    match told {
        Ok((said, again)) => checks::said(&mut conn, due, &said, now, again).await,
        Err(failed) => {
            tracing::warn!(repository = %due.repository, head = %due.head, why = %failed, "A code host could not be told of a verdict");
            let again = again(due, &failed, now);
            checks::fail(&mut conn, due, &failed.to_string(), now, again).await
        }
    }
}

/// Tells what holds now if it is another than was told, and says what that is and when it may be another by itself.
async fn tell(server: &Server, due: &Due) -> Result<(String, Option<Timestamp>), Failed> {
    let forge = server.forges.asked_about(&due.repository);
    let forge = forge.ok_or(Failed::NotThere)?;
    let now = server.db.now();
    let then = known(server, due, now).await?;
    let status = status(server, &then, now);
    let said = serde_json::to_string(&status).map_err(|_| Failed::of("it cannot be said"))?;
    if due.said.as_ref() != Some(&said) {
        forge.say(&due.repository, &due.head, &status).await?;
    }
    let again = of(&then).any(is_open).then(|| {
        let same = |at| self::status(server, &then, at) == status;
        until(now, same)
    });
    Ok((said, again))
}

/// All that a gate judges this head by.
async fn known(server: &Server, due: &Due, now: Timestamp) -> Result<Then, Failed> {
    let mut conn = server.db.pool().acquire().await.map_err(Error::from)?;
    let moment = Moment::new(now, checks::snapshot(&mut conn).await?);
    drop(conn);
    let question = Question {
        repository: due.repository.clone(),
        commit: due.head.clone(),
        target: None,
        environment: None,
    };
    let max_age = server.claims_max_age();
    let then = gates::then(&server.db, &question, &moment, max_age).await?;
    then.ok_or(Failed::Database)
}

/// What is to be said of it at a moment, as long as nothing happens.
fn status(server: &Server, then: &Then, at: Timestamp) -> Status {
    let (found, sources) = (then.found.clone(), then.sources.clone());
    let answer = landing::landed(found, sources, &then.terms.policy, at);
    let found = of(then).find(|one| is_open(one)).or(of(then).next());
    let page = found.map_or_else(
        || "/".to_owned(),
        |found| format!("/changes/{}", found.change),
    );
    let answer = answer.in_mode(then.terms.mode(at));
    Status::of(&answer, server.settings.site.at(&page))
}

/// What is asked about: the revisions that have it as their head, and those that it came from.
fn of(then: &Then) -> impl Iterator<Item = &gate::Found> {
    let sources = then.sources.iter().map(|source| &source.found);
    then.found.iter().chain(sources)
}

fn is_open(found: &gate::Found) -> bool {
    found.state == ChangeState::Open
}

/// The first moment at which it is not the same any more, to the second; or the end of what is looked at ahead.
fn until(now: Timestamp, same: impl Fn(Timestamp) -> bool) -> Timestamp {
    let (mut holds, mut ends) = (0, AHEAD.whole_seconds());
    let at = |seconds| now + time::Duration::seconds(seconds);
    if same(at(ends)) {
        return at(ends);
    }
    while ends - holds > 1 {
        let middle = i64::midpoint(holds, ends);
        if same(at(middle)) {
            holds = middle;
        } else {
            ends = middle;
        }
    }
    at(ends)
}

/// When to try again. What was told before may be wrong by now, so it is tried for as long as there is such a commit.
fn again(due: &Due, failed: &Failed, now: Timestamp) -> Option<Timestamp> {
    const LONGEST: i64 = 600;
    match failed {
        Failed::Limited(until) => Some(*until + time::Duration::SECOND),
        Failed::NotThere if due.attempts >= MOST_FOR_NOTHING => None,
        Failed::NotThere | Failed::Said(_) | Failed::Database => {
            let doubled = 1_i64 << due.attempts.clamp(0, 10);
            Some(now + time::Duration::seconds(doubled.min(LONGEST)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_moment_at_which_something_ends_is_found_to_the_second() {
        let now = datetime!(2026-11-22 12:00 UTC);
        for seconds in [1, 2, 7, 299, 599, 600] {
            let end = now + time::Duration::seconds(seconds);
            assert_eq!(until(now, |at| at < end), end);
        }
        assert_eq!(until(now, |_| true), now + AHEAD);
    }
}
