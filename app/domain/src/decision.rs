//! One fact by one person about one digest; never edited, never deleted.

use crate::{
    Timestamp,
    contributor::Stranger,
    digest::Digest,
    ids::{ChangeId, DecisionId, FormKey, PersonId, RepositoryId, RevisionId},
    people::{Level, Role},
    problem::Problem,
    text,
};
use serde::{Deserialize, Serialize};

/// What somebody decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Approve,
    /// A veto on the whole change, until its author withdraws it or somebody sets it aside.
    Reject,
    /// Takes back what the same person said of this change before.
    Withdraw,
    /// Break-glass: stands in for missing approvals for a limited time, and leaves a review owed.
    Override,
    /// Ends a rejection by somebody else, for whoever its author cannot or will not answer.
    SetAside,
    /// Says that no machine took part in this revision. Only the word of whom the policy believes changes anything, and
    /// nobody's against a mark.
    Human,
    /// Says that a mark is wrong. It counts all the same until somebody whom the policy believes says so, too.
    DisputeMark,
    /// Decides that a disputed mark is wrong: it counts no more.
    MarkWrong,
    /// Decides that it stands.
    MarkStands,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 9] = [
        Kind::Approve,
        Kind::Reject,
        Kind::Withdraw,
        Kind::Override,
        Kind::SetAside,
        Kind::Human,
        Kind::DisputeMark,
        Kind::MarkWrong,
        Kind::MarkStands,
    ];

    /// The word used in SQL, forms and over REST.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Approve => "approve",
            Kind::Reject => "reject",
            Kind::Withdraw => "withdraw",
            Kind::Override => "override",
            Kind::SetAside => "set_aside",
            Kind::Human => "human",
            Kind::DisputeMark => "dispute_mark",
            Kind::MarkWrong => "mark_wrong",
            Kind::MarkStands => "mark_stands",
        }
    }

    /// What is shown of it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Kind::SetAside => "set aside",
            Kind::Human => "says human",
            Kind::DisputeMark => "disputes a mark",
            Kind::MarkWrong => "finds a mark wrong",
            Kind::MarkStands => "lets a mark stand",
            Kind::Approve | Kind::Reject | Kind::Withdraw | Kind::Override => self.as_str(),
        }
    }

    /// Whether it is about one mark of the revision.
    #[must_use]
    pub fn is_about_a_mark(self) -> bool {
        matches!(self, Kind::DisputeMark | Kind::MarkWrong | Kind::MarkStands)
    }

    /// The kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Why, in the words of whoever decided: trimmed, at most 4,000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(String);

/// The longest reason, in characters.
pub const REASON_MAX: usize = 4000;

impl Reason {
    /// Parses what a form sent.
    ///
    /// # Errors
    /// [`Problem::ReasonTooLong`].
    pub fn parse(text: &str) -> Result<Self, Problem> {
        // Postgres cannot store NUL, and nobody means it.
        let text = text.replace("\r\n", "\n").replace('\0', "");
        let text = text.trim();
        if text.chars().count() > REASON_MAX {
            return Err(Problem::ReasonTooLong);
        }
        // What nobody can see is no reason: it would pass for one only in the database.
        Ok(Self(if text::says_something(text) {
            text.to_owned()
        } else {
            String::new()
        }))
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a form says, before any rule has looked at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    pub kind: Kind,
    /// The digest that was shown.
    pub seen: Digest,
    pub reason: Reason,
    /// For an override: the incident that it is for.
    pub incident: Option<String>,
    /// Whether whoever decides says that none of the contributors whom nobody knows is them.
    pub none_of_these_is_me: bool,
    /// To set a rejection aside: its `seq`.
    pub about: Option<i32>,
    /// To dispute a mark, or to decide that: its number within the revision, from 1.
    pub mark: Option<i32>,
    /// For an approval: in whose place.
    pub stands_in_for: Option<PersonId>,
    /// To approve: the number of the revision that they had approved before, where they were shown only what changed since.
    pub since: Option<i32>,
    pub form_key: FormKey,
}

/// A decision that the rules let through and that `store` records. Only [`crate::case::Case::decide`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub repository: RepositoryId,
    pub change: ChangeId,
    pub revision: RevisionId,
    pub digest: Digest,
    /// 1, 2, 3 … within the change, given under its row lock.
    pub seq: i32,
    pub person: PersonId,
    pub form_key: FormKey,
    pub kind: Kind,
    pub reason: Reason,
    pub incident: Option<String>,
    /// Said with an approval while some contributors were nobody we knew.
    pub none_of_these_is_me: bool,
    /// Of whom that was said. Nothing of those who came later.
    pub strangers: Vec<Stranger>,
    /// The `seq` of the rejection that this sets aside.
    pub about: Option<i32>,
    /// The number of the mark that it is about, within the revision.
    pub mark: Option<i32>,
    /// In whose place it was taken. Then the level is the lower of both, and the teams are that person's.
    pub stands_in_for: Option<PersonId>,
    /// The number of the revision that whoever approves had approved before, where they were shown only what changed since.
    pub since: Option<i32>,
    /// As it was when the decision was taken; likewise the teams and the roles.
    pub level: Option<Level>,
    pub teams: Vec<String>,
    pub roles: Vec<Role>,
    pub policy: String,
    pub policy_version: i32,
    /// What all facts about people added up to: what was told of them later has a higher number. Zero in what was recorded
    /// before this was.
    pub people_version: i64,
    pub at: Timestamp,
}

/// In whose place somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    pub person: PersonId,
    pub name: String,
}

impl Recorded {
    /// In whose place it was taken.
    #[must_use]
    pub fn stands_in_for(&self) -> Option<Principal> {
        Some(Principal {
            person: self.decision.stands_in_for?,
            name: self.principal.clone().unwrap_or_default(),
        })
    }
}

/// A decision that was recorded, with what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub id: DecisionId,
    /// Of whoever decided, as they are called now.
    pub name: String,
    /// What the person is called in whose place it was taken.
    pub principal: Option<String>,
    /// The number of the revision that it is about.
    pub revision_number: i32,
    pub decision: Decision,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_see_is_no_reason() {
        for nothing in [
            "",
            " \r\n\t",
            "\u{200b}",
            "\u{2800}\u{3164}",
            "\u{ad} \0",
            "\u{1d159}",
            "\u{13440}",
            "\u{16fe4}",
            "\u{301}",
        ] {
            assert!(Reason::parse(nothing).unwrap().is_empty(), "{nothing:?}");
        }
        let said = Reason::parse(" pays\u{200b} twice\r\n").unwrap();
        assert_eq!(said.as_str(), "pays\u{200b} twice");
    }
}
