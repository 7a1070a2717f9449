//! Going back: what was allowed and then deployed to an environment stays allowed there for a time.

use super::{Answer, Judged};
use crate::{
    Timestamp,
    deployment::Deployed,
    policy::Policy,
    verdict::{Doubt, Reason, Verdict, Word, minute},
};

impl Answer {
    /// The answer to who would deploy to an environment where this commit was allowed and deployed `before`. It turns a no into
    /// a yes, and never a yes into a no.
    ///
    /// Whatever expired, ended or was demanded since does not matter. A rejection given later does, as does the review of an
    /// override that is overdue, and doubt about what it was that was deployed. What is asked only for another branch than
    /// it was deployed from says nothing of those who could have rejected it: it stays a no.
    #[must_use]
    pub fn back_to(mut self, before: Option<&Deployed>, policy: &Policy, now: Timestamp) -> Self {
        let Some(before) = before.filter(|_| !self.allow) else {
            return self;
        };
        let until = before.at + policy.document.back.redeploy_for;
        if now >= until || !self.knows_all_of(before) {
            return self;
        }
        let may_go_back = |judged: &Judged| judged.may_go_back(before, policy, now);
        if !self.changes.iter().all(may_go_back) {
            return self;
        }
        for judged in &mut self.changes {
            judged.goes_back = judged.allowed_it(before);
        }
        Self {
            allow: true,
            verdict: Word::NotRequired,
            reasons: vec![reason(before, until)],
            needs: vec![],
            ..self
        }
    }

    /// Whether every change speaks here that allowed it then.
    fn knows_all_of(&self, before: &Deployed) -> bool {
        let speaks = |change| self.changes.iter().any(|one| one.found.change == change);
        !before.changes.is_empty() && before.changes.iter().all(|then| speaks(then.change))
    }
}

impl Judged {
    fn allowed_it(&self, before: &Deployed) -> bool {
        let then = before.then(self.found.change);
        then.is_some_and(|then| then.allowed && then.revision == self.found.standing.number)
    }

    fn may_go_back(&self, before: &Deployed, policy: &Policy, now: Timestamp) -> bool {
        let standing = &self.found.standing;
        let decisions = before.decisions_of(self.found.change);
        let revision = before.then(self.found.change).map(|then| then.revision);
        // That its host has not been heard of for long says nothing against what was deployed.
        let is_whole = match self.verdict {
            Verdict::Undecidable(doubt) => doubt == Doubt::SourceOld,
            _ => true,
        };
        let rejected_since = standing.vetoes().any(|veto| veto.seq > decisions);
        is_whole && !rejected_since && !standing.is_overdue(revision, policy, now)
    }
}

fn reason(before: &Deployed, until: Timestamp) -> Reason {
    Reason {
        code: "redeploy",
        sentence: format!(
            "It was allowed and deployed to {} on {}; going back to it there is open until {}.",
            before.environment,
            minute(before.at),
            minute(until)
        ),
    }
}
