//! Reviews and comments of a pull request.

use super::{A_PAGE, At};
use crate::forges::{bearer::Bearer, client::Failed, github::Said};
use domain::remark::{Remark, Remarks};
use store::hosts::Change;

/// Of more reviews than on these nobody is asked: it lists the oldest first.
const MOST_PAGES: usize = 20;

/// What people said of a pull request.
///
/// # Errors
/// The host could not be asked.
pub async fn remarks(client: &Bearer, change: &Change) -> Result<Remarks, Failed> {
    let at = At::of(client, change)?;
    let comments = format!("{}/issues/{}/comments", at.repository, change.key);
    // It gives all of them at once.
    let said: Vec<Said> = client.get(&comments).await?;
    let mut all: Vec<Remark> = said.into_iter().filter_map(Said::remark).collect();
    let mut more = true;
    for page in 1..=MOST_PAGES {
        let asked = format!("{}/reviews?limit={A_PAGE}&page={page}", at.pull());
        let some: Vec<Said> = client.get(&asked).await?;
        if some.is_empty() {
            more = false;
            break;
        }
        all.extend(some.into_iter().filter_map(Said::remark));
    }
    Ok(Remarks::newest(all, more))
}
