//! What holds of every verdict, whatever the case and whatever the policy. The cases are fair: see the last test.

use super::*;
use crate::{
    host::Bot,
    policy::{Ask, Rule, When, Who},
    standing::Turn,
    testing::{self, ask, of_team, rule},
};
use proptest::{prelude::*, sample::select};

const NAMES: [&str; 5] = ["ana", "ben", "li", "mika", "zoe"];

/// What may happen to a change, in some order.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Said(&'static str, Kind, Option<Level>, bool),
    /// Approved in the place of the second.
    StoodIn(&'static str, &'static str, Option<Level>),
    /// Sets the rejection with this `seq` aside, if it is one.
    SetAside(&'static str, i32),
    Pushed,
    Joined(&'static str, bool, Option<Level>),
    /// Somebody whom nobody knows.
    Appeared(&'static str),
    Unlinked(&'static str),
}

fn levels() -> impl Strategy<Value = Option<Level>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Level::Junior)),
        1 => Just(Some(Level::Mid)),
        4 => Just(Some(Level::Senior)),
    ]
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let kind = prop_oneof![
        5 => Just(Kind::Approve),
        1 => Just(Kind::Reject),
        1 => Just(Kind::Withdraw),
        1 => Just(Kind::Override),
        1 => Just(Kind::Human),
    ];
    let who = || select(NAMES.to_vec());
    prop_oneof![
        8 => (who(), kind, levels(), any::<bool>()).prop_map(|(who, kind, level, team)| Happening::Said(who, kind, level, team)),
        1 => (who(), who(), levels()).prop_map(|(who, principal, level)| Happening::StoodIn(who, principal, level)),
        1 => (who(), 1..6).prop_map(|(who, seq)| Happening::SetAside(who, seq)),
        1 => Just(Happening::Pushed),
        2 => (who(), any::<bool>(), levels()).prop_map(|(who, proved, level)| Happening::Joined(who, proved, level)),
        1 => select(vec!["s", "t"]).prop_map(Happening::Appeared),
        1 => who().prop_map(Happening::Unlinked),
    ]
}

pub(super) fn happens(case: Case, happening: Happening) -> Case {
    match happening {
        Happening::Said(who, kind, level, team) => {
            let teams: &[&str] = if team { &["payments"] } else { &[] };
            case.said(who, kind).as_one(level, teams)
        }
        Happening::StoodIn(who, principal, level) => case
            .approved_by(who)
            .as_one(level, &["payments"])
            .for_another(principal),
        Happening::SetAside(who, seq) => case.set_aside_by(who, seq),
        Happening::Pushed => case.pushed(),
        Happening::Joined(who, true, level) => case.by(who, level),
        Happening::Joined(who, false, _) => case.by_unproved(who),
        Happening::Appeared(name) => case.by_unknown(name),
        Happening::Unlinked(who) => case.unlinked(who),
    }
}

fn asks() -> impl Strategy<Value = Ask> {
    let who = prop_oneof![
        3 => select(Level::ALL.to_vec()).prop_map(Who::of_level),
        1 => Just(of_team("payments")),
        1 => select(NAMES.to_vec()).prop_map(|name| Who { people: vec![id(name)], ..Who::default() }),
    ];
    (1..3_usize, who).prop_map(|(approvals, who)| ask(approvals, who))
}

fn rules() -> impl Strategy<Value = Rule> {
    let provenance = select(vec![
        vec![],
        vec![Provenance::Assisted, Provenance::Unknown],
        vec![Provenance::Human],
    ]);
    let level = select(vec![
        vec![],
        vec![None, Some(Level::Junior), Some(Level::Mid)],
        vec![Some(Level::Senior)],
    ]);
    let needs = prop::collection::vec(asks(), 1..3);
    (provenance, level, needs, any::<bool>()).prop_map(|(provenance, level, needs, same_person)| {
        let when = When {
            provenance,
            level,
            ..When::default()
        };
        Rule {
            when,
            same_person,
            ..rule("generated", needs)
        }
    })
}

