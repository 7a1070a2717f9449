//! Code hosts: what they send us, and what we ask them.

mod confirmed;
pub mod events;
pub mod github;
pub mod hooks;
mod refused;
mod signature;
pub mod status;

pub use confirmed::confirmed;
pub use refused::{Reason, Refused};
pub use signature::Secrets;

use crate::settings::Hosts;
use domain::{host::Host, names::RepositoryName};
use std::sync::Arc;
use store::Db;
use tokio::sync::Notify;

/// The hosts that can be asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Forges {
    pub github: Option<github::Client>,
    /// Told when there is reason to look.
    pub reason: Arc<Notify>,
    settings: Hosts,
}

impl Forges {
    /// Those of the settings.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(settings: &Hosts, db: &Db) -> anyhow::Result<Self> {
        let github = settings
            .github
            .as_ref()
            .map(|api| github::Client::new(api.url.clone(), api.credentials.clone(), db.clone()));
        Ok(Self {
            github: github.transpose()?,
            reason: Arc::default(),
            settings: settings.clone(),
        })
    }

    /// The host that is asked about a repository, if one is.
    #[must_use]
    pub fn asked_about(&self, repository: &RepositoryName) -> Option<Host> {
        let is_asked = self.github.is_some() && self.settings.tells_of(Host::GitHub, repository);
        is_asked.then_some(Host::GitHub)
    }
}
