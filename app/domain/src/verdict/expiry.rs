//! Which approvals have ended: by age, or since the change went back to draft or to another base.

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
    pub at: Timestamp,
    pub why: Ended,
}

/// Why an approval ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The policy lets approvals age.
    Age,
    /// The change went back to draft after it.
    Draft,
    /// The merge base moved after it.
    NewBase,
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
            Some((why, at)) => expired.push(Expired {
                by: voice.name.clone(),
                at,
                why,
            }),
        }
    }
    expired.sort_by(|one, other| (one.at, &one.by).cmp(&(other.at, &other.by)));
    (live, expired)
}

fn ended(
    voice: &Voice,
    standing: &Standing,
    policy: &Policy,
    now: Timestamp,
) -> Option<(Ended, Timestamp)> {
    let terms = &policy.document.approvals;
    let turn = |minds: bool, turn: Option<Turn>, why| {
        let turn = turn.filter(|turn| minds && voice.seq <= turn.after)?;
        Some((why, turn.at))
    };
    let by_age = || {
        let end = voice.at + terms.expire_after?;
        (end <= now).then_some((Ended::Age, end))
    };
    turn(terms.expire_on_draft, standing.drafted, Ended::Draft)
        .or_else(|| turn(terms.expire_on_new_base, standing.rebased, Ended::NewBase))
        .or_else(by_age)
}

impl Expired {
    pub(super) fn reason(&self) -> Reason {
        let (by, at) = (&self.by, minute(self.at));
        let sentence = match self.why {
            Ended::Age => format!("The approval by {by} grew too old on {at}."),
            Ended::Draft => {
                format!("The approval by {by} ended on {at}, when the change went back to draft.")
            }
            Ended::NewBase => {
                format!("The approval by {by} ended on {at}, when the merge base moved.")
            }
        };
        reason("approval_expired", sentence)
    }
}
