//! All that a verdict reads except the time: one row a revision, made from the case, so that a gate need not load the case.

use crate::{
    Timestamp,
    carry::{Proof, Undone},
    change::Patch,
    decision::{Kind, Principal},
    digest::Digest,
    ids::PersonId,
    names::ChangeKey,
    people::{Level, Role},
    policy::{Held, Policy},
    provenance::Provenance,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which code makes standings. Raised with every change of what stands in one or of how it is found: then all that are
/// stored are made anew, and none is trusted meanwhile.
pub const FORM: i32 = 10;

/// What holds for one revision. Stored; stamped beside it with the versions of policy and people that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub key: ChangeKey,
    /// Of the revision, within its change.
    pub number: i32,
    pub digest: Digest,
    pub patch: Patch,
    /// What holds for the rules: what the marks add up to, or `human` where `believed` said so.
    pub provenance: Provenance,
    /// Who said that no machine took part, and is believed.
    pub believed: Option<String>,
    /// The lowest among its human contributors, each as it was when the revision arrived; none is `nobody`.
    pub level: Option<Level>,
    /// Whether nobody said whose change it is: then it is nobody's, whatever addresses its commits bear.
    pub unclaimed: bool,
    /// The allowed change that this one only undoes.
    pub undoes: Option<Undone>,
    /// Every decision of the change, in the order of `seq`.
    pub voices: Vec<Voice>,
    /// The policy that it was made from: a position in `asked` means nothing in another.
    pub policy: String,
    pub policy_version: i32,
    /// What the rules ask that apply, in the order of the policy. Which apply is found here once, so that no verdict
    /// matches paths.
    pub asked: Vec<Asked>,
    /// When the change last went back to draft; none where the policy does not mind. Likewise when its merge base moved.
    pub drafted: Option<Turn>,
    pub rebased: Option<Turn>,
}

/// A moment in the life of a change. Its place among the decisions is what counts; no clock decides what came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The `seq` of the last decision before it.
    pub after: i32,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Timestamp,
}

/// A rule that applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its position in the policy.
    pub rule: usize,
    /// Who could give each of its needs, in their order.
    pub candidates: Vec<Candidates>,
}

/// One decision, as far as a verdict reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    pub seq: i32,
    pub kind: Kind,
    pub person: PersonId,
    pub name: String,
    /// In whose place they spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<Principal>,
    /// The level they had when they decided; likewise the teams and the roles.
    pub level: Option<Level>,
    pub teams: Vec<String>,
    pub roles: Vec<Role>,
    /// The number of the revision that it is about.
    pub revision: i32,
    /// Whether it names the digest of the revision that is judged.
    pub about_this: bool,
    /// For an approval of another revision that is provably the same change: by which proof it counts for this one, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Proof>,
    /// Whether anything ties them, or whom they stand in for, to the change, or did at any time since they said it: then no approval of theirs
    /// counts. A link that is withdrawn frees them to approve again, and makes nothing count that it had ended.
    pub contributor: bool,
    /// Whether it is about another revision and this one has a contributor whom nobody knows and of whom they did not say
    /// that it is not them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
    /// Whether the policy lets them say this, by what they were then: to set aside, and to be believed.
    pub trusted: bool,
    /// The `seq` of the rejection that this sets aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<i32>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

/// Who could give one need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidates {
    /// How many there are who are no contributors.
    pub total: u32,
    /// Of these the first few, whoever has least to do first; and everybody who has approved, since they cannot do so twice.
    pub first: Vec<Candidate>,
    /// How many there are who are contributors: why nobody may be left.
    pub contributors: u32,
    /// How many there would be if the policy asked for no level.
    pub of_any_level: u32,
    /// How many there are who may not see the change.
    pub unseeing: u32,
    /// Those who could give it only in the place of somebody else, each once.
    pub stand_ins: Vec<Deputy>,
}

/// Somebody who could give what is missing in the place of somebody else, until that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deputy {
    pub person: PersonId,
    pub name: Arc<str>,
    pub principal: PersonId,
    #[serde(with = "time::serde::rfc3339")]
    pub until: Timestamp,
}

/// Somebody who could give what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub person: PersonId,
    /// Shared, since it goes into each need of each verdict.
    pub name: Arc<str>,
}

impl Voice {
    /// What counts of whoever decided: as it was then, never as it is now.
    #[must_use]
    pub fn held(&self) -> Held<'_> {
        Held {
            person: self.seat(),
            level: self.level,
            teams: &self.teams,
            roles: &self.roles,
        }
    }

    /// Whose place it fills: that of whom they stand in for, or their own. However many speak for it, it is one.
    #[must_use]
    pub fn seat(&self) -> PersonId {
        self.stands_in_for
            .as_ref()
            .map_or(self.person, |principal| principal.person)
    }

    /// Whether it is about the revision that is judged, or about one that is provably the same change.
    fn speaks_of_this(&self) -> bool {
        self.about_this || self.carried.is_some()
    }
}

