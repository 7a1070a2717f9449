//! Where a code host is asked, its word makes revisions, and whoever submits one only adds to it.

use super::{Forge, shown::is_number};
use crate::{problem::Refusal, state::Server};
use axum::http::StatusCode;
use domain::landing::Claim;
use std::time::Duration;
use store::{
    hosts::{self, At, Change},
    submissions::Submission,
};

/// How long a submission waits for the host, which is asked at once.
const PATIENCE: Duration = Duration::from_secs(8);
const EVERY: Duration = Duration::from_millis(50);

/// Returns when the host of its repository shows what is submitted, also what it became if it says so, or nobody is asked about it.
///
/// # Errors
/// The host does not show it, or not soon enough.
pub async fn confirmed(server: &Server, submission: &Submission) -> Result<(), Refusal> {
    let Some(forge) = server.forges.asked_about(&submission.repository) else {
        return Ok(());
    };
    let host = forge.host();
    if !is_number(submission.key.as_str()) {
        return Err(unconfirmed(host.name()));
    }
    let change = Change {
        host,
        repository: submission.repository.clone(),
        key: submission.key.clone(),
    };
    shown(server, &change, submission).await?;
    match &submission.landed {
        Some(claim) => became(forge, &change, claim).await,
        None => Ok(()),
    }
}

/// Returns when the host shows the revision.
async fn shown(server: &Server, change: &Change, submission: &Submission) -> Result<(), Refusal> {
    let revision = At {
        target: submission.revision.target.as_str(),
        merge_base: &submission.revision.merge_base,
        head: &submission.revision.head,
    };
    if hosts::has_told(&server.db, change, &revision).await? {
        return Ok(());
    }
    let mut tx = server.db.begin().await?;
    let reason = hosts::look_at(&mut tx, change).await?;
    tx.commit().await?;
    server.forges.reason.notify_one();
    let looked = async {
        while !hosts::has_looked(&server.db, change, reason).await? {
            tokio::time::sleep(EVERY).await;
        }
        Ok::<_, store::Error>(())
    };
    // Whether it was looked at in time or not: what counts is what is shown.
    if let Ok(looked) = tokio::time::timeout(PATIENCE, looked).await {
        looked?;
    }
    if hosts::has_told(&server.db, change, &revision).await? {
        Ok(())
    } else {
        Err(unconfirmed(change.host.name()))
    }
}

/// Returns when the host says that this change became the commit that is claimed: what somebody has seen in a checkout says
/// nothing of where that commit came from.
async fn became(forge: &Forge, change: &Change, claim: &Claim) -> Result<(), Refusal> {
    let became = forge.became(change).await;
    let became = became.map_err(|failed| unanswered(change.host.name(), &failed.to_string()))?;
    if became.as_ref() == claim.commits.first().map(|last| &last.sha) {
        Ok(())
    } else {
        Err(became_another(change.host.name()))
    }
}

fn unanswered(host: &str, why: &str) -> Refusal {
    tracing::warn!(why, "A code host did not say what a change became");
    let detail = format!("{host} could not be asked what this change became. Submit again.");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "host", detail).retry_after(10)
}

fn became_another(host: &str) -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "unconfirmed",
        format!(
            "{host} is the source for this repository and does not say that this change was merged as this commit."
        ),
    )
}

fn unconfirmed(host: &str) -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "unconfirmed",
        format!(
            "{host} is the source for this repository and does not show this revision of this change: the key has to be the number of the \
             pull or merge request, and target, merge base and head what it shows now. Submit again when it does."
        ),
    )
}
