//! Looks at what people said of changes at their code hosts: beside the changes themselves, which wait for none of it.

use super::repeatedly;
use crate::{
    forges::{Forge, client::Failed},
    state::Server,
};
use domain::Timestamp;
use std::{sync::Arc, time::Duration};
use store::{
    Error,
    groups::Left,
    remarks::{self, Due},
};
use tokio::{task::JoinSet, time::timeout};

/// How often somebody looks whether there is reason to.
const EVERY: Duration = Duration::from_secs(2);
/// How many changes of a host are looked at at once.
const AT_ONCE: i64 = 4;
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nobody else looks at the same: somewhat longer.
const LASTS: time::Duration = time::Duration::seconds(70);
/// How often is looked without a new reason: for some hour.
const MOST_ATTEMPTS: i32 = 11;

/// Runs until the process ends.
pub async fn run(server: Server) {
    let broken = "What is said at code hosts could not be looked at";
    repeatedly(EVERY, Arc::default(), broken, || batch(&server)).await;
}

/// Looks at what is said of some changes of which there is reason to, and says of how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    let mut looking = JoinSet::new();
    for forge in server.forges.ready() {
        let mut conn = server.db.pool().acquire().await?;
        let now = server.db.now();
        for due in remarks::take(&mut conn, forge.host(), AT_ONCE, now, LASTS).await? {
            let (server, forge) = (server.clone(), forge.clone());
            looking.spawn(async move { finish(&server, &forge, &due).await });
        }
    }
    let mut count = 0;
    while let Some(done) = looking.join_next().await {
        count += 1;
        if let Ok(Err(error)) = done {
            tracing::warn!(%error, "What is said of a change could not be recorded; this is tried again");
        }
    }
    Ok(count)
}

async fn finish(server: &Server, forge: &Forge, due: &Due) -> Result<(), Error> {
    let looked = timeout(PATIENCE, forge.remarks(&due.change)).await;
    let looked = looked.unwrap_or_else(|_| Err(Failed::of("it took too long")));
    let now = server.db.now();
    let seen = looked.map_err(|failed| left(due, &failed, now));
    if let Err(left) = &seen {
        let change = &due.change;
        tracing::warn!(repository = %change.repository, key = %change.key, why = %left.why, "What is said of a change is not known");
    }
    let mut conn = server.db.pool().acquire().await?;
    remarks::looked(&mut conn, due, seen.as_ref(), now).await
}

fn left(due: &Due, failed: &Failed, now: Timestamp) -> Left {
    let again = match failed {
        Failed::Limited(until) => Some(*until + time::Duration::SECOND),
        Failed::NotThere => None,
        Failed::Said(_) | Failed::Database => {
            let doubled = 1_i64 << due.attempts.clamp(0, MOST_ATTEMPTS);
            (due.attempts < MOST_ATTEMPTS).then(|| now + time::Duration::seconds(doubled))
        }
    };
    Left {
        why: failed.to_string(),
        again,
    }
}
