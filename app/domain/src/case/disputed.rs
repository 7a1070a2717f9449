//! Marks that somebody says are wrong: each counts until somebody else whom the policy believes agrees.

use super::Case;
use crate::{
    decision::{Decision, Kind, Proposed, Recorded},
    ids::PersonId,
    people::Level,
    policy::{Held, Who},
    problem::Problem,
    provenance::{Provenance, Strength, Tool},
};

/// A mark of the revision that somebody disputed at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputedMark {
    /// Within the revision, from 1.
    pub number: i32,
    pub tool: Tool,
    pub strength: Strength,
}

/// A mark whose dispute nobody has decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenMark {
    pub number: i32,
    /// Who disputes it.
    pub person: PersonId,
}

impl Case {
    /// What the marks of the revision add up to, without those that were found wrong.
    #[must_use]
    pub fn marked(&self) -> Provenance {
        match self.provenance {
            Provenance::Unknown => Provenance::of(self.standing_marks().map(|mark| mark.strength)),
            Provenance::Assisted | Provenance::Human => self.provenance,
        }
    }

    /// The tools that the marks prove which stand.
    pub(super) fn marked_tools(&self) -> Vec<Tool> {
        let mut tools = self.tools.clone();
        for mark in self.standing_marks() {
            if mark.strength >= Strength::Marked && !tools.contains(&mark.tool) {
                tools.push(mark.tool.clone());
            }
        }
        tools
    }

    fn standing_marks(&self) -> impl Iterator<Item = &DisputedMark> {
        self.disputed
            .iter()
            .filter(|mark| !self.is_wrong(mark.number))
    }

    /// Whether it was decided that a mark is wrong, by a word that counts.
    #[must_use]
    pub fn is_wrong(&self, mark: i32) -> bool {
        let last = self.last_about(mark);
        last.is_some_and(|last| last.decision.kind == Kind::MarkWrong)
    }

    /// The marks that wait for somebody to decide whether they are wrong.
    #[must_use]
    pub fn open_marks(&self) -> Vec<OpenMark> {
        let open = |mark: &DisputedMark| {
            let last = &self.last_about(mark.number)?.decision;
            (last.kind == Kind::DisputeMark).then_some(OpenMark {
                number: mark.number,
                person: last.person,
            })
        };
        self.disputed.iter().filter_map(open).collect()
    }

    /// What was said last of a mark of this revision, of what counts.
    #[must_use]
    pub fn last_about(&self, mark: i32) -> Option<&Recorded> {
        self.decisions.iter().rfind(|recorded| {
            let decision = &recorded.decision;
            let counts = decision.kind == Kind::DisputeMark || self.rules_on_marks(decision);
            decision.mark == Some(mark)
                && decision.digest == self.revision.digest
                && counts
                && !self.is_taken_back(decision)
        })
    }

    /// Whether whoever decided about a mark is of those whom the policy lets do that, and had no hand in the change at any time since.
    pub(super) fn rules_on_marks(&self, decision: &Decision) -> bool {
        let held = Held {
            person: decision.person,
            level: decision.level,
            teams: &decision.teams,
            roles: &decision.roles,
        };
        let judges = self.judges_of_marks();
        judges.iter().any(|who| who.admits(&held)) && self.bars(decision).is_none()
    }

    /// Who may decide about a mark: those whose word makes a revision human, or a senior where only its author is believed.
    pub(super) fn judges_of_marks(&self) -> Vec<Who> {
        let believed = &self.policy.document.human.by;
        if believed.is_empty() {
            vec![Who::of_level(Level::Senior)]
        } else {
            believed.clone()
        }
    }

    /// Whether they took back what they said: whoever rejects has no good word left.
    fn is_taken_back(&self, decision: &Decision) -> bool {
        self.decisions.iter().any(|later| {
            let later = &later.decision;
            let ends = later.kind == Kind::Withdraw
                || (later.kind == Kind::Reject && decision.kind == Kind::MarkWrong);
            later.person == decision.person && later.seq > decision.seq && ends
        })
    }

    pub(super) fn has_a_mark_to_decide(&self, person: PersonId) -> Result<(), Problem> {
        let mut open = self.open_marks().into_iter();
        open.any(|open| open.person != person)
            .then_some(())
            .ok_or(Problem::NoMarkToDecide)
    }

    /// The mark that a form is about, if it may be.
    pub(super) fn mark(
        &self,
        person: PersonId,
        proposed: &Proposed,
    ) -> Result<Option<i32>, Problem> {
        if !proposed.kind.is_about_a_mark() {
            return Ok(None);
        }
        let mut open = self.open_marks().into_iter();
        let open = open.find(|open| Some(open.number) == proposed.mark);
        if proposed.kind == Kind::DisputeMark {
            let is_there =
                |number: &i32| (1..=self.marks).contains(number) && !self.is_wrong(*number);
            let free = proposed.mark.filter(is_there).filter(|_| open.is_none());
            return free.map(Some).ok_or(Problem::NoMarkToDispute);
        }
        let open = open.filter(|open| open.person != person);
        let open = open.ok_or(Problem::NoMarkToDecide)?;
        Ok(Some(open.number))
    }
}
