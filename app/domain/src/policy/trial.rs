//! A policy tried out before it holds: on one change, and on the past.

use super::Rule;
use crate::{
    Timestamp,
    case::Case,
    contributor::Contributor,
    ids::ChangeId,
    names::ChangeKey,
    people::Level,
    provenance::Provenance,
    standing::{Standing, Voice},
    verdict::{Need, Verdict, Word, verdict, words},
};
use std::collections::{BTreeMap, BTreeSet};
use time::Duration;

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
    /// How many approvals they ask for, by whom, in alphabetical order.
    pub reviews: Vec<Reviews>,
    /// For whom they would wait, those who are waited for most first.
    pub waits: Vec<Waits>,
}

/// Revisions that would wait for one kind of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// As in "seniors of team payments".
    pub whom: String,
    pub revisions: usize,
    /// Up to five who could have cleared some of them, whoever has least to do first.
    pub people: Vec<String>,
    /// How many more could have cleared one of them, at least.
    pub others: usize,
}

/// How many who could clear something are named.
const NAMED: usize = 5;

/// How long reviewers take, as far as the record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The median of what was measured.
    pub median: Duration,
    /// How many decisions it is of.
    pub decisions: usize,
}

impl Pace {
    /// How far back decisions are looked at.
    pub const DAYS: i64 = 90;
    /// Whoever took longer did something else in between.
    pub const LONGEST: Duration = Duration::HOUR;
    /// A median of fewer decisions is none.
    pub const FEWEST: usize = 10;

    /// What the figure means, for whoever reads it.
    pub const MEANS: &str = "The time of one approval is the median, over the approvals and rejections of the last 90 days here, of the time between the decision \
        and the latest moment before which that person cannot have begun (the revision arrived, or they decided something else); more than an hour is left \
        out, and with fewer than 10 such decisions it is not known.";

    /// The median of these times, if they are enough.
    #[must_use]
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.retain(|time| time.is_positive() && *time <= Self::LONGEST);
        if times.len() < Self::FEWEST {
            return None;
        }
        times.sort_unstable();
        Some(Self {
            median: *times.get(times.len() / 2)?,
            decisions: times.len(),
        })
    }

    /// How long so many approvals take, for people.
    #[must_use]
    pub fn words(self, approvals: usize) -> String {
        let seconds =
            self.median.as_seconds_f64() * f64::from(u32::try_from(approvals).unwrap_or(u32::MAX));
        let minutes = (seconds / 60.0).ceil();
        if minutes < 60.0 {
            format!("{minutes:.0} min")
        } else {
            format!("{:.1} h", minutes / 60.0)
        }
    }
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
    /// Contributors to whom nothing leads, those with most revisions first.
    pub strangers: Vec<Stranger>,
    /// Such people as are asked for and nobody could be, with how many revisions ask for them.
    pub lacking: Vec<(String, usize)>,
}

/// A contributor to whom nothing leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    pub name: String,
    pub email: String,
    pub login: Option<String>,
    pub revisions: usize,
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
    let mut strangers: BTreeMap<(String, String, Option<String>), usize> = BTreeMap::new();
    let mut lacking: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        let (provenance, level) = (case.marked(), case.level());
        let empty = Group {
            provenance,
            level,
            revisions: 0,
            ask: 0,
        };
        let group = groups.entry((provenance.as_str(), level)).or_insert(empty);
        group.revisions += 1;
        group.ask += usize::from(case.applying().next().is_some());
        for (name, email, login) in strangers_of(case) {
            *strangers.entry((name, email, login)).or_default() += 1;
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
        strangers: most_first(strangers)
            .into_iter()
            .map(|((name, email, login), revisions)| Stranger {
                name,
                email,
                login,
                revisions,
            })
            .collect(),
        lacking: most_first(lacking),
    }
}

/// Each once, in whatever ways they had a hand in it.
fn strangers_of(case: &Case) -> BTreeSet<(String, String, Option<String>)> {
    let unknown = case.contributors.iter().filter(|one| !one.is_identified());
    unknown
        .map(|known| {
            let Contributor { who, login, .. } = &known.contributor;
            (who.name.clone(), who.email.clone(), login.clone())
        })
        .collect()
}

