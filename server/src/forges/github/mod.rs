//! GitHub: what a pull request is there now, asked over REST and pinned to commits, so that a change that moves meanwhile
//! cannot mix two states.

mod auth;
mod bot;
mod client;
mod groups;
mod landed;
mod open;
mod remarks;
mod say;
pub(super) mod wire;

pub use auth::Credentials;
pub use client::Client;
pub(super) use groups::named;
pub use groups::{Place, formed, known, places};
pub use open::open;
pub(super) use remarks::Said;
pub use remarks::remarks;
pub(super) use say::commit_status;
pub use say::say;

use crate::{
    api::wire as ours,
    forges::{
        client::Failed,
        github::wire::{Commit, Comparison, Pull},
        last::{Last, to_its_end},
        patch::{self, Incomplete},
        shown::{MOST_COMMITS, Patch, Seen, assembled, is_number, read_patch, sha},
    },
};
use domain::{
    commit::Signature,
    contributor::{Contributor, Role},
    host::Host,
    names::{Branch, CommitSha},
};
use landed::Signed;
use std::collections::HashMap;
use store::{Db, hosts, hosts::Look, submissions::Submission};
use tokio::task::spawn_blocking;

const COMMITS_A_PAGE: usize = 100;

/// Asks what a change is now.
///
/// # Errors
/// The host could not be asked, or says what cannot be.
pub async fn look(client: &Client, db: &Db, look: &Look) -> Result<Seen, Failed> {
    if !is_number(look.change.key.as_str()) {
        return Err(Failed::NotThere);
    }
    let at = format!("/repos/{}", look.change.repository);
    let asked = format!("{at}/pulls/{}", look.change.key);
    let Some((pull, etag)) = client.changed::<Pull>(&asked, look.etag.as_deref()).await? else {
        return Ok(Seen::Same);
    };
    let submission = read(client, db, &look.change, &at, pull).await;
    Ok(Seen::Found {
        // A change that is shown has its commits: where they are not shown, they will be.
        submission: Box::new(submission.map_err(|failed| match failed {
            Failed::NotThere => Failed::of("GitHub does not show all of it yet"),
            failed => failed,
        })?),
        etag,
    })
}

/// The commits and the patch of what a change is now.
async fn read(
    client: &Client,
    db: &Db,
    change: &hosts::Change,
    at: &str,
    pull: Pull,
) -> Result<Submission, Failed> {
    if !pull
        .base
        .repo
        .full_name
        .eq_ignore_ascii_case(change.repository.as_str())
    {
        return Err(Failed::of("the repository has another name by now"));
    }
    let head = sha(&pull.head.sha)?;
    let (comparison, commits) = added(client, db, change, at, &pull, &head).await?;
    let merge_base = sha(&comparison.merge_base_commit.sha)?;
    let known = hosts::known_patch(
        db,
        change,
        &hosts::At {
            target: &pull.base.name,
            merge_base: &merge_base,
            head: &head,
        },
    )
    .await?;
    let patch = match (known, &commits) {
        (Some(patch), _) => Patch::Known(patch),
        (None, None) => Patch::Incomplete(Incomplete::TooManyCommits),
        (None, Some(commits)) => {
            let base = &comparison.merge_base_commit;
            match patch_of(client, at, base, commits, &head).await? {
                Ok(patch) => Patch::Whole(patch),
                Err(incomplete) => Patch::Incomplete(incomplete),
            }
        }
    };
    let commits = commits.unwrap_or_default();
    let signed = signed(
        db,
        change,
        &pull,
        (&merge_base, &head),
        &patch,
        commits.len(),
    )
    .await?;
    let landed = match (pull.became()?, signed) {
        (Some(last), Some(signed)) => landed::landed(client, at, &last, &signed).await?,
        _ => None,
    };
    let (change, host) = (change.clone(), change.host);
    let bot = bot::of(client, (at, host), &pull, &commits).await?;
    let submission = spawn_blocking(move || {
        let told = told(&change, &pull, &merge_base, &head, &commits);
        let mut submission = assembled(told, patch, host)?;
        submission.contributors.extend(known_to(host, &commits));
        submission.bot = bot;
        submission.landed = landed;
        Ok::<_, Failed>(submission)
    });
    submission
        .await
        .map_err(|_| Failed::of("it could not be read to its end"))?
}

