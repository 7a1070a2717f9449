//! Who stands in for whom: for some repositories, for some time, and never by more than either of the two could do.

use crate::{
    Timestamp,
    ids::{PersonId, StandInId},
    people::{Level, Person, Role},
    policy::Held,
    problem::Problem,
    token::Pattern,
};
use time::{Duration, Time};

/// Somebody who may approve in the place of somebody else, in the repository of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// Who stands in.
    pub person: PersonId,
    /// For whom.
    pub principal: PersonId,
    /// What the principal is called.
    pub name: String,
    /// What counts of the principal, whatever the age of their claims: they are away.
    pub level: Option<Level>,
    pub teams: Vec<String>,
    pub until: Timestamp,
}

impl StandIn {
    /// What counts of somebody of this level who stands in: the place, in teams and lists, is the principal's, the level the
    /// lower of both, and no role goes with it.
    #[must_use]
    pub fn held(&self, own: Option<Level>) -> Held<'_> {
        Held {
            person: self.principal,
            level: own.min(self.level),
            teams: &self.teams,
            roles: &[],
        }
    }
}

/// The longest that somebody stands in without anybody saying so again.
pub const LONGEST: Duration = Duration::days(30);

/// The most repositories and owners that one names.
const MOST: usize = 50;

/// What somebody wants: that one person stands in for another.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    pub by: &'a Person,
    pub person: &'a Person,
    pub principal: &'a Person,
    /// Names, or `owner/*`, with commas or blanks between them.
    pub repositories: &'a str,
    /// The last day.
    pub until: time::Date,
}

/// Two people of whom one stands in for the other now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub person: PersonId,
    pub principal: PersonId,
}

/// What the rules let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub repositories: Vec<Pattern>,
    pub until: Timestamp,
}

impl Wish<'_> {
    /// Whether it may be so: by the principal or an admin, never for oneself, never in a chain. `now_held` are those that
    /// either of the two has a part in.
    ///
    /// # Errors
    /// The [`Problem`] says why not.
    pub fn grant(
        &self,
        now_held: &[Pair],
        now: Timestamp,
        claims_max_age: Duration,
    ) -> Result<Granted, Problem> {
        self.is_theirs_to_say(now, claims_max_age)?;
        if !(self.person.active && self.principal.active) {
            return Err(Problem::UnknownPerson);
        }
        let chains =
            |held: &Pair| held.person == self.principal.id || held.principal == self.person.id;
        if now_held.iter().any(chains) {
            return Err(Problem::StandInChain);
        }
        Ok(Granted {
            repositories: repositories(self.repositories)?,
            until: end_of(self.until, now)?,
        })
    }

    fn is_theirs_to_say(&self, now: Timestamp, claims_max_age: Duration) -> Result<(), Problem> {
        if !self.by.active {
            return Err(Problem::Inactive);
        }
        let own = self.by.id == self.principal.id;
        if !own && !self.by.is(Role::Admin, now, claims_max_age) {
            return Err(Problem::NotAllowed);
        }
        // Who could take somebody's place by their own word would have it whenever they like.
        if self.by.id == self.person.id || self.person.id == self.principal.id {
            return Err(Problem::OwnStandIn);
        }
        Ok(())
    }
}

/// Whether somebody may end it: either of the two, or an admin.
///
/// # Errors
/// [`Problem::NotAllowed`].
pub fn may_end(
    by: &Person,
    pair: Pair,
    now: Timestamp,
    claims_max_age: Duration,
) -> Result<(), Problem> {
    let is_theirs = [pair.person, pair.principal].contains(&by.id) && by.active;
    if is_theirs || by.is(Role::Admin, now, claims_max_age) {
        Ok(())
    } else {
        Err(Problem::NotAllowed)
    }
}

fn repositories(text: &str) -> Result<Vec<Pattern>, Problem> {
    let names = text.split(|c: char| c == ',' || c.is_whitespace());
    let mut patterns = names
        .filter(|name| !name.is_empty())
        .map(Pattern::parse)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Problem::NotRepositories)?;
    patterns.sort();
    patterns.dedup();
    if (1..=MOST).contains(&patterns.len()) {
        Ok(patterns)
    } else {
        Err(Problem::NotRepositories)
    }
}

/// The end of that day, in UTC.
fn end_of(day: time::Date, now: Timestamp) -> Result<Timestamp, Problem> {
    let too_far = || day > now.date() + LONGEST;
    if day < now.date() || too_far() {
        return Err(Problem::StandInTooLong);
    }
    let end = day.next_day().ok_or(Problem::StandInTooLong)?;
    Ok(end.with_time(Time::MIDNIGHT).assume_utc())
}

