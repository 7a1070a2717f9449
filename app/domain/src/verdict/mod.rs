//! What stands between a revision and an open gate.

use crate::{
    Timestamp,
    change::Patch,
    people::Level,
    policy::{Ask, Facts, Policy, Rule},
    standing::{Standing, Voice},
};
use serde::{Deserialize, Serialize};

/// The heart: what policy makes of a revision now. Total, pure, and closed: what is missing never means yes.
#[must_use]
pub fn verdict(standing: &Standing, policy: &Policy, now: Timestamp) -> Verdict {
    if let Some(doubt) = doubt(standing.patch) {
        return Verdict::Undecidable(doubt);
    }
    let needs = missing(standing, policy);
    let vetoes: Vec<&Voice> = standing.vetoes().collect();
    match standing.live_override(policy, now) {
        Some(glass) if !needs.is_empty() || !vetoes.is_empty() => return overridden(glass, policy),
        _ => {}
    }
    if !vetoes.is_empty() {
        return Verdict::Rejected(vetoes.into_iter().map(Veto::from).collect());
    }
    if !needs.is_empty() {
        return Verdict::Waiting(needs);
    }
    match applying(standing, policy).next() {
        Some(_) => Verdict::Approved,
        None => Verdict::NotRequired,
    }
}

/// What policy makes of a revision now, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Something needed to judge is not whole.
    Undecidable(Doubt),
    Rejected(Vec<Veto>),
    Waiting(Vec<Need>),
    Overridden(BrokenGlass),
    Approved,
    NotRequired,
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
}

/// A rejection that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veto {
    pub by: String,
    pub revision: i32,
    pub at: Timestamp,
}

/// An override that allows for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenGlass {
    pub by: String,
    pub incident: String,
    pub until: Timestamp,
}

/// One thing still missing, and who could give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub rule: String,
    /// How many approvals are still missing.
    pub count: usize,
    pub level: Level,
    /// How many people could give it.
    pub eligible: u32,
    /// Up to five of them.
    pub people: Vec<String>,
    /// People of that level who may not, since they are contributors.
    pub contributors: u32,
}

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
            Verdict::Waiting(_) => Word::Waiting,
            Verdict::Overridden(_) => Word::Overridden,
            Verdict::Approved => Word::Approved,
            Verdict::NotRequired => Word::NotRequired,
        }
    }

    /// What is still missing; empty for every verdict but `waiting`.
    #[must_use]
    pub fn needs(&self) -> &[Need] {
        match self {
            Verdict::Waiting(needs) => needs,
            Verdict::Undecidable(_)
            | Verdict::Rejected(_)
            | Verdict::Overridden(_)
            | Verdict::Approved
            | Verdict::NotRequired => &[],
        }
    }

    /// Why: at least one reason, whatever the verdict.
    #[must_use]
    pub fn reasons(&self) -> Vec<Reason> {
        match self {
            Verdict::Undecidable(doubt) => vec![doubt.reason()],
            Verdict::Rejected(vetoes) => vetoes.iter().map(Veto::reason).collect(),
            Verdict::Waiting(needs) => needs.iter().map(Need::reason).collect(),
            Verdict::Overridden(glass) => vec![glass.reason()],
            Verdict::Approved => vec![reason(
                "approved",
                "Every approval that the policy asks for is there.",
            )],
            Verdict::NotRequired => vec![reason(
                "not_required",
                "No rule of the policy asks for an approval.",
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
        }
    }
}

impl Veto {
    fn reason(&self) -> Reason {
        reason(
            "rejected",
            format!(
                "{} rejected revision {}; the rejection stands until it is withdrawn.",
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

impl BrokenGlass {
    fn reason(&self) -> Reason {
        reason(
            "overridden",
            format!(
                "{} overrode the missing approvals for {}; a review is owed.",
                self.by, self.incident
            ),
        )
    }
}

impl Need {
    /// What is missing, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let level = self.level.as_str();
        let who = match self.count {
            1 => format!("One {level} who is no contributor has to approve exactly this revision."),
            n => format!(
                "{n} people of level {level} who are no contributors have to approve exactly this revision."
            ),
        };
        match (self.eligible, self.contributors) {
            (0, 0) => format!("{who} Nobody of that level is known here yet."),
            (0, n) => format!("{who} Nobody is left: all {n} of that level are contributors."),
            _ => who,
        }
    }

    fn reason(&self) -> Reason {
        reason("approval_needed", self.sentence())
    }
}

fn reason(code: &'static str, sentence: impl Into<String>) -> Reason {
    Reason {
        code,
        sentence: sentence.into(),
    }
}

fn doubt(patch: Patch) -> Option<Doubt> {
    match patch {
        Patch::Whole => None,
        Patch::Disputed => Some(Doubt::PatchDisputed),
        Patch::Wrong => Some(Doubt::PatchWrong),
    }
}

fn missing<'a>(standing: &Standing, policy: &'a Policy) -> Vec<Need> {
    let of_rule = |rule: &'a Rule| {
        let asks = rule.needs.iter();
        asks.filter_map(move |ask| need(standing, rule, ask))
    };
    applying(standing, policy).flat_map(of_rule).collect()
}

/// The rules that apply, as far as provenance and level say.
fn applying<'a>(standing: &Standing, policy: &'a Policy) -> impl Iterator<Item = &'a Rule> {
    let facts = Facts {
        provenance: standing.provenance,
        tools: &[],
        level: standing.level,
        automation: None,
        repository: "",
        target: "",
        paths: &[],
        lines: 0,
        files: 0,
        labels: &[],
    };
    let rules = &policy.document.rules;
    let positions = policy.document.applying(&facts);
    positions
        .into_iter()
        .filter_map(|position| rules.get(position))
}

fn need(standing: &Standing, rule: &Rule, ask: &Ask) -> Option<Need> {
    let level = ask.who.level.unwrap_or(Level::Senior);
    let count = ask
        .approvals
        .saturating_sub(standing.approvals(level).count());
    (count > 0).then(|| Need {
        rule: rule.name.to_owned(),
        count,
        level,
        eligible: standing.candidates.total,
        people: standing.candidates.first.clone(),
        contributors: standing.candidates.contributors,
    })
}

fn overridden(glass: &Voice, policy: &Policy) -> Verdict {
    Verdict::Overridden(BrokenGlass {
        by: glass.name.clone(),
        incident: glass.incident.clone().unwrap_or_default(),
        until: glass.at + policy.document.glass.lasts,
    })
}

#[cfg(test)]
mod tests;
