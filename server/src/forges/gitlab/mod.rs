//! GitLab: what a merge request is there now, asked over REST: between the two commits that GitLab itself says its patch goes, which
//! it works out anew whenever the source or the target moves so that it matters.

mod folders;
mod remarks;
mod say;
mod wire;

pub use remarks::remarks;
pub use say::say;

use crate::{
    api::wire as ours,
    forges::{
        bearer::Bearer,
        client::{Failed, escaped},
        landed,
        last::{Last, to_its_end},
        patch::{self, InFull, Incomplete, MOST_BINARY},
        shown::{MOST_COMMITS, Patch, Seen, assembled, is_number, sha},
    },
};
use domain::names::{CommitSha, RepositoryName};
use folders::Project;
use std::collections::HashMap;
use store::{
    Db,
    hosts::{self, Look, Open},
    submissions::Submission,
};
use tokio::task::spawn_blocking;
use wire::{Commit, Differing, Listed, MergeRequest, Named, Version};

const STILL_MADE: &str = "GitLab is still making its patch";
/// How often it is asked whether it has made it by now: for some two minutes.
const PATIENT: i32 = 7;
const A_PAGE: usize = 100;
/// More open merge requests than this are walked over as far as that.
const MOST_PAGES: usize = 50;

/// Asks what a change is now.
///
/// # Errors
/// The host could not be asked, or says what cannot be.
pub async fn look(client: &Bearer, db: &Db, look: &Look) -> Result<Seen, Failed> {
    let at = at(&look.change)?;
    let etag = look.etag.as_deref();
    let Some((request, etag)) = client.changed::<MergeRequest>(&at, etag).await? else {
        return Ok(Seen::Same);
    };
    let submission = read(client, db, look, &at, request).await;
    Ok(Seen::Found {
        // A change that is shown has its commits: where they are not shown, they will be.
        submission: Box::new(submission.map_err(|failed| match failed {
            Failed::NotThere => Failed::of("GitLab does not show all of it yet"),
            failed => failed,
        })?),
        etag,
    })
}

/// The open merge requests of a repository, and whether these are all.
///
/// # Errors
/// The host could not be asked.
pub async fn open(
    client: &Bearer,
    repository: &RepositoryName,
) -> Result<(Vec<Open>, bool), Failed> {
    let at = project(repository);
    let mut all = vec![];
    for page in 1..=MOST_PAGES {
        let asked = format!(
            "{at}/merge_requests?state=opened&scope=all&order_by=created_at&sort=asc&per_page={A_PAGE}&page={page}"
        );
        let listed: Vec<Listed> = client.get(&asked).await?;
        let is_last = listed.len() < A_PAGE;
        all.extend(listed.into_iter().map(|request| Open {
            key: request.iid.to_string(),
            title: request.title,
            draft: request.draft,
            target: request.target_branch,
            head: request.sha.unwrap_or_default(),
        }));
        if is_last {
            return Ok((all, true));
        }
    }
    Ok((all, false))
}

/// The last commit that a change became when it was merged, if it was.
///
/// # Errors
/// The host could not be asked, or says what cannot be.
pub async fn became(client: &Bearer, change: &hosts::Change) -> Result<Option<CommitSha>, Failed> {
    client.get::<MergeRequest>(&at(change)?).await?.became()
}

/// A project goes by its whole path, its slashes written otherwise.
fn project(repository: &RepositoryName) -> String {
    format!("/projects/{}", escaped(repository.as_str()))
}

fn at(change: &hosts::Change) -> Result<String, Failed> {
    if !is_number(change.key.as_str()) {
        return Err(Failed::NotThere);
    }
    let project = project(&change.repository);
    Ok(format!("{project}/merge_requests/{}", change.key))
}

/// What its patch goes between.
struct Between {
    base: CommitSha,
    /// The target, of which nothing is shown.
    start: CommitSha,
    head: CommitSha,
    /// Whether that is all that the target has not.
    is_all: bool,
}

