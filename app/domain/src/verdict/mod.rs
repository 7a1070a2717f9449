//! What stands between a revision and an open gate.

mod expiry;
mod fill;
mod need;
mod overridden;

pub use expiry::{Ended, Expired};
pub(crate) use need::NAMES;
pub use need::{Need, WhyNobody, words};
pub use overridden::{BrokenGlass, Debt};

use crate::{
    Timestamp,
    carry::Undone,
    change::Patch,
    policy::Policy,
    standing::{Asked, Standing, Voice},
};
use serde::{Deserialize, Serialize};

/// The heart: what policy makes of a revision now. Total, pure, and closed: what is missing never means yes.
#[must_use]
pub fn verdict(standing: &Standing, policy: &Policy, now: Timestamp) -> Verdict {
    if let Some(doubt) = doubt(standing, policy) {
        return Verdict::Undecidable(doubt);
    }
    let (mut approvals, expired) = expiry::approvals(standing, policy, now);
    let seats = fill::seats(&mut approvals);
    let mut needs = need::missing(standing, policy, &seats, now);
    let undone = undone(standing, policy).filter(|_| !needs.is_empty());
    if undone.is_some() {
        needs.clear();
    }
    let mut vetoes: Vec<&Voice> = standing.vetoes().collect();
    vetoes.sort_by_key(|veto| veto.seq);
    match overridden(standing, policy, now) {
        Some(overridden) if !needs.is_empty() || !vetoes.is_empty() => return overridden,
        _ => {}
    }
    if !vetoes.is_empty() {
        return Verdict::Rejected(vetoes.into_iter().map(Veto::from).collect());
    }
    if !needs.is_empty() {
        let unclaimed = is_unclaimed(standing, policy);
        return Verdict::Waiting {
            needs,
            expired,
            unclaimed,
        };
    }
    if let Some(undone) = undone {
        return Verdict::Reverts(undone.clone());
    }
    if standing.asked.is_empty() {
        Verdict::NotRequired
    } else {
        Verdict::Approved
    }
}

/// What an override makes of a revision, if one allows it now.
pub(crate) fn overridden(standing: &Standing, policy: &Policy, now: Timestamp) -> Option<Verdict> {
    let glass = standing.live_override(policy, now)?;
    let glass = BrokenGlass::by(glass, standing, policy);
    Some(Verdict::Overridden(glass))
}

/// What policy makes of a revision now, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Something needed to judge is not whole.
    Undecidable(Doubt),
    Rejected(Vec<Veto>),
    Waiting {
        needs: Vec<Need>,
        /// Approvals that would count, had they not ended.
        expired: Vec<Expired>,
        /// Whether nobody said whose change it is, and the policy asks by level.
        unclaimed: bool,
    },
    Overridden(BrokenGlass),
    Approved,
    NotRequired,
    /// Not required: it only undoes what was allowed.
    Reverts(Undone),
}

/// A verdict without its reasons, lowest first. `NotRequired` is as good as `Approved`: see [`Word::rank`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Only a gate says so: of a commit that nobody told us of.
    Unheard,
    Undecidable,
    Rejected,
    Waiting,
    Overridden,
    Approved,
    NotRequired,
}

/// Why a revision cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    PatchDisputed,
    PatchWrong,
    PatchIncomplete,
    /// What was found of the revision was found under another policy than the one that is asked.
    PolicyMoved,
    /// The text of the policy is gone, or is not understood.
    PolicyBroken,
    /// Only a gate says so: no code host has confirmed lately that the change is as it is recorded.
    SourceOld,
}

/// A rejection that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veto {
    pub by: String,
    pub revision: i32,
    pub at: Timestamp,
}

/// Who signed this revision off, as far as that counts now.
#[must_use]
pub fn signed<'a>(standing: &'a Standing, policy: &Policy, now: Timestamp) -> Vec<&'a Voice> {
    expiry::approvals(standing, policy, now).0
}

/// When the verdict about what was approved may be another though nothing happens: an approval then grows too old.
#[must_use]
pub fn ends(standing: &Standing, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    expiry::next(standing, policy, now)
}

/// Why what its commits call a senior's counts as nobody's, and what to do.
pub const UNCLAIMED: &str = "Nobody said whose change this is, so it counts as nobody's, whatever its commits say; give --author when it is submitted.";

/// The code of the reason that a gate gives where no code host confirmed a change lately.
pub const SOURCE_OLD: &str = "source_old";

/// Why, for machines and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub code: &'static str,
    pub sentence: String,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> Word {
        match self {
            Verdict::Undecidable(_) => Word::Undecidable,
            Verdict::Rejected(_) => Word::Rejected,
            Verdict::Waiting { .. } => Word::Waiting,
            Verdict::Overridden(_) => Word::Overridden,
            Verdict::Approved => Word::Approved,
            Verdict::NotRequired | Verdict::Reverts(_) => Word::NotRequired,
        }
    }

    /// What is still missing; empty for every verdict but `waiting`.
    #[must_use]
    pub fn needs(&self) -> &[Need] {
        match self {
            Verdict::Waiting { needs, .. } => needs,
            Verdict::Undecidable(_)
            | Verdict::Rejected(_)
            | Verdict::Overridden(_)
            | Verdict::Approved
            | Verdict::NotRequired
            | Verdict::Reverts(_) => &[],
        }
    }

    /// Why: at least one reason, whatever the verdict.
    #[must_use]
    pub fn reasons(&self) -> Vec<Reason> {
        match self {
            Verdict::Undecidable(doubt) => vec![doubt.reason()],
            Verdict::Rejected(vetoes) => vetoes.iter().map(Veto::reason).collect(),
            Verdict::Waiting {
                needs,
                expired,
                unclaimed,
            } => {
                let needs = needs.iter().map(Need::reason);
                let expired = expired.iter().map(Expired::reason);
                let unclaimed = unclaimed.then(|| reason("author_unsaid", UNCLAIMED));
                needs.chain(unclaimed).chain(expired).collect()
            }
            Verdict::Overridden(glass) => vec![glass.reason()],
            Verdict::Approved => vec![reason(
                "approved",
                "Every approval that the policy asks for is there.",
            )],
            Verdict::NotRequired => vec![reason(
                "not_required",
                "No rule of the policy asks for an approval.",
            )],
            Verdict::Reverts(undone) => vec![reason(
                "revert",
                format!(
                    "It provably only undoes revision {} of change {}, which was allowed.",
                    undone.revision, undone.key
                ),
            )],
        }
    }
}

