//! The files of a repository at Gitea.

use super::wire::{GitCommit, Page};
use crate::forges::{
    bearer::Bearer,
    client::Failed,
    github::wire::Tree,
    landed::{Entry, Folder, Folders},
    shown::sha,
};
use domain::names::{CommitSha, RepositoryName};

/// More pages than this are no repository whose files are listed: of a thousand each, where nobody set less.
const MOST_PAGES: usize = 100;

/// A repository that is asked.
pub struct Repository<'c> {
    client: &'c Bearer,
    at: String,
}

impl<'c> Repository<'c> {
    /// That of this name.
    pub fn of(client: &'c Bearer, name: &RepositoryName) -> Self {
        let at = format!("/repos/{name}/git");
        Self { client, at }
    }

    /// All files of a commit, if it lists them.
    pub async fn files(&self, commit: &CommitSha) -> Result<Option<Tree>, Failed> {
        self.listed(commit.as_str(), true).await
    }

    async fn listed(&self, tree: &str, recursive: bool) -> Result<Option<Tree>, Failed> {
        let mut all = vec![];
        for page in 1..=MOST_PAGES {
            let asked = format!(
                "{}/trees/{tree}?recursive={recursive}&per_page=1000&page={page}",
                self.at
            );
            let listed: Page = self.client.get(&asked).await?;
            all.extend(listed.tree.into_iter().flatten());
            if !listed.truncated {
                let (tree, truncated) = (all, false);
                return Ok(Some(Tree { tree, truncated }));
            }
        }
        Ok(None)
    }
}

impl Folders for Repository<'_> {
    async fn parents(&self, commit: &CommitSha) -> Result<Vec<CommitSha>, Failed> {
        let asked = format!(
            "{}/commits/{commit}?stat=false&verification=false&files=false",
            self.at
        );
        let commit: GitCommit = self.client.get(&asked).await?;
        let parents = commit.parents.iter();
        parents.map(|parent| sha(&parent.sha)).collect()
    }

    async fn folder(&self, commit: &CommitSha, path: &str) -> Result<Option<Folder>, Failed> {
        let mut tree = commit.to_string();
        let mut names = path.split('/').filter(|name| !name.is_empty());
        loop {
            let Some(folder) = self.listed(&tree, false).await?.and_then(named) else {
                return Ok(None);
            };
            let Some(name) = names.next() else {
                return Ok(Some(folder));
            };
            let below = folder.get(name).filter(|entry| entry.is_folder());
            tree = below.ok_or(Failed::NotThere)?.id.clone();
        }
    }
}

/// None where a name is no text: it is written otherwise, and so might be that of another file.
fn named(tree: Tree) -> Option<Folder> {
    let entry = |entry: crate::forges::github::wire::Entry| {
        let mode = entry.mode.trim_start_matches('0').to_owned();
        let id = entry.sha;
        (!entry.path.contains('\u{fffd}')).then_some((entry.path, Entry { mode, id }))
    };
    tree.tree.into_iter().map(entry).collect()
}
