//! What a repository demands, as a versioned document. Every rule that applies counts; none weakens another.

mod glob;
pub mod lowering;
mod parse;
mod rule;
mod terms;
pub mod trial;

pub use glob::Glob;
pub use parse::{Fault, MAX_BYTES};
pub use rule::{Ask, Facts, Held, Rule, When, Who};
pub use terms::{Admin, LONGEST_OBSERVATION, Mode, Terms, may_administer, mode_at, observation};

use crate::{carry::Proof, landing::Evidence, people::Level, provenance::Provenance};
use time::Duration;

/// The document that holds for a repository, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `default` for the one that holds where a repository has none of its own, else the folded name of the repository.
    pub id: String,
    pub version: i32,
    pub document: Document,
    /// False where its text is gone or cannot be read by this version of Countersign: then `document` says nothing, and
    /// whatever it would judge is undecidable.
    pub whole: bool,
}

/// What a policy says. What its text leaves out is as in [`Document::default`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub name: Option<String>,
    /// Those of `[[rule]]`, then those of `[[automation]]`, each in the order in which they are written. A rule is named
    /// elsewhere by its position here.
    pub rules: Vec<Rule>,
    pub approvals: Approvals,
    pub veto: VetoTerms,
    pub glass: Glass,
    pub back: Back,
    pub landing: Landing,
    pub source: Source,
    pub human: Belief,
}

/// How long an approval counts, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// None: they do not age.
    pub expire_after: Option<Duration>,
    /// Whether all given until then end when the change goes back to draft.
    pub expire_on_draft: bool,
    /// Whether all given until then end when the merge base moves.
    pub expire_on_new_base: bool,
    /// What proves that a new revision is the same change, so that approvals carry over to it. Empty: nothing does.
    pub carry: Vec<Proof>,
}

/// When a rejection may be set aside by somebody else than whoever rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VetoTerms {
    pub set_aside_by: Who,
    /// For a rejection by somebody who is there; one by somebody inactive or away can be set aside at once.
    pub after_working_days: u8,
}

/// The terms of break-glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glass {
    /// Whoever is any of these, contributor or not.
    pub by: Vec<Who>,
    /// How long an override allows new deployments.
    pub lasts: Duration,
    /// When the review that it leaves owed is due.
    pub review_within: Duration,
    /// Whether nobody may override while such a review is overdue.
    pub refused_while_overdue: bool,
}

/// What stays allowed although nothing else would allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    /// How long a commit that was allowed and deployed may be deployed there again.
    pub redeploy_for: Duration,
    /// Whether a change that provably only undoes an allowed one needs nothing.
    pub revert: bool,
}

/// What lets a commit pass that a change became on its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Landing {
    /// The weakest evidence on which it passes.
    pub evidence: Evidence,
}

/// How late a code host has to have been heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Source {
    /// How long ago it may have confirmed an open change that passes. None: however long, or never.
    pub max_age: Option<Duration>,
}

impl Source {
    /// The shortest limit there may be.
    pub const LEAST: Duration = Duration::HOUR;
}

/// Whose word makes a revision `human`. It lowers what is asked, so only proof counts here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belief {
    /// Whether the author is believed about a revision of theirs that nobody knows anything about: somebody signed in to whom
    /// proved links lead from every author among its contributors, the change's own and those of its commits. It makes
    /// `unknown` `human`, and never lifts `assisted`.
    pub author: bool,
    /// Whoever is any of these and is no contributor.
    pub by: Vec<Who>,
}

/// A policy to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    pub name: &'static str,
    /// With comments for whoever changes it.
    pub text: &'static str,
}

/// The policies that ship, strictest first.
pub const SHIPPED: [Shipped; 3] = [
    Shipped {
        name: "default",
        text: include_str!("shipped/default.toml"),
    },
    Shipped {
        name: "attested",
        text: include_str!("shipped/attested.toml"),
    },
    Shipped {
        name: "marked-only",
        text: include_str!("shipped/marked-only.toml"),
    },
];

impl Policy {
    /// Id and version in one word, such as `acme/payments:3`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}:{}", self.id, self.version)
    }

    /// What holds with nothing written.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            id: "default".to_owned(),
            version: 1,
            document: Document::default(),
            whole: true,
        }
    }

    /// One that holds nowhere yet, to be tried.
    #[must_use]
    pub fn drafted(document: Document) -> Self {
        Self {
            id: "draft".to_owned(),
            version: 0,
            document,
            whole: true,
        }
    }

    /// One whose text is gone, or is not understood.
    #[must_use]
    pub fn broken(id: String, version: i32) -> Self {
        Self {
            id,
            version,
            document: Document::default(),
            whole: false,
        }
    }
}