/// Now and then the default, now and then other rules, with and without an end of approvals.
fn under_some_policy(case: Case) -> impl Strategy<Value = Case> {
    let rules = prop_oneof![
        2 => Just(case.policy.document.rules.clone()),
        1 => prop::collection::vec(rules(), 0..4),
    ];
    let turn = || prop::option::of((0..6).prop_map(|after| Turn { after, at: NOW }));
    let ends = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.1));
    (rules, turn(), turn(), ends).prop_map(move |(rules, drafted, rebased, ends)| {
        let mut case = case.clone().under(rules);
        let last = i32::try_from(case.decisions.len()).unwrap();
        let so_far = |turn: Turn| Turn {
            after: turn.after.min(last),
            ..turn
        };
        (case.drafted, case.rebased) = (drafted.map(so_far), rebased.map(so_far));
        let terms = &mut case.policy.document.approvals;
        (terms.expire_on_draft, terms.expire_on_new_base) = (ends.0 && ends.1, ends.0 && !ends.1);
        terms.expire_after = ends.2.then_some(Duration::ZERO);
        case
    })
}

pub(super) fn cases() -> impl Strategy<Value = Case> {
    let provenance = select(vec![
        Provenance::Assisted,
        Provenance::Assisted,
        Provenance::Unknown,
        Provenance::Human,
    ]);
    let patch = prop_oneof![10 => Just(Patch::Whole), 1 => Just(Patch::Disputed)];
    let all = prop::collection::vec(happening(), 0..9);
    (provenance, patch, all)
        .prop_map(|(provenance, patch, all)| {
            let start = Case {
                provenance,
                ..case()
            };
            let mut case = all.into_iter().fold(start, happens);
            case.revision.patch = patch;
            case
        })
        .prop_flat_map(under_some_policy)
}

fn somebody() -> impl Strategy<Value = &'static str> {
    select(NAMES.to_vec())
}

/// What is missing, without who could give it.
fn missing(case: &Case) -> (Word, Vec<(String, usize)>) {
    let judged = case.judged();
    let needs = judged.needs().iter();
    let needs = needs.map(|need| (need.rule.clone(), need.count)).collect();
    (judged.word(), needs)
}

