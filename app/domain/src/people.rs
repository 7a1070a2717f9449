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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// What a sign-in told. Its groups age: see [`Person::claims_are_fresh`].
    Claims,
    /// A directory, read with `countersign people import`. Holds until the next import says otherwise.
    Import,
    /// Set by hand, by an operator or an admin. Goes before everything else and holds until taken back.
    Operator,
    /// Their own word, which bars and gives nothing.
    Person,
}

impl Source {
    /// All of them.
    pub const ALL: [Source; 4] = [
        Source::Claims,
        Source::Import,
        Source::Operator,
        Source::Person,
    ];

    /// The word used in SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Claims => "claims",
            Source::Import => "import",
            Source::Operator => "operator",
            Source::Person => "person",
        }
    }

    /// The source of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }

    /// In words, as in "senior (by hand)".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Source::Claims => "sign-in",
            Source::Import => "import",
            Source::Operator => "by hand",
            Source::Person => "own word",
        }
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
    /// Who says that it is theirs, and since when; at least one.
    pub links: Vec<Link>,
}

/// That somebody says whose an account is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub source: Source,
    pub at: Timestamp,
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
    /// Null for somebody whom a directory named and who has not come yet.
    pub signed_in: Option<SignIn>,
}

/// The level that somebody's facts add up to.
///
/// What an operator set goes before everything. Otherwise the lowest of what claims and a directory say: claims grant
/// something only while they are fresh, and old ones still keep a directory from granting more than they did.
#[must_use]
pub fn held(levels: &[Granted<Level>], claims_are_fresh: bool) -> LevelNow {
    let lowest = |source| {
        let said = levels.iter().filter(|level| level.source == source);
        said.map(|level| level.value).min()
    };
    if let Some(set) = lowest(Source::Operator) {
        return LevelNow::Known(set);
    }
    match (lowest(Source::Claims), lowest(Source::Import)) {
        (Some(claimed), Some(imported)) => LevelNow::Known(claimed.min(imported)),
        (None, Some(imported)) => LevelNow::Known(imported),
        (Some(claimed), None) if claims_are_fresh => LevelNow::Known(claimed),
        (Some(claimed), None) => LevelNow::Stale(claimed),
        (None, None) => LevelNow::None,
    }
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
    /// The level that was told, whether or not it still counts.
    #[must_use]
    pub fn told(self) -> Option<Level> {
        match self {
            LevelNow::Known(level) | LevelNow::Stale(level) => Some(level),
            LevelNow::None => None,
        }
    }

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

    /// The level that counts now: see [`held`].
    #[must_use]
    pub fn level(&self, now: Timestamp, max_age: Duration) -> LevelNow {
        held(&self.levels, self.claims_are_fresh(now, max_age))
    }

    /// The teams that count now, in alphabetical order.
    #[must_use]
    pub fn teams(&self, now: Timestamp, max_age: Duration) -> Vec<String> {
        let fresh = self.claims_are_fresh(now, max_age);
        let counts = |source| source != Source::Claims || fresh;
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

    /// The roles that count now.
    #[must_use]
    pub fn roles(&self, now: Timestamp, max_age: Duration) -> Vec<Role> {
        [Role::Manager, Role::Admin]
            .into_iter()
            .filter(|&role| self.is(role, now, max_age))
            .collect()
    }

    /// Whether they are active and hold this role now.
    #[must_use]
    pub fn is(&self, role: Role, now: Timestamp, max_age: Duration) -> bool {
        let fresh = self.claims_are_fresh(now, max_age);
        let holds = |granted: &Granted<Role>| {
            granted.value == role && (granted.source != Source::Claims || fresh)
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
    fn of_claims_and_a_directory_the_lower_counts_and_old_claims_still_hold_it_down() {
        use Level::{Junior, Mid, Senior};
        use LevelNow::{Known, Stale};
        use Source::{Claims, Import, Operator};
        let too_late = NOON + MAX_AGE + Duration::SECOND;
        for (levels, fresh, old) in [
            (vec![(Import, Senior)], Known(Senior), Known(Senior)),
            (vec![(Claims, Senior)], Known(Senior), Stale(Senior)),
            (
                vec![(Claims, Senior), (Import, Mid)],
                Known(Mid),
                Known(Mid),
            ),
            (
                vec![(Claims, Junior), (Import, Senior)],
                Known(Junior),
                Known(Junior),
            ),
            (
                vec![(Claims, Senior), (Import, Senior)],
                Known(Senior),
                Known(Senior),
            ),
            (
                vec![(Claims, Junior), (Import, Mid), (Operator, Senior)],
                Known(Senior),
                Known(Senior),
            ),
            (
                vec![(Claims, Senior), (Import, Senior), (Operator, Junior)],
                Known(Junior),
                Known(Junior),
            ),
            (vec![], LevelNow::None, LevelNow::None),
        ] {
            let somebody = person(&levels);
            assert_eq!(somebody.level(NOON, MAX_AGE), fresh, "{levels:?}");
            assert_eq!(somebody.level(too_late, MAX_AGE), old, "{levels:?}, old");
            let never_came = Person {
                signed_in: None,
                ..somebody
            };
            assert_eq!(never_came.level(NOON, MAX_AGE), old, "{levels:?}, never");
        }
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
