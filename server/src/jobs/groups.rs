//! Looks at merge queues, so that what they would merge is known before they do: a queue waits for what is said of its commits.

use super::repeatedly;
use crate::{
    forges::{
        Forge,
        client::Failed,
        github::{self, Client, Place},
    },
    state::Server,
};
use domain::{Timestamp, host::Host, names::RepositoryName};
use std::time::Duration;
use store::{
    Error,
    groups::{self, Due, Left},
    hosts::{self, Change},
};
use tokio::{task::JoinSet, time::timeout};

/// How often somebody looks whether there is reason to, if nobody says so.
const EVERY: Duration = Duration::from_secs(1);
/// How many repositories are looked at at once.
const AT_ONCE: i64 = 8;
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long nobody else looks at the same: somewhat longer.
const LASTS: time::Duration = time::Duration::seconds(130);
/// How often is looked for what a group is before the host is told that nobody knows: its changes may just be looked at.
const SOON: i32 = 4;
/// How often is looked at all without a new reason: for some quarter of an hour.
const MOST_ATTEMPTS: i32 = 10;

/// Runs until the process ends.
pub async fn run(server: Server) {
    let broken = "Merge queues could not be looked at";
    let more = server.forges.queued.clone();
    repeatedly(EVERY, more, broken, || batch(&server)).await;
}

/// Looks at some merge queues that there is reason to look at, and says how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    let mut conn = server.db.pool().acquire().await?;
    let all = groups::take(&mut conn, AT_ONCE, server.db.now(), LASTS).await?;
    drop(conn);
    let mut looking = JoinSet::new();
    for due in all {
        let server = server.clone();
        looking.spawn(async move { finish(&server, &due).await });
    }
    let mut count = 0;
    while let Some(done) = looking.join_next().await {
        count += 1;
        if let Ok(Err(error)) = done {
            tracing::warn!(%error, "A look at a merge queue could not be recorded; this is tried again");
        }
    }
    Ok(count)
}

async fn finish(server: &Server, due: &Due) -> Result<(), Error> {
    let looked = timeout(PATIENCE, look(server, due)).await;
    let looked = looked.unwrap_or_else(|_| Err(Failed::of("it took too long")));
    let now = server.db.now();
    let left = match looked {
        Ok(0) => None,
        Ok(unproved) => Some(Left {
            why: format!("{unproved} of its merge groups are not provably what was proposed"),
            again: later(due, now),
        }),
        Err(Failed::Limited(until)) => Some(Left {
            why: Failed::Limited(until).to_string(),
            again: Some(until + time::Duration::SECOND),
        }),
        Err(failed) => Some(Left {
            why: failed.to_string(),
            again: later(due, now),
        }),
    };
    if let Some(left) = &left {
        tracing::warn!(repository = %due.repository, why = %left.why, "Merge groups are not known");
    }
    let mut conn = server.db.pool().acquire().await?;
    groups::looked(&mut conn, due, left.as_ref(), now).await
}

fn later(due: &Due, now: Timestamp) -> Option<Timestamp> {
    let doubled = 1_i64 << due.attempts.clamp(0, MOST_ATTEMPTS);
    (due.attempts < MOST_ATTEMPTS).then(|| now + time::Duration::seconds(doubled))
}

/// Finds out what each merge group of a repository is, and says of how many that is not known.
async fn look(server: &Server, due: &Due) -> Result<usize, Failed> {
    let repository = &due.repository;
    let Some(Forge::GitHub(client)) = server.forges.asked_about(repository) else {
        return Ok(0);
    };
    let places = github::places(client, repository).await?;
    let mut unproved = 0;
    for place in &places {
        if github::known(&server.db, repository, &place.head)
            .await?
            .is_some()
        {
            continue;
        }
        if !forms(server, client, repository, &places, place).await? {
            unproved += 1;
            leave(server, due, place).await?;
        }
    }
    Ok(unproved)
}

/// Records what is at a place, if that is provable.
async fn forms(
    server: &Server,
    client: &Client,
    repository: &RepositoryName,
    places: &[Place],
    place: &Place,
) -> Result<bool, Failed> {
    let formed = github::formed(client, &server.db, repository, places, place).await?;
    let Some(group) = formed else {
        return Ok(false);
    };
    let mut tx = server.db.begin().await?;
    groups::record(&mut tx, repository, &place.head, &group).await?;
    tx.commit().await?;
    Ok(true)
}

/// Gives reason to look at the change of a place; and to say, some time, that nobody knows what is there.
async fn leave(server: &Server, due: &Due, place: &Place) -> Result<(), Failed> {
    let mut tx = server.db.begin().await?;
    let change = Change {
        host: Host::GitHub,
        repository: due.repository.clone(),
        key: place.key.clone(),
    };
    hosts::look_at(&mut tx, &change).await?;
    if due.attempts >= SOON {
        groups::unproved(&mut tx, &due.repository, &place.head).await?;
    }
    tx.commit().await?;
    server.forges.reason.notify_one();
    Ok(())
}
