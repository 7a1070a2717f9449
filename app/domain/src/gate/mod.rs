//! The question "may this commit pass?" and its answer.

mod back;
mod moment;

pub use moment::{Moment, NoMoment};

use crate::{
    Timestamp,
    case::Case,
    change::{ChangeState, Confirmed},
    ids::{ChangeId, RevisionId},
    landing::Via,
    names::{Branch, CommitSha, Environment, RepositoryName},
    policy::{Mode, Policy},
    standing::{Standing, Voice},
    verdict::{Doubt, Need, Reason, SOURCE_OLD, Verdict, Word, overridden, verdict},
};
use time::Duration;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub repository: RepositoryName,
    pub commit: CommitSha,
    pub target: Option<Branch>,
    /// Where it would be deployed, if that is asked.
    pub environment: Option<Environment>,
}

/// A revision that has the asked commit as its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub change: ChangeId,
    pub revision: RevisionId,
    pub state: ChangeState,
    pub target: Branch,
    pub head: CommitSha,
    /// Whether it is the current revision of its change.
    pub current: bool,
    pub confirmed: Confirmed,
    pub standing: Standing,
}

impl Found {
    /// The revision of a case, with the standing that follows from it.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        Self {
            change: case.change.id,
            revision: case.revision.id,
            state: case.change.state,
            target: case.revision.target.clone(),
            head: case.revision.head.clone(),
            current: case.change.head == case.revision.id,
            confirmed: case.change.confirmed,
            standing: case.standing(),
        }
    }

    /// What a gate makes of it now: the verdict, unless that is a yes on what may be so no longer. An override stands, since a
    /// host that is down is what it is for.
    #[must_use]
    pub fn verdict(&self, policy: &Policy, now: Timestamp) -> Verdict {
        let verdict = verdict(&self.standing, policy, now);
        if !verdict.word().allows() || !self.is_too_old(policy, now) {
            return verdict;
        }
        overridden(&self.standing, policy, now).unwrap_or(Verdict::Undecidable(Doubt::SourceOld))
    }

    /// Whether the policy asks for a later word of the code host. What is merged or closed is not confirmed any more.
    #[must_use]
    pub fn is_too_old(&self, policy: &Policy, now: Timestamp) -> bool {
        let most = policy.document.source.max_age;
        let is_open = self.state == ChangeState::Open;
        most.is_some_and(|most| is_open && self.confirmed.is_older_than(most, now))
    }
}

/// May this commit pass?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub allow: bool,
    /// False where the repository is only observed: then `allow` is true whatever the verdict.
    pub enforced: bool,
    pub verdict: Word,
    pub reasons: Vec<Reason>,
    pub needs: Vec<Need>,
    pub changes: Vec<Judged>,
    /// How the commit came from changes that it is not the head of, if there are such.
    pub via: Option<Via>,
    pub as_of: Timestamp,
}

/// One change in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub found: Found,
    pub verdict: Verdict,
    /// Whether the answer is a yes because this revision allowed the commit when it was deployed before.
    pub goes_back: bool,
}

impl Answer {
    /// Whether it lets less pass only because time has gone on since that moment.
    #[must_use]
    pub fn was_more_at(&self, policy: &Policy, at: Timestamp) -> bool {
        let rank = |verdict: &Verdict| verdict.word().rank();
        self.changes
            .iter()
            .any(|one| rank(&one.found.verdict(policy, at)) > rank(&one.verdict))
    }

    /// Whether it is no only until a code host is looked at.
    #[must_use]
    pub fn waits_for_a_host(&self) -> bool {
        self.reasons.iter().all(|reason| reason.code == SOURCE_OLD)
    }