impl Standing {
    /// The approvals that count, one of each person: of exactly this revision, and those that carry over to it.
    pub fn approvals(&self) -> impl Iterator<Item = &Voice> {
        self.voices
            .iter()
            .filter(|voice| voice.kind == Kind::Approve && self.counts(voice))
    }

    /// The approvals that would count, were their persons not contributors or never asked whether they are.
    pub fn barred_approvals(&self) -> impl Iterator<Item = &Voice> {
        let barred = |voice: &&Voice| voice.contributor || voice.unasked;
        self.voices
            .iter()
            .filter(barred)
            .filter(|voice| voice.kind == Kind::Approve)
            .filter(|voice| voice.speaks_of_this() && !self.is_history(voice))
    }

    /// The rejections that stand: those that nobody withdrew by word, or by approving this revision or an earlier one later,
    /// and that nobody else set aside then. They outlive revisions. Approving a newer revision, or looking at one to set a
    /// rejection aside, says nothing good of the one that was rejected.
    pub fn vetoes(&self) -> impl Iterator<Item = &Voice> {
        self.voices
            .iter()
            .filter(|voice| voice.kind == Kind::Reject && !self.is_over(voice))
    }

    fn is_over(&self, veto: &Voice) -> bool {
        let ends = |later: &Voice| match later.kind {
            Kind::Withdraw | Kind::Reject => later.person == veto.person,
            Kind::Approve => later.person == veto.person && later.revision <= self.number,
            Kind::SetAside => {
                later.about == Some(veto.seq) && later.person != veto.person && self.counts(later)
            }
            Kind::Override
            | Kind::Human
            | Kind::DisputeMark
            | Kind::MarkWrong
            | Kind::MarkStands => false,
        };
        let is_later = |later: &&Voice| later.seq > veto.seq;
        self.voices.iter().filter(is_later).any(ends)
    }

    /// Whoever says that no machine took part in exactly this revision, and is believed.
    #[must_use]
    pub fn believed_word(&self) -> Option<&Voice> {
        self.voices
            .iter()
            .filter(|voice| voice.kind == Kind::Human && self.counts(voice))
            .max_by_key(|voice| voice.seq)
    }

    /// The override of exactly this revision that allows it now: in time, and with no rejection after it, also none that
    /// was withdrawn since: what a rejection ended takes another override to begin again.
    #[must_use]
    pub fn live_override(&self, policy: &Policy, now: Timestamp) -> Option<&Voice> {
        let rejections = self
            .voices
            .iter()
            .filter(|voice| voice.kind == Kind::Reject);
        let last_veto = rejections.map(|veto| veto.seq).max().unwrap_or(0);
        let live =
            |voice: &&Voice| voice.seq > last_veto && now < voice.at + policy.document.glass.lasts;
        self.voices
            .iter()
            .filter(|voice| voice.kind == Kind::Override && self.counts(voice))
            .filter(live)
            .max_by_key(|voice| voice.seq)
    }

    /// Whether this voice is what its person now says, and of exactly this revision or of one from which it carries over.
    /// Nothing counts that the policy does not let them say; an approval by a contributor, or a rejection set aside by one, never does,
    /// nor by whoever could be a contributor of this revision and was never asked.
    #[must_use]
    pub fn counts(&self, voice: &Voice) -> bool {
        let (bars, applies) = match voice.kind {
            Kind::Approve => (true, voice.speaks_of_this()),
            // It ends a rejection for the revision that was looked at, and for those that came later.
            Kind::SetAside => (true, voice.revision <= self.number),
            Kind::Reject => (false, voice.about_this && !self.is_over(voice)),
            Kind::Withdraw
            | Kind::Override
            | Kind::Human
            | Kind::DisputeMark
            | Kind::MarkWrong
            | Kind::MarkStands => (false, voice.about_this),
        };
        let barred = bars && (voice.contributor || voice.unasked);
        applies && !barred && voice.trusted && !self.is_history(voice)
    }

    fn is_history(&self, voice: &Voice) -> bool {
        self.voices.iter().any(|later| {
            let same =
                later.speaks_of_this() || matches!(later.kind, Kind::Reject | Kind::Withdraw);
            later.person == voice.person
                && later.seq > voice.seq
                && same
                && replaces(later.kind, voice.kind)
        })
    }
}

/// Whether what somebody says later takes the place of what they said before. An override, a word about who wrote it or about a
/// mark, and a rejection set aside stand beside the approvals; whoever then rejects has no good word left, and a withdrawal takes
/// all back.
fn replaces(later: Kind, earlier: Kind) -> bool {
    match earlier {
        Kind::Approve | Kind::Reject | Kind::Withdraw => {
            matches!(later, Kind::Approve | Kind::Reject | Kind::Withdraw)
        }
        Kind::Override => matches!(later, Kind::Override | Kind::Withdraw),
        Kind::Human => matches!(later, Kind::Human | Kind::Reject | Kind::Withdraw),
        Kind::SetAside | Kind::MarkWrong => matches!(later, Kind::Reject | Kind::Withdraw),
        Kind::DisputeMark | Kind::MarkStands => later == Kind::Withdraw,
    }
}
