//! Who somebody is, what they may do, and since when that is known.

use crate::{Timestamp, contributor::Key, ids::PersonId};
use serde::{Deserialize, Serialize};
use time::Duration;

/// How experienced somebody is, lowest first. Nobody we know has none, which is below `Junior`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Junior,
    Mid,
    Senior,
}

impl Level {
    /// All of them, lowest first.
    pub const ALL: [Level; 3] = [Level::Junior, Level::Mid, Level::Senior];

    /// The word used in SQL, URLs and settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Junior => "junior",
            Level::Mid => "mid",
            Level::Senior => "senior",
        }
    }

    /// The level of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

/// What somebody may do besides deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Manager,
    Admin,
}

impl Role {
    /// The word used in SQL and settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Manager => "manager",
            Role::Admin => "admin",
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Role::Manager, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// Where a fact about a person comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The group claims of a sign-in. They age: see [`Person::claims_are_fresh`].
    Claims,
    /// Set by hand with `countersign person`. Goes before claims and holds until taken back.
    Operator,
}

impl Source {
    /// The word used in SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Claims => "claims",
            Source::Operator => "operator",
        }
    }

    /// The source of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Source::Claims, Source::Operator]
            .into_iter()
            .find(|source| source.as_str() == word)
    }
}

/// What the last sign-in told of somebody's groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Groups {
    Read,
    /// The claim was not there: no level, no team, no role.
    Missing,
    /// The provider left groups out because there were too many: what it did send cannot be trusted to be all.
    Truncated,
}

impl Groups {
    /// The word used in SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Groups::Read => "read",
            Groups::Missing => "missing",
            Groups::Truncated => "truncated",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Groups::Read, Groups::Missing, Groups::Truncated]
            .into_iter()
            .find(|groups| groups.as_str() == word)
    }
}

/// A fact and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted<T> {
    pub value: T,
    pub source: Source,
}

/// An e-mail address or login that ties commits to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub key: Key,
    /// Any account bars its person from approving; only a proved one gives a commit that person's level.
    pub proved: bool,
}

/// When somebody last signed in, and what that told of their groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    pub at: Timestamp,
    pub groups: Groups,
}

/// One human, whatever number of logins and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub active: bool,
    pub levels: Vec<Granted<Level>>,
    pub teams: Vec<Granted<String>>,
    pub roles: Vec<Granted<Role>>,
    pub accounts: Vec<Account>,
    /// Null for somebody whom an operator entered and who has not come yet.
    pub signed_in: Option<SignIn>,
}

/// The level that somebody's facts add up to: what an operator set goes before claims; of several claimed ones the lowest.
#[must_use]
pub fn held(levels: &[Granted<Level>]) -> Option<Granted<Level>> {
    let lowest = |source| {
        levels
            .iter()
            .filter(|level| level.source == source)
            .min_by_key(|level| level.value)
    };
    lowest(Source::Operator)
        .or_else(|| lowest(Source::Claims))
        .cloned()
}

/// Somebody's level, or why they have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelNow {
    Known(Level),
    /// Their claims gave this level, but are older than they may be: it grants nothing until they sign in again.
    Stale(Level),
    None,
}

impl LevelNow {
    /// The level that counts.
    #[must_use]
    pub fn granted(self) -> Option<Level> {
        match self {
            LevelNow::Known(level) => Some(level),
            LevelNow::Stale(_) | LevelNow::None => None,
        }
    }
}

impl Person {
    /// Whether the claims of the last sign-in still grant something.
    #[must_use]
    pub fn claims_are_fresh(&self, now: Timestamp, max_age: Duration) -> bool {
        self.signed_in
            .is_some_and(|sign_in| now - sign_in.at <= max_age)
    }

