//! The rules, once more and by themselves: who may decide, and what a gate answers, when just these facts are there.
//!
//! Only what the tries can bring about: no policies but the default and the same for two approvals, claims of a minute ago, and
//! rejections of the same day.

use super::rows::{Account, Contributor, Decision, Fact, Revision, Rows, State};
use uuid::Uuid;

/// The facts of one moment.
#[derive(Debug)]
pub struct Then<'a> {
    pub rows: &'a Rows,
    pub revisions: Vec<&'a Revision>,
    pub states: Vec<&'a State>,
    /// In the order of their numbers.
    pub decisions: Vec<&'a Decision>,
    pub accounts: Vec<&'a Account>,
    pub facts: Vec<&'a Fact>,
    /// The numbers of the overrides whose time is over.
    pub expired: Vec<i32>,
    /// How many approvals are asked for.
    pub approvals: usize,
}

/// What somebody wants to decide.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    pub person: Uuid,
    pub kind: &'a str,
    pub digest: &'a str,
}

/// How somebody is refused: who they are, or how the world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NotYou,
    NotNow,
}

/// What a gate answers. Of a closed change only that it does not allow is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Unheard,
    Undecidable,
    Closed,
    Rejected,
    Waiting,
    Overridden,
    Approved,
    NotRequired,
}

impl Verdict {
    /// Whether an answer of a gate is this one.
    pub fn is(self, allow: bool, word: &str) -> bool {
        let (allows, is_word) = match self {
            Self::Unheard => (false, word == "unheard"),
            Self::Undecidable => (false, word == "undecidable"),
            Self::Closed => (false, true),
            Self::Rejected => (false, word == "rejected"),
            Self::Waiting => (false, word == "waiting"),
            Self::Overridden => (true, word == "overridden"),
            Self::Approved => (true, word == "approved"),
            Self::NotRequired => (true, word == "not_required"),
        };
        allow == allows && is_word
    }
}

const SENIOR: usize = 3;

