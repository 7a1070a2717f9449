//! Orders: is there one in which all of this could have happened, each thing at one moment between the begin and the end of its request?

use super::{
    rows::Rows,
    rules::{Refusal, Then, Wish},
};
use crate::history::Moment;
use std::collections::HashSet;

/// Some steps, one bit each.
pub type Set = u64;

/// Something that happened at one moment.
#[derive(Debug)]
pub struct Step<'a> {
    /// It was not before that …
    pub began: Moment,
    /// … and not after that.
    pub ended: Moment,
    pub what: What<'a>,
    /// What is known to have come before it, by the locks that both held.
    pub after: Set,
}

/// What it was; numbers are places in the rows.
#[derive(Debug)]
pub enum What<'a> {
    Arrives {
        revision: Option<usize>,
        state: Option<usize>,
    },
    Decides(usize),
    Learns {
        accounts: Vec<usize>,
        facts: Vec<usize>,
    },
    /// Two approvals are asked for instead of one.
    Demands,
    /// The override of this number is over.
    Expires(i32),
    Answered {
        commit: &'a str,
        allow: bool,
        verdict: &'a str,
    },
    Refused {
        wish: Wish<'a>,
        how: Refusal,
    },
}

/// A history in steps.
pub struct Steps<'a> {
    pub rows: &'a Rows,
    /// What held about people before the first.
    pub people_version: i64,
    pub all: Vec<Step<'a>>,
    /// Decisions that were never right, and therefore count for nothing.
    pub void: Set,
}

impl Steps<'_> {
    /// Whether `these` fit into one order. Of the decisions among them only those in `rightly` must be right where they stand.
    pub fn fit(&self, these: Set, rightly: Set) -> bool {
        self.goes_on(0, these, rightly, &mut HashSet::new())
    }

    /// The steps of one kind.
    pub fn set(&self, is: impl Fn(&What<'_>) -> bool) -> Set {
        let chosen = self.all.iter().enumerate().filter(|(_, s)| is(&s.what));
        chosen.fold(0, |set, (at, _)| set | 1 << at)
    }

    fn goes_on(&self, done: Set, these: Set, rightly: Set, dead: &mut HashSet<Set>) -> bool {
        let left = these & !done;
        if left == 0 {
            return true;
        }
        if dead.contains(&done) {
            return false;
        }
        let must_by = self.places(left).map(|at| self.all[at].ended).min();
        let then = self.then(done);
        let goes = self.places(left).any(|at| {
            let step = &self.all[at];
            let in_time = must_by.is_none_or(|end| step.began <= end);
            in_time
                && step.after & left == 0
                && self.is_right(at, &then, rightly)
                && self.goes_on(done | 1 << at, these, rightly, dead)
        });
        if !goes {
            dead.insert(done);
        }
        goes
    }

    fn places(&self, set: Set) -> impl Iterator<Item = usize> {
        (0..self.all.len()).filter(move |at| set & 1 << at != 0)
    }

    fn is_right(&self, at: usize, then: &Then<'_>, rightly: Set) -> bool {
        match &self.all[at].what {
            What::Arrives { .. } | What::Learns { .. } | What::Demands | What::Expires(_) => true,
            What::Decides(row) => {
                let row = &self.rows.decisions[*row];
                let wish = Wish {
                    person: row.person,
                    kind: &row.kind,
                    digest: &row.digest,
                };
                rightly & 1 << at == 0 || then.refusal(wish).is_none()
            }
            What::Answered {
                commit,
                allow,
                verdict,
            } => then.verdict(commit).is(*allow, verdict),
            What::Refused { wish, how } => then.refusal(*wish) == Some(*how),
        }
    }

    /// The facts when these steps have happened.
    fn then(&self, done: Set) -> Then<'_> {
        let rows = self.rows;
        let before = self.people_version;
        let mut then = Then {
            rows,
            revisions: vec![],
            states: vec![],
            decisions: vec![],
            accounts: rows.accounts.iter().filter(|a| a.held.at(before)).collect(),
            facts: rows.facts.iter().filter(|f| f.held.at(before)).collect(),
            expired: vec![],
            approvals: 1,
        };
        for at in self.places(done & !self.void) {
            match &self.all[at].what {
                What::Arrives { revision, state } => {
                    then.revisions
                        .extend(revision.map(|row| &rows.revisions[row]));
                    then.states.extend(state.map(|row| &rows.states[row]));
                }
                What::Decides(row) => then.decisions.push(&rows.decisions[*row]),
                What::Learns { accounts, facts } => {
                    then.accounts
                        .extend(accounts.iter().map(|row| &rows.accounts[*row]));
                    then.facts.extend(facts.iter().map(|row| &rows.facts[*row]));
                }
                What::Demands => then.approvals = 2,
                What::Expires(seq) => then.expired.push(*seq),
                What::Answered { .. } | What::Refused { .. } => {}
            }
        }
        then.decisions.sort_by_key(|d| d.seq);
        then
    }
}
