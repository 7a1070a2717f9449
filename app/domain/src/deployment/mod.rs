//! What was shipped where, and whether it had been allowed. What had been may go back there; what had not is owed a review.

use crate::{
    Timestamp,
    gate::{Found, answer},
    ids::{ChangeId, RevisionId},
    names::{CommitSha, Environment},
    policy::Policy,
    verdict::Word,
};
use std::collections::HashSet;

/// How a commit came to be in a deployment: judged once, when the deployment is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sanction {
    /// The verdicts allowed it. Only this makes a commit one that may be gone back to.
    Allowed,
    /// They no longer did, but it had been allowed and deployed there before. It does not begin anew what that began, or
    /// whoever deploys often enough would keep a commit allowed for ever.
    Redeployed,
    /// It is one of the commits of a revision whose head is one of the two and was deployed with it.
    Part,
    /// None of these: somebody owes it a review.
    Unsanctioned,
}

/// One commit of a deployment, with all that is known of it when we are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipped {
    pub commit: CommitSha,
    /// The revisions that have it as their head.
    pub found: Vec<Found>,
    /// The revisions that have it among their commits, but not as their head.
    pub within: Vec<Within>,
    /// When it was last allowed and deployed there.
    pub before: Option<Deployed>,
}

/// A revision that has a commit somewhere below its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    pub change: ChangeId,
    pub revision: RevisionId,
    pub head: CommitSha,
}

/// A recorded fact: a commit was allowed when we were told that it had been deployed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    pub environment: Environment,
    /// When we were told.
    pub at: Timestamp,
    /// The changes that allowed it.
    pub changes: Vec<Then>,
}

/// A change as it was when a commit of it was deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Then {
    pub change: ChangeId,
    /// The number of the revision that was judged.
    pub revision: i32,
    /// The `seq` of its last decision.
    pub decisions: i32,
}

/// What is recorded of one commit of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub commit: CommitSha,
    pub sanction: Sanction,
    /// What the gate made of it, leaving aside that it may have been deployed before.
    pub verdict: Word,
    /// The changes that it belongs to, each once.
    pub changes: Vec<Touched>,
    /// When the review is due that an unsanctioned deployment leaves owed.
    pub review_by: Option<Timestamp>,
}

/// A change to which a deployed commit belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    pub change: ChangeId,
    pub revision: RevisionId,
    /// Of that revision; none where the commit is not its head.
    pub verdict: Option<Word>,
}

/// Judges the commits of one deployment, in their order. Whether gates enforce any of it changes nothing here.
#[must_use]
pub fn judge(shipped: Vec<Shipped>, policy: &Policy, now: Timestamp) -> Vec<Judged> {
    let asked: Vec<(Judged, Vec<Within>)> = shipped
        .into_iter()
        .map(|one| asked(one, policy, now))
        .collect();
    let heads: HashSet<CommitSha> = asked
        .iter()
        .filter(|(judged, _)| judged.sanction != Sanction::Unsanctioned)
        .map(|(judged, _)| judged.commit.clone())
        .collect();
    let review_by = now + policy.document.glass.review_within;
    let settled = |(mut judged, within): (Judged, Vec<Within>)| {
        let is_part = within.iter().any(|one| heads.contains(&one.head));
        // Whoever rejected this very commit did not mean it to be shipped inside another.
        let covered = is_part && judged.verdict != Word::Rejected;
        if judged.sanction == Sanction::Unsanctioned && covered {
            judged.sanction = Sanction::Part;
        }
        judged.review_by = (judged.sanction == Sanction::Unsanctioned).then_some(review_by);
        judged
    };
    asked.into_iter().map(settled).collect()
}

/// What a gate says of one commit by itself.
fn asked(shipped: Shipped, policy: &Policy, now: Timestamp) -> (Judged, Vec<Within>) {
    let Shipped {
        commit,
        found,
        within,
        before,
    } = shipped;
    let now_allowed = answer(found, policy, now);
    let verdict = now_allowed.verdict;
    let mut changes: Vec<Touched> = now_allowed
        .changes
        .iter()
        .map(|judged| Touched {
            change: judged.found.change,
            revision: judged.found.revision,
            verdict: Some(judged.verdict.word()),
        })
        .collect();
    for one in &within {
        if !changes.iter().any(|known| known.change == one.change) {
            changes.push(Touched {
                change: one.change,
                revision: one.revision,
                verdict: None,
            });
        }
    }
    let sanction = if now_allowed.allow {
        Sanction::Allowed
    } else if now_allowed.back_to(before.as_ref(), policy, now).allow {
        Sanction::Redeployed
    } else {
        Sanction::Unsanctioned
    };
    let judged = Judged {
        commit,
        sanction,
        verdict,
        changes,
        review_by: None,
    };
    (judged, within)
}

impl Sanction {
    /// All of them.
    pub const ALL: [Sanction; 4] = [
        Sanction::Allowed,
        Sanction::Redeployed,
        Sanction::Part,
        Sanction::Unsanctioned,
    ];

    /// The word used in SQL and over REST.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Sanction::Allowed => "allowed",
            Sanction::Redeployed => "redeployed",
            Sanction::Part => "part",
            Sanction::Unsanctioned => "unsanctioned",
        }
    }

    /// The sanction of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

impl Deployed {
    /// How many decisions of a change had been taken by then: none of one that was not heard of.
    #[must_use]
    pub fn decisions_of(&self, change: ChangeId) -> i32 {
        self.then(change).map_or(0, |then| then.decisions)
    }

    /// The change as it was then.
    #[must_use]
    pub fn then(&self, change: ChangeId) -> Option<&Then> {
        self.changes.iter().find(|then| then.change == change)
    }
}

#[cfg(test)]
mod tests;
