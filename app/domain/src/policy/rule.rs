//! One rule: when it applies, and whose approvals it asks for then.

use super::glob::Glob;
use crate::{
    ids::PersonId,
    people::{Level, Role},
    provenance::{Provenance, Tool},
};

/// If a revision is such, these approvals are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Unique in its document.
    pub name: String,
    pub when: When,
    /// All of them. Never empty.
    pub needs: Vec<Ask>,
    /// Whether one person may fill one place in each of several asks. Else everybody fills one place in all of the rule.
    pub same_person: bool,
}

/// What a rule says of the revisions to which it applies. An empty part says nothing; all that are said must hold, and of a
/// list one is enough.
///
/// No part can be made to fail by more labels or more lines: whoever writes a change chooses these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    pub provenance: Vec<Provenance>,
    pub tool: Vec<Tool>,
    /// None is `nobody`.
    pub level: Vec<Option<Level>>,
    /// The ids, as a code host tells them, of bots that this rule is about: only those of `[[automation]]` have any.
    pub automation: Vec<String>,
    /// Over the folded name.
    pub repository: Vec<Glob>,
    /// Over the target branch.
    pub target: Vec<Glob>,
    /// Some path is such. Paths are the old and the new names of all files.
    pub any_path: Vec<Glob>,
    /// Every path is such: also when there is none.
    pub all_paths: Vec<Glob>,
    /// Not every path is such, or there is none.
    pub except_paths: Vec<Glob>,
    /// More lines added and removed than this.
    pub more_lines: Option<u32>,
    /// More files than this.
    pub more_files: Option<u32>,
    /// Without regard to case.
    pub label: Vec<String>,
}

/// So many approvals by people of one kind, none of them a contributor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// 1 to 20.
    pub approvals: usize,
    pub who: Who,
}

/// A kind of people: all that is said must hold, and something is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Of this level or a higher one.
    pub level: Option<Level>,
    pub team: Option<String>,
    pub role: Option<Role>,
    /// One of these. Empty says nothing.
    pub people: Vec<PersonId>,
}

/// What counts of somebody: as they are now, or as they were when they decided.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    pub person: PersonId,
    pub level: Option<Level>,
    pub teams: &'a [String],
    pub roles: &'a [Role],
}

/// What a rule can see of a revision.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub provenance: Provenance,
    /// All that left a mark which proves something.
    pub tools: &'a [Tool],
    /// None is `nobody`.
    pub level: Option<Level>,
    /// The id of the bot that made the change and all its commits, where a code host told it.
    pub automation: Option<&'a str>,
    /// Folded.
    pub repository: &'a str,
    pub target: &'a str,
    /// The old and the new names of all files, byte for byte.
    pub paths: &'a [&'a [u8]],
    /// Added and removed.
    pub lines: u32,
    pub files: u32,
    pub labels: &'a [String],
}

impl Who {
    /// Everybody of this level or a higher one.
    #[must_use]
    pub fn of_level(level: Level) -> Self {
        Self {
            level: Some(level),
            ..Self::default()
        }
    }

    /// Whether somebody is such. Nobody is where nothing is said.
    #[must_use]
    pub fn admits(&self, held: &Held<'_>) -> bool {
        !self.is_empty()
            && self.level.is_none_or(|least| held.level >= Some(least))
            && self
                .team
                .as_ref()
                .is_none_or(|team| held.teams.contains(team))
            && self.role.is_none_or(|role| held.roles.contains(&role))
            && (self.people.is_empty() || self.people.contains(&held.person))
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a rule may say of a revision, and whether it is so.
type Condition = (&'static str, fn(&When, &Facts<'_>) -> bool);

impl When {
    /// Whether it can apply to anything of this provenance by people of this level.
    pub(super) fn can_hold(&self, provenance: Provenance, level: Level) -> bool {
        let of = self.provenance.is_empty() || self.provenance.contains(&provenance);
        let by = self.level.is_empty() || self.level.contains(&Some(level));
        of && by && self.automation.is_empty()
    }

    /// Every part, by the word that a policy has for it, the cheap ones first.
    const PARTS: [Condition; 11] = [
        ("provenance", Self::provenance_holds),
        // Of people the level, of bots which one it is.
        ("level", Self::maker_holds),
        ("tool", |when, facts| {
            says(&when.tool, |tool| facts.tools.contains(tool))
        }),
        ("more_lines", |when, facts| {
            when.more_lines.is_none_or(|most| facts.lines > most)
        }),
        ("more_files", |when, facts| {
            when.more_files.is_none_or(|most| facts.files > most)
        }),
        ("label", |when, facts| {
            says(&when.label, |label| has_label(facts.labels, label))
        }),
        ("repository", |when, facts| {
            says(&when.repository, |glob| {
                glob.matches(facts.repository.as_bytes())
            })
        }),
        ("target", |when, facts| {
            says(&when.target, |glob| glob.matches(facts.target.as_bytes()))
        }),
        ("any_path", |when, facts| {
            let is_such = |path: &&[u8]| is_of(&when.any_path, path);
            when.any_path.is_empty() || facts.paths.iter().any(is_such)
        }),
        ("all_paths", |when, facts| {
            let is_such = |path: &&[u8]| is_of(&when.all_paths, path);
            when.all_paths.is_empty() || facts.paths.iter().all(is_such)
        }),
        ("except_paths", |when, facts| {
            let is_such = |path: &&[u8]| is_of(&when.except_paths, path);
            facts.paths.is_empty() || !facts.paths.iter().all(is_such)
        }),
    ];

    /// Whether a revision is such. `facts.automation` is one that the document knows, or none.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        Self::PARTS.iter().all(|(_, holds)| holds(self, facts))
    }

    /// The parts that keep the rule from a revision, by the words that a policy has for them. Empty: it applies.
    pub(super) fn unmet(&self, facts: &Facts<'_>) -> Vec<&'static str> {
        let unmet = Self::PARTS.iter().filter(|(_, holds)| !holds(self, facts));
        unmet.map(|(word, _)| *word).collect()
    }

    /// All patterns of it.
    pub(super) fn globs(&self) -> impl Iterator<Item = &Glob> {
        [
            &self.repository,
            &self.target,
            &self.any_path,
            &self.all_paths,
            &self.except_paths,
        ]
        .into_iter()
        .flatten()
    }

    fn provenance_holds(&self, facts: &Facts<'_>) -> bool {
        says(&self.provenance, |provenance| {
            *provenance == facts.provenance
        })
    }

    /// A bot that the document names has no level, and is not `nobody` either: rules about levels are about people. Where
    /// an AI tool took part, it is no longer a bot's change.
    fn maker_holds(&self, facts: &Facts<'_>) -> bool {
        match facts.automation {
            Some(id) if facts.provenance != Provenance::Assisted => {
                self.level.is_empty() && says(&self.automation, |known| known == id)
            }
            Some(_) | None => {
                self.automation.is_empty() && says(&self.level, |level| *level == facts.level)
            }
        }
    }
}

fn is_of(globs: &[Glob], path: &[u8]) -> bool {
    globs.iter().any(|glob| glob.matches(path))
}

/// Whether one of the list is so; a list that is empty says nothing.
fn says<T>(list: &[T], is_so: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(is_so)
}

fn has_label(labels: &[String], wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    labels.iter().any(|label| label.to_lowercase() == wanted)
}
