//! What a merged pull request became on its target: the commit that GitHub names, where what it adds there is provably what was
//! signed off. GitHub calls a pull request merged also when somebody pushes a merge of it that they made themselves.

use super::{Client, compared, patch_of, wire};
use crate::forges::{client::Failed, shown::sha};
use domain::{
    carry::{Proof, Side, proof},
    landing::{Claim, Kind, Landed},
    names::{Branch, CommitSha},
    patch::parts,
};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// A rebase of more commits than this is asked about one by one for too long.
const MOST_COMMITS: usize = 100;

/// What was signed off, and how many commits it has.
#[derive(Clone)]
pub struct Signed {
    pub target: Branch,
    pub merge_base: CommitSha,
    pub head: CommitSha,
    pub patch: Arc<Vec<u8>>,
    pub commits: usize,
}

/// What it became, if the last commit that GitHub names is that and nothing else.
///
/// # Errors
/// The host could not be asked.
pub async fn landed(
    client: &Client,
    at: &str,
    last: &CommitSha,
    signed: &Signed,
) -> Result<Option<Claim>, Failed> {
    if *last == signed.head {
        return Ok(None);
    }
    let mut line = vec![commit(client, at, last).await?];
    let first = &line[0].parents;
    let kind = match &first[..] {
        [_, other] if *other == signed.head => Kind::Merge,
        [_] => Kind::Squash,
        _ => return Ok(None),
    };
    if let Some(claim) = proved(client, at, kind, &line, signed).await? {
        return Ok(Some(claim));
    }
    if kind == Kind::Merge || !(2..=MOST_COMMITS).contains(&signed.commits) {
        return Ok(None);
    }
    while let [below] = &line[line.len() - 1].parents[..]
        && line.len() < signed.commits
    {
        let below = commit(client, at, below).await?;
        line.push(below);
    }
    proved(client, at, Kind::Rebase, &line, signed).await
}

async fn commit(client: &Client, at: &str, of: &CommitSha) -> Result<Landed, Failed> {
    let commit: wire::GitCommit = client.get(&format!("{at}/git/commits/{of}")).await?;
    let parents = commit.parents.iter().map(|parent| sha(&parent.sha));
    Ok(Landed {
        sha: of.clone(),
        tree: sha(&commit.tree.sha)?,
        parents: parents.collect::<Result<_, _>>()?,
    })
}

/// The claim that these commits, the last one first, are what was signed off, if their patch is.
async fn proved(
    client: &Client,
    at: &str,
    kind: Kind,
    line: &[Landed],
    signed: &Signed,
) -> Result<Option<Claim>, Failed> {
    let (Some(last), Some(onto)) = (
        line.first(),
        line.last().and_then(|first| first.parents.first()),
    ) else {
        return Ok(None);
    };
    let (comparison, Some(commits)) = compared(client, at, onto, &last.sha).await? else {
        return Ok(None);
    };
    let base = &comparison.merge_base_commit;
    let Ok(patch) = patch_of(client, at, base, &commits, &last.sha).await? else {
        return Ok(None);
    };
    let claim = Claim {
        kind,
        commits: line.to_vec(),
        onto: onto.clone(),
        tree: last.tree.clone(),
    };
    let (signed, base) = (signed.clone(), sha(&base.sha)?);
    let same = spawn_blocking(move || {
        claim.check(&signed.head).is_ok().then_some(())?;
        is_the_same(&signed, &base, &patch).then_some(claim)
    });
    same.await
        .map_err(|_| Failed::of("what it became could not be read to its end"))
}

/// Whether every file has the same blobs, or every line of every hunk is the same: the target may have moved elsewhere.
fn is_the_same(signed: &Signed, base: &CommitSha, patch: &[u8]) -> bool {
    let (Ok(old), Ok(new)) = (parts(&signed.patch), parts(patch)) else {
        return false;
    };
    let side = |merge_base, files| Side {
        target: &signed.target,
        merge_base,
        files,
    };
    let (old, new) = (side(&signed.merge_base, &old[..]), side(base, &new[..]));
    proof(&old, &new, &[Proof::Blobs, Proof::Patch]).is_some()
}
