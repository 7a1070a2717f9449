//! Setting a rejection aside: who may, which, and from when.

use super::{Case, Reviewer};
use crate::{
    Timestamp,
    decision::{Kind, Proposed},
    ids::PersonId,
    people::Person,
    problem::Problem,
    standing::Voice,
};
use time::{Duration, Weekday};

/// A rejection that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub seq: i32,
    pub person: PersonId,
    pub name: String,
    /// From when somebody else may set it aside.
    pub from: Timestamp,
}

impl Case {
    /// The rejections that stand. One by somebody who is here can be set aside when they have had the working days that the
    /// policy gives them, and one by somebody inactive, or who may not see the change any more, at once.
    #[must_use]
    pub fn rejections(&self) -> Vec<Open> {
        let standing = self.believed();
        let open = |veto: &Voice| Open {
            seq: veto.seq,
            person: veto.person,
            name: veto.name.clone(),
            from: self.open_from(veto),
        };
        standing.vetoes().map(open).collect()
    }

    fn open_from(&self, veto: &Voice) -> Timestamp {
        let can_answer = |one: &Reviewer| one.id == veto.person && self.shows_itself_to(one);
        let is_here = self.reviewers.iter().any(can_answer);
        let days = self.policy.document.veto.after_working_days;
        if is_here {
            after_working_days(veto.at, days)
        } else {
            veto.at
        }
    }

    /// Whether anything stands that they may set aside now.
    pub(super) fn has_one_to_set_aside(
        &self,
        person: &Person,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let mut others = self.rejections();
        others.retain(|open| open.person != person.id);
        if others.is_empty() {
            return Err(Problem::NothingToSetAside);
        }
        let is_open = |open: &Open| open.from <= now;
        others
            .iter()
            .any(is_open)
            .then_some(())
            .ok_or(Problem::TooSoon)
    }

    /// The rejection that a form wants to set aside, if it is one and they may.
    pub(super) fn set_aside(
        &self,
        person: &Person,
        proposed: &Proposed,
        now: Timestamp,
    ) -> Result<Option<i32>, Problem> {
        if proposed.kind != Kind::SetAside {
            return Ok(None);
        }
        let mut open = self.rejections().into_iter();
        let meant = open
            .find(|open| Some(open.seq) == proposed.about && open.person != person.id)
            .ok_or(Problem::NothingToSetAside)?;
        if now < meant.from {
            return Err(Problem::TooSoon);
        }
        Ok(Some(meant.seq))
    }
}

/// So many working days later: Monday to Friday, in UTC. What happens on a weekend counts as of the Monday after it.
fn after_working_days(start: Timestamp, days: u8) -> Timestamp {
    let is_weekend = |at: Timestamp| matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday);
    let mut at = start;
    while is_weekend(at) {
        at = (at + Duration::DAY).replace_time(time::Time::MIDNIGHT);
    }
    for _ in 0..days {
        at += Duration::DAY;
        while is_weekend(at) {
            at += Duration::DAY;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_working_day_is_monday_to_friday() {
        let friday = datetime!(2026-11-20 15:00 UTC);
        for (start, days, end) in [
            (friday, 0, friday),
            (friday, 1, datetime!(2026-11-23 15:00 UTC)),
            (friday, 6, datetime!(2026-11-30 15:00 UTC)),
            (
                datetime!(2026-11-17 15:00 UTC),
                1,
                datetime!(2026-11-18 15:00 UTC),
            ),
            (
                datetime!(2026-11-21 15:00 UTC),
                1,
                datetime!(2026-11-24 00:00 UTC),
            ),
            (
                datetime!(2026-11-22 23:59 UTC),
                0,
                datetime!(2026-11-23 00:00 UTC),
            ),
        ] {
            assert_eq!(after_working_days(start, days), end, "{start} and {days}");
        }
    }
}