impl Then<'_> {
    /// What a gate answers about a commit: from the current revision if that has it as its head, else from the worst that has.
    pub fn verdict(&self, commit: &str) -> Verdict {
        let with_it = || self.revisions.iter().filter(|r| r.head == commit);
        let is_current = |r: &&&Revision| Some(r.id) == self.state().map(|state| state.head);
        let current = with_it().find(is_current).map(|r| self.judged(r));
        let worst = with_it()
            .map(|r| self.judged(r))
            .min_by_key(|verdict| *verdict as usize);
        current.or(worst).unwrap_or(Verdict::Unheard)
    }

    /// Why a wish is refused, if it is.
    pub fn refusal(&self, wish: Wish<'_>) -> Option<Refusal> {
        let person = wish.person;
        let may = match wish.kind {
            "withdraw" | "human" => true,
            "override" => self.level(person) >= SENIOR,
            _ => self.level(person) >= SENIOR && !self.had_a_hand(person),
        };
        if !self.is_active(person) || !may {
            return Some(Refusal::NotYou);
        }
        let is_shown = self.current().is_some_and(|r| r.digest == wish.digest);
        let is_possible = match wish.kind {
            "withdraw" => self.has_something_standing(person),
            "set_aside" => self.is_open() && self.is_left_behind(person),
            _ => self.is_open(),
        };
        (!is_shown || !is_possible).then_some(Refusal::NotNow)
    }

    fn judged(&self, revision: &Revision) -> Verdict {
        if revision.disputed {
            return Verdict::Undecidable;
        }
        if !self.is_open() {
            return Verdict::Closed;
        }
        let asked = self.level_of(revision) < SENIOR && !self.is_human(revision);
        let waits = asked && !self.is_approved(revision);
        let rejected = self.is_rejected(revision);
        if (waits || rejected) && self.is_overridden(revision) {
            Verdict::Overridden
        } else if rejected {
            Verdict::Rejected
        } else if waits {
            Verdict::Waiting
        } else if asked {
            Verdict::Approved
        } else {
            Verdict::NotRequired
        }
    }

    /// Exactly this one, or one before it that is the same change, by as many seniors as are asked for, who have no hand in the change by what is known now, and who took
    /// nothing back since.
    fn is_approved(&self, revision: &Revision) -> bool {
        let mut by: Vec<Uuid> = self
            .decisions
            .iter()
            .filter(|d| {
                let taken_back = |kind| matches!(kind, "withdraw" | "reject");
                d.kind == "approve"
                    && (d.digest == revision.digest || self.carries_over(d, revision))
                    && self.is_by_a_free_senior(d)
                    && !self.later(d).any(|later| taken_back(later.kind.as_str()))
            })
            .map(|d| d.person)
            .collect();
        by.sort_unstable();
        by.dedup();
        by.len() >= self.approvals
    }

    /// By the word of a senior who has no hand in it, about exactly this one, who took nothing back since.
    fn is_human(&self, revision: &Revision) -> bool {
        self.decisions.iter().any(|d| {
            let taken_back = |kind| matches!(kind, "withdraw" | "reject");
            d.kind == "human"
                && d.digest == revision.digest
                && self.is_by_a_free_senior(d)
                && !self.later(d).any(|later| taken_back(later.kind.as_str()))
        })
    }

    /// By anybody, of any revision, until they withdraw it or approve this revision or one before it, or somebody sets it aside.
    fn is_rejected(&self, revision: &Revision) -> bool {
        self.decisions.iter().any(|d| {
            d.kind == "reject"
                && !self.is_taken_back(d, revision)
                && !self.is_set_aside(d, revision)
        })
    }

    fn is_taken_back(&self, d: &Decision, revision: &Revision) -> bool {
        self.later(d).any(|later| match later.kind.as_str() {
            "withdraw" => true,
            "approve" => self.number(later) <= revision.number,
            _ => false,
        })
    }

    /// By a senior who has no hand in it, was somebody else, looked at this revision or one before it, and took nothing back since.
    fn is_set_aside(&self, d: &Decision, revision: &Revision) -> bool {
        self.decisions.iter().any(|s| {
            let taken_back = |kind| matches!(kind, "withdraw" | "reject");
            s.kind == "set_aside"
                && s.about == Some(d.seq)
                && s.person != d.person
                && self.number(s) <= revision.number
                && self.is_by_a_free_senior(s)
                && !self.later(s).any(|later| taken_back(later.kind.as_str()))
        })
    }

    /// Whether a rejection stands by somebody else who is not there any more: only that can be set aside on the same day.
    fn is_left_behind(&self, person: Uuid) -> bool {
        let Some(current) = self.current() else {
            return false;
        };
        self.decisions.iter().any(|d| {
            d.kind == "reject"
                && d.person != person
                && !self.is_active(d.person)
                && !self.is_taken_back(d, current)
                && !self.is_set_aside(d, current)
        })
    }

    /// Whether it is about an earlier revision, to the same branch and with just the same patch: the tries know no other proof.
    fn carries_over(&self, d: &Decision, revision: &Revision) -> bool {
        let mut earlier = self.rows.revisions.iter().filter(|r| r.id == d.revision);
        earlier.any(|r| {
            r.number < revision.number && r.target == revision.target && r.patch == revision.patch
        })
    }

    fn is_by_a_free_senior(&self, d: &Decision) -> bool {
        d.level.as_deref() == Some("senior") && !self.had_a_hand(d.person)
    }

    /// Exactly this one, in time, not withdrawn, and with no rejection after it, whatever became of that.
    fn is_overridden(&self, revision: &Revision) -> bool {
        self.decisions.iter().any(|d| {
            d.kind == "override"
                && d.digest == revision.digest
                && !self.expired.contains(&d.seq)
                && !self.later(d).any(|later| later.kind == "withdraw")
                && !self
                    .decisions
                    .iter()
                    .any(|later| later.seq > d.seq && later.kind == "reject")
        })
    }

    /// What the same person decided after that.
    fn later<'b>(&'b self, d: &'b Decision) -> impl Iterator<Item = &'b Decision> {
        let after = |later: &&Decision| later.person == d.person && later.seq > d.seq;
        self.decisions.iter().copied().filter(after)
    }

    fn number(&self, d: &Decision) -> i32 {
        let revision = self.rows.revisions.iter().find(|r| r.id == d.revision);
        revision.map_or(i32::MAX, |r| r.number)
    }

    fn has_something_standing(&self, person: Uuid) -> bool {
        let last = self.decisions.iter().rfind(|d| d.person == person);
        last.is_some_and(|d| d.kind != "withdraw")
    }

    fn state(&self) -> Option<&State> {
        self.states
            .iter()
            .copied()
            .max_by_key(|state| state.version)
    }

    fn is_open(&self) -> bool {
        self.state().is_some_and(|state| state.state != "closed")
    }

    fn current(&self) -> Option<&Revision> {
        let head = self.state()?.head;
        self.revisions.iter().copied().find(|r| r.id == head)
    }

    fn is_active(&self, person: Uuid) -> bool {
        let inactive = |fact: &&Fact| fact.person == person && fact.kind == "inactive";
        !self.facts.iter().any(inactive)
    }

    fn level(&self, person: Uuid) -> usize {
        level(self.facts.iter().copied(), person)
    }

    /// Any key of anybody who had one, proved or not, is enough to be tied to them.
    fn had_a_hand(&self, person: Uuid) -> bool {
        let theirs = |key: &String| {
            self.accounts
                .iter()
                .any(|account| account.person == person && account.key == *key)
        };
        self.hands().any(|hand| hand.keys.iter().any(theirs))
    }

    fn hands(&self) -> impl Iterator<Item = &Contributor> {
        let heard_of = |hand: &&Contributor| self.revisions.iter().any(|r| r.id == hand.revision);
        self.rows.contributors.iter().filter(heard_of)
    }

    /// The lowest of all who had a hand in it, as they were when it arrived; nobody's where nobody said whose change it is.
    fn level_of(&self, revision: &Revision) -> usize {
        if !self.hands().any(|hand| hand.role == "change_author") {
            return 0;
        }
        self.hands()
            .map(|hand| self.level_of_hand(hand, revision.people_version))
            .min()
            .unwrap_or(0)
    }

    /// The lowest of those to whom a proved key leads.
    fn level_of_hand(&self, hand: &Contributor, version: i64) -> usize {
        let leads = |a: &&Account| a.proved && a.held.at(version) && hand.keys.contains(&a.key);
        let people = self.rows.accounts.iter().filter(leads).map(|a| a.person);
        let facts = || self.rows.facts.iter().filter(|f| f.held.at(version));
        people
            .map(|person| level(facts(), person))
            .min()
            .unwrap_or(0)
    }
}

/// What an operator set goes before claims; of several the lowest; none is zero.
fn level<'a>(facts: impl Iterator<Item = &'a Fact>, person: Uuid) -> usize {
    let mut levels: Vec<(bool, usize)> = facts
        .filter(|fact| fact.person == person && fact.kind == "level")
        .map(|fact| (fact.source != "operator", rank(&fact.value)))
        .collect();
    levels.sort_unstable();
    levels.first().map_or(0, |(_, rank)| *rank)
}

fn rank(level: &str) -> usize {
    match level {
        "junior" => 1,
        "mid" => 2,
        "senior" => SENIOR,
        _ => 0,
    }
}