fn most_first<T>(counts: BTreeMap<T, usize>) -> Vec<(T, usize)> {
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
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
    let mut waits: BTreeMap<String, Waiting> = BTreeMap::new();
    for (case, anew) in cases {
        let then = anew.verdict(now);
        seen.add(case, &case.verdict(now), &then);
        wait(&mut waits, anew, &then);
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
    let waits = waits.into_iter();
    seen.waits = waits.map(|(whom, waiting)| waiting.named(whom)).collect();
    seen.waits
        .sort_by_key(|one| std::cmp::Reverse(one.revisions));
    seen
}

/// What is known so far of those for whom revisions would wait.
#[derive(Default)]
struct Waiting {
    revisions: usize,
    /// By name, with what they have to do.
    people: BTreeMap<String, u32>,
    /// How many could clear the one that most can.
    eligible: usize,
}

impl Waiting {
    fn named(self, whom: String) -> Waits {
        let mut people: Vec<(String, u32)> = self.people.into_iter().collect();
        people.sort_by_key(|(_, load)| *load);
        let all = people.len().max(self.eligible);
        let people: Vec<String> = people
            .into_iter()
            .map(|(name, _)| name)
            .take(NAMED)
            .collect();
        Waits {
            whom,
            revisions: self.revisions,
            others: all - people.len(),
            people,
        }
    }
}

/// Adds what a revision would wait for. Each need names those who have least to do, so all needs together name these, too.
fn wait(waits: &mut BTreeMap<String, Waiting>, case: &Case, then: &Verdict) {
    let mut of_this: BTreeMap<String, Vec<&Need>> = BTreeMap::new();
    for need in then.needs() {
        of_this
            .entry(words(&need.who, false))
            .or_default()
            .push(need);
    }
    for (whom, needs) in of_this {
        let waiting = waits.entry(whom).or_default();
        waiting.revisions += 1;
        for need in needs {
            let eligible = usize::try_from(need.eligible).unwrap_or(usize::MAX);
            waiting.eligible = waiting.eligible.max(eligible);
            for name in &need.people {
                let such = case.reviewers.iter().filter(|one| *one.name == **name);
                let load = such.map(|one| one.load).min().unwrap_or(0);
                waiting.people.insert(name.to_string(), load);
            }
        }
    }
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
        assert_eq!(seen.strangers[0].revisions, 1, "author and committer, once");
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
        let waits: Vec<_> = seen
            .waits
            .iter()
            .map(|one| (one.whom.as_str(), one.revisions, one.people.as_slice()))
            .collect();
        assert_eq!(waits[0], ("people of team security", 2, &[][..]));
        assert_eq!((waits[1].0, waits[1].1), ("seniors", 2));
        assert!(!waits[1].2.is_empty(), "{waits:?}");
        let same = hindsight(&under(Policy::built_in()), NOW);
        assert_eq!((same.differ.len(), same.would_wait), (0, 1));
    }

    #[test]
    fn those_who_would_be_waited_for_are_named_whoever_has_least_to_do_first() {
        let people = |names: &[(&str, u32)], eligible| Waiting {
            revisions: 3,
            people: names
                .iter()
                .map(|(name, load)| ((*name).to_owned(), *load))
                .collect(),
            eligible,
        };
        let loads = [("a", 9), ("b", 1), ("c", 0), ("d", 5), ("e", 5), ("f", 7)];
        let seen = people(&loads, 8).named("seniors".to_owned());
        assert_eq!(seen.people, ["c", "b", "d", "e", "f"]);
        assert_eq!((seen.revisions, seen.others), (3, 3));
        assert_eq!(people(&[("a", 1)], 1).named(String::new()).others, 0);
    }

    #[test]
    fn how_long_a_review_takes_is_said_only_of_enough_decisions_that_can_be_reviews() {
        let minutes = |all: &[i64]| {
            all.iter()
                .map(|n| Duration::minutes(*n))
                .collect::<Vec<_>>()
        };
        let nine = minutes(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(Pace::of(nine.clone()), None);
        let not_reviews = minutes(&[0, -5, 61, 60 * 24]);
        assert_eq!(Pace::of([nine.clone(), not_reviews].concat()), None);
        let ten = [nine, minutes(&[60])].concat();
        let pace = Pace::of(ten).unwrap();
        assert_eq!((pace.median, pace.decisions), (Duration::minutes(6), 10));
        assert_eq!(pace.words(0), "0 min");
        assert_eq!(pace.words(2), "12 min");
        assert_eq!(pace.words(15), "1.5 h");
    }
}
