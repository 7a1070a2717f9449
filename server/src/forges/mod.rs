//! Code hosts: what they send us, and what we ask them.

mod bearer;
pub mod client;
mod confirmed;
pub mod events;
mod forge;
mod gitea;
pub mod github;
mod gitlab;
pub mod hooks;
mod landed;
mod last;
mod patch;
mod refused;
mod shown;
mod signature;
pub mod status;

pub use confirmed::confirmed;
pub use forge::Forge;
pub use refused::{Reason, Refused};
pub use shown::Seen;
pub use signature::Secrets;

use crate::settings::{Hosts, Tokened};
use bearer::Bearer;
use domain::{host::Host, names::RepositoryName};
use std::sync::Arc;
use store::Db;
use tokio::sync::Notify;

/// The hosts that can be asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Forges {
    all: Vec<Forge>,
    /// Told when there is reason to look.
    pub reason: Arc<Notify>,
    /// Told when there is reason to look at merge queues.
    pub queued: Arc<Notify>,
    settings: Hosts,
}

impl Forges {
    /// Those of the settings.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(settings: &Hosts, db: &Db) -> anyhow::Result<Self> {
        let mut all = vec![];
        if let Some(api) = settings.github.clone() {
            let client = github::Client::new(api.url, api.credentials, db.clone())?;
            all.push(Forge::GitHub(client));
        }
        let bearer = |host, api: Tokened| Bearer::new(host, api.url, api.token, db.clone());
        if let Some(api) = settings.gitlab.clone() {
            all.push(Forge::GitLab(bearer(Host::GitLab, api)?));
        }
        if let Some(api) = settings.gitea.clone() {
            all.push(Forge::Gitea(bearer(Host::Gitea, api)?));
        }
        Ok(Self {
            all,
            reason: Arc::default(),
            queued: Arc::default(),
            settings: settings.clone(),
        })
    }

    /// Those that can be asked.
    pub fn all(&self) -> impl Iterator<Item = &Forge> {
        self.all.iter()
    }

    /// Those that may be asked now.
    pub fn ready(&self) -> impl Iterator<Item = &Forge> {
        self.all
            .iter()
            .filter(|forge| forge.silent_until().is_none())
    }

    /// The host that is asked about a repository, if one is.
    #[must_use]
    pub fn asked_about(&self, repository: &RepositoryName) -> Option<&Forge> {
        let mut all = self.all.iter();
        all.find(|forge| self.settings.tells_of(forge.host(), repository))
    }
}