/// The commits and the patch of what a change is now.
async fn read(
    client: &Bearer,
    db: &Db,
    look: &Look,
    at: &str,
    request: MergeRequest,
) -> Result<Submission, Failed> {
    let change = &look.change;
    let here = format!("{}!{}", change.repository, change.key);
    if !request.references.full.eq_ignore_ascii_case(&here) {
        return Err(Failed::of("the repository has another name by now"));
    }
    let between = between(client, db, change, &request).await?;
    if !between.is_all && look.attempts < PATIENT {
        return Err(Failed::of(STILL_MADE));
    }
    let known = hosts::At {
        target: &request.target_branch,
        merge_base: &between.base,
        head: &between.head,
    };
    let known_patch = hosts::known_patch(db, change, &known).await?;
    let commits = added(client, &project(&change.repository), &between).await?;
    let patch = match (known_patch, &commits) {
        _ if !between.is_all => Patch::Incomplete(Incomplete::FromElsewhere),
        (Some(patch), _) => Patch::Known(patch),
        (None, None) => Patch::Incomplete(Incomplete::TooManyCommits),
        (None, Some(_)) => match patch_of(client, change, at, &between).await? {
            Ok(patch) => Patch::Whole(patch),
            Err(incomplete) => Patch::Incomplete(incomplete),
        },
    };
    let (project, last) = (Project::of(client, &change.repository), request.became()?);
    let became = landed::became(&project, db, change, last, &known, &patch).await?;
    let (change, commits) = (change.clone(), commits.unwrap_or_default());
    let submission = spawn_blocking(move || {
        let told = told(&change, request, &between, commits);
        let mut submission = assembled(told, patch, change.host)?;
        submission.landed = became;
        Ok::<_, Failed>(submission)
    });
    submission
        .await
        .map_err(|_| Failed::of("it could not be read to its end"))?
}

/// Where the target has all of it by now, it goes from where it went before. As long as it is open that has to be all that the target has
/// not: GitLab works out anew what it shows when somebody pushes, and not when the target goes back.
async fn between(
    client: &Bearer,
    db: &Db,
    change: &hosts::Change,
    request: &MergeRequest,
) -> Result<Between, Failed> {
    let refs = request.diff_refs.as_ref();
    let refs = refs.ok_or_else(|| Failed::of(STILL_MADE))?;
    let mut between = Between {
        base: sha(&refs.base_sha)?,
        start: sha(&refs.start_sha)?,
        head: sha(&refs.head_sha)?,
        is_all: true,
    };
    if between.base == between.head {
        let target = &request.target_branch;
        if let Some(before) = hosts::known_base(db, change, target, &between.head).await? {
            (between.base, between.start) = (before.clone(), before);
        }
    }
    if request.is_open() {
        let base = merge_base(client, change, &request.target_branch, &between.head).await?;
        if base != between.base && base != between.head {
            (between.start, between.is_all) = (base.clone(), false);
            between.base = base;
        }
    }
    Ok(between)
}

/// What its head and its target have in common now.
async fn merge_base(
    client: &Bearer,
    change: &hosts::Change,
    target: &str,
    head: &CommitSha,
) -> Result<CommitSha, Failed> {
    let (at, target) = (project(&change.repository), escaped(target));
    let asked = format!("{at}/repository/merge_base?refs%5B%5D={target}&refs%5B%5D={head}");
    sha(&client.get::<Named>(&asked).await?.id)
}

/// Every commit that it adds, oldest first; none of them where they are too many.
async fn added(
    client: &Bearer,
    project: &str,
    between: &Between,
) -> Result<Option<Vec<Commit>>, Failed> {
    let Between { start, head, .. } = between;
    let (mut commits, mut page) = (vec![], 0);
    while commits.len() <= MOST_COMMITS {
        page += 1;
        let asked = format!(
            "{project}/repository/commits?ref_name={start}..{head}&order=topo&per_page={A_PAGE}&page={page}"
        );
        let listed: Vec<Commit> = client.get(&asked).await?;
        let is_last = listed.len() < A_PAGE;
        commits.extend(listed);
        if is_last {
            commits.reverse();
            let has_head = commits.iter().any(|commit| commit.id == head.as_str());
            return match has_head || between.base == *head {
                true => Ok(Some(commits)),
                false => Err(Failed::of("the head is not among the commits")),
            };
        }
    }
    Ok(None)
}

