//! What was shipped where, and whether it had been allowed. What had been may go back there; what had not is owed a review.

use crate::{
    Timestamp,
    change::Confirmed,
    gate::{Answer, Found},
    ids::{ChangeId, RevisionId},
    landing::{Source, is_part, landed},
    names::{CommitSha, Environment},
    policy::Policy,
    verdict::Word,
};
use std::collections::HashMap;

/// How a commit came to be in a deployment: judged once, when the deployment is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sanction {
    /// The verdicts allowed it. Only this makes a commit one that may be gone back to.
    Allowed,
    /// They no longer did, but it had been allowed and deployed there before. It does not begin anew what that began, or
    /// whoever deploys often enough would keep a commit allowed for ever.
    Redeployed,
    /// It is one of the commits of a revision by which its head is one of the two, and that was deployed with it.
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
    /// The revisions that became it.
    pub sources: Vec<Source>,
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
    /// The changes that it belonged to.
    pub changes: Vec<Then>,
}

/// A change as it was when a commit of it was deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Then {
    pub change: ChangeId,
    /// The number of the revision that was judged.
    pub revision: i32,
    /// Whether that allowed it; what a closed change says need not be a yes.
    pub allowed: bool,
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

impl Shipped {
    /// What was shipped was signed off or not, however long ago its host was heard: a deployment is told of when it is done.
    fn whenever_confirmed(mut self) -> Self {
        let sources = self.sources.iter_mut().map(|one| &mut one.found);
        for found in self.found.iter_mut().chain(sources) {
            found.confirmed = Confirmed::Forgotten;
        }
        self
    }
}

/// Judges the commits of one deployment, in their order. Whether gates enforce any of it changes nothing here.
#[must_use]
pub fn judge(shipped: Vec<Shipped>, policy: &Policy, now: Timestamp) -> Vec<Judged> {
    let asked: Vec<Asked> = shipped
        .into_iter()
        .map(|one| asked(one, policy, now))
        .collect();
    let heads: HashMap<CommitSha, Answer> = asked
        .iter()
        .filter(|one| one.answer.allow)
        .map(|one| (one.judged.commit.clone(), one.answer.clone()))
        .collect();
    let review_by = now + policy.document.glass.review_within;
    let settled = |asked: Asked| {
        let with = |one: &Within| {
            let whole = heads.get(&one.head);
            whole.is_some_and(|whole| is_part(&asked.answer, one, whole))
        };
        let is_part = asked.within.iter().any(with);
        let mut judged = asked.judged;
        if judged.sanction == Sanction::Unsanctioned && is_part {
            judged.sanction = Sanction::Part;
        }
        judged.review_by = (judged.sanction == Sanction::Unsanctioned).then_some(review_by);
        judged
    };
    asked.into_iter().map(settled).collect()
}

/// One commit of a deployment by itself.
struct Asked {
    judged: Judged,
    within: Vec<Within>,
    /// What a gate says to who would deploy it there.
    answer: Answer,
}

/// What a gate says of one commit by itself.
fn asked(shipped: Shipped, policy: &Policy, now: Timestamp) -> Asked {
    let Shipped {
        commit,
        found,
        sources,
        within,
        before,
    } = shipped.whenever_confirmed();
    let answer = landed(found, sources, policy, now);
    let (allowed, verdict) = (answer.allow, answer.verdict);
    let mut changes: Vec<Touched> = answer
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
    let answer = answer.back_to(before.as_ref(), policy, now);
    let sanction = match (allowed, answer.allow) {
        (true, _) => Sanction::Allowed,
        (false, true) => Sanction::Redeployed,
        (false, false) => Sanction::Unsanctioned,
    };
    let judged = Judged {
        commit,
        sanction,
        verdict,
        changes,
        review_by: None,
    };
    Asked {
        judged,
        within,
        answer,
    }
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
