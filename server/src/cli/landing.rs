//! What a change became on its target, found out in a checkout: `submit --merged-as`, and the commits of a release.

use super::{git::Checkout, warn};
use crate::api::wire::{Commit, Merged, MergedAs, MergedCommit};
use anyhow::{Context, bail};
use domain::names::CommitSha;

/// The most commits that a rebase is looked for in.
const LONGEST: usize = 2_000;

/// What a head became, and where the patch begins that it is.
pub struct Became {
    pub merged_as: MergedAs,
    pub left: CommitSha,
}

/// How `head` became the commit that `revision` names, by its parents and trees. None where that is the head itself. Its patch
/// begins where it left the commit before, or where it left `named`: the target may have taken a part of it since.
///
/// # Errors
/// It is not exactly the head merged onto what was there before, or git cannot say.
pub fn became(
    checkout: &Checkout,
    revision: &str,
    head: &CommitSha,
    named: Option<&CommitSha>,
) -> anyhow::Result<Option<Became>> {
    let tip = checkout.commit(revision)?;
    if tip == *head {
        return Ok(None);
    }
    let line = checkout.first_parents(&tip, LONGEST)?;
    let last = line.first().context("git knows no such commit")?;
    let attempts: Vec<(Merged, usize)> = match last.parents.as_slice() {
        [_, merged] if merged == head.as_str() => vec![(Merged::Merge, 1)],
        // The last commit of a rebase looks like a squash, too, but does not speak for those below it.
        [_] => vec![
            (Merged::Rebase, checkout.count_missing(&tip, head)?),
            (Merged::Squash, 1),
        ],
        _ => vec![],
    };
    // A rebase of one commit is a squash.
    let attempts = attempts
        .into_iter()
        .filter(|(kind, length)| *kind != Merged::Rebase || *length > 1);
    let left = named.map(|named| checkout.merge_base(named, head));
    // A target that has all of the head by now says nothing of where it left.
    let left = left.transpose()?.filter(|left| left != head);
    for (kind, length) in attempts {
        if let Some(became) = merged(checkout, kind, line.get(..length), head, left.as_ref())? {
            return Ok(Some(became));
        }
    }
    bail!(
        "commit {tip} is not exactly head {head}, merged onto what was there before: something was added to it or left out, as when a conflict is \
         solved by hand. Nobody signed that off: submit it as a change of its own"
    )
}

/// The claim that these commits, the last one first, are the head, if the trees say so.
fn merged(
    checkout: &Checkout,
    kind: Merged,
    commits: Option<&[Commit]>,
    head: &CommitSha,
    left: Option<&CommitSha>,
) -> anyhow::Result<Option<Became>> {
    let Some(commits @ [last, ..]) = commits else {
        return Ok(None);
    };
    let first_has_one_parent = |commit: &Commit| kind == Merged::Merge || commit.parents.len() == 1;
    let before = commits.last().and_then(|first| first.parents.first());
    let (Some(onto), true) = (before, commits.iter().all(first_has_one_parent)) else {
        return Ok(None);
    };
    let onto = CommitSha::parse(onto.as_str()).context("git's answer")?;
    // The patch that people read begins there, too: the merge is to be that patch, and nothing that it does not show.
    let left = match left {
        Some(left) if checkout.merge_base(left, &onto)? == *left => left.clone(),
        _ => checkout.merge_base(&onto, head)?,
    };
    if left == *head {
        return Ok(None);
    }
    let tree = checkout.merged_tree(&left, &onto, head)?;
    let is_that = tree.is_some() && tree == last.tree;
    let merged_as = tree.filter(|_| is_that).map(|tree| MergedAs {
        kind,
        commits: commits.iter().map(landed).collect(),
        onto: onto.to_string(),
        tree,
    });
    Ok(merged_as.map(|merged_as| Became { merged_as, left }))
}

fn landed(commit: &Commit) -> MergedCommit {
    MergedCommit {
        sha: commit.sha.clone(),
        tree: commit.tree.clone().unwrap_or_default(),
        parents: commit.parents.clone(),
    }
}

/// The commits of a release, `DEPLOYED..HEAD` as git knows them here: all that came in, by whatever parent, the last one first.
/// Where nothing did, since it runs already or is older than what runs, the commit that would run.
///
/// # Errors
/// It is no range, or git cannot say.
pub fn release(checkout: &Checkout, range: &str) -> anyhow::Result<Vec<CommitSha>> {
    let Some((from, to)) = range
        .split_once("..")
        .filter(|(_, to)| !to.starts_with('.'))
    else {
        bail!(
            "--range {range:?} is no range: write DEPLOYED..HEAD, what runs now and what would run then"
        );
    };
    let (from, to) = (checkout.commit(from)?, checkout.commit(to)?);
    let listed = checkout.since(&from, &to)?;
    if listed.is_empty() {
        warn(format_args!(
            "--range {range}: there is nothing that {to} has and {from} has not; asking about {to} alone"
        ));
        return Ok(vec![to]);
    }
    Ok(listed)
}