impl Word {
    /// All of them, lowest first.
    pub const ALL: [Word; 7] = [
        Word::Unheard,
        Word::Undecidable,
        Word::Rejected,
        Word::Waiting,
        Word::Overridden,
        Word::Approved,
        Word::NotRequired,
    ];

    /// The word used in SQL, URLs and over REST.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Word::Unheard => "unheard",
            Word::Undecidable => "undecidable",
            Word::Rejected => "rejected",
            Word::Waiting => "waiting",
            Word::Overridden => "overridden",
            Word::Approved => "approved",
            Word::NotRequired => "not_required",
        }
    }

    /// The verdict of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// Higher is better; the least of several is the verdict of all of them.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Word::Unheard => 0,
            Word::Undecidable => 1,
            Word::Rejected => 2,
            Word::Waiting => 3,
            Word::Overridden => 4,
            Word::Approved | Word::NotRequired => 5,
        }
    }

    /// Whether a gate lets it pass.
    #[must_use]
    pub fn allows(self) -> bool {
        match self {
            Word::Overridden | Word::Approved | Word::NotRequired => true,
            Word::Unheard | Word::Undecidable | Word::Rejected | Word::Waiting => false,
        }
    }
}

impl Doubt {
    fn reason(self) -> Reason {
        match self {
            Doubt::PatchDisputed => reason(
                "patch_disputed",
                "Two different patches were submitted for the same target, merge base and head; an admin has to say which is true.",
            ),
            Doubt::PatchWrong => reason(
                "patch_wrong",
                "An admin said that the stored patch is wrong; a new commit has to come.",
            ),
            Doubt::PatchIncomplete => reason(
                "patch_incomplete",
                "The code host did not give all of the patch, so nobody can read it here; split the change into smaller ones.",
            ),
            Doubt::PolicyMoved => reason(
                "policy_moved",
                "The policy changed while this was judged; ask again.",
            ),
            Doubt::PolicyBroken => reason(
                "policy_broken",
                "The repository's policy cannot be read by this version of Countersign; an admin has to write it anew.",
            ),
            Doubt::SourceOld => reason(
                SOURCE_OLD,
                "No code host has confirmed this change for longer than the policy allows; ask again when the host was looked at, or have an admin look at its deliveries.",
            ),
        }
    }
}

impl Veto {
    fn reason(&self) -> Reason {
        reason(
            "rejected",
            format!(
                "{} rejected revision {}; the rejection stands until it is withdrawn or set aside.",
                self.by, self.revision
            ),
        )
    }
}

impl From<&Voice> for Veto {
    fn from(voice: &Voice) -> Self {
        Veto {
            by: voice.name.clone(),
            revision: voice.revision,
            at: voice.at,
        }
    }
}

fn reason(code: &'static str, sentence: impl Into<String>) -> Reason {
    Reason {
        code,
        sentence: sentence.into(),
    }
}

fn doubt(standing: &Standing, policy: &Policy) -> Option<Doubt> {
    match standing.patch {
        Patch::Disputed => Some(Doubt::PatchDisputed),
        Patch::Wrong => Some(Doubt::PatchWrong),
        Patch::Incomplete => Some(Doubt::PatchIncomplete),
        Patch::Whole if !policy.whole => Some(Doubt::PolicyBroken),
        Patch::Whole => (!is_of(standing, policy)).then_some(Doubt::PolicyMoved),
    }
}

/// What it only undoes, if the policy lets that pass without an approval.
fn undone<'a>(standing: &'a Standing, policy: &Policy) -> Option<&'a Undone> {
    let undone = standing.undoes.as_ref();
    undone.filter(|_| policy.document.back.revert)
}

/// Whether nobody said whose change it is where that could make a difference: some rule that applies looks at the level.
fn is_unclaimed(standing: &Standing, policy: &Policy) -> bool {
    let by_level = |asked: &Asked| {
        let rule = policy.document.rules.get(asked.rule);
        rule.is_some_and(|rule| !rule.when.level.is_empty())
    };
    standing.unclaimed && standing.asked.iter().any(by_level)
}

/// Whether what the standing says of the rules can be said of this policy.
fn is_of(standing: &Standing, policy: &Policy) -> bool {
    let rules = &policy.document.rules;
    standing.policy == policy.id
        && standing.policy_version == policy.version
        && standing.asked.iter().all(|asked| {
            let rule = rules.get(asked.rule);
            rule.is_some_and(|rule| rule.needs.len() == asked.candidates.len())
        })
}

/// A moment as a sentence says it.
pub(crate) fn minute(at: Timestamp) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

#[cfg(test)]
mod tests;