    /// The level that counts now: see [`held`]; a claimed one only while the claims are fresh.
    #[must_use]
    pub fn level(&self, now: Timestamp, max_age: Duration) -> LevelNow {
        match held(&self.levels) {
            Some(level)
                if level.source == Source::Operator || self.claims_are_fresh(now, max_age) =>
            {
                LevelNow::Known(level.value)
            }
            Some(level) => LevelNow::Stale(level.value),
            None => LevelNow::None,
        }
    }

    /// The teams that count now, in alphabetical order.
    #[must_use]
    pub fn teams(&self, now: Timestamp, max_age: Duration) -> Vec<String> {
        let fresh = self.claims_are_fresh(now, max_age);
        let counts = |source| source == Source::Operator || fresh;
        let mut teams: Vec<String> = self
            .teams
            .iter()
            .filter(|team| counts(team.source))
            .map(|team| team.value.clone())
            .collect();
        teams.sort();
        teams.dedup();
        teams
    }

    /// Whether they are active and hold this role now.
    #[must_use]
    pub fn is(&self, role: Role, now: Timestamp, max_age: Duration) -> bool {
        let fresh = self.claims_are_fresh(now, max_age);
        let holds = |granted: &Granted<Role>| {
            granted.value == role && (granted.source == Source::Operator || fresh)
        };
        self.active && self.roles.iter().any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: Timestamp = datetime!(2026-11-20 12:00 UTC);
    const MAX_AGE: Duration = Duration::hours(12);

    fn person(levels: &[(Source, Level)]) -> Person {
        Person {
            id: PersonId(uuid::Uuid::nil()),
            name: "Ben Okonkwo".into(),
            active: true,
            levels: levels
                .iter()
                .map(|&(source, value)| Granted { value, source })
                .collect(),
            teams: vec![Granted {
                value: "payments".into(),
                source: Source::Claims,
            }],
            roles: vec![Granted {
                value: Role::Admin,
                source: Source::Claims,
            }],
            accounts: vec![],
            signed_in: Some(SignIn {
                at: NOON,
                groups: Groups::Read,
            }),
        }
    }

    #[test]
    fn claims_grant_until_they_are_too_old() {
        let ben = person(&[(Source::Claims, Level::Senior)]);
        let just_in_time = NOON + MAX_AGE;
        let too_late = just_in_time + Duration::SECOND;
        assert_eq!(
            ben.level(just_in_time, MAX_AGE),
            LevelNow::Known(Level::Senior)
        );
        assert_eq!(ben.level(too_late, MAX_AGE), LevelNow::Stale(Level::Senior));
        assert_eq!(ben.teams(just_in_time, MAX_AGE), ["payments"]);
        assert!(ben.teams(too_late, MAX_AGE).is_empty());
        assert!(ben.is(Role::Admin, just_in_time, MAX_AGE));
        assert!(!ben.is(Role::Admin, too_late, MAX_AGE));
    }

    #[test]
    fn what_an_operator_set_goes_before_claims_and_does_not_age() {
        let demoted = person(&[
            (Source::Claims, Level::Senior),
            (Source::Operator, Level::Mid),
        ]);
        assert_eq!(demoted.level(NOON, MAX_AGE), LevelNow::Known(Level::Mid));
        assert_eq!(
            demoted.level(NOON + Duration::days(400), MAX_AGE),
            LevelNow::Known(Level::Mid)
        );
    }

    #[test]
    fn of_two_claimed_levels_the_lower_counts() {
        let both = person(&[
            (Source::Claims, Level::Senior),
            (Source::Claims, Level::Junior),
        ]);
        assert_eq!(both.level(NOON, MAX_AGE), LevelNow::Known(Level::Junior));
    }

    #[test]
    fn nobody_has_a_level_without_a_fact_and_nobody_inactive_has_a_role() {
        assert_eq!(person(&[]).level(NOON, MAX_AGE), LevelNow::None);
        let gone = Person {
            active: false,
            ..person(&[])
        };
        assert!(!gone.is(Role::Admin, NOON, MAX_AGE));
    }
}
