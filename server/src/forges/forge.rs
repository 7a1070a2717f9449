//! One code host that is asked, whichever it is: what all that is asked of one comes to.

use super::{bearer::Bearer, client::Failed, gitea, github, gitlab, shown::Seen, status::Status};
use domain::{
    Timestamp,
    host::Host,
    names::{CommitSha, RepositoryName},
    remark::Remarks,
};
use store::{
    Db,
    hosts::{Change, Look, Open},
};

/// A host, and how it is asked. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Forge {
    GitHub(github::Client),
    GitLab(Bearer),
    Gitea(Bearer),
}

impl Forge {
    /// Which it is.
    #[must_use]
    pub fn host(&self) -> Host {
        match self {
            Self::GitHub(_) => Host::GitHub,
            Self::GitLab(_) => Host::GitLab,
            Self::Gitea(_) => Host::Gitea,
        }
    }

    /// Until when it wants not to be asked, if it wants that.
    #[must_use]
    pub fn silent_until(&self) -> Option<Timestamp> {
        match self {
            Self::GitHub(client) => client.silent_until(),
            Self::GitLab(client) | Self::Gitea(client) => client.silent_until(),
        }
    }

    /// Asks what a change is now.
    ///
    /// # Errors
    /// The host could not be asked, or says what cannot be.
    pub async fn look(&self, db: &Db, look: &Look) -> Result<Seen, Failed> {
        match self {
            Self::GitHub(client) => github::look(client, db, look).await,
            Self::GitLab(client) => gitlab::look(client, db, look).await,
            Self::Gitea(client) => gitea::look(client, db, look).await,
        }
    }

    /// The open changes of a repository, and whether these are all.
    ///
    /// # Errors
    /// The host could not be asked.
    pub async fn open(&self, repository: &RepositoryName) -> Result<(Vec<Open>, bool), Failed> {
        match self {
            Self::GitHub(client) => github::open(client, repository).await,
            Self::GitLab(client) => gitlab::open(client, repository).await,
            Self::Gitea(client) => gitea::open(client, repository).await,
        }
    }

    /// What people said of a change there.
    ///
    /// # Errors
    /// The host could not be asked.
    pub async fn remarks(&self, change: &Change) -> Result<Remarks, Failed> {
        match self {
            Self::GitHub(client) => github::remarks(client, change).await,
            Self::GitLab(client) => gitlab::remarks(client, change).await,
            Self::Gitea(client) => gitea::remarks(client, change).await,
        }
    }

    /// The last commit that a change became when it was merged, if it was.
    ///
    /// # Errors
    /// The host could not be asked, or says what cannot be.
    pub async fn became(&self, change: &Change) -> Result<Option<CommitSha>, Failed> {
        match self {
            Self::GitHub(client) => github::became(client, change).await,
            Self::GitLab(client) => gitlab::became(client, change).await,
            Self::Gitea(client) => gitea::became(client, change).await,
        }
    }

    /// Says what is known of a commit. Of what was said of it before, it shows only the last.
    ///
    /// # Errors
    /// The host could not be told.
    pub async fn say(
        &self,
        repository: &RepositoryName,
        head: &CommitSha,
        status: &Status,
    ) -> Result<(), Failed> {
        match self {
            Self::GitHub(client) => github::say(client, repository, head, status).await,
            Self::GitLab(client) => gitlab::say(client, repository, head, status).await,
            Self::Gitea(client) => gitea::say(client, repository, head, status).await,
        }
    }
}
