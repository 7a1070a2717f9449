//! Which pull requests of a repository are open.

use super::{Client, wire::Listed};
use crate::forges::client::Failed;
use domain::names::RepositoryName;
use store::hosts::Open;

/// More open pull requests than this are walked over as far as that.
const MOST_PAGES: usize = 50;
const A_PAGE: usize = 100;

/// The open pull requests of a repository, and whether these are all.
///
/// # Errors
/// The host could not be asked.
pub async fn open(
    client: &Client,
    repository: &RepositoryName,
) -> Result<(Vec<Open>, bool), Failed> {
    let mut all = vec![];
    for page in 1..=MOST_PAGES {
        let asked = format!(
            "/repos/{repository}/pulls?state=open&sort=created&direction=asc&per_page={A_PAGE}&page={page}"
        );
        let listed: Vec<Listed> = client.get(&asked).await?;
        let is_last = listed.len() < A_PAGE;
        all.extend(listed.into_iter().map(Listed::told));
        if is_last {
            return Ok((all, true));
        }
    }
    Ok((all, false))
}
