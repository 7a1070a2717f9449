//! Looks at changes at code hosts, and records what is there now.

use crate::{
    forges::{Forge, Seen, client::Failed},
    state::Server,
};
use domain::Timestamp;
use std::time::Duration;
use store::{
    Error, carries, checks,
    hosts::{self, Again, Look},
    lines, reverts,
    submissions::{self, Submission},
};
use tokio::task::JoinSet;

/// How often somebody looks whether there is reason to, if nobody says so.
const EVERY: Duration = Duration::from_secs(1);
/// How many changes of a host are looked at at once.
const AT_ONCE: i64 = 4;
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long nobody else looks at the same: somewhat longer.
const LASTS: time::Duration = time::Duration::seconds(130);

/// How often something is looked for that is not there.
const MOST_FOR_NOTHING: i32 = 4;

/// Runs until the process ends.
pub async fn run(server: Server) {
    loop {
        match batch(&server).await {
            Ok(0) => {
                let reason = server.forges.reason.notified();
                let _ = tokio::time::timeout(EVERY, reason).await;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "Code hosts could not be looked at; this is tried again");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

/// Looks at some changes that there is reason to look at, and says how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    let (mut count, mut all) = (0, JoinSet::new());
    for forge in server.forges.ready() {
        let mut conn = server.db.pool().acquire().await?;
        let now = server.db.now();
        let looks = hosts::begin(&mut conn, forge.host(), AT_ONCE, now, LASTS).await?;
        drop(conn);
        count += looks.len();
        for look in looks {
            let (server, forge) = (server.clone(), forge.clone());
            all.spawn(async move { finish(&server, &forge, &look).await });
        }
    }
    while let Some(done) = all.join_next().await {
        if let Ok(Err(error)) = done {
            tracing::warn!(%error, "A look at a code host could not be recorded; this is tried again");
        }
    }
    Ok(count)
}

/// Looks, and records what was seen.
///
/// # Errors
/// The database refused.
pub async fn finish(server: &Server, forge: &Forge, look: &Look) -> Result<(), Error> {
    let seeing = forge.look(&server.db, look);
    let seen = tokio::time::timeout(PATIENCE, seeing).await;
    let seen = seen.unwrap_or_else(|_| Err(Failed::of("it took too long")));
    match seen {
        Ok(Seen::Same) => same(server, look).await,
        Ok(Seen::Found { submission, etag }) => {
            record(server, look, *submission, etag.as_deref()).await
        }
        Err(failed) => fail(server, look, &failed).await,
    }
}

async fn same(server: &Server, look: &Look) -> Result<(), Error> {
    let mut tx = server.db.begin().await?;
    hosts::claim(&mut tx, look, look.etag.as_deref()).await?;
    tx.commit().await
}

/// Records it as whatever is submitted is recorded, unless what began later was recorded before.
async fn record(
    server: &Server,
    look: &Look,
    mut submission: Submission,
    etag: Option<&str>,
) -> Result<(), Error> {
    submission
        .written
        .extend(lines::carried(&server.db, &submission).await?);
    let proved = carries::prove(&server.db, &submission).await?;
    let undoes = reverts::prove(&server.db, &submission).await?;
    let mut tx = server.db.begin().await?;
    if !hosts::claim(&mut tx, look, etag).await? {
        return Ok(());
    }
    let max_age = server.claims_max_age();
    let outcome = submissions::record(&mut tx, &submission, &proved, &undoes, max_age).await?;
    if hosts::is(&mut tx, look, outcome.change).await? {
        checks::due(&mut tx, outcome.repository, outcome.change).await?;
    }
    tx.commit().await
}

async fn fail(server: &Server, look: &Look, failed: &Failed) -> Result<(), Error> {
    let again = match failed {
        Failed::Limited(until) => Again::At(later(*until)),
        // What was just opened may not be everywhere yet. What is not there is not asked for all day.
        Failed::NotThere if look.attempts >= MOST_FOR_NOTHING => Again::Never,
        Failed::NotThere | Failed::Said(_) | Failed::Database => Again::Later,
    };
    tracing::warn!(
        host = %look.change.host, repository = %look.change.repository, key = %look.change.key, why = %failed,
        "A change could not be looked at"
    );
    let mut conn = server.db.pool().acquire().await?;
    let why = failed.to_string();
    hosts::fail(&mut conn, look, &why, again, server.db.now()).await
}

/// Hosts count whole seconds.
fn later(until: Timestamp) -> Timestamp {
    until + time::Duration::SECOND
}