fn rejects(case: &Case, name: &str) -> bool {
    case.standing().vetoes().any(|veto| veto.person == id(name))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_rejection_never_raises_the_verdict(case in cases(), who in somebody()) {
        prop_assert!(case.clone().rejected_by(who).word().rank() <= case.word().rank());
    }

    #[test]
    fn taking_somebodys_approvals_out_never_raises_the_verdict(case in cases(), who in somebody()) {
        // All of theirs: the last counts with what they were then, so an earlier one may have been worth more.
        let mut without = case.clone();
        without.decisions.retain(|one| one.decision.kind != Kind::Approve || one.decision.person != id(who));
        prop_assert!(without.word().rank() <= case.word().rank());
    }

    #[test]
    fn b01_an_approval_of_another_digest_changes_nothing(case in cases(), who in somebody()) {
        let mut with_one = case.clone().pushed().approved_by(who);
        with_one.revision = case.revision.clone();
        with_one.change.head = case.change.head;
        prop_assert_eq!(missing(&with_one), missing(&case));
    }

    #[test]
    fn an_approval_by_a_contributor_changes_nothing(case in cases(), who in somebody()) {
        let barred = case.by_unproved(who);
        // Approving withdraws what one rejected oneself, which is not what is asked here.
        prop_assume!(!rejects(&barred, who));
        prop_assert_eq!(missing(&barred.clone().approved_by(who)), missing(&barred));
    }

    #[test]
    fn withdrawing_a_link_never_raises_the_verdict(case in cases(), who in somebody()) {
        prop_assert!(case.clone().unlinked(who).word().rank() <= case.word().rank());
    }

    #[test]
    fn b12_somebodys_own_word_for_an_address_never_raises_the_verdict(case in cases(), who in somebody()) {
        // Beside the same author whom nobody claims to be, and under the default: a rule may ask for what a human wrote.
        let case = Case { policy: testing::case().policy, ..case };
        let claimed = case.clone().by_own_word_of(who);
        prop_assert!(claimed.word().rank() <= case.by_unknown(who).word().rank());
    }

    #[test]
    fn an_approval_in_the_place_of_a_contributor_changes_nothing(case in cases(), who in somebody()) {
        let barred = case.by_unproved(who);
        prop_assert_eq!(missing(&barred.clone().approved_by("deputy").for_another(who)), missing(&barred));
    }

    #[test]
    fn however_many_stand_in_for_one_they_are_one(case in cases(), who in somebody()) {
        let once = case.approved_by("deputy").for_another(who);
        let twice = once.clone().approved_by("another").for_another(who);
        prop_assert_eq!(missing(&twice), missing(&once));
    }

    #[test]
    fn the_same_person_again_changes_nothing(case in cases(), who in somebody()) {
        let once = case.approved_by(who);
        prop_assert_eq!(missing(&once.clone().approved_by(who)), missing(&once));
    }

    #[test]
    fn somebody_who_is_not_asked_changes_nothing(case in cases()) {
        // A bot has no person here at all; whoever has no level and is in no team is as near as anybody comes.
        let with_one = case.clone().approved_by("nobody").as_one(None, &[]);
        prop_assert_eq!(missing(&with_one), missing(&case));
    }

    #[test]
    fn another_rule_never_lowers_what_is_needed(case in cases(), another in rules(), at in any::<prop::sample::Index>()) {
        let mut stricter = case.clone();
        let rules = &mut stricter.policy.document.rules;
        rules.insert(at.index(rules.len() + 1), another);
        prop_assert!(stricter.word().rank() <= case.word().rank());
        let count = |case: &Case| missing(case).1.iter().map(|(_, count)| count).sum::<usize>();
        prop_assert!(count(&stricter) >= count(&case));
    }

    #[test]
    fn no_order_in_which_facts_are_listed_matters(case in cases(), seed in any::<u64>()) {
        let mut shuffled = case.clone();
        let mut state = seed | 1;
        let mut chance = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        };
        shuffled.decisions.sort_by_cached_key(|_| chance());
        shuffled.contributors.sort_by_cached_key(|_| chance());
        shuffled.reviewers.sort_by_cached_key(|_| chance());
        prop_assert_eq!(shuffled.judged(), case.judged());
    }

    #[test]
    fn it_is_total_and_always_says_why(case in cases(), hours in -100_000..1_000_000_i64) {
        let judged = case.verdict(NOW + Duration::hours(hours));
        prop_assert!(!judged.reasons().is_empty());
        prop_assert_eq!(judged.word() == Word::Waiting, !judged.needs().is_empty());
    }

    #[test]
    fn another_contributor_never_raises_the_verdict(case in cases(), level in levels()) {
        // Under the default: a policy may well ask less of some levels than of others.
        let case = Case { policy: testing::case().policy, ..case }.by("ana", Some(Level::Senior));
        prop_assert!(case.clone().by("zoe", level).word().rank() <= case.word().rank());
    }

    #[test]
    fn a_label_never_raises_the_verdict(case in cases(), asked in rules(), about in select(vec!["risky", "Risky", "other"])) {
        let mut case = case;
        let when = When { label: vec!["risky".to_owned()], ..asked.when.clone() };
        case.policy.document.rules.push(Rule { when, ..asked });
        let mut labelled = case.clone();
        labelled.labels.push(about.to_owned());
        prop_assert!(labelled.word().rank() <= case.word().rank());
    }

    #[test]
    fn what_a_bot_made_is_like_anybodys_once_anybody_had_a_hand_in_it(case in cases(), asked in rules()) {
        let id = "github:49699333".to_owned();
        let when = When { automation: vec![id.clone()], ..When::default() };
        let mut case = case.by_stranger();
        case.policy.document.rules.push(Rule { when, ..asked });
        let bot = Bot { id, login: "dependabot[bot]".to_owned() };
        let claimed = Case { bot: Some(bot), ..case.clone() };
        prop_assert_eq!(claimed.judged(), case.judged());
    }

    #[test]
    fn what_is_stored_judges_like_the_case(case in cases()) {
        let stored = serde_json::from_value(serde_json::to_value(case.standing()).unwrap()).unwrap();
        prop_assert_eq!(verdict(&stored, &case.policy, NOW), case.judged());
    }
}

/// Whether it holds an approval that must not count, for whatever reason.
fn holds_a_void_approval(case: &Case) -> bool {
    let standing = case.standing();
    let (live, _) = expiry::approvals(&standing, &case.policy, NOW);
    let approvals = standing
        .voices
        .iter()
        .filter(|voice| voice.kind == Kind::Approve);
    approvals.count() > live.len()
}

#[test]
fn the_generator_is_fair() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    const CASES: usize = 10_000;
    let mut runner = TestRunner::deterministic();
    let mut shares = std::collections::BTreeMap::<&str, usize>::new();
    let mut void = 0;
    for _ in 0..CASES {
        let case = cases().new_tree(&mut runner).unwrap().current();
        *shares.entry(case.word().as_str()).or_default() += 1;
        void += usize::from(holds_a_void_approval(&case));
    }
    println!("shares of {CASES}: {shares:?}; {void} hold an approval that must not count");
    assert_eq!(
        shares.len(),
        6,
        "every verdict of a change is met: {shares:?}"
    );
    assert!(
        shares.values().all(|&n| n >= CASES / 20),
        "at least 5 % each: {shares:?}"
    );
    assert!(void >= CASES / 5, "{void}");
}