/// The last commit that a change became when it was merged, if it was.
///
/// # Errors
/// The host could not be asked, or says what cannot be.
pub async fn became(client: &Client, change: &hosts::Change) -> Result<Option<CommitSha>, Failed> {
    let asked = format!("/repos/{}/pulls/{}", change.repository, change.key);
    let pull: Pull = client.get(&asked).await?;
    pull.became()
}

/// What was signed off, or could have been: none where nobody gave all of the patch.
async fn signed(
    db: &Db,
    change: &hosts::Change,
    pull: &Pull,
    (merge_base, head): (&CommitSha, &CommitSha),
    patch: &Patch,
    commits: usize,
) -> Result<Option<Signed>, Failed> {
    let target = &pull.base.name;
    let known = hosts::At {
        target,
        merge_base,
        head,
    };
    if !pull.merged {
        return Ok(None);
    }
    let Some(patch) = read_patch(db, change, &known, patch).await? else {
        return Ok(None);
    };
    Ok(Some(Signed {
        target: Branch::parse(target.as_str())
            .map_err(|_| Failed::of("its target is no branch"))?,
        merge_base: merge_base.clone(),
        head: head.clone(),
        patch,
        commits,
    }))
}

/// What a change adds to its target, or added before it became part of it: from then on the two have nothing in common but the
/// head, and what was signed off would seem to be nothing.
async fn added(
    client: &Client,
    db: &Db,
    change: &hosts::Change,
    at: &str,
    pull: &Pull,
    head: &CommitSha,
) -> Result<(Comparison, Option<Vec<Commit>>), Failed> {
    let before = hosts::known_base(db, change, &pull.base.name, head).await?;
    let from = match (&before, pull.merged) {
        (Some(before), true) => before.clone(),
        (None, true) => sha(&pull.base.sha)?,
        (_, false) => tip(client, at, pull).await?,
    };
    let now = compared(client, at, &from, head).await?;
    match before {
        Some(before) if now.0.merge_base_commit.sha == head.as_str() => {
            compared(client, at, &before, head).await
        }
        _ => Ok(now),
    }
}

/// What the target's branch points to now. What a pull request says of it is from when it was last pushed to; it counts where the
/// branch is gone.
async fn tip(client: &Client, at: &str, pull: &Pull) -> Result<CommitSha, Failed> {
    let branch = format!("{at}/git/ref/heads/{}", client::escaped(&pull.base.name));
    match client.get::<wire::Reference>(&branch).await {
        Ok(reference) => sha(&reference.object.sha),
        Err(Failed::NotThere) => sha(&pull.base.sha),
        Err(failed) => Err(failed),
    }
}

/// What two commits have in common, and every commit that the second adds; none of them where they are too many.
async fn compared(
    client: &Client,
    at: &str,
    tip: &CommitSha,
    head: &CommitSha,
) -> Result<(Comparison, Option<Vec<Commit>>), Failed> {
    let page = async |page: usize| {
        let asked = format!("{at}/compare/{tip}...{head}?per_page={COMMITS_A_PAGE}&page={page}");
        client.get::<Comparison>(&asked).await
    };
    let mut first = page(1).await?;
    let mut commits = std::mem::take(&mut first.commits);
    if first.total_commits > MOST_COMMITS {
        return Ok((first, None));
    }
    let mut read = 1;
    while commits.len() < first.total_commits {
        read += 1;
        let more = page(read).await?.commits;
        if more.is_empty() {
            return Err(Failed::of("fewer commits were listed than counted"));
        }
        commits.extend(more);
    }
    Ok((first, Some(commits)))
}

