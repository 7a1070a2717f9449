//! Who may see a repository, and what whoever asks may see.

use crate::{
    people::Role,
    problem::Problem,
    token::{Pattern, Token},
};

/// Who may see a repository. Admins see every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Readers {
    /// Everybody who is signed in.
    #[default]
    Everybody,
    /// Who is in any of these.
    Teams(Vec<String>),
}

/// The most teams that one repository names.
pub const MOST_TEAMS: usize = 50;

/// The longest name of a team, in characters.
const LONGEST: usize = 200;

impl Readers {
    /// What is stored: none is everybody.
    #[must_use]
    pub fn of(teams: Option<Vec<String>>) -> Self {
        teams.map_or(Self::Everybody, Self::Teams)
    }

    /// Only these teams, as an admin names them. A team need not have anybody in it.
    ///
    /// # Errors
    /// [`Problem::NotTeams`]: nothing is named, or too much.
    pub fn named(teams: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Problem> {
        let mut named: Vec<String> = Vec::new();
        for team in teams {
            // Postgres cannot store NUL.
            let team = team.as_ref().replace('\0', "").trim().to_owned();
            if team.chars().count() > LONGEST {
                return Err(Problem::NotTeams);
            }
            named.push(team);
        }
        named.retain(|team| !team.is_empty());
        named.sort();
        named.dedup();
        if (1..=MOST_TEAMS).contains(&named.len()) {
            Ok(Self::Teams(named))
        } else {
            Err(Problem::NotTeams)
        }
    }

    /// The same in one text, with commas or line ends between the names.
    ///
    /// # Errors
    /// [`Problem::NotTeams`].
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::named(text.split([',', '\n', '\r']))
    }

    /// The teams, where not everybody may see it.
    #[must_use]
    pub fn teams(&self) -> Option<&[String]> {
        match self {
            Self::Everybody => None,
            Self::Teams(teams) => Some(teams),
        }
    }

    /// Whether somebody in these teams and with these roles may see it.
    #[must_use]
    pub fn admit(&self, teams: &[String], roles: &[Role]) -> bool {
        let is_named = |named: &[String]| teams.iter().any(|team| named.contains(team));
        self.teams().is_none_or(is_named) || roles.contains(&Role::Admin)
    }
}

/// What whoever asks may see: each query for what stands in repositories takes one, and what is not for them is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// None: whoever a repository is read by.
    teams: Option<Vec<String>>,
    /// None: whatever a repository is called.
    repositories: Option<Vec<Pattern>>,
}

impl Reader {
    /// Somebody for whom these teams and roles count now.
    #[must_use]
    pub fn person(teams: &[String], roles: &[Role]) -> Self {
        let sees_all = roles.contains(&Role::Admin);
        Self {
            teams: (!sees_all).then(|| teams.to_vec()),
            repositories: None,
        }
    }

    /// Whoever holds a token: it names its repositories, and whoever made it knew who reads them.
    #[must_use]
    pub fn token(token: &Token) -> Self {
        Self {
            teams: None,
            repositories: Some(token.repositories.clone()),
        }
    }

    /// The teams, of which a repository that is not for everybody has to name one; none where that does not matter.
    #[must_use]
    pub fn teams(&self) -> Option<&[String]> {
        self.teams.as_deref()
    }

    /// The repositories, of which it has to be one; none where that does not matter.
    #[must_use]
    pub fn repositories(&self) -> Option<&[Pattern]> {
        self.repositories.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teams(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_repository_is_for_everybody_or_for_its_teams_and_for_admins() {
        let vault = Readers::parse("vault, ledger").unwrap();
        for (readers, held, roles, sees) in [
            (&Readers::Everybody, &[][..], &[][..], true),
            (&vault, &[], &[], false),
            (&vault, &["payments"], &[], false),
            (&vault, &["Vault"], &[], false),
            (&vault, &["payments", "ledger"], &[], true),
            (&vault, &[], &[Role::Manager], false),
            (&vault, &[], &[Role::Admin], true),
        ] {
            let held = teams(held);
            assert_eq!(readers.admit(&held, roles), sees, "{held:?} {roles:?}");
            let reader = Reader::person(&held, roles);
            let named = readers.teams().unwrap_or_default();
            let shares = |mine: &[String]| mine.iter().any(|team| named.contains(team));
            assert_eq!(
                readers.teams().is_none() || reader.teams().is_none_or(shares),
                sees,
                "what the queries ask is the same: {held:?} {roles:?}"
            );
        }
    }

    #[test]
    fn teams_are_named_with_commas_or_lines_between_them() {
        let named = Readers::parse(" vault ,\r\nledger,vault\0,, ").unwrap();
        assert_eq!(named, Readers::Teams(teams(&["ledger", "vault"])));
    }

    #[test]
    fn who_names_no_team_has_not_said_everybody() {
        let many: Vec<String> = (0..=MOST_TEAMS).map(|n| n.to_string()).collect();
        let long = "x".repeat(LONGEST + 1);
        for nothing in ["", " , ,\n", "\0", &many.join(","), &long] {
            assert_eq!(Readers::parse(nothing), Err(Problem::NotTeams), "{nothing}");
        }
        assert!(Readers::named(&many[1..]).is_ok());
    }
}