/// One that was granted, with what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: StandInId,
    pub pair: Pair,
    pub person_name: String,
    pub principal_name: String,
    pub repositories: Vec<String>,
    pub until: Timestamp,
    pub reason: String,
    /// The name of whoever said so.
    pub by: String,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        people::{Granted as Given, Source},
        testing::{MAX_AGE, NOW, id, person, senior},
    };
    use time::macros::date;

    fn wish<'a>(by: &'a Person, person: &'a Person, principal: &'a Person) -> Wish<'a> {
        Wish {
            by,
            person,
            principal,
            repositories: "acme/Payments, other/*",
            until: date!(2026 - 12 - 01),
        }
    }

    fn admin(name: &str) -> Person {
        Person {
            roles: vec![Given {
                value: Role::Admin,
                source: Source::Operator,
            }],
            ..person(name, None)
        }
    }

    #[test]
    fn the_one_who_is_away_or_an_admin_says_who_stands_in_and_nobody_for_themselves() {
        let (ben, li, grace, zoe) = (senior("ben"), senior("li"), admin("grace"), senior("zoe"));
        let said = |by, person, principal| {
            let wish = wish(by, person, principal);
            wish.grant(&[], NOW, MAX_AGE).map(|_| ())
        };
        assert_eq!(said(&ben, &li, &ben), Ok(()));
        assert_eq!(said(&grace, &li, &ben), Ok(()));
        assert_eq!(said(&li, &li, &ben), Err(Problem::NotAllowed));
        assert_eq!(said(&zoe, &li, &ben), Err(Problem::NotAllowed));
        assert_eq!(said(&grace, &grace, &ben), Err(Problem::OwnStandIn));
        assert_eq!(said(&ben, &ben, &ben), Err(Problem::OwnStandIn));
        let gone = Person {
            active: false,
            ..ben.clone()
        };
        assert_eq!(said(&gone, &li, &gone), Err(Problem::Inactive));
        assert_eq!(said(&grace, &li, &gone), Err(Problem::UnknownPerson));
        assert_eq!(said(&grace, &gone, &li), Err(Problem::UnknownPerson));
    }

    #[test]
    fn nobody_stands_in_for_somebody_who_stands_in() {
        let (ben, li) = (senior("ben"), senior("li"));
        let held = |person, principal| {
            let pair = Pair {
                person: id(person),
                principal: id(principal),
            };
            let wish = wish(&ben, &li, &ben);
            wish.grant(&[pair], NOW, MAX_AGE).map(|_| ())
        };
        assert_eq!(held("ben", "zoe"), Err(Problem::StandInChain));
        assert_eq!(held("zoe", "li"), Err(Problem::StandInChain));
        assert_eq!(held("li", "zoe"), Ok(()), "one may stand in for two");
        assert_eq!(held("zoe", "ben"), Ok(()), "and two for one");
    }

    #[test]
    fn it_is_for_some_repositories_and_ends_with_a_day() {
        let (ben, li) = (senior("ben"), senior("li"));
        let with = |repositories, until| {
            let wish = Wish {
                repositories,
                until,
                ..wish(&ben, &li, &ben)
            };
            wish.grant(&[], NOW, MAX_AGE)
        };
        let granted = with("acme/Payments\nother/*,other/*", NOW.date()).unwrap();
        let names: Vec<String> = granted
            .repositories
            .iter()
            .map(Pattern::to_string)
            .collect();
        assert_eq!(names, ["acme/payments", "other/*"]);
        assert_eq!(granted.until - NOW, Duration::hours(12));
        for nothing in ["", " , ", "*", "acme"] {
            let refused = with(nothing, NOW.date());
            assert_eq!(refused, Err(Problem::NotRepositories), "{nothing:?}");
        }
        for wrong in [NOW.date() - Duration::DAY, NOW.date() + Duration::days(31)] {
            assert_eq!(with("acme/x", wrong), Err(Problem::StandInTooLong));
        }
        assert!(with("acme/x", NOW.date() + LONGEST).is_ok());
    }

    #[test]
    fn either_of_the_two_ends_it_or_an_admin() {
        let pair = Pair {
            person: id("li"),
            principal: id("ben"),
        };
        let ends = |by: &Person| may_end(by, pair, NOW, MAX_AGE);
        for by in [senior("ben"), senior("li"), admin("grace")] {
            assert_eq!(ends(&by), Ok(()));
        }
        assert_eq!(ends(&senior("zoe")), Err(Problem::NotAllowed));
    }

    #[test]
    fn whoever_stands_in_holds_no_more_than_either() {
        let for_ben = |level| StandIn {
            person: id("li"),
            principal: id("ben"),
            name: "ben".to_owned(),
            level,
            teams: vec!["payments".to_owned()],
            until: NOW,
        };
        let (senior, mid) = (Some(Level::Senior), Some(Level::Mid));
        assert_eq!(for_ben(senior).held(mid).level, mid);
        assert_eq!(for_ben(mid).held(senior).level, mid);
        assert_eq!(for_ben(None).held(senior).level, None);
        assert_eq!(for_ben(senior).held(senior).person, id("ben"));
    }
}
