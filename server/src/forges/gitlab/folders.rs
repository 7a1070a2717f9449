//! The folders of a GitLab project.

use super::{
    A_PAGE, project,
    wire::{Commit, InFolder},
};
use crate::forges::{
    bearer::Bearer,
    client::{Failed, escaped},
    landed::{Entry, Folder, Folders},
    shown::sha,
};
use domain::names::{CommitSha, RepositoryName};

/// A folder of more than this is listed for too long.
const MOST_PAGES: usize = 20;

/// A project that is asked.
pub struct Project<'c> {
    client: &'c Bearer,
    at: String,
}

impl<'c> Project<'c> {
    /// That of this repository.
    pub fn of(client: &'c Bearer, repository: &RepositoryName) -> Self {
        let at = format!("{}/repository", project(repository));
        Self { client, at }
    }
}

impl Folders for Project<'_> {
    async fn parents(&self, commit: &CommitSha) -> Result<Vec<CommitSha>, Failed> {
        let asked = format!("{}/commits/{commit}?stats=false", self.at);
        let commit: Commit = self.client.get(&asked).await?;
        commit.parent_ids.iter().map(|parent| sha(parent)).collect()
    }

    async fn folder(&self, commit: &CommitSha, path: &str) -> Result<Option<Folder>, Failed> {
        let (mut folder, path) = (Folder::new(), escaped(path));
        for page in 1..=MOST_PAGES {
            let asked = format!(
                "{}/tree?ref={commit}&path={path}&per_page={A_PAGE}&page={page}",
                self.at
            );
            let listed: Vec<InFolder> = self.client.get(&asked).await?;
            let is_last = listed.len() < A_PAGE;
            for one in listed {
                // A name that is no text is written otherwise, and so might be that of another file.
                if one.name.contains('\u{fffd}') {
                    return Ok(None);
                }
                let mode = one.mode.trim_start_matches('0').to_owned();
                folder.insert(one.name, Entry { mode, id: one.id });
            }
            if is_last {
                return Ok(Some(folder));
            }
        }
        Ok(None)
    }
}
