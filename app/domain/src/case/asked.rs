//! What the policy asks of a revision, and who could give it.

use super::{Case, Reviewer};
use crate::{
    decision::Kind,
    policy::{Ask, Facts, Rule, Who},
    provenance::Provenance,
    stand_in::StandIn,
    standing::{Asked, Candidate, Candidates, Deputy, Voice},
    verdict::NAMES,
};

impl Case {
    /// The rules that apply, with who could give what each needs.
    pub(super) fn asked(&self, provenance: Provenance, voices: &[Voice]) -> Vec<Asked> {
        let reviewers = self.by_load();
        let candidates = |ask: &Ask| self.candidates(&ask.who, &reviewers, voices);
        self.applying_to(provenance)
            .map(|(position, rule)| Asked {
                rule: position,
                candidates: rule.needs.iter().map(candidates).collect(),
            })
            .collect()
    }

    /// Every need of every rule that applies.
    pub(super) fn asks(&self) -> impl Iterator<Item = &Ask> {
        self.applying().flat_map(|(_, rule)| &rule.needs)
    }

    /// The rules that apply, with their positions.
    pub fn applying(&self) -> impl Iterator<Item = (usize, &Rule)> {
        self.applying_to(self.believed().provenance)
    }

    /// For each rule, in their order, the parts of it that keep it from this revision; empty where it applies.
    #[must_use]
    pub fn unmet(&self) -> Vec<Vec<&'static str>> {
        let provenance = self.believed().provenance;
        self.with_facts(provenance, |facts| self.policy.document.unmet(facts))
    }

    fn applying_to(&self, provenance: Provenance) -> impl Iterator<Item = (usize, &Rule)> {
        let rules = &self.policy.document.rules;
        let positions = self.with_facts(provenance, |facts| self.policy.document.applying(facts));
        positions
            .into_iter()
            .filter_map(|position| Some((position, rules.get(position)?)))
    }

    fn with_facts<T>(&self, provenance: Provenance, read: impl FnOnce(&Facts<'_>) -> T) -> T {
        let paths: Vec<&[u8]> = self.paths.iter().map(Vec::as_slice).collect();
        let lines = self.revision.added.saturating_add(self.revision.removed);
        read(&Facts {
            provenance,
            tools: &self.marked_tools(),
            level: self.level(),
            automation: self.automation(),
            labels: &self.labels,
            repository: &self.change.repository_name.folded(),
            target: self.revision.target.as_str(),
            paths: &paths,
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            files: u32::try_from(self.revision.files).unwrap_or(u32::MAX),
        })
    }

    /// Everybody, whoever has least to do first.
    fn by_load(&self) -> Vec<&Reviewer> {
        let mut reviewers: Vec<&Reviewer> = self.reviewers.iter().collect();
        reviewers.sort_by_key(|one| (one.load, &one.name, one.id));
        reviewers
    }

    fn candidates(&self, who: &Who, reviewers: &[&Reviewer], voices: &[Voice]) -> Candidates {
        let (readers, others): (Vec<&Reviewer>, Vec<&Reviewer>) =
            reviewers.iter().partition(|one| self.shows_itself_to(one));
        let such = readers.iter().filter(|one| who.admits(&one.held()));
        let (contributors, free): (Vec<&Reviewer>, Vec<&Reviewer>) =
            such.partition(|one| self.role_of(one.id).is_some());
        let unseeing = others.iter().filter(|one| who.admits(&one.held()));
        Candidates {
            total: count(free.len()),
            first: first(&free, voices),
            contributors: count(contributors.len()),
            of_any_level: of_any_level(who, &readers),
            unseeing: count(unseeing.count()),
            stand_ins: self.deputies(who, &readers),
        }
    }

    /// Those who are not such themselves, and stand in for somebody by whose place they are.
    fn deputies(&self, who: &Who, readers: &[&Reviewer]) -> Vec<Deputy> {
        let others = readers.iter().filter(|one| !who.admits(&one.held()));
        let free = others.filter(|one| self.role_of(one.id).is_none());
        free.filter_map(|one| {
            let stand_in = self.longest(who, one)?;
            Some(Deputy {
                person: one.id,
                name: one.name.as_str().into(),
                principal: stand_in.principal,
                until: stand_in.until,
            })
        })
        .collect()
    }

    /// The one that ends last of those by which somebody could give it.
    fn longest(&self, who: &Who, reviewer: &Reviewer) -> Option<&StandIn> {
        let theirs = self.stand_ins.iter().filter(|one| {
            one.person == reviewer.id
                && self.is_for(one)
                && self.role_of(one.principal).is_none()
                && who.admits(&one.held(reviewer.level))
        });
        theirs.max_by_key(|one| one.until)
    }
}

/// As many names as a need lists of people who did not approve, and everybody who did.
fn first(free: &[&Reviewer], voices: &[Voice]) -> Vec<Candidate> {
    let has_approved = |one: &Reviewer| {
        let theirs = |voice: &Voice| voice.person == one.id && voice.kind == Kind::Approve;
        voices.iter().any(theirs)
    };
    let mut others = 0;
    let is_listed = |one: &&&Reviewer| {
        let approved = has_approved(one);
        others += usize::from(!approved);
        approved || others <= NAMES
    };
    let candidate = |one: &&Reviewer| Candidate {
        person: one.id,
        name: one.name.as_str().into(),
    };
    free.iter().filter(is_listed).map(candidate).collect()
}

fn of_any_level(who: &Who, reviewers: &[&Reviewer]) -> u32 {
    let who = Who {
        level: None,
        ..who.clone()
    };
    let such = reviewers.iter().filter(|one| who.admits(&one.held()));
    count(such.count())
}

fn count(people: usize) -> u32 {
    u32::try_from(people).unwrap_or(u32::MAX)
}
