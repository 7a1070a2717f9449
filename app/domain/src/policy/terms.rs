//! What holds for a repository now: which policy judges it, and whether gates enforce what comes of that.

use super::Policy;
use crate::{
    Timestamp,
    ids::PersonId,
    people::{Person, Role},
    problem::Problem,
};
use std::sync::Arc;
use time::Duration;

/// The longest that a repository may be observed without somebody saying so again.
pub const LONGEST_OBSERVATION: Duration = Duration::days(90);

/// What a gate needs to know of a repository besides its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub policy: Arc<Policy>,
    /// Until when gates only say what they would have answered, whether that moment is past or not.
    pub observe_until: Option<Timestamp>,
}

/// Whether a no keeps a gate shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Enforce,
    /// Gates answer yes, and say what they would have answered, until this moment.
    Observe {
        until: Timestamp,
    },
}

/// Proof that somebody may say what repositories demand. Only [`may_administer`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admin {
    person: PersonId,
}

/// Whether somebody may say what repositories demand.
///
/// # Errors
/// The [`Problem`] says why not.
pub fn may_administer(
    person: &Person,
    now: Timestamp,
    claims_max_age: Duration,
) -> Result<Admin, Problem> {
    if !person.active {
        return Err(Problem::Inactive);
    }
    if person.is(Role::Admin, now, claims_max_age) {
        Ok(Admin { person: person.id })
    } else {
        Err(Problem::NotAllowed)
    }
}

impl Admin {
    /// Who it is.
    #[must_use]
    pub fn person(self) -> PersonId {
        self.person
    }

    /// Whether they may confirm what this person wrote; none is a pipeline, whose words are nobody's own.
    ///
    /// # Errors
    /// It is their own.
    pub fn may_confirm(self, author: Option<PersonId>) -> Result<(), Problem> {
        match author {
            Some(author) if author == self.person => Err(Problem::OwnProposal),
            Some(_) | None => Ok(()),
        }
    }
}

/// Until when a repository is observed that somebody wants observed for so many days from now.
///
/// # Errors
/// [`Problem::ObservationTooLong`], also for none at all.
pub fn observation(days: i64, now: Timestamp) -> Result<Timestamp, Problem> {
    if (1..=LONGEST_OBSERVATION.whole_days()).contains(&days) {
        Ok(now + Duration::days(days))
    } else {
        Err(Problem::ObservationTooLong)
    }
}

impl Terms {
    /// The mode at a moment.
    #[must_use]
    pub fn mode(&self, now: Timestamp) -> Mode {
        mode_at(self.observe_until, now)
    }
}

/// The mode at a moment of a repository that is observed until another. It ends by itself.
#[must_use]
pub fn mode_at(observe_until: Option<Timestamp>, now: Timestamp) -> Mode {
    match observe_until {
        Some(until) if now < until => Mode::Observe { until },
        Some(_) | None => Mode::Enforce,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Granted, Source};
    use time::macros::datetime;

    const NOON: Timestamp = datetime!(2026-11-20 12:00 UTC);

    fn admin(source: Source) -> Person {
        Person {
            id: PersonId(uuid::Uuid::nil()),
            name: "Grace Abernathy".into(),
            active: true,
            levels: vec![],
            teams: vec![],
            roles: vec![Granted {
                value: Role::Admin,
                source,
            }],
            accounts: vec![],
            signed_in: None,
        }
    }

    #[test]
    fn only_an_admin_whose_role_counts_now_says_what_is_demanded() {
        let may = |person: &Person| may_administer(person, NOON, Duration::hours(12)).map(|_| ());
        assert_eq!(may(&admin(Source::Operator)), Ok(()));
        assert_eq!(
            may(&admin(Source::Claims)),
            Err(Problem::NotAllowed),
            "too old"
        );
        let left = Person {
            active: false,
            ..admin(Source::Operator)
        };
        assert_eq!(may(&left), Err(Problem::Inactive));
    }

    #[test]
    fn nobody_confirms_what_they_wrote_themselves() {
        let admin =
            may_administer(&admin(Source::Operator), NOON, Duration::hours(12)).expect("an admin");
        let other = PersonId(uuid::Uuid::from_u128(1));
        assert_eq!(
            admin.may_confirm(Some(admin.person())),
            Err(Problem::OwnProposal)
        );
        assert_eq!(admin.may_confirm(Some(other)), Ok(()));
        assert_eq!(
            admin.may_confirm(None),
            Ok(()),
            "a pipeline's words are nobody's own"
        );
    }

    #[test]
    fn an_observation_is_bounded_and_ends_by_itself() {
        for days in [-1, 0, 91] {
            assert_eq!(observation(days, NOON), Err(Problem::ObservationTooLong));
        }
        let until = observation(90, NOON).expect("90 days");
        assert_eq!(mode_at(Some(until), NOON), Mode::Observe { until });
        assert_eq!(mode_at(Some(until), until), Mode::Enforce);
        assert_eq!(mode_at(None, NOON), Mode::Enforce);
    }
}
