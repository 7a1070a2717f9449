//! Who may decide about a case, and what whoever may not lacks.

use super::Case;
use crate::{
    Timestamp,
    change::{ChangeState, Patch},
    decision::Kind,
    ids::PersonId,
    people::{Level, LevelNow, Person, Role},
    policy::{Held, Who},
    problem::Problem,
    stand_in::StandIn,
};
use time::Duration;

/// Proof that somebody may decide about a case, with what counts of them. Only [`Case::may_decide`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayDecide {
    pub(super) person: PersonId,
    pub(super) level: Option<Level>,
    pub(super) teams: Vec<String>,
    pub(super) roles: Vec<Role>,
    /// In whose place.
    pub(super) stands_in_for: Option<PersonId>,
}

impl Case {
    /// Whether `person` may decide this way, told to them beforehand and enforced when they do.
    ///
    /// # Errors
    /// The [`Problem`] says why not.
    pub fn may_decide(
        &self,
        person: &Person,
        kind: Kind,
        now: Timestamp,
    ) -> Result<MayDecide, Problem> {
        if !person.active {
            return Err(Problem::Inactive);
        }
        let may = self.as_known(person, now);
        if !self.readers.admit(&may.teams, &may.roles) {
            return Err(Problem::NotFound);
        }
        match kind {
            Kind::Withdraw => {
                return self
                    .has_something_standing(person.id)
                    .then(|| self.as_known(person, now))
                    .ok_or(Problem::NothingToWithdraw);
            }
            // Anybody's word is recorded; whether it is believed is another question.
            Kind::Human | Kind::DisputeMark => {
                self.can_be_decided(kind)?;
                return Ok(self.as_known(person, now));
            }
            Kind::Approve
            | Kind::Reject
            | Kind::Override
            | Kind::SetAside
            | Kind::MarkWrong
            | Kind::MarkStands => {}
        }
        let may = self.is_asked(person, kind, now)?;
        match self.role_of(person.id) {
            // Break-glass is for whoever is there at 3 a.m.; it is loud, and leaves a review owed.
            Some(role) if kind != Kind::Override => return Err(Problem::Contributor(role)),
            _ => {}
        }
        self.can_be_decided(kind)?;
        match kind {
            Kind::SetAside => self.has_one_to_set_aside(person, now)?,
            Kind::Override if self.review_is_overdue(now) => return Err(Problem::ReviewOverdue),
            Kind::MarkWrong | Kind::MarkStands => self.has_a_mark_to_decide(person.id)?,
            Kind::Override
            | Kind::Approve
            | Kind::Reject
            | Kind::Withdraw
            | Kind::Human
            | Kind::DisputeMark => {}
        }
        Ok(may)
    }

    /// Whether they are of those whom the policy lets decide this way. What only old claims say of them does not count.
    fn is_asked(&self, person: &Person, kind: Kind, now: Timestamp) -> Result<MayDecide, Problem> {
        let wanted = self.wanted(kind);
        let admitted = |may: &MayDecide| wanted.iter().any(|who| who.admits(&may.held()));
        let may = self.as_known(person, now);
        if admitted(&may) {
            return Ok(may);
        }
        let when_told = person
            .signed_in
            .is_some_and(|sign_in| admitted(&self.as_known(person, sign_in.at)));
        Err(if when_told {
            Problem::LevelStale
        } else {
            not_asked(&wanted, &may, person.level(now, self.claims_max_age).told())
        })
    }

    fn review_is_overdue(&self, now: Timestamp) -> bool {
        let terms = &self.policy.document.glass;
        let is_due = |taken: Timestamp| taken + terms.review_within <= now;
        terms.refused_while_overdue && self.oldest_debt.is_some_and(is_due)
    }

    /// Of whom one has to be to decide this way: for an approval one of those whom a rule asks that applies, or a senior
    /// where none does; for a rejection one of these, or a senior in any case.
    fn wanted(&self, kind: Kind) -> Vec<Who> {
        let senior = Who::of_level(Level::Senior);
        let asked = || self.asks().map(|ask| ask.who.clone()).collect::<Vec<_>>();
        match kind {
            Kind::Override => self.policy.document.glass.by.clone(),
            Kind::SetAside => vec![self.policy.document.veto.set_aside_by.clone()],
            Kind::Reject => asked().into_iter().chain([senior]).collect(),
            Kind::MarkWrong | Kind::MarkStands => self.judges_of_marks(),
            Kind::Approve | Kind::Withdraw | Kind::Human | Kind::DisputeMark => Some(asked())
                .filter(|asked| !asked.is_empty())
                .unwrap_or(vec![senior]),
        }
    }

