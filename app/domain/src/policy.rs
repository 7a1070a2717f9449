//! What a repository demands.

use crate::{people::Level, provenance::Provenance};
use time::Duration;

/// What a repository demands, as a versioned document. Every rule that matches applies; none weakens another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub id: &'static str,
    pub version: i32,
    pub rules: Vec<Rule>,
    /// How long an override allows new deployments.
    pub override_for: Duration,
}

/// If a revision matches, these approvals are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub name: &'static str,
    /// Matches a revision of any of these provenances …
    pub provenance: Vec<Provenance>,
    /// … whose level is below this one, or that comes from nobody we know.
    pub below: Level,
    /// So many approvals …
    pub count: usize,
    /// … by people of at least this level, none of them a contributor.
    pub level: Level,
}

impl Policy {
    /// The default, with nothing written: a change that a machine took part in, or may have, by someone below senior or
    /// by nobody we know, needs one senior who is not a contributor.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            id: "default",
            version: 1,
            rules: vec![Rule {
                name: "assisted-below-senior",
                provenance: vec![Provenance::Assisted, Provenance::Unknown],
                below: Level::Senior,
                count: 1,
                level: Level::Senior,
            }],
            override_for: Duration::hours(24),
        }
    }

    /// The rules that apply to a revision of this provenance and level.
    pub fn rules_for(
        &self,
        provenance: Provenance,
        level: Option<Level>,
    ) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .filter(move |rule| rule.matches(provenance, level))
    }
}

impl Rule {
    fn matches(&self, provenance: Provenance, level: Option<Level>) -> bool {
        self.provenance.contains(&provenance) && level.is_none_or(|level| level < self.below)
    }
}
