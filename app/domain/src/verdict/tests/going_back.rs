//! Going back never allows what was never allowed: lives of changes that are deployed now and then, against a history of what
//! the verdicts said when they were.

use super::properties::{Happening, cases, happening, happens};
use super::*;
use crate::{
    change::ChangeState,
    deployment::{Deployed, Sanction, Shipped, Then, judge},
    gate::{Found, answer},
    names::Environment,
    standing::Standing,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

#[derive(Debug, Clone)]
enum Step {
    Happens(Happening),
    Deployed,
    Days(i64),
    AsksForMore,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => happening().prop_map(Step::Happens),
        3 => Just(Step::Deployed),
        2 => (1..40_i64).prop_map(Step::Days),
        1 => Just(Step::AsksForMore),
    ];
    prop::collection::vec(step, 3..12)
}

/// A change through its life, with what is recorded of it and, apart from that, what was seen.
struct Life {
    case: Case,
    now: Timestamp,
    recorded: Vec<Deployed>,
    /// The revision, when, and the last decision, whenever something was deployed that its verdict allowed.
    seen: Vec<(i32, Timestamp, i32)>,
}

impl Life {
    fn takes(&mut self, step: Step) {
        match step {
            Step::Happens(happening) => {
                let before = self.case.decisions.len();
                self.case = happens(self.case.clone(), happening);
                for one in &mut self.case.decisions[before..] {
                    one.decision.at = self.now;
                }
            }
            Step::Days(days) => self.now += Duration::days(days),
            Step::AsksForMore => {
                let rules = &mut self.case.policy.document.rules;
                let asked = vec![crate::testing::ask(
                    3,
                    crate::policy::Who::of_level(Level::Senior),
                )];
                rules.push(crate::testing::rule("more", asked));
            }
            Step::Deployed => self.deploys(),
        }
    }

    fn deploys(&mut self) {
        let (revision, last) = (self.case.revision.number, self.last());
        if self.case.verdict(self.now).word().allows() {
            self.seen.push((revision, self.now, last));
        }
        let shipped = Shipped {
            commit: self.case.revision.head.clone(),
            found: vec![self.found()],
            sources: vec![],
            within: vec![],
            before: self.before().cloned(),
        };
        let judged = judge(vec![shipped], &self.case.policy, self.now);
        if judged[0].sanction == Sanction::Allowed {
            self.recorded.push(Deployed {
                environment: Environment::parse("production").unwrap(),
                at: self.now,
                changes: vec![Then {
                    change: self.case.change.id,
                    revision,
                    allowed: true,
                    decisions: last,
                }],
            });
        }
    }

    fn last(&self) -> i32 {
        i32::try_from(self.case.decisions.len()).unwrap()
    }

    /// The latest fact about the present revision.
    fn before(&self) -> Option<&Deployed> {
        let number = self.case.revision.number;
        let of_it = |fact: &&Deployed| fact.changes[0].revision == number;
        self.recorded.iter().rev().find(of_it)
    }

    fn found(&self) -> Found {
        Found {
            state: ChangeState::Open,
            current: true,
            ..Found::of(&self.case)
        }
    }

    /// Whether what was seen lets it go back, by the words of the rule and nothing that answers gates.
    fn was_allowed(&self) -> bool {
        let standing: Standing = self.case.standing();
        let rejected_after = |seq: i32| standing.vetoes().any(|veto| veto.seq > seq);
        self.seen.iter().any(|&(revision, at, seq)| {
            revision == self.case.revision.number
                && self.now - at < Duration::days(90)
                && !rejected_after(seq)
        })
    }
}

#[test]
fn going_back_never_allows_what_was_not_allowed_when_it_was_deployed() {
    let mut runner = TestRunner::deterministic();
    let (mut went_back, mut held) = (0, 0);
    for _ in 0..1_500 {
        let case = cases().new_tree(&mut runner).unwrap().current();
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let mut life = Life {
            case,
            now: NOW,
            recorded: vec![],
            seen: vec![],
        };
        for step in steps {
            life.takes(step);
            let plain = answer(vec![life.found()], &life.case.policy, life.now);
            let before = life.before();
            let back = plain.clone().back_to(before, &life.case.policy, life.now);
            assert!(back.allow || !plain.allow, "a yes stays a yes");
            if back.allow && !plain.allow {
                went_back += 1;
                assert!(life.was_allowed(), "{:?}", life.case);
            }
            held += usize::from(before.is_some() && !back.allow);
        }
    }
    println!("{went_back} went back, {held} had been deployed and may not");
    assert!(went_back > 400 && held > 100, "{went_back} {held}");
}