impl Default for Document {
    /// The mission's rule, closed: a change that a machine took part in, or may have, by someone below senior or by nobody
    /// we know, needs one senior who is not a contributor.
    fn default() -> Self {
        let when = When {
            provenance: vec![Provenance::Assisted, Provenance::Unknown],
            level: vec![None, Some(Level::Junior), Some(Level::Mid)],
            ..When::default()
        };
        Self {
            name: None,
            rules: vec![Rule {
                name: "assisted-below-senior".to_owned(),
                when,
                needs: vec![Ask {
                    approvals: 1,
                    who: Who::of_level(Level::Senior),
                }],
                same_person: false,
            }],
            approvals: Approvals::default(),
            veto: VetoTerms::default(),
            glass: Glass::default(),
            back: Back::default(),
            landing: Landing::default(),
            source: Source::default(),
            human: Belief::default(),
        }
    }
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            expire_after: None,
            expire_on_draft: false,
            expire_on_new_base: false,
            carry: vec![Proof::Blobs, Proof::Tree],
        }
    }
}

impl Default for VetoTerms {
    fn default() -> Self {
        Self {
            set_aside_by: Who::of_level(Level::Senior),
            after_working_days: 1,
        }
    }
}

impl Default for Glass {
    fn default() -> Self {
        Self {
            by: vec![Who::of_level(Level::Senior)],
            lasts: Duration::hours(24),
            review_within: Duration::days(3),
            refused_while_overdue: false,
        }
    }
}

impl Default for Back {
    fn default() -> Self {
        Self {
            redeploy_for: Duration::days(90),
            revert: true,
        }
    }
}

impl Default for Landing {
    fn default() -> Self {
        Self {
            evidence: Evidence::Host,
        }
    }
}

impl Default for Belief {
    fn default() -> Self {
        Self {
            author: false,
            by: vec![Who::of_level(Level::Senior)],
        }
    }
}

impl Document {
    /// The rules that apply to a revision, as positions in [`Document::rules`]. Paths are matched here and nowhere else:
    /// once per revision and version of the policy.
    #[must_use]
    pub fn applying(&self, facts: &Facts<'_>) -> Vec<usize> {
        let facts = self.as_known(facts);
        let applies =
            |(position, rule): (usize, &Rule)| rule.when.holds(&facts).then_some(position);
        self.rules.iter().enumerate().filter_map(applies).collect()
    }

    /// Whether it asks something of marked changes by people of a level and never anything of their unmarked ones: then
    /// whoever takes the marks out passes.
    #[must_use]
    pub fn passes_unmarked(&self, level: Level) -> bool {
        let asks = |provenance| {
            let mut rules = self.rules.iter();
            rules.any(|rule| rule.when.can_hold(provenance, level))
        };
        asks(Provenance::Assisted) && !asks(Provenance::Unknown)
    }

    /// The levels of which that is so.
    #[must_use]
    pub fn lets_through(&self) -> Vec<Level> {
        let levels = [Level::Junior, Level::Mid, Level::Senior];
        levels
            .into_iter()
            .filter(|level| self.passes_unmarked(*level))
            .collect()
    }

    /// For each rule, in their order, the parts of it that keep it from a revision, by the words of a policy's text.
    pub(crate) fn unmet(&self, facts: &Facts<'_>) -> Vec<Vec<&'static str>> {
        let facts = self.as_known(facts);
        let unmet = |rule: &Rule| rule.when.unmet(&facts);
        self.rules.iter().map(unmet).collect()
    }

    /// A bot counts as one only where the document names it.
    fn as_known<'a>(&self, facts: &Facts<'a>) -> Facts<'a> {
        Facts {
            automation: facts.automation.filter(|id| self.knows_automation(id)),
            ..*facts
        }
    }

    /// Whether any rule looks at paths: if none does, nobody has to load them.
    #[must_use]
    pub fn reads_paths(&self) -> bool {
        let reads = |when: &When| {
            !(when.any_path.is_empty() && when.all_paths.is_empty() && when.except_paths.is_empty())
        };
        self.rules.iter().any(|rule| reads(&rule.when))
    }

    fn knows_automation(&self, id: &str) -> bool {
        let names = |rule: &Rule| rule.when.automation.iter().any(|known| known == id);
        self.rules.iter().any(names)
    }
}

#[cfg(test)]
mod tests;
