//! Walks over the open changes at code hosts and finds what no delivery told: hosts do not send again what got lost.

use crate::{
    forges::{Forge, client::Failed},
    state::Server,
};
use domain::names::{ChangeKey, RepositoryName};
use std::{collections::BTreeMap, time::Duration};
use store::{
    Error, groups,
    hosts::{self, Change, Open},
    remarks,
};

/// How often is looked whether a walk is due.
const EVERY: Duration = Duration::from_secs(2);

/// After this time a walk gives reason to look at what is said of an open change.
const LONGEST_UNHEARD: time::Duration = time::Duration::hours(6);

/// Runs until the process ends.
pub async fn run(server: Server) {
    loop {
        if let Err(error) = batch(&server).await {
            tracing::warn!(%error, "Code hosts could not be walked over; this is tried again");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Does the walks that are due, one after the other, and says how many changes were another than was known.
///
/// # Errors
/// The database refused.
pub async fn batch(server: &Server) -> Result<usize, Error> {
    let every = server.settings.hosts.reconcile_every;
    let mut found = 0;
    for forge in server.forges.ready() {
        let mut conn = server.db.pool().acquire().await?;
        let due = hosts::begin_walks(&mut conn, forge.host(), server.db.now(), every).await?;
        drop(conn);
        for repository in due {
            found += walk(server, forge, &repository).await?;
        }
    }
    Ok(found)
}

async fn walk(server: &Server, forge: &Forge, repository: &RepositoryName) -> Result<usize, Error> {
    let (began_at, host) = (server.db.now(), forge.host());
    let asked = server.forges.asked_about(repository);
    let listed = if asked.is_some_and(|asked| asked.host() == host) {
        forge.open(repository).await
    } else {
        Err(Failed::of(
            "this host is not the source for this repository",
        ))
    };
    let mut tx = server.db.begin().await?;
    let (there, all) = match listed {
        Ok(listed) => listed,
        Err(failed) => {
            let why = failed.to_string();
            hosts::walked(&mut tx, host, repository, Err(&why)).await?;
            tx.commit().await?;
            return Ok(0);
        }
    };
    let (here, asked) = hosts::open_here(tx.conn(), host, repository).await?;
    let compared = compare(&there, &here, all);
    let mut found = 0;
    for key in compared.differ {
        let Ok(key) = ChangeKey::parse(&*key) else {
            continue;
        };
        // What somebody is about to look at was told.
        if asked.iter().any(|asked| asked == key.as_str()) {
            continue;
        }
        found += 1;
        let repository = repository.clone();
        hosts::look_at(
            &mut tx,
            &Change {
                host,
                repository,
                key,
            },
        )
        .await?;
    }
    if let Forge::GitHub(_) = forge {
        groups::look_at(&mut tx, repository).await?;
    }
    hosts::confirm(&mut tx, host, repository, &compared.same, began_at).await?;
    remarks::look_again(&mut tx, host, repository, began_at - LONGEST_UNHEARD).await?;
    let came_to = Ok((there.len(), found));
    hosts::walked(&mut tx, host, repository, came_to).await?;
    tx.commit().await?;
    server.forges.queued.notify_one();
    if found > 0 {
        tracing::warn!(%repository, found, "Changes were another than any delivery told");
        server.forges.reason.notify_one();
    }
    Ok(found)
}

struct Compared {
    /// In the order in which they are locked.
    differ: Vec<String>,
    same: Vec<String>,
}

/// What is open there and otherwise here, and what is open here and not there: unless the list ended before its end.
fn compare(there: &[Open], here: &[Open], all: bool) -> Compared {
    let of = |list: &[Open]| -> BTreeMap<String, Open> {
        list.iter()
            .map(|open| (open.key.clone(), open.clone()))
            .collect()
    };
    let (there, here) = (of(there), of(here));
    let (same, mut differ): (Vec<_>, Vec<_>) = there.keys().cloned().partition(|key| {
        here.get(key)
            .is_some_and(|open| there.get(key) == Some(open))
    });
    if all {
        differ.extend(here.keys().filter(|key| !there.contains_key(*key)).cloned());
    }
    differ.sort();
    Compared { differ, same }
}
