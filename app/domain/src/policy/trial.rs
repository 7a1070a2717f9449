//! A policy tried out before it holds: on one change, and on the past.

use super::Rule;
use crate::{
    Timestamp,
    case::Case,
    ids::ChangeId,
    names::ChangeKey,
    people::Level,
    provenance::Provenance,
    standing::{Standing, Voice},
    verdict::{Verdict, Word, verdict, words},
};
use std::collections::BTreeMap;

/// What a policy makes of one change, rule by rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub verdict: Verdict,
    pub rules: Vec<RuleWhy>,
}

/// What one rule makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWhy {
    pub name: String,
    /// The parts that keep the rule from this revision, by the words of the policy's text. Empty: it applies.
    pub unmet: Vec<&'static str>,
    pub asks: Vec<AskWhy>,
}

/// What one need of a rule makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskWhy {
    /// As in "seniors of team payments".
    pub whom: String,
    pub approvals: usize,
    /// By name, those who approved and are such people.
    pub given: Vec<String>,
}

/// What a policy would have made of the past, with every decision as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hindsight {
    /// How many revisions were judged.
    pub looked_at: usize,
    /// Those that would be judged otherwise.
    pub differ: Vec<Differs>,
    /// How many wait now, and how many would.
    pub wait_now: usize,
    pub would_wait: usize,
    /// How many of those that would wait nobody could clear.
    pub nobody: usize,
    /// For whom, in alphabetical order.
    pub reviews: Vec<Reviews>,
}

/// One revision that would be judged otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differs {
    pub change: ChangeId,
    pub key: ChangeKey,
    pub revision: i32,
    pub now: Word,
    pub then: Word,
}

/// How many approvals by one kind of people all these revisions ask for, whether or not they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviews {
    /// As in "seniors of team payments".
    pub whom: String,
    pub now: usize,
    pub then: usize,
}

/// What a policy asks of the past, before it is enforced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollout {
    /// By where they came from and whose they were, those that are most first.
    pub groups: Vec<Group>,
    /// Contributors to whom nothing leads, by what their commits say, with how many revisions are theirs.
    pub strangers: Vec<(String, usize)>,
    /// Such people as are asked for and nobody could be, with how many revisions ask for them.
    pub lacking: Vec<(String, usize)>,
}

/// Revisions of one provenance and level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    pub provenance: Provenance,
    /// None is `nobody`.
    pub level: Option<Level>,
    pub revisions: usize,
    /// How many of them ask for an approval, and so would have waited for one.
    pub ask: usize,
}

/// What the policies of these cases ask of them, whatever was decided.
#[must_use]
pub fn rollout(cases: &[Case], now: Timestamp) -> Rollout {
    let mut groups: BTreeMap<(&str, Option<Level>), Group> = BTreeMap::new();
    let mut strangers: BTreeMap<String, usize> = BTreeMap::new();
    let mut lacking: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        let (provenance, level) = (case.provenance, case.level());
        let empty = Group {
            provenance,
            level,
            revisions: 0,
            ask: 0,
        };
        let group = groups.entry((provenance.as_str(), level)).or_insert(empty);
        group.revisions += 1;
        group.ask += usize::from(case.applying().next().is_some());
        for known in case.contributors.iter().filter(|one| !one.is_identified()) {
            let who = &known.contributor.who;
            *strangers
                .entry(format!("{} <{}>", who.name, who.email))
                .or_default() += 1;
        }
        let verdict = case.verdict(now);
        for need in verdict.needs().iter().filter(|need| need.eligible == 0) {
            *lacking.entry(need.whom()).or_default() += 1;
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.revisions));
    Rollout {
        groups,
        strangers: most_first(strangers),
        lacking: most_first(lacking),
    }
}

