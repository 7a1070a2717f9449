//! Names that come from outside, parsed once at the edge and trusted inside.

use serde::{Deserialize, Serialize};

/// Why a name was refused, as a sentence fragment that follows the name of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("is empty")]
    Empty,
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("has a character that is not allowed there")]
    Character,
    #[error("is not written as owner/name")]
    NoOwner,
    #[error("is not a full commit id (40 or 64 lower-case hexadecimal digits)")]
    NotACommit,
    #[error("is not a branch name that git allows")]
    NotABranch,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($check:path)),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses what came from outside.
            ///
            /// # Errors
            /// [`NameError`] says what is wrong with it.
            pub fn parse(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }

            /// The name as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
    )*};
}

names! {
    /// `owner/name`, as the code host writes it. Compared without regard to case: two names that differ
    /// in case only are one repository, or a look-alike could carry another policy.
    RepositoryName(repository),
    /// What a repository calls a change: `142`, `!17`, `I8473b95`.
    ChangeKey(change_key),
    /// A branch, without `refs/heads/`, within git's own rules for one.
    Branch(branch),
    /// A full commit id, SHA-1 or SHA-256, in lower case.
    CommitSha(commit_sha),
    /// Where things are deployed to, as whoever deploys calls it: `production`. Compared without regard to case.
    Environment(environment),
}

impl RepositoryName {
    /// The form in which two names are compared.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl Environment {
    /// The form in which two names are compared.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl CommitSha {
    /// The first seven digits: enough to read, never enough to ask the gate about.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

fn repository(text: &str) -> Result<(), NameError> {
    bounded(text, 200)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !text.chars().all(|c| allowed(c) || c == '/') {
        return Err(NameError::Character);
    }
    let parts: Vec<&str> = text.split('/').collect();
    let whole = parts
        .iter()
        .all(|part| !part.is_empty() && !part.chars().all(|c| c == '.'));
    if parts.len() < 2 || !whole {
        Err(NameError::NoOwner)
    } else {
        Ok(())
    }
}

fn change_key(text: &str) -> Result<(), NameError> {
    bounded(text, 100)?;
    let allowed = |c: char| c.is_ascii_graphic() && c != '/' && c != '?' && c != '#';
    if text.chars().all(allowed) {
        Ok(())
    } else {
        Err(NameError::Character)
    }
}

/// The rules of `git check-ref-format --branch`, which a name has to keep to exist at all.
fn branch(text: &str) -> Result<(), NameError> {
    bounded(text, 255)?;
    let forbidden = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    let part_is_wrong =
        |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    let wrong = text.chars().any(forbidden)
        || text.contains("..")
        || text.contains("@{")
        || text == "@"
        || text.starts_with('-')
        || text.ends_with('.')
        || text.split('/').any(part_is_wrong);
    if wrong {
        Err(NameError::NotABranch)
    } else {
        Ok(())
    }
}

fn commit_sha(text: &str) -> Result<(), NameError> {
    let hex = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if matches!(text.len(), 40 | 64) && hex {
        Ok(())
    } else {
        Err(NameError::NotACommit)
    }
}

fn environment(text: &str) -> Result<(), NameError> {
    bounded(text, 100)?;
    let inner = |c: char| c.is_ascii_graphic() || c == ' ';
    if text.chars().all(inner) && text.trim() == text {
        Ok(())
    } else {
        Err(NameError::Character)
    }
}

fn bounded(text: &str, most: usize) -> Result<(), NameError> {
    match text.chars().count() {
        0 => Err(NameError::Empty),
        n if n > most => Err(NameError::TooLong(most)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        for good in ["acme/payments", "acme/team/sub.project_1-x"] {
            assert!(RepositoryName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "payments",
            "/payments",
            "acme/",
            "acme//x",
            "acme/..",
            "acme/pay ments",
            "acme/päy",
            "a/b\u{202e}",
        ] {
            assert!(RepositoryName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn two_spellings_of_one_repository_fold_to_one() {
        let folded = |name| RepositoryName::parse(name).map(|n| n.folded());
        assert_eq!(folded("Acme/Payments"), folded("acme/payments"));
    }

    #[test]
    fn a_commit_is_named_in_full() {
        assert!(CommitSha::parse("a".repeat(40)).is_ok());
        assert!(CommitSha::parse("0".repeat(64)).is_ok());
        for bad in [
            "HEAD".to_owned(),
            "a".repeat(39),
            "A".repeat(40),
            "g".repeat(40),
            String::new(),
        ] {
            assert_eq!(CommitSha::parse(bad), Err(NameError::NotACommit));
        }
    }

    #[test]
    fn a_branch_keeps_to_gits_rules() {
        for good in ["main", "release/1.2", "größe", "feature/\u{202e}x"] {
            assert!(Branch::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "", "a b", "a..b", "-x", "a/.b", "x.lock", "a//b", "a\tb", "@", "a@{1}", "end.", "a:b",
        ] {
            assert!(Branch::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_environment_is_one_line_that_everybody_reads_alike() {
        for good in ["production", "eu-west/prod 2", "Staging"] {
            assert!(Environment::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " production",
            "prod\n",
            "pröd",
            "a\u{202e}b",
            &"x".repeat(101),
        ] {
            assert!(Environment::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_one_word_that_fits_in_an_address() {
        for good in ["142", "!17", "I8473b95"] {
            assert!(ChangeKey::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a?b", "ключ", &"x".repeat(101)] {
            assert!(ChangeKey::parse(bad).is_err(), "{bad}");
        }
    }
}
