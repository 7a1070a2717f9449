//! Gitea, and Forgejo, which speaks as it does: what a pull request is there now. The host pins nothing to commits, so what it
//! gives is asked about before and after, and checked against the files of both commits.

mod folders;
mod remarks;
mod wire;

pub use remarks::remarks;

use crate::{
    api::wire as ours,
    forges::{
        bearer::Bearer,
        client::Failed,
        github::{
            commit_status,
            wire::{Blob, Commit, Listed, User},
        },
        landed,
        last::{Last, to_its_end},
        patch::{self, Incomplete},
        shown::{MOST_COMMITS, Patch, Seen, assembled, is_number, sha},
        status::Status,
    },
};
use domain::{
    commit::Signature,
    contributor::{Contributor, Role},
    names::{CommitSha, RepositoryName},
};
use folders::Repository;
use std::collections::{BTreeSet, HashMap};
use store::{
    Db,
    hosts::{self, Change, Look, Open},
    submissions::Submission,
};
use tokio::task::spawn_blocking;
use wire::{Compared, References, Request};

const STILL_MADE: &str = "Gitea is still working out where it begins";
/// How often it is asked whether it has done so by now: for some two minutes.
const PATIENT: i32 = 7;
/// It gives no more on a page, where nobody set less.
const A_PAGE: usize = 50;
/// More open pull requests than on these are walked over as far as that.
const MOST_PAGES: usize = 100;
/// A change that parts from its target at more commits than this is asked about for too long.
const MOST_BELOW: usize = 10;

/// Asks what a change is now.
///
/// # Errors
/// The host could not be asked, or says what cannot be.
pub async fn look(client: &Bearer, db: &Db, look: &Look) -> Result<Seen, Failed> {
    let at = At::of(client, &look.change)?;
    let request = at.request().await?;
    let submission = at.read(db, look, request).await;
    Ok(Seen::Found {
        // A change that is shown has its commits: where they are not shown, they will be.
        submission: Box::new(submission.map_err(|failed| match failed {
            Failed::NotThere => Failed::of("Gitea does not show all of it yet"),
            failed => failed,
        })?),
        // It has no tags.
        etag: None,
    })
}

/// The open pull requests of a repository, and whether these are all.
///
/// # Errors
/// The host could not be asked.
pub async fn open(
    client: &Bearer,
    repository: &RepositoryName,
) -> Result<(Vec<Open>, bool), Failed> {
    let mut all = vec![];
    for page in 1..=MOST_PAGES {
        let asked =
            format!("/repos/{repository}/pulls?state=open&sort=oldest&limit={A_PAGE}&page={page}");
        let listed: Vec<Listed> = client.get(&asked).await?;
        if listed.is_empty() {
            return Ok((all, true));
        }
        all.extend(listed.into_iter().map(Listed::told));
    }
    Ok((all, false))
}

/// The last commit that a change became when it was merged, if it was.
///
/// # Errors
/// The host could not be asked, or says what cannot be.
pub async fn became(client: &Bearer, change: &Change) -> Result<Option<CommitSha>, Failed> {
    At::of(client, change)?.request().await?.pull.became()
}

/// Says what is known of a commit. Of what was said before, Gitea shows only the last.
///
/// # Errors
/// The host could not be told.
pub async fn say(
    client: &Bearer,
    repository: &RepositoryName,
    head: &CommitSha,
    status: &Status,
) -> Result<(), Failed> {
    let at = format!("/repos/{repository}/statuses/{head}");
    match client.post(&at, &commit_status(status)).await? {
        None => Ok(()),
        Some(_) => Err(client.against()),
    }
}

/// One change there.
struct At<'c> {
    client: &'c Bearer,
    change: &'c Change,
    repository: String,
}

/// What its patch goes between.
struct Between {
    base: CommitSha,
    head: CommitSha,
}

impl<'c> At<'c> {
    fn of(client: &'c Bearer, change: &'c Change) -> Result<Self, Failed> {
        if !is_number(change.key.as_str()) {
            return Err(Failed::NotThere);
        }
        Ok(Self {
            client,
            change,
            repository: format!("/repos/{}", change.repository),
        })
    }

    fn pull(&self) -> String {
        format!("{}/pulls/{}", self.repository, self.change.key)
    }

