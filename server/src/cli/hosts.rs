//! `countersign hosts`: what operators ask of the code hosts that are connected.

use super::token::connect;
use anyhow::bail;
use clap::Subcommand;
use domain::{host::Host, names::RepositoryName};
use std::time::Duration;
use store::{
    Db,
    hosts::{self, Walked},
};

/// How long a walk is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
const EVERY: Duration = Duration::from_millis(300);

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Options {
    /// Compare the open changes of repositories with the code host's now, and look at those that are another.
    #[command(after_help = "\
Examples:
  countersign hosts reconcile                    # every repository of which anything was ever heard
  countersign hosts reconcile acme/payments      # also one of which nothing was
  countersign hosts reconcile --host gitlab      # those of another host

It is done by a `countersign serve` over the same database, which does so by itself every COUNTERSIGN_RECONCILE_EVERY. Exit codes: 0 done; 1 not.")]
    Reconcile {
        /// Only these, such as `acme/payments`.
        repositories: Vec<RepositoryName>,
        /// Whose: `github`, `gitlab` or `gitea`.
        #[arg(long, default_value = "github", value_parser = host)]
        host: Host,
    },
}

/// Does it.
///
/// # Errors
/// A sentence that says what to do.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let Options::Reconcile { repositories, host } = options;
    let db = connect().await?;
    let since = db.now();
    let mut conn = db.pool().acquire().await?;
    hosts::ask_for_walk(&mut conn, host, &repositories, since).await?;
    drop(conn);
    let walks = walked(&db, host, since).await?;
    if walks.is_empty() {
        println!("Nothing was ever heard of any repository; name one.");
    }
    let mut failed = 0;
    for walk in &walks {
        match &walk.error {
            None => println!(
                "{}: {} open, {} another than was known",
                walk.repository, walk.open, walk.found
            ),
            Some(why) => {
                failed += 1;
                println!("{}: {why}", walk.repository);
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} could not be compared", walks.len());
    }
    Ok(())
}

fn host(word: &str) -> Result<Host, &'static str> {
    Host::parse(word).ok_or("is none of github, gitlab, gitea")
}

async fn walked(db: &Db, host: Host, since: time::OffsetDateTime) -> anyhow::Result<Vec<Walked>> {
    let all_done = async {
        loop {
            let mut conn = db.pool().acquire().await?;
            let walks = hosts::walks(&mut conn, host, since).await?;
            drop(conn);
            if walks.iter().all(|walk| walk.done_at.is_some()) {
                return Ok::<_, anyhow::Error>(walks);
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    match tokio::time::timeout(PATIENCE, all_done).await {
        Ok(done) => done,
        Err(_) => {
            let host = host.name();
            bail!("it was asked for, and no `countersign serve` that asks {host} has done it yet")
        }
    }
}
