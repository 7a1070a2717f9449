//! Which approvals have ended: by age, since the change went back to draft or to another base, or by what was found of its
//! contributors.

use super::{Reason, minute, reason};
use crate::{
    Timestamp,
    policy::Policy,
    standing::{Standing, Turn, Voice},
};

/// An approval that would count, had it not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    pub by: String,
    pub why: Ended,
}

/// Why an approval ended, and when, if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// The policy lets approvals age.
    Age(Timestamp),
    /// The change went back to draft after it.
    Draft(Timestamp),
    /// The merge base moved after it.
    NewBase(Timestamp),
    /// A link was found that made its person a contributor.
    Link,
    /// It was of an earlier revision, and its person was not asked about a contributor whom nobody knows.
    Stranger,
}

/// The approvals that count now, and those that ended.
pub(super) fn approvals<'a>(
    standing: &'a Standing,
    policy: &Policy,
    now: Timestamp,
) -> (Vec<&'a Voice>, Vec<Expired>) {
    let mut live = Vec::new();
    let mut expired = Vec::new();
    for voice in standing.approvals() {
        match ended(voice, standing, policy, now) {
            None => live.push(voice),
            Some(why) => expired.push(Expired::of(voice, why)),
        }
    }
    for voice in standing.barred_approvals() {
        let why = if voice.contributor {
            Ended::Link
        } else {
            Ended::Stranger
        };
        expired.push(Expired::of(voice, why));
    }
    expired.sort_by(|one, other| (one.why, &one.by).cmp(&(other.why, &other.by)));
    (live, expired)
}

/// When the first of the approvals that count now grows too old.
pub(super) fn next(standing: &Standing, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let lasts = policy.document.approvals.expire_after?;
    let (live, _) = approvals(standing, policy, now);
    live.iter().map(|voice| voice.at + lasts).min()
}

fn ended(voice: &Voice, standing: &Standing, policy: &Policy, now: Timestamp) -> Option<Ended> {
    let terms = &policy.document.approvals;
    let turn = |minds: bool, turn: Option<Turn>, why: fn(Timestamp) -> Ended| {
        let turn = turn.filter(|turn| minds && voice.seq <= turn.after)?;
        Some(why(turn.at))
    };
    let by_age = || {
        let end = voice.at + terms.expire_after?;
        (end <= now).then_some(Ended::Age(end))
    };
    turn(terms.expire_on_draft, standing.drafted, Ended::Draft)
        .or_else(|| turn(terms.expire_on_new_base, standing.rebased, Ended::NewBase))
        .or_else(by_age)
}

impl Expired {
    fn of(voice: &Voice, why: Ended) -> Self {
        let by = voice.name.clone();
        Self { by, why }
    }

    pub(super) fn reason(&self) -> Reason {
        let by = &self.by;
        let expired = |sentence| reason("approval_expired", sentence);
        match self.why {
            Ended::Age(at) => expired(format!(
                "The approval by {by} grew too old on {}.",
                minute(at)
            )),
            Ended::Draft(at) => expired(format!(
                "The approval by {by} ended on {}, when the change went back to draft.",
                minute(at)
            )),
            Ended::NewBase(at) => expired(format!(
                "The approval by {by} ended on {}, when the merge base moved.",
                minute(at)
            )),
            Ended::Link => reason(
                "approval_barred",
                format!(
                    "The approval by {by} ended: a link was found by which they had a hand in the change."
                ),
            ),
            Ended::Stranger => reason(
                "approval_not_carried",
                format!(
                    "The approval by {by} does not carry over: they did not say that a contributor whom nobody knows is not them."
                ),
            ),
        }
    }
}