    async fn request(&self) -> Result<Request, Failed> {
        self.client.get(&self.pull()).await
    }

    /// The head of the change itself: its branch may have gone on since it was merged.
    async fn head(&self) -> Result<CommitSha, Failed> {
        let asked = format!("{}/git/refs/pull/{}/head", self.repository, self.change.key);
        self.client.get::<References>(&asked).await?.only()
    }

    /// The commits and the patch of what a change is now.
    async fn read(&self, db: &Db, look: &Look, request: Request) -> Result<Submission, Failed> {
        let change = self.change;
        let name = &request.pull.base.repo.full_name;
        if !name.eq_ignore_ascii_case(change.repository.as_str()) {
            return Err(Failed::of("the repository has another name by now"));
        }
        let head = self.head().await?;
        let commits = self.added().await?;
        let base = match &commits {
            None => Some(sha(&request.merge_base)?),
            Some(commits) => self.base(db, &request, &head, commits).await?,
        };
        if base.is_none() && look.attempts < PATIENT {
            return Err(Failed::of(STILL_MADE));
        }
        let is_all = base.is_some();
        let base = match base {
            Some(base) => base,
            None => sha(&request.merge_base)?,
        };
        let between = Between { base, head };
        let known = hosts::At {
            target: &request.pull.base.name,
            merge_base: &between.base,
            head: &between.head,
        };
        let known_patch = hosts::known_patch(db, change, &known).await?;
        let patch = match (known_patch, &commits) {
            _ if !is_all => Patch::Incomplete(Incomplete::FromElsewhere),
            (Some(patch), _) => Patch::Known(patch),
            (None, None) => Patch::Incomplete(Incomplete::TooManyCommits),
            (None, Some(_)) => match self.patch(&between).await? {
                Ok(patch) => Patch::Whole(patch),
                Err(incomplete) => Patch::Incomplete(incomplete),
            },
        };
        let files = Repository::of(self.client, &change.repository);
        let last = request.pull.became()?;
        let became = landed::became(&files, db, change, last, &known, &patch).await?;
        let (change, commits) = (change.clone(), commits.unwrap_or_default());
        let submission = spawn_blocking(move || {
            let told = told(&change, &request, &between, &commits);
            let mut submission = assembled(told, patch, change.host)?;
            submission.contributors.extend(known_to(&request, &commits));
            submission.landed = became;
            Ok::<_, Failed>(submission)
        });
        submission
            .await
            .map_err(|_| Failed::of("it could not be read to its end"))?
    }

    /// Every commit that it adds; none of them where they are too many.
    async fn added(&self) -> Result<Option<Vec<Commit>>, Failed> {
        let (mut commits, mut page) = (vec![], 0);
        while commits.len() <= MOST_COMMITS {
            page += 1;
            let asked = format!(
                "{}/commits?limit={A_PAGE}&page={page}&verification=false&files=false",
                self.pull()
            );
            let listed: Vec<Commit> = self.client.get(&asked).await?;
            if listed.is_empty() {
                return Ok(Some(commits));
            }
            commits.extend(listed);
        }
        Ok(None)
    }

    /// Where it parts from its target: the one commit below all that it adds, or of several the one that has the others. None
    /// while Gitea says another. Where the target has all of it by now, it begins where it began before.
    async fn base(
        &self,
        db: &Db,
        request: &Request,
        head: &CommitSha,
        commits: &[Commit],
    ) -> Result<Option<CommitSha>, Failed> {
        let added: BTreeSet<&str> = commits.iter().map(|commit| commit.sha.as_str()).collect();
        if added.is_empty() {
            let target = &request.pull.base.name;
            let before = hosts::known_base(db, self.change, target, head).await?;
            return Ok(Some(before.unwrap_or_else(|| head.clone())));
        }
        if !added.contains(head.as_str()) {
            return Err(Failed::of("the head is not among the commits"));
        }
        let said = sha(&request.merge_base)?;
        let parents = commits.iter().flat_map(|commit| &commit.parents);
        let mut below: BTreeSet<&str> = parents.map(|parent| parent.sha.as_str()).collect();
        below.retain(|parent| !added.contains(parent));
        if !below.remove(said.as_str()) || below.len() > MOST_BELOW {
            return Ok(None);
        }
        for other in below {
            let asked = format!("{}/compare/{said}...{}", self.repository, sha(other)?);
            let compared: Compared = self.client.get(&asked).await?;
            if compared.total_commits > 0 {
                return Ok(None);
            }
        }
        Ok(Some(said))
    }