    /// How long ago a code host confirmed the change that it is longest ago for. None if that is not known of each, or there is none.
    #[must_use]
    pub fn source_age(&self) -> Option<Duration> {
        let ages = self.changes.iter();
        let ages = ages.map(|one| one.found.confirmed.age(self.as_of));
        ages.collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

/// Answers from the revisions that have this commit as their head. Allowed only if there is one, and every open change allows.
#[must_use]
pub fn answer(found: Vec<Found>, policy: &Policy, now: Timestamp) -> Answer {
    let judged: Vec<Judged> = one_a_change(found, policy, now);
    let counting: Vec<&Judged> = judged.iter().filter(|judged| judged.speaks()).collect();
    let Some(least) = counting
        .iter()
        .min_by_key(|judged| judged.verdict.word().rank())
    else {
        return without_open_change(judged, now);
    };
    let word = least.verdict.word();
    let least_of_all = |judged: &&&Judged| judged.verdict.word().rank() == word.rank();
    let mut reasons: Vec<Reason> = counting
        .iter()
        .filter(least_of_all)
        .flat_map(|judged| judged.verdict.reasons())
        .collect();
    reasons.dedup();
    let needs = counting
        .iter()
        .flat_map(|judged| judged.verdict.needs().iter().cloned())
        .collect();
    Answer {
        allow: word.allows(),
        enforced: true,
        verdict: word,
        reasons,
        needs,
        changes: judged,
        via: None,
        as_of: now,
    }
}

/// A change stands in an answer once: with its current revision if that has the commit, else with the one that allows least.
fn one_a_change(found: Vec<Found>, policy: &Policy, now: Timestamp) -> Vec<Judged> {
    let mut judged: Vec<Judged> = found
        .into_iter()
        .map(|found| Judged {
            verdict: found.verdict(policy, now),
            found,
            goes_back: false,
        })
        .collect();
    judged.sort_by_key(|judged| {
        (
            judged.found.change,
            !judged.found.current,
            judged.verdict.word().rank(),
            judged.found.revision,
        )
    });
    judged.dedup_by_key(|judged| judged.found.change);
    judged
}

fn without_open_change(judged: Vec<Judged>, now: Timestamp) -> Answer {
    let closed = Reason {
        code: "change_closed",
        sentence: "The change was closed without merging; reopened, its decisions count again."
            .into(),
    };
    let unheard = Reason {
        code: "unheard",
        sentence: "Nobody has told Countersign of this commit.".into(),
    };
    let least = judged
        .iter()
        .map(|judged| judged.verdict.word())
        .min_by_key(|word| word.rank());
    let (verdict, reason) = match least {
        // Nothing of a closed change allows, so nobody who reads only the verdict shall take it for a yes.
        Some(word) if word.allows() => (Word::Waiting, closed),
        Some(word) => (word, closed),
        None => (Word::Unheard, unheard),
    };
    Answer {
        allow: false,
        enforced: true,
        verdict,
        reasons: vec![reason],
        needs: vec![],
        changes: judged,
        via: None,
        as_of: now,
    }
}

impl Answer {
    /// The answer in this mode: who only observes lets pass, and says what would have been answered.
    #[must_use]
    pub fn in_mode(self, mode: Mode) -> Self {
        match mode {
            Mode::Enforce => self,
            Mode::Observe { .. } => Self {
                allow: true,
                enforced: false,
                ..self
            },
        }
    }
}

impl Judged {
    /// Whether it has a say: a change that was closed has none, unless this very commit was rejected there. Else closing a
    /// change and proposing the same commit again would be a way round a rejection.
    fn speaks(&self) -> bool {
        let rejected_here = || self.found.standing.vetoes().any(|veto| veto.about_this);
        self.found.state != ChangeState::Closed || rejected_here()
    }

    /// Whether it is one of those by which the commit passes, if it passes.
    pub(crate) fn lets_pass(&self) -> bool {
        self.goes_back || (self.speaks() && self.verdict.word().allows())
    }

    /// Whether it has a say and does not allow the commit.
    pub(crate) fn says_no(&self) -> bool {
        self.speaks() && !self.verdict.word().allows()
    }

    /// Whether a decision is what its person now says of this revision, or a rejection that stands.
    #[must_use]
    pub fn counts(&self, voice: &Voice) -> bool {
        let standing = &self.found.standing;
        standing.counts(voice) || standing.vetoes().any(|veto| veto.seq == voice.seq)
    }
}

#[cfg(test)]
mod tests;