/// The patch between two commits as git itself writes it, made from what the host gives of it and checked against the
/// listings of both trees; or why there is none.
async fn patch_of(
    client: &Client,
    at: &str,
    base: &Commit,
    commits: &[Commit],
    head: &CommitSha,
) -> Result<Result<Vec<u8>, Incomplete>, Failed> {
    let Some(last) = commits.iter().find(|commit| commit.sha == head.as_str()) else {
        let same = base.sha == head.as_str();
        return match same {
            true => Ok(Err(Incomplete::AddsNothing)),
            false => Err(Failed::of("the head is not among the commits")),
        };
    };
    let asked = format!("{at}/compare/{}...{head}", sha(&base.sha)?);
    let (diff, before, after) = tokio::try_join!(
        client.diff(&asked),
        listing(client, at, base),
        listing(client, at, last)
    )?;
    let Some(diff) = diff else {
        return Ok(Err(Incomplete::TooLarge));
    };
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(Err(Incomplete::TreeTooLarge));
    };
    let wanted = match patch::binaries(&diff, &before, &after) {
        Ok(wanted) => wanted,
        Err(incomplete) => return Ok(Err(incomplete)),
    };
    let mut blobs = HashMap::new();
    for id in wanted {
        let blob = blob(client, at, &id).await?;
        let blob = blob.ok_or_else(|| Failed::of("a blob is not base64"))?;
        blobs.insert(id, blob);
    }
    let whole = spawn_blocking(move || {
        let patch = patch::whole(&diff, &before, &after, &blobs)?;
        Ok((Last::of(&patch), patch))
    });
    let whole = whole.await;
    match whole.map_err(|_| Failed::of("the patch could not be read to its end"))? {
        Ok(read) => to_its_end(read, |id| async move { blob(client, at, &id).await }).await,
        Err(incomplete) => Ok(Err(incomplete)),
    }
}

/// What a file holds; none where that is larger than the host gives out.
async fn blob(client: &Client, at: &str, id: &str) -> Result<Option<Vec<u8>>, Failed> {
    let blob: wire::Blob = client.get(&format!("{at}/git/blobs/{id}")).await?;
    Ok(blob.bytes())
}

/// What is in a commit, if it lists all of it.
async fn listing(
    client: &Client,
    at: &str,
    commit: &Commit,
) -> Result<Option<patch::Tree>, Failed> {
    let tree = sha(&commit.commit.tree.sha)?;
    let asked = format!("{at}/git/trees/{tree}?recursive=1");
    let tree: wire::Tree = client.get(&asked).await?;
    if tree.truncated {
        return Ok(None);
    }
    let tree = patch::Tree::of(tree);
    let tree = tree.ok_or_else(|| Failed::of("a tree has an entry that cannot be"))?;
    Ok(Some(tree))
}

/// What the host told, in the words in which anybody submits a change: what is read of those is bounded and checked.
fn told(
    change: &hosts::Change,
    pull: &Pull,
    merge_base: &CommitSha,
    head: &CommitSha,
    commits: &[Commit],
) -> ours::Submission {
    let author = pull.user.as_ref().map(|user| ours::Author {
        name: Some(user.login.clone()),
        login: Some(user.login.clone()),
        email: Some(user.no_reply()),
    });
    ours::Submission {
        commits: commits.iter().map(Commit::told).collect(),
        ..pull.told(change, merge_base, head, author)
    }
}

/// Whom the host takes the authors and committers of commits for. It goes by their addresses, as anybody could, and so do we:
/// it may bar, and gives nothing by itself.
fn known_to(host: Host, commits: &[Commit]) -> Vec<(Option<CommitSha>, Contributor)> {
    let mut all = vec![];
    for commit in commits {
        let roles = [
            (Role::Author, &commit.author),
            (Role::Committer, &commit.committer),
        ];
        for (role, user) in roles {
            let Some(user) = user.as_ref().filter(|user| !user.is_the_site(host)) else {
                continue;
            };
            let who = Signature {
                name: user.login.clone(),
                email: user.no_reply(),
            };
            let sha = CommitSha::parse(commit.sha.clone()).ok();
            all.push((sha, Contributor::new(role, who, Some(&user.login))));
        }
    }
    all
}
