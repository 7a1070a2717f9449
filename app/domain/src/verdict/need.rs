//! What is still missing, in a sentence, and who could give it.

use super::{
    Reason,
    fill::{Seat, lacking},
    reason,
};
use crate::{
    Timestamp,
    ids::PersonId,
    people::{Level, Role},
    policy::{Ask, Policy, Rule, Who},
    standing::{Asked, Candidates, Deputy, Standing},
};
use std::sync::Arc;

/// How many names a need lists.
pub(crate) const NAMES: usize = 5;

/// One thing still missing, and who could give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub rule: String,
    /// How many approvals are still missing.
    pub count: usize,
    pub who: Who,
    /// How many people could give it now.
    pub eligible: u32,
    /// Up to five of them, whoever has least to do first.
    pub people: Vec<Arc<str>>,
    /// Where nobody could.
    pub why_nobody: Option<WhyNobody>,
}

/// Why nobody could give what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNobody {
    /// Nobody active is such.
    Unknown,
    /// So many active people would be such, and none of them is of the level.
    BelowLevel(u32),
    /// So many active people are such, and none of them may see the change.
    Unseeing(u32),
    /// All who are such took part in the change, or approved it already.
    AllSpent { contributors: u32, approved: u32 },
}

/// All that the rules still ask which apply. Rule by rule, and each for itself: one approval may serve several rules.
pub(super) fn missing(
    standing: &Standing,
    policy: &Policy,
    approvals: &[Seat<'_>],
    now: Timestamp,
) -> Vec<Need> {
    let spent = Spent::by(approvals);
    let of_rule = |asked: &Asked| {
        let rule = policy.document.rules.get(asked.rule);
        rule.map_or_else(Vec::new, |rule| needs(rule, asked, approvals, &spent, now))
    };
    standing.asked.iter().flat_map(of_rule).collect()
}

/// Whom no need can be given by any more, gathered once for all needs.
struct Spent {
    /// Those who approved.
    people: Vec<PersonId>,
    /// The bits of all of them together: most who are asked about share none, and are none of them.
    bits: u64,
    /// Those in whose place somebody did.
    principals: Vec<PersonId>,
}

impl Spent {
    fn by(approvals: &[Seat<'_>]) -> Self {
        let voices = || approvals.iter().copied().flatten();
        Self {
            people: voices().map(|voice| voice.person).collect(),
            bits: voices().fold(0, |bits, voice| bits | bit(voice.person)),
            principals: voices().map(|voice| voice.seat()).collect(),
        }
    }

    fn has(&self, person: PersonId) -> bool {
        self.bits & bit(person) != 0 && self.people.contains(&person)
    }

    /// Who has approved cannot do so once more for somebody else, and a place that is filled is filled.
    fn has_deputy(&self, one: &Deputy) -> bool {
        self.has(one.person) || self.principals.contains(&one.principal)
    }
}

/// One of 64, by what is random in an id.
fn bit(person: PersonId) -> u64 {
    1 << (person.0.as_bytes()[15] % 64)
}

fn needs(
    rule: &Rule,
    asked: &Asked,
    approvals: &[Seat<'_>],
    spent: &Spent,
    now: Timestamp,
) -> Vec<Need> {
    let asks = rule.needs.iter().zip(&asked.candidates);
    asks.zip(lacking(rule, approvals))
        .filter(|(_, lacks)| *lacks > 0)
        .map(|((ask, candidates), lacks)| need(rule, ask, lacks, candidates, spent, now))
        .collect()
}

fn need(
    rule: &Rule,
    ask: &Ask,
    lacks: usize,
    candidates: &Candidates,
    spent: &Spent,
    now: Timestamp,
) -> Need {
    let could_stand_in = |one: &&Deputy| now < one.until && !spent.has_deputy(one);
    let stand_ins = candidates.stand_ins.iter().filter(could_stand_in);
    let mut people = Vec::with_capacity(NAMES);
    let mut approved = 0_u32;
    for one in &candidates.first {
        if spent.has(one.person) {
            approved = approved.saturating_add(1);
        } else if people.len() < NAMES {
            people.push(Arc::clone(&one.name));
        }
    }
    let left = NAMES - people.len();
    people.extend(
        stand_ins
            .clone()
            .take(left)
            .map(|one| Arc::clone(&one.name)),
    );
    let standing_in = u32::try_from(stand_ins.count()).unwrap_or(u32::MAX);
    let eligible = candidates
        .total
        .saturating_sub(approved)
        .saturating_add(standing_in);
    Need {
        rule: rule.name.clone(),
        count: lacks,
        who: ask.who.clone(),
        eligible,
        people,
        why_nobody: (eligible == 0).then(|| why_nobody(candidates, approved)),
    }
}

fn why_nobody(candidates: &Candidates, approved: u32) -> WhyNobody {
    let contributors = candidates.contributors;
    match (contributors, approved) {
        (0, 0) if candidates.unseeing > 0 => WhyNobody::Unseeing(candidates.unseeing),
        (0, 0) if candidates.of_any_level > 0 => WhyNobody::BelowLevel(candidates.of_any_level),
        (0, 0) => WhyNobody::Unknown,
        _ => WhyNobody::AllSpent {
            contributors,
            approved,
        },
    }
}

impl Need {
    /// What is missing, in one sentence, and in another why nobody could give it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let whom = words(&self.who, self.count == 1);
        let missing = match self.count {
            1 => format!("One {whom} who is no contributor has to approve exactly this revision."),
            n => {
                format!("{n} {whom} who are no contributors have to approve exactly this revision.")
            }
        };
        match self.nobody() {
            Some(why) => format!("{missing} {why}"),
            None => missing,
        }
    }

    /// Why nobody could give it, in one sentence; none where somebody could.
    #[must_use]
    pub fn nobody(&self) -> Option<String> {
        Some(match self.why_nobody? {
            WhyNobody::Unknown => nobody_known(&self.who),
            WhyNobody::BelowLevel(n) => below_level(&self.who, n),
            WhyNobody::Unseeing(n) => unseeing(&self.who, n),
            WhyNobody::AllSpent {
                contributors,
                approved,
            } => all_spent(&self.who, contributors, approved),
        })
    }

    /// Whom it asks for, as in "senior of team payments".
    #[must_use]
    pub fn whom(&self) -> String {
        words(&self.who, true)
    }

    pub(super) fn reason(&self) -> Reason {
        reason("approval_needed", self.sentence())
    }
}

/// "senior of team payments", "people of team security".
#[must_use]
pub fn words(who: &Who, is_one: bool) -> String {
    let mut words = match (who.level, is_one) {
        (Some(Level::Senior), true) => "senior".to_owned(),
        (Some(Level::Senior), false) => "seniors".to_owned(),
        (Some(level), true) => format!("person of level {} or higher", level.as_str()),
        (Some(level), false) => format!("people of level {} or higher", level.as_str()),
        (None, true) => "person".to_owned(),
        (None, false) => "people".to_owned(),
    };
    if let Some(team) = &who.team {
        words.push_str(&format!(" of team {team}"));
    }
    if let Some(role) = who.role {
        words.push_str(&format!(" with the role {}", role.as_str()));
    }
    if !who.people.is_empty() {
        words.push_str(" whom the policy names");
    }
    words
}

fn nobody_known(who: &Who) -> String {
    match (&who.team, who.role, who.people.is_empty()) {
        (_, _, false) => "None of the people whom the policy names can give it.".to_owned(),
        (Some(team), None, true) => format!("Nobody is in team {team}."),
        (None, Some(Role::Admin), true) => "Nobody is an admin.".to_owned(),
        (None, Some(Role::Manager), true) => "Nobody is a manager.".to_owned(),
        (Some(team), Some(role), true) => {
            format!("Nobody in team {team} has the role {}.", role.as_str())
        }
        (None, None, true) => "Nobody of that level is known here yet.".to_owned(),
    }
}

fn below_level(who: &Who, count: u32) -> String {
    let level = who.level.map_or("of a level", Level::as_str);
    match (&who.team, count) {
        (Some(team), 1) => format!("The one person in team {team} is not {level}."),
        (Some(team), n) => format!("None of the {n} people in team {team} is {level}."),
        (None, 1) => format!("The only one there is is not {level}."),
        (None, n) => format!("None of the {n} people there are is {level}."),
    }
}

fn unseeing(who: &Who, count: u32) -> String {
    let such = words(who, count == 1);
    let whom = match count {
        1 => format!("The only {such} there is"),
        n => format!("None of the {n} {such} there are"),
    };
    let verb = if count == 1 { "may not" } else { "may" };
    format!("{whom} {verb} see this repository. An admin says which teams do.")
}

fn all_spent(who: &Who, contributors: u32, approved: u32) -> String {
    let all = contributors.saturating_add(approved);
    let such = words(who, all == 1);
    let subject = match all {
        1 => format!("the only {such}"),
        2 => format!("both {such}"),
        n => format!("all {n} {such}"),
    };
    let verb = match (contributors, approved) {
        (1, 0) => "is a contributor",
        (_, 0) => "are contributors",
        (0, 1) => "approved already",
        (0, _) => "approved already, and each counts once",
        (_, _) => "are contributors or approved already",
    };
    format!("Nobody is left: {subject} {verb}.")
}
