//! Looks at changes at code hosts, and records what is there now.

use super::{
    lanes::{Crowded, Lanes, Place},
    repeatedly,
};
use crate::{
    forges::{Forge, Seen, client::Failed},
    state::Server,
};
use domain::Timestamp;
use std::time::Duration;
use store::{
    Error, carries, checks,
    hosts::{self, Again, Look},
    lines, remarks, reverts,
    submissions::{self, Submission},
};
use tokio::{
    task::JoinSet,
    time::{error::Elapsed, timeout},
};

/// How often somebody looks whether there is reason to, if nobody says so.
const EVERY: Duration = Duration::from_secs(1);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long nobody else looks at the same: somewhat longer.
const LASTS: time::Duration = time::Duration::seconds(130);

/// How often something is looked for that is not there.
const MOST_FOR_NOTHING: i32 = 4;

/// Runs until the process ends. No host waits for another.
pub async fn run(server: Server) {
    let more = server.forges.reason.clone();
    let all: Vec<(&Forge, Lanes)> = server.forges.all().map(|f| (f, Lanes::default())).collect();
    repeatedly(EVERY, more, "Code hosts could not be looked at", || async {
        let mut count = 0;
        for (forge, lanes) in &all {
            let begun = begin(&server, forge, lanes.free()).await?;
            count += begun.into_iter().map(tokio::spawn).count();
        }
        Ok(count)
    })
    .await;
}

/// Looks at some changes that there is reason to look at, and says how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    let mut looking = JoinSet::new();
    for forge in server.forges.all() {
        for look in begin(server, forge, Lanes::default().free()).await? {
            looking.spawn(look);
        }
    }
    Ok(looking.join_all().await.len())
}

/// Begins to look, for as much as there is reason and place for.
async fn begin(
    server: &Server,
    forge: &Forge,
    places: Vec<Place>,
) -> Result<Vec<impl Future<Output = ()> + Send + use<>>, Error> {
    if places.is_empty() || forge.silent_until().is_some() {
        return Ok(vec![]);
    }
    let mut conn = server.db.pool().acquire().await?;
    let (now, most) = (server.db.now(), i64::try_from(places.len()).unwrap_or(1));
    let looks = hosts::begin(&mut conn, forge.host(), most, now, LASTS).await?;
    let each = looks.into_iter().zip(places);
    let each = each.map(|(look, place)| finish(server.clone(), forge.clone(), look, place));
    Ok(each.collect())
}

/// Looks, and records what was seen.
async fn finish(server: Server, forge: Forge, look: Look, place: Place) {
    let seeing = timeout(PATIENCE, forge.look(&server.db, &look));
    let seen = seen(place.run(seeing).await);
    // Its place is free.
    server.forges.reason.notify_one();
    let recorded = match seen {
        Ok(Seen::Same) => same(&server, &look).await,
        Ok(Seen::Found { submission, etag }) => {
            record(&server, &look, *submission, etag.as_deref()).await
        }
        Err(failed) => fail(&server, &look, &failed).await,
    };
    if let Err(error) = recorded {
        tracing::warn!(%error, "A look at a code host could not be recorded; this is tried again");
    }
}

fn seen(looked: Result<Result<Result<Seen, Failed>, Elapsed>, Crowded>) -> Result<Seen, Failed> {
    let looked = looked.map_err(|Crowded| Failed::of("too many others take as long as this"))?;
    looked.map_err(|_| Failed::of("it took too long"))?
}

async fn same(server: &Server, look: &Look) -> Result<(), Error> {
    let mut tx = server.db.begin().await?;
    if hosts::claim(&mut tx, look, look.etag.as_deref()).await? {
        hosts::saw(&mut tx, look).await?;
    }
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
    hosts::saw(&mut tx, look).await?;
    // What is said of a change counts in what its host says of it.
    remarks::look_at(&mut tx, &look.change).await?;
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