/// The patch of the newest push, as git itself writes it. GitLab gives it with every id in full, and nothing of binary files; that it
/// is the one of these two commits, and of all files, is checked against what GitLab lists of that push.
async fn patch_of(
    client: &Bearer,
    change: &hosts::Change,
    at: &str,
    between: &Between,
) -> Result<Result<Vec<u8>, Incomplete>, Failed> {
    let version = newest(client, at).await?;
    if !version.is(between) {
        return Err(Failed::of(STILL_MADE));
    }
    match version.state.as_str() {
        "collected" => {}
        "empty" => return Ok(Err(Incomplete::AddsNothing)),
        state if state.starts_with("overflow") => return Ok(Err(Incomplete::TooLarge)),
        _ => return Ok(Err(Incomplete::NotAll)),
    }
    let asked = format!("{at}/raw_diffs");
    let Some(diff) = client.bytes(&asked, domain::patch::MAX_BYTES).await? else {
        return Ok(Err(Incomplete::TooLarge));
    };
    // It is always the patch of now: if nobody has pushed since, it is that of this version.
    if newest(client, at).await?.id != version.id {
        return Err(Failed::of("somebody pushed meanwhile"));
    }
    let listed = format!("{at}/versions/{}", version.id);
    let names = client.get::<Differing>(&listed).await?.names();
    let wanted = match patch::binaries(&diff, &InFull, &InFull) {
        Ok(wanted) => wanted,
        Err(incomplete) => return Ok(Err(incomplete)),
    };
    let (mut blobs, mut left) = (HashMap::new(), MOST_BINARY);
    for id in wanted {
        let project = project(&change.repository);
        let asked = format!("{project}/repository/blobs/{id}/raw");
        let Some(blob) = client.bytes(&asked, left).await? else {
            return Ok(Err(Incomplete::BinaryTooLarge));
        };
        left -= blob.len();
        blobs.insert(id, blob);
    }
    let whole = spawn_blocking(move || {
        let patch = patch::whole_of(&diff, &names, &blobs)?;
        Ok((Last::of(&patch), patch))
    });
    let whole = whole.await;
    match whole.map_err(|_| Failed::of("the patch could not be read to its end"))? {
        Ok(read) => {
            let old = |id| async move {
                let asked = format!("{}/repository/blobs/{id}/raw", project(&change.repository));
                client.bytes(&asked, domain::patch::MAX_BYTES).await
            };
            to_its_end(read, old).await
        }
        Err(incomplete) => Ok(Err(incomplete)),
    }
}

async fn newest(client: &Bearer, at: &str) -> Result<Version, Failed> {
    let all: Vec<Version> = client
        .get(&format!("{at}/versions?per_page={A_PAGE}"))
        .await?;
    let newest = all.into_iter().max_by_key(|version| version.id);
    newest.ok_or_else(|| Failed::of(STILL_MADE))
}

impl Version {
    fn is(&self, between: &Between) -> bool {
        self.base_commit_sha.as_deref() == Some(between.base.as_str())
            && self.head_commit_sha.as_deref() == Some(between.head.as_str())
    }
}

/// What the host told, in the words in which anybody submits a change: what is read of those is bounded and checked.
fn told(
    change: &hosts::Change,
    request: MergeRequest,
    between: &Between,
    commits: Vec<Commit>,
) -> ours::Submission {
    let state = match request.state.as_str() {
        "merged" => ours::State::Merged,
        _ if request.is_open() => ours::State::Open,
        _ => ours::State::Closed,
    };
    let author = request.author.as_ref().map(|author| ours::Author {
        name: Some(author.username.clone()),
        login: Some(author.username.clone()),
        email: request.no_reply(author),
    });
    ours::Submission {
        repository: change.repository.to_string(),
        key: change.key.to_string(),
        title: request.title,
        url: Some(request.web_url),
        author,
        target: request.target_branch,
        base: between.base.to_string(),
        head: between.head.to_string(),
        commits: commits.into_iter().map(Commit::told).collect(),
        draft: request.draft,
        state,
        ai: None,
        branch: Some(request.source_branch),
        labels: request.labels,
        description: request.description,
        notes: vec![],
        traces: vec![],
        merged_as: None,
        current: true,
    }
}