fn most_first(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The policy of the case on its revision.
#[must_use]
pub fn why(case: &Case, now: Timestamp) -> Why {
    let standing = case.standing();
    let rules = case.policy.document.rules.iter().zip(case.unmet());
    Why {
        verdict: verdict(&standing, &case.policy, now),
        rules: rules
            .map(|(rule, unmet)| rule_why(rule, unmet, &standing))
            .collect(),
    }
}

fn rule_why(rule: &Rule, unmet: Vec<&'static str>, standing: &Standing) -> RuleWhy {
    let asks = rule.needs.iter().map(|ask| {
        let such = |voice: &&Voice| ask.who.admits(&voice.held());
        AskWhy {
            whom: words(&ask.who, ask.approvals == 1),
            approvals: ask.approvals,
            given: standing
                .approvals()
                .filter(such)
                .map(|voice| voice.name.clone())
                .collect(),
        }
    });
    RuleWhy {
        name: rule.name.clone(),
        unmet,
        asks: asks.collect(),
    }
}

/// What would have been otherwise: the same cases, each once under the policy that holds and once under another.
#[must_use]
pub fn hindsight(cases: &[(Case, Case)], now: Timestamp) -> Hindsight {
    let mut seen = Hindsight {
        looked_at: cases.len(),
        ..Hindsight::default()
    };
    let mut reviews: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (case, anew) in cases {
        seen.add(case, &case.verdict(now), &anew.verdict(now));
        for (whom, count) in asked(case) {
            reviews.entry(whom).or_default().0 += count;
        }
        for (whom, count) in asked(anew) {
            reviews.entry(whom).or_default().1 += count;
        }
    }
    let reviews = reviews.into_iter();
    seen.reviews = reviews
        .map(|(whom, (now, then))| Reviews { whom, now, then })
        .collect();
    seen
}

impl Hindsight {
    fn add(&mut self, case: &Case, now: &Verdict, then: &Verdict) {
        self.wait_now += usize::from(now.word() == Word::Waiting);
        self.would_wait += usize::from(then.word() == Word::Waiting);
        self.nobody += usize::from(then.needs().iter().any(|need| need.eligible == 0));
        if now.word() != then.word() {
            self.differ.push(Differs {
                change: case.change.id,
                key: case.change.key.clone(),
                revision: case.revision.number,
                now: now.word(),
                then: then.word(),
            });
        }
    }
}

/// How many approvals a revision asks for, by whom. What several rules ask of the same people one approval gives to all.
fn asked(case: &Case) -> BTreeMap<String, usize> {
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for (_, rule) in case.applying() {
        let mut of_rule: BTreeMap<String, usize> = BTreeMap::new();
        for ask in &rule.needs {
            *of_rule.entry(words(&ask.who, false)).or_default() += ask.approvals;
        }
        for (whom, count) in of_rule {
            let so_far = most.entry(whom).or_default();
            *so_far = count.max(*so_far);
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::{Document, Policy},
        testing::{NOW, case},
    };

    fn policy(text: &str) -> Policy {
        Policy {
            document: Document::parse(text).expect("a policy"),
            version: 2,
            ..Policy::built_in()
        }
    }

    fn two_rules() -> Policy {
        policy(
            r#"version = 1
            [[rule]]
            name = "assisted"
            when = { provenance = ["assisted"] }
            require = [{ approvals = 2, level = "senior" }, { approvals = 1, team = "security" }]
            [[rule]]
            name = "large"
            when = { more_lines = 100000, target = ["release/*"] }
            require = [{ approvals = 1, level = "senior" }]"#,
        )
    }

    #[test]
    fn each_rule_says_whether_it_applies_and_what_keeps_it_from_it() {
        let tried = Case {
            policy: two_rules(),
            ..case().approved_by("ben")
        };
        let why = why(&tried, NOW);
        assert_eq!(why.verdict.word(), Word::Waiting);
        let unmet: Vec<_> = why.rules.iter().map(|rule| rule.unmet.clone()).collect();
        assert_eq!(unmet, [vec![], vec!["more_lines", "target"]]);
        let asks: Vec<_> = why.rules[0]
            .asks
            .iter()
            .map(|ask| (ask.whom.as_str(), ask.approvals, ask.given.clone()))
            .collect();
        assert_eq!(
            asks,
            [
                ("seniors", 2, vec!["ben".to_owned()]),
                ("person of team security", 1, vec![])
            ]
        );
    }

    #[test]
    fn a_rollout_says_who_would_wait_who_is_unknown_and_who_is_lacking() {
        let lacking = Case {
            policy: two_rules(),
            ..case().by_stranger()
        };
        let seen = rollout(&[case().by("ana", Some(Level::Senior)), lacking], NOW);
        let groups: Vec<_> = seen
            .groups
            .iter()
            .map(|group| (group.level, group.revisions, group.ask))
            .collect();
        assert_eq!(groups, [(None, 1, 1), (Some(Level::Senior), 1, 0)]);
        assert_eq!(seen.strangers.len(), 1);
        assert_eq!(seen.lacking, [("person of team security".to_owned(), 1)]);
    }

    #[test]
    fn the_past_says_what_would_be_otherwise_and_whom_it_would_take() {
        let under = |policy: Policy| {
            [case().approved_by("ben"), case()].map(|case| {
                let anew = Case {
                    policy: policy.clone(),
                    ..case.clone()
                };
                (case, anew)
            })
        };
        let seen = hindsight(&under(two_rules()), NOW);
        assert_eq!((seen.looked_at, seen.wait_now, seen.would_wait), (2, 1, 2));
        assert_eq!(seen.nobody, 2, "nobody is in team security");
        let differ: Vec<_> = seen.differ.iter().map(|one| (one.now, one.then)).collect();
        assert_eq!(differ, [(Word::Approved, Word::Waiting)]);
        let reviews: Vec<_> = seen
            .reviews
            .iter()
            .map(|one| (one.whom.as_str(), one.now, one.then))
            .collect();
        assert_eq!(
            reviews,
            [("people of team security", 0, 2), ("seniors", 2, 4)]
        );
        let same = hindsight(&under(Policy::built_in()), NOW);
        assert_eq!((same.differ.len(), same.would_wait), (0, 1));
    }
}
