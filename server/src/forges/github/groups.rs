//! Merge queues: before pull requests become the target, GitHub makes a commit for each place in the queue, of that pull request
//! on top of those before it, and merges it when every required check has passed there.

use super::{Client, compared, landed, landed::Signed, wire};
use crate::forges::{client::Failed, shown::sha};
use domain::names::{Branch, ChangeKey, CommitSha, RepositoryName};
use store::{
    Db,
    groups::{self, Group, Proposed},
    hosts,
};

/// Where GitHub keeps the commits that it tries.
const BRANCHES: &str = "gh-readonly-queue";
/// No queue is as long.
const MOST_PAGES: usize = 5;
const A_PAGE: usize = 100;
/// As many as GitHub merges together.
const MOST_IN_GROUP: usize = 100;

/// A place in a merge queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub target: Branch,
    pub key: ChangeKey,
    pub head: CommitSha,
}

/// All places of the merge queues of a repository.
///
/// # Errors
/// The host could not be asked, or says what cannot be.
pub async fn places(client: &Client, repository: &RepositoryName) -> Result<Vec<Place>, Failed> {
    let mut places = vec![];
    for page in 1..=MOST_PAGES {
        let asked = format!(
            "/repos/{repository}/git/matching-refs/heads/{BRANCHES}?per_page={A_PAGE}&page={page}"
        );
        let listed: Vec<wire::Named> = client.get(&asked).await?;
        let is_last = listed.len() < A_PAGE;
        for one in listed {
            if let Some((target, key)) = named(&one.name) {
                let head = sha(&one.object.sha)?;
                places.push(Place { target, key, head });
            }
        }
        if is_last {
            break;
        }
    }
    Ok(places)
}

/// The target and the pull request in `refs/heads/gh-readonly-queue/main/pr-104-<commit>`.
pub fn named(branch: &str) -> Option<(Branch, ChangeKey)> {
    let queued = branch.strip_prefix("refs/heads/")?.strip_prefix(BRANCHES)?;
    let queued = queued.strip_prefix('/')?;
    let (target, place) = queued.rsplit_once('/')?;
    let (number, _) = place.strip_prefix("pr-")?.split_once('-')?;
    let number: u64 = number.parse().ok()?;
    let key = ChangeKey::parse(number.to_string()).ok()?;
    Some((Branch::parse(target).ok()?, key))
}

/// What is at a place: the pull requests that its commit provably adds to the target, and nothing else. None where that is not so, or
/// is not known yet.
///
/// # Errors
/// The host or the database could not be asked.
pub async fn formed(
    client: &Client,
    db: &Db,
    repository: &RepositoryName,
    places: &[Place],
    place: &Place,
) -> Result<Option<Group>, Failed> {
    let (mut parts, mut at) = (vec![], place);
    for _ in 0..MOST_IN_GROUP {
        let Some((proposed, onto)) = added(client, db, repository, at).await? else {
            return Ok(None);
        };
        parts.push(proposed.part);
        if let Some(below) = known(db, repository, &onto).await? {
            parts.extend(below.parts);
            let onto = below.onto;
            return Ok(Some(Group { parts, onto }));
        }
        let below = places
            .iter()
            .find(|one| one.head == onto && one.target == place.target);
        match below {
            Some(below) => at = below,
            None => {
                let is_there = is_on(client, repository, &onto, &place.target).await?;
                return Ok(is_there.then_some(Group { parts, onto }));
            }
        }
    }
    Ok(None)
}

/// What is known of a merge group.
///
/// # Errors
/// The database could not be asked.
pub async fn known(
    db: &Db,
    repository: &RepositoryName,
    head: &CommitSha,
) -> Result<Option<Group>, Failed> {
    let mut conn = db.pool().acquire().await.map_err(store::Error::from)?;
    Ok(groups::known_at(&mut conn, repository, head).await?)
}

/// The pull request that the commit at a place adds to the one before it, and that one: if it is nothing else.
async fn added(
    client: &Client,
    db: &Db,
    repository: &RepositoryName,
    place: &Place,
) -> Result<Option<(Proposed, CommitSha)>, Failed> {
    let Some((proposed, signed)) = signed(db, repository, place).await? else {
        return Ok(None);
    };
    let at = format!("/repos/{repository}");
    let claim = landed::landed(client, &at, &place.head, &signed).await?;
    Ok(claim.map(|claim| (proposed, claim.onto)))
}

/// What was signed off of the pull request at a place, or could have been.
async fn signed(
    db: &Db,
    repository: &RepositoryName,
    place: &Place,
) -> Result<Option<(Proposed, Signed)>, Failed> {
    let mut conn = db.pool().acquire().await.map_err(store::Error::from)?;
    let proposed = groups::proposed(&mut conn, repository, &place.key).await?;
    drop(conn);
    let Some(proposed) = proposed.filter(|one| one.target == place.target.as_str()) else {
        return Ok(None);
    };
    let change = hosts::Change {
        host: domain::host::Host::GitHub,
        repository: repository.clone(),
        key: place.key.clone(),
    };
    let revision = hosts::At {
        target: &proposed.target,
        merge_base: &proposed.merge_base,
        head: &proposed.head,
    };
    let signed = Signed {
        target: place.target.clone(),
        merge_base: proposed.merge_base.clone(),
        head: proposed.head.clone(),
        patch: hosts::patch(db, &change, &revision).await?.into(),
        commits: proposed.commits,
    };
    Ok(Some((proposed, signed)))
}

/// Whether a commit is on a branch.
async fn is_on(
    client: &Client,
    repository: &RepositoryName,
    commit: &CommitSha,
    branch: &Branch,
) -> Result<bool, Failed> {
    let at = format!("/repos/{repository}");
    let asked = format!(
        "{at}/git/ref/heads/{}",
        super::client::escaped(branch.as_str())
    );
    let tip: wire::Reference = client.get(&asked).await?;
    let tip = sha(&tip.object.sha)?;
    let (comparison, _) = compared(client, &at, &tip, commit).await?;
    Ok(comparison.total_commits == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_its_target_and_its_pull_request_whatever_the_branch_is_called() {
        let place = |branch: &str| {
            let name = format!("refs/heads/gh-readonly-queue/{branch}");
            named(&name).map(|(target, key)| (target.to_string(), key.to_string()))
        };
        let at = |target: &str, key: &str| Some((target.to_owned(), key.to_owned()));
        assert_eq!(place("main/pr-104-929f820"), at("main", "104"));
        assert_eq!(
            place("release/pr-3-x/pr-7-929f820"),
            at("release/pr-3-x", "7")
        );
        for wrong in [
            "main/pr-1e3-x",
            "main/pr--x",
            "main/7",
            "pr-7-x",
            "main/pr-7",
        ] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
        assert_eq!(named("refs/heads/main/pr-7-x"), None);
    }
}
