//! What a machine may ask for, and about which repositories: an API token, without its secret.

use crate::{
    Timestamp,
    ids::TokenId,
    names::{NameError, RepositoryName},
};
use serde::{Deserialize, Serialize};

/// One API token. Its secret is shown once and kept as a hash, which is the store's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub repositories: Vec<Pattern>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// To the minute at best.
    pub last_used_at: Option<Timestamp>,
}

/// Whether a token opens anything now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    Active,
    Expired,
    Revoked,
}

/// Why a token that is known and active may not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("the token does not have the scope `{}`", .0.as_str())]
    Scope(Scope),
    #[error("the token is not for this repository")]
    Repository,
}

impl Token {
    /// Whether it opens anything now.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> TokenState {
        if self.revoked_at.is_some() {
            TokenState::Revoked
        } else if now >= self.expires_at {
            TokenState::Expired
        } else {
            TokenState::Active
        }
    }

    /// Whether it may do this to that repository. There is no token for all repositories.
    ///
    /// # Errors
    /// [`Denied`] says what it lacks.
    pub fn allows(&self, scope: Scope, repository: &RepositoryName) -> Result<(), Denied> {
        self.has(scope)?;
        if self.repositories.iter().any(|p| p.matches(repository)) {
            Ok(())
        } else {
            Err(Denied::Repository)
        }
    }

    /// Whether it may do this at all; what it is shown is then limited to its repositories.
    ///
    /// # Errors
    /// It lacks that scope.
    pub fn has(&self, scope: Scope) -> Result<(), Denied> {
        if self.scopes.contains(&scope) {
            Ok(())
        } else {
            Err(Denied::Scope(scope))
        }
    }
}

/// One kind of question or act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Submit,
    Gate,
    Read,
    Incidents,
    /// Setting what a repository demands. Never part of another scope.
    Policy,
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 6] = [
        Scope::Submit,
        Scope::Gate,
        Scope::Read,
        Scope::Incidents,
        Scope::Policy,
        Scope::Admin,
    ];

    /// The word used in SQL, on the command line and in problems.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Submit => "submit",
            Scope::Gate => "gate",
            Scope::Read => "read",
            Scope::Incidents => "incidents",
            Scope::Policy => "policy",
            Scope::Admin => "admin",
        }
    }

    /// The scope of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Which repositories a token is for: one by name, or `owner/*` for all below one owner. Kept folded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// The folded name of one repository.
    One(String),
    /// What every matching name starts with, the slash included.
    Below(String),
}

impl Pattern {
    /// Parses `acme/payments` or `acme/*`.
    ///
    /// # Errors
    /// It is neither; `*` and `*/*` are neither, because no token is for everything.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text.strip_suffix("/*") {
            // An owner is what a repository may be below, so whatever makes a name below it valid makes it valid.
            Some(owner) => {
                let below = RepositoryName::parse(format!("{owner}/x"))?.folded();
                Ok(Self::Below(below[..below.len() - 1].to_owned()))
            }
            None => Ok(Self::One(RepositoryName::parse(text)?.folded())),
        }
    }

    /// Whether there can be a repository that both mean.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(one), Self::One(other)) => one == other,
            (Self::One(one), Self::Below(prefix)) | (Self::Below(prefix), Self::One(one)) => {
                one.starts_with(prefix)
            }
            (Self::Below(one), Self::Below(other)) => {
                one.starts_with(other) || other.starts_with(one)
            }
        }
    }

    /// Whether that repository is meant, in whatever case its name is written.
    #[must_use]
    pub fn matches(&self, repository: &RepositoryName) -> bool {
        let name = repository.folded();
        match self {
            Self::One(one) => *one == name,
            Self::Below(prefix) => name.starts_with(prefix),
        }
    }
}

impl std::str::FromStr for Pattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(name) => f.write_str(name),
            Self::Below(prefix) => write!(f, "{prefix}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Duration, macros::datetime};

    const NOON: Timestamp = datetime!(2026-11-20 12:00 UTC);

    fn token(scopes: &[Scope], patterns: &[&str]) -> Token {
        Token {
            id: TokenId(uuid::Uuid::nil()),
            name: "ci".into(),
            scopes: scopes.to_vec(),
            repositories: patterns
                .iter()
                .filter_map(|text| Pattern::parse(text).ok())
                .collect(),
            created_at: NOON,
            expires_at: NOON + Duration::DAY,
            revoked_at: None,
            last_used_at: None,
        }
    }

    fn repository(name: &str) -> RepositoryName {
        RepositoryName::parse(name).expect("a name")
    }

    #[test]
    fn two_patterns_overlap_where_one_repository_could_be_meant_by_both() {
        let overlap = |one: &str, other: &str| {
            let (one, other) = (Pattern::parse(one).unwrap(), Pattern::parse(other).unwrap());
            assert_eq!(one.overlaps(&other), other.overlaps(&one));
            one.overlaps(&other)
        };
        assert!(overlap("acme/payments", "Acme/Payments"));
        assert!(overlap("acme/*", "acme/payments") && overlap("acme/*", "acme/team/*"));
        assert!(!overlap("acme/payments", "acme/payment") && !overlap("acme/*", "acmes/x"));
        assert!(!overlap("acme/team/*", "acme/other/*"));
    }

    #[test]
    fn a_token_opens_what_it_is_for_and_nothing_beside_it() {
        let ci = token(&[Scope::Gate], &["Acme/*", "other/one"]);
        for (name, answer) in [
            ("acme/payments", Ok(())),
            ("ACME/Payments", Ok(())),
            ("acme/team/sub", Ok(())),
            ("other/ONE", Ok(())),
            ("other/one-more", Err(Denied::Repository)),
            ("acmee/payments", Err(Denied::Repository)),
            ("other/two", Err(Denied::Repository)),
        ] {
            assert_eq!(ci.allows(Scope::Gate, &repository(name)), answer, "{name}");
        }
        assert_eq!(
            ci.allows(Scope::Submit, &repository("acme/payments")),
            Err(Denied::Scope(Scope::Submit))
        );
    }

    #[test]
    fn there_is_no_pattern_for_everything() {
        for bad in [
            "*",
            "*/*",
            "/*",
            "",
            "acme",
            "acme/",
            "acme/pay*",
            "*/payments",
            "../*",
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pattern_reads_as_it_was_written_but_folded() {
        for (written, kept) in [
            ("Acme/*", "acme/*"),
            ("acme/x/*", "acme/x/*"),
            ("acme/xx", "acme/xx"),
        ] {
            let pattern = Pattern::parse(written).expect("a pattern");
            assert_eq!(pattern.to_string(), kept);
            assert_eq!(Pattern::parse(kept), Ok(pattern));
        }
    }

    #[test]
    fn a_token_ends_when_it_expires_or_is_revoked() {
        let ci = token(&[Scope::Gate], &["acme/*"]);
        assert_eq!(ci.state(NOON), TokenState::Active);
        assert_eq!(ci.state(ci.expires_at), TokenState::Expired);
        let revoked = Token {
            revoked_at: Some(NOON),
            ..ci
        };
        assert_eq!(revoked.state(NOON), TokenState::Revoked);
    }
}
