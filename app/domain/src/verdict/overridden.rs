//! An override that allows for now, and the review that it leaves owed.

use super::{Reason, minute, reason};
use crate::{
    Timestamp,
    decision::Kind,
    policy::Policy,
    standing::{Standing, Voice},
};

/// An override that allows for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenGlass {
    pub by: String,
    pub incident: String,
    pub until: Timestamp,
    pub review: Debt,
}

/// The review that an override leaves owed. Whoever approves or rejects that revision or a later one of the change
/// afterwards pays it, unless they overrode themselves or had a hand in it: both mean that somebody else has looked. Only
/// the current revision can be decided about, so a debt that only its own could pay would stay for good after the next push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Debt {
    Due(Timestamp),
    PaidBy(String),
}

impl BrokenGlass {
    pub(super) fn by(glass: &Voice, standing: &Standing, policy: &Policy) -> Self {
        let terms = &policy.document.glass;
        Self {
            by: glass.name.clone(),
            incident: glass.incident.clone().unwrap_or_default(),
            until: glass.at + terms.lasts,
            review: payer(glass, standing).map_or_else(
                || Debt::Due(glass.at + terms.review_within),
                |voice| Debt::PaidBy(voice.name.clone()),
            ),
        }
    }

    pub(super) fn reason(&self) -> Reason {
        let review = match &self.review {
            Debt::Due(at) => format!("a review is owed by {}", minute(*at)),
            Debt::PaidBy(name) => format!("{name} reviewed it since"),
        };
        let (by, incident) = (&self.by, &self.incident);
        reason(
            "overridden",
            format!("{by} overrode the missing approvals for {incident}; {review}."),
        )
    }
}

impl Standing {
    /// Whether the review is overdue that an override left owed, of the revision that is judged or of the one with that number:
    /// also of one that its author withdrew, or that nobody needs any more.
    pub(crate) fn is_overdue(
        &self,
        revision: Option<i32>,
        policy: &Policy,
        now: Timestamp,
    ) -> bool {
        let within = policy.document.glass.review_within;
        let is_due = |glass: &Voice| now >= glass.at + within && payer(glass, self).is_none();
        let of_it = |glass: &&Voice| glass.about_this || Some(glass.revision) == revision;
        let overrides = self.voices.iter();
        overrides
            .filter(|voice| voice.kind == Kind::Override)
            .filter(of_it)
            .any(is_due)
    }
}

fn payer<'a>(glass: &Voice, standing: &'a Standing) -> Option<&'a Voice> {
    let taken_back = |voice: &Voice| {
        let withdraws = |later: &Voice| {
            later.kind == Kind::Withdraw && later.person == voice.person && later.seq > voice.seq
        };
        standing.voices.iter().any(withdraws)
    };
    let pays = |voice: &&Voice| {
        matches!(voice.kind, Kind::Approve | Kind::Reject)
            && voice.seq > glass.seq
            && voice.revision >= glass.revision
            && voice.person != glass.person
            && voice.seat() != glass.person
            && !voice.contributor
            && !taken_back(voice)
    };
    standing
        .voices
        .iter()
        .filter(pays)
        .min_by_key(|voice| voice.seq)
}