    fn as_known(&self, person: &Person, at: Timestamp) -> MayDecide {
        let max_age: Duration = self.claims_max_age;
        MayDecide {
            person: person.id,
            level: person.level(at, max_age).granted(),
            teams: person.teams(at, max_age),
            roles: person.roles(at, max_age),
            stands_in_for: None,
        }
    }

    /// Whether `person` may approve in the place of `principal`: by the level of both, and where neither had a hand in it. Who
    /// stands in sees what they see themselves, and no more.
    ///
    /// # Errors
    /// The [`Problem`] says why not.
    pub fn may_stand_in(
        &self,
        person: &Person,
        principal: PersonId,
        now: Timestamp,
    ) -> Result<MayDecide, Problem> {
        if !person.active {
            return Err(Problem::Inactive);
        }
        let own = self.as_known(person, now);
        if !self.readers.admit(&own.teams, &own.roles) {
            return Err(Problem::NotFound);
        }
        let is_such = |one: &&StandIn| one.person == person.id && one.principal == principal;
        let stand_in = self.standing_in(now).find(is_such);
        let stand_in = stand_in.ok_or(Problem::NoStandIn)?;
        let held = stand_in.held(own.level);
        let may = MayDecide {
            person: person.id,
            level: held.level,
            teams: stand_in.teams.clone(),
            roles: vec![],
            stands_in_for: Some(principal),
        };
        let wanted = self.wanted(Kind::Approve);
        if !wanted.iter().any(|who| who.admits(&held)) {
            let known = person.level(now, self.claims_max_age);
            return Err(match known {
                LevelNow::Stale(_) => Problem::LevelStale,
                LevelNow::Known(_) | LevelNow::None => not_asked(&wanted, &may, held.level),
            });
        }
        match (self.role_of(person.id), self.role_of(principal)) {
            (Some(role), _) => return Err(Problem::Contributor(role)),
            (None, Some(_)) => return Err(Problem::PrincipalContributed),
            (None, None) => {}
        }
        self.can_be_decided(Kind::Approve)?;
        Ok(may)
    }

    /// In whose place `person` may approve now.
    pub fn places(&self, person: &Person, now: Timestamp) -> Vec<&StandIn> {
        let may = |one: &&StandIn| {
            one.person == person.id && self.may_stand_in(person, one.principal, now).is_ok()
        };
        let mut places: Vec<&StandIn> = self.standing_in(now).filter(may).collect();
        // Who was made a stand-in twice is one.
        places.sort_by_key(|one| one.principal);
        places.dedup_by_key(|one| one.principal);
        places
    }

    /// Those who stand in now, for somebody who may see the change themselves.
    fn standing_in(&self, now: Timestamp) -> impl Iterator<Item = &StandIn> {
        let holds = move |one: &&StandIn| now < one.until && self.is_for(one);
        self.stand_ins.iter().filter(holds)
    }

    /// Whether the one who is stood in for could see the change.
    pub(super) fn is_for(&self, one: &StandIn) -> bool {
        self.readers.admit(&one.teams, &[])
    }

    fn can_be_decided(&self, kind: Kind) -> Result<(), Problem> {
        match (self.change.state, self.revision.patch) {
            (ChangeState::Closed, _) => Err(Problem::NotOpen),
            // Saying no to what nobody can be sure of is always safe.
            (_, Patch::Disputed | Patch::Wrong | Patch::Incomplete) if kind != Kind::Reject => {
                Err(Problem::PatchInDoubt)
            }
            // What is merged may not be deployed yet: it can still be approved, and still be stopped.
            (ChangeState::Open | ChangeState::Merged, _) => Ok(()),
        }
    }

    fn has_something_standing(&self, person: PersonId) -> bool {
        let last = self
            .decisions
            .iter()
            .rfind(|recorded| recorded.decision.person == person);
        last.is_some_and(|recorded| recorded.decision.kind != Kind::Withdraw)
    }
}

impl MayDecide {
    fn held(&self) -> Held<'_> {
        Held {
            person: self.stands_in_for.unwrap_or(self.person),
            level: self.level,
            teams: &self.teams,
            roles: &self.roles,
        }
    }
}

/// The lowest level that would be enough, if a level is all that is missing.
fn not_asked(wanted: &[Who], may: &MayDecide, known: Option<Level>) -> Problem {
    let enough = |level: &Level| {
        let held = Held {
            level: Some(*level),
            ..may.held()
        };
        wanted.iter().any(|who| who.admits(&held))
    };
    match Level::ALL.into_iter().find(enough) {
        Some(needed) => Problem::LevelTooLow { known, needed },
        None => Problem::NotAsked,
    }
}
