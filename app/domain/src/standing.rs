//! All that a verdict reads except the time: one row a revision, made from the case, so that a gate need not load the case.

use crate::{
    Timestamp,
    change::Patch,
    decision::Kind,
    digest::Digest,
    ids::PersonId,
    names::ChangeKey,
    people::{Level, Role},
    policy::{Held, Policy},
    provenance::Provenance,
};
use serde::{Deserialize, Serialize};

/// Which code makes standings. Raised with every change of what stands in one or of how it is found: then all that are
/// stored are made anew, and none is trusted meanwhile.
pub const FORM: i32 = 2;

/// What holds for one revision. Stored; stamped beside it with the versions of policy and people that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub key: ChangeKey,
    /// Of the revision, within its change.
    pub number: i32,
    pub digest: Digest,
    pub patch: Patch,
    pub provenance: Provenance,
    /// The lowest among its human contributors, each as it was when the revision arrived; none is `nobody`.
    pub level: Option<Level>,
    /// Every decision of the change, in the order of `seq`.
    pub voices: Vec<Voice>,
    /// The policy that it was made from: a position in `asked` means nothing in another.
    pub policy: String,
    pub policy_version: i32,
    /// What the rules ask that apply, in the order of the policy. Which apply is found here once, so that no verdict
    /// matches paths.
    pub asked: Vec<Asked>,
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
    /// The level they had when they decided; likewise the teams and the roles.
    pub level: Option<Level>,
    pub teams: Vec<String>,
    pub roles: Vec<Role>,
    /// The number of the revision that it is about.
    pub revision: i32,
    /// Whether it names the digest of the revision that is judged.
    pub about_this: bool,
    /// Whether anything ties them to the change: then no approval of theirs counts.
    pub contributor: bool,
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
}

/// Somebody who could give what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub person: PersonId,
    pub name: String,
}

impl Voice {
    /// What counts of whoever decided: as it was then, never as it is now.
    #[must_use]
    pub fn held(&self) -> Held<'_> {
        Held {
            person: self.person,
            level: self.level,
            teams: &self.teams,
            roles: &self.roles,
        }
    }
}

impl Standing {
    /// The approvals of exactly this revision that count, one of each person.
    pub fn approvals(&self) -> impl Iterator<Item = &Voice> {
        self.voices
            .iter()
            .filter(|voice| voice.kind == Kind::Approve && self.counts(voice))
    }

    /// The rejections that stand: those that nobody withdrew by word, or by approving this revision or an earlier one later.
    /// They outlive revisions. Approving a newer revision says nothing good of the one that was rejected.
    pub fn vetoes(&self) -> impl Iterator<Item = &Voice> {
        let ends = |later: &Voice| match later.kind {
            Kind::Withdraw | Kind::Reject => true,
            Kind::Approve => later.revision <= self.number,
            Kind::Override => false,
        };
        let over = move |veto: &Voice| {
            self.voices
                .iter()
                .any(|later| later.person == veto.person && later.seq > veto.seq && ends(later))
        };
        self.voices
            .iter()
            .filter(move |voice| voice.kind == Kind::Reject && !over(voice))
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

    /// Whether this voice is what its person now says of exactly this revision. An approval by a contributor never counts.
    #[must_use]
    pub fn counts(&self, voice: &Voice) -> bool {
        let barred = voice.contributor && voice.kind == Kind::Approve;
        voice.about_this && !barred && !self.is_history(voice)
    }

    fn is_history(&self, voice: &Voice) -> bool {
        // An override stands beside the approvals; it replaces none of its person's, and only a withdrawal takes it back.
        let replaces = |kind: Kind| match voice.kind {
            Kind::Override => matches!(kind, Kind::Override | Kind::Withdraw),
            Kind::Approve | Kind::Reject | Kind::Withdraw => kind != Kind::Override,
        };
        self.voices.iter().any(|later| {
            let same =
                later.about_this || later.kind == Kind::Reject || later.kind == Kind::Withdraw;
            later.person == voice.person && later.seq > voice.seq && same && replaces(later.kind)
        })
    }
}
