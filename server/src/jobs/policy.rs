//! Makes the policy of the configuration the default of all servers.

use crate::state::Server;
use std::time::Duration;
use store::{Error, policies};

/// How often a schema is looked at that is not this version's yet.
const EVERY: Duration = Duration::from_secs(2);

/// Puts the configured default in force before the first question is answered. False where the schema is not this version's
/// yet, and so nothing can be answered either.
///
/// # Errors
/// The database refused.
pub async fn configure(server: &Server) -> Result<bool, Error> {
    // Where it cannot be asked at all, the table of migrations may be missing.
    let migrated = store::is_migrated(server.db.pool()).await.unwrap_or(false);
    if migrated {
        put_in_force(server).await?;
    }
    Ok(migrated)
}

/// Does so as soon as the schema is this version's.
pub async fn when_migrated(server: Server) {
    loop {
        tokio::time::sleep(EVERY).await;
        match configure(&server).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "The configured policy could not be made the default");
            }
        }
    }
}

async fn put_in_force(server: &Server) -> Result<(), Error> {
    let mut tx = server.db.begin().await?;
    let version = policies::configure(&mut tx, &server.settings.policy.text).await?;
    tx.commit().await?;
    if let Some(version) = version {
        tracing::info!(
            policy.version = version,
            "The configured policy is the default from now on"
        );
    }
    Ok(())
}