    /// The patch between two commits as git itself writes it, made from what the host gives of the change and checked against the
    /// listings of both commits; or why there is none.
    async fn patch(&self, between: &Between) -> Result<Result<Vec<u8>, Incomplete>, Failed> {
        let Between { base, head } = between;
        if base == head {
            return Ok(Err(Incomplete::AddsNothing));
        }
        let asked = format!("{}.diff", self.pull());
        let diff = self.client.bytes(&asked, domain::patch::MAX_BYTES).await?;
        // It is always the patch of now.
        if self.head().await? != *head || self.request().await?.merge_base != base.as_str() {
            return Err(Failed::of("somebody pushed meanwhile"));
        }
        let Some(diff) = diff else {
            return Ok(Err(Incomplete::TooLarge));
        };
        let files = Repository::of(self.client, &self.change.repository);
        let (Some(before), Some(after)) = (files.files(base).await?, files.files(head).await?)
        else {
            return Ok(Err(Incomplete::TreeTooLarge));
        };
        let (Some(before), Some(after)) = (patch::Tree::of(before), patch::Tree::of(after)) else {
            return Err(Failed::of("a tree has an entry that cannot be"));
        };
        let wanted = match patch::binaries(&diff, &before, &after) {
            Ok(wanted) => wanted,
            Err(incomplete) => return Ok(Err(incomplete)),
        };
        let mut blobs = HashMap::new();
        for id in wanted {
            let Some(blob) = self.blob(&id).await? else {
                return Ok(Err(Incomplete::BinaryTooLarge));
            };
            blobs.insert(id, blob);
        }
        let whole = spawn_blocking(move || {
            let patch = patch::whole(&diff, &before, &after, &blobs)?;
            Ok((Last::of(&patch), patch))
        });
        let whole = whole.await;
        match whole.map_err(|_| Failed::of("the patch could not be read to its end"))? {
            Ok(read) => to_its_end(read, |id| async move { self.blob(&id).await }).await,
            Err(incomplete) => Ok(Err(incomplete)),
        }
    }

    /// What a file holds; none where that is larger than the host gives out.
    async fn blob(&self, id: &str) -> Result<Option<Vec<u8>>, Failed> {
        let asked = format!("{}/git/blobs/{id}", self.repository);
        Ok(self.client.get::<Blob>(&asked).await?.bytes())
    }
}

/// What the host told, in the words in which anybody submits a change: what is read of those is bounded and checked.
fn told(
    change: &Change,
    request: &Request,
    between: &Between,
    commits: &[Commit],
) -> ours::Submission {
    let pull = &request.pull;
    // For the tree of a commit it gives the commit.
    let commit = |commit: &Commit| ours::Commit {
        tree: None,
        ..commit.told()
    };
    let author = pull.user.as_ref().map(|user| ours::Author {
        name: Some(user.login.clone()),
        login: Some(user.login.clone()),
        email: request.no_reply(user),
    });
    ours::Submission {
        commits: commits.iter().map(commit).collect(),
        ..pull.told(change, &between.base, &between.head, author)
    }
}

/// Whom the host takes the authors and committers of commits for. It goes by their addresses, as anybody could, and so do we:
/// it may bar, and gives nothing by itself.
fn known_to(request: &Request, commits: &[Commit]) -> Vec<(Option<CommitSha>, Contributor)> {
    let who = |role: Role, user: &User| {
        let signature = Signature {
            name: user.login.clone(),
            email: request.no_reply(user).unwrap_or_default(),
        };
        Contributor::new(role, signature, Some(&user.login))
    };
    let mut all = vec![];
    for commit in commits {
        let id = CommitSha::parse(commit.sha.clone()).ok();
        for (role, user) in [
            (Role::Author, &commit.author),
            (Role::Committer, &commit.committer),
        ] {
            all.extend(user.as_ref().map(|user| (id.clone(), who(role, user))));
        }
    }
    all
}
