//! Works on what code hosts told us: reads what there is reason to look at. Each delivery is its own transaction, so one that
//! cannot be read holds up no other, and whoever is killed leaves it as it was.

use super::repeatedly;
use crate::{
    forges::events::{self, Look},
    state::Server,
};
use domain::{host::Host, names::RepositoryName};
use std::{collections::BTreeSet, time::Duration};
use store::{
    Error, Tx,
    deliveries::{self, Ended, MOST_ATTEMPTS, Working},
    groups, hosts,
};
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// How often deliveries are looked for that another process stored, or that are due again.
const EVERY: Duration = Duration::from_secs(1);
/// How many are taken at a time. Only one body is held at once.
const BATCH: i64 = 50;
/// How often what was refused is written down, and what is over looked for.
const KEEPS_HOUSE: Duration = Duration::from_secs(10);
/// How long deliveries are kept when they are over.
const KEPT: time::Duration = time::Duration::days(30);
/// How many are deleted by one statement.
const FORGOTTEN_AT_ONCE: i64 = 500;

/// Runs until the process ends.
pub async fn run(server: Server) {
    let broken = "Deliveries could not be worked on";
    let more = server.hooks.arrived.clone();
    repeatedly(EVERY, more, broken, || batch(&server)).await;
}

/// Works on some deliveries that are due and says how many.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    let mut conn = server.db.pool().acquire().await?;
    let taken = deliveries::take(&mut conn, BATCH, server.db.now()).await?;
    drop(conn);
    for &id in &taken {
        if let Err(error) = work_on(server, id).await {
            tracing::warn!(%error, delivery.id = %id, "A delivery could not be worked on; this is tried again");
            note(
                server,
                id,
                Ended::Failed("The database refused.".to_owned()),
            )
            .await?;
        }
    }
    Ok(taken.len())
}

async fn work_on(server: &Server, id: Uuid) -> Result<(), Error> {
    let mut tx = server.db.begin().await?;
    let Some(delivery) = deliveries::working(&mut tx, id).await? else {
        return Ok(());
    };
    if delivery.attempts > MOST_ATTEMPTS {
        let why = format!("It was tried {MOST_ATTEMPTS} times, and never to its end.");
        deliveries::end(&mut tx, id, &Ended::Dead(why)).await?;
        return tx.commit().await;
    }
    let host = delivery.host;
    let read = spawn_blocking(move || {
        let Working {
            host, event, body, ..
        } = delivery;
        events::told(host, &event, &body)
    });
    let ended = match read.await {
        Ok(Ok(looks)) => {
            look_at(server, &mut tx, host, looks).await?;
            Ended::Done
        }
        Ok(Err(why)) => Ended::Dead(why.to_string()),
        Err(_) => Ended::Failed("It could not be read to its end.".to_owned()),
    };
    deliveries::end(&mut tx, id, &ended).await?;
    tx.commit().await?;
    server.forges.reason.notify_one();
    server.forges.queued.notify_one();
    Ok(())
}

/// Notes what there is reason to look at, of the repositories that this host is the source for.
async fn look_at(server: &Server, tx: &mut Tx, host: Host, looks: Vec<Look>) -> Result<(), Error> {
    // In one order for all, or two deliveries could wait for each other.
    let mut all = BTreeSet::new();
    let tells_of = |repository: &RepositoryName| server.settings.hosts.tells_of(host, repository);
    for look in looks {
        let (repository, keys) = match look {
            Look::Change(repository, key) => (repository, vec![key]),
            Look::Head(repository, commit) => {
                let keys = hosts::open_at(tx, &repository, &commit).await?;
                (repository, keys)
            }
            Look::Groups(repository) => {
                if tells_of(&repository) {
                    groups::look_at(tx, &repository).await?;
                }
                continue;
            }
        };
        if tells_of(&repository) {
            all.extend(keys.into_iter().map(|key| (repository.clone(), key)));
        }
    }
    for (repository, key) in all {
        let change = hosts::Change {
            host,
            repository,
            key,
        };
        hosts::look_at(tx, &change).await?;
    }
    Ok(())
}

async fn note(server: &Server, id: Uuid, ended: Ended) -> Result<(), Error> {
    let mut tx = server.db.begin().await?;
    if deliveries::working(&mut tx, id).await?.is_some() {
        deliveries::end(&mut tx, id, &ended).await?;
    }
    tx.commit().await
}

/// Writes down what was refused, and deletes what has long been over, until the process ends.
pub async fn keep_house(server: Server) {
    loop {
        tokio::time::sleep(KEEPS_HOUSE).await;
        let done = async {
            count_refused(&server).await?;
            forget(&server).await
        };
        if let Err(error) = done.await {
            tracing::warn!(%error, "What deliveries leave could not be put in order; this is tried again");
        }
    }
}

/// Adds what this process refused to what all did.
///
/// # Errors
/// The database refused; it is kept to be written down later.
pub async fn count_refused(server: &Server) -> Result<(), Error> {
    let counted = server.hooks.refused.take();
    if counted.is_empty() {
        return Ok(());
    }
    let written = async {
        let mut tx = server.db.begin().await?;
        deliveries::count_refused(&mut tx, &counted).await?;
        tx.commit().await
    };
    let written = written.await;
    if written.is_err() {
        server.hooks.refused.put_back(counted);
    }
    written
}

/// Deletes deliveries that have long been over, and says how many.
///
/// # Errors
/// The database refused.
pub async fn forget(server: &Server) -> Result<u64, Error> {
    let mut conn = server.db.pool().acquire().await?;
    deliveries::forget(&mut conn, server.db.now() - KEPT, FORGOTTEN_AT_ONCE).await
}
