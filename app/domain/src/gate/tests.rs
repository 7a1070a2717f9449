//! The answer about a commit, from the revisions that have it as their head.

use super::*;
use crate::{
    case::Case,
    people::Level,
    testing::{NOW, case},
};
use uuid::Uuid;

fn found(change: u128, case: &Case) -> Found {
    Found {
        change: ChangeId(Uuid::from_u128(change)),
        ..Found::of(case)
    }
}

fn ask(found: Vec<Found>) -> Answer {
    answer(found, &Policy::built_in(), NOW)
}

fn codes(answer: &Answer) -> Vec<&str> {
    answer.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn an_unheard_commit_is_no() {
    let answer = ask(vec![]);
    assert_eq!(
        (answer.allow, answer.verdict, codes(&answer)),
        (false, Word::Unheard, vec!["unheard"])
    );
}

#[test]
fn the_word_of_one_change_is_the_word_of_the_answer() {
    let by_ana = case().by("ana", None);
    for (case, allow) in [
        (by_ana.clone(), false),
        (by_ana.clone().approved_by("ben"), true),
        (by_ana.clone().rejected_by("ben"), false),
        (by_ana.overridden_by("ben"), true),
        (case().by("ben", Some(Level::Senior)), true),
    ] {
        let answer = ask(vec![found(1, &case)]);
        assert_eq!((answer.allow, answer.verdict), (allow, case.word()));
        assert!(!answer.reasons.is_empty());
        assert_eq!(answer.needs.is_empty(), case.word() != Word::Waiting);
    }
}

#[test]
fn of_several_changes_the_least_counts_and_all_are_listed() {
    let approved = case().by("ana", None).approved_by("ben");
    let waiting = case().by("ana", None);
    let answer = ask(vec![found(1, &approved), found(2, &waiting)]);
    assert_eq!(
        (answer.allow, answer.verdict, answer.changes.len()),
        (false, Word::Waiting, 2)
    );
    assert!(ask(vec![found(1, &approved), found(2, &approved)]).allow);
}

#[test]
fn a_closed_change_is_no_and_does_not_hold_an_open_one_back() {
    let mut closed = case().by("ana", None).approved_by("ben");
    closed.change.state = ChangeState::Closed;
    let answer = ask(vec![found(1, &closed)]);
    assert_eq!(
        (answer.allow, codes(&answer)),
        (false, vec!["change_closed"])
    );
    assert!(
        !answer.verdict.allows(),
        "who reads only the verdict must not take it for a yes"
    );
    let open = case().by("ana", None).approved_by("ben");
    assert!(ask(vec![found(1, &closed), found(2, &open)]).allow);
    let mut merged = open;
    merged.change.state = ChangeState::Merged;
    assert!(ask(vec![found(1, &merged)]).allow);
}

#[test]
fn an_approved_revision_stays_allowed_when_a_newer_one_exists() {
    let mut old = case().by("ana", None).approved_by("ben");
    old.change.head = old.clone().pushed().revision.id;
    let answer = ask(vec![found(1, &old)]);
    assert_eq!(
        (answer.allow, answer.changes[0].found.current),
        (true, false)
    );
    assert!(
        !ask(vec![found(1, &old.rejected_by("li"))]).allow,
        "unless a rejection of the change stands"
    );
}

#[test]
fn the_current_revision_speaks_for_its_change_and_else_the_least_allowed() {
    let approved = case().by("ana", None).approved_by("ben");
    let retargeted = approved.clone().pushed();
    let mut before = found(1, &approved);
    before.current = false;
    let answer = ask(vec![before.clone(), found(1, &retargeted)]);
    assert_eq!(
        (answer.allow, answer.changes.len()),
        (false, 1),
        "approved for one branch, asked without a branch"
    );
    let mut after = found(1, &retargeted);
    after.current = false;
    assert!(
        !ask(vec![before, after]).allow,
        "neither is current: the least speaks"
    );
}

#[test]
fn what_counts_is_said_of_each_decision() {
    let case = case()
        .by("ana", None)
        .approved_by("ben")
        .approved_by("li")
        .rejected_by("li")
        .pushed();
    let answer = ask(vec![found(1, &case)]);
    let judged = &answer.changes[0];
    let counts: Vec<bool> = judged
        .found
        .standing
        .voices
        .iter()
        .map(|voice| judged.counts(voice))
        .collect();
    assert_eq!(
        counts,
        [false, false, true],
        "approvals of an older revision do not, a rejection does"
    );
}

#[test]
fn a_rejected_commit_stays_rejected_when_its_change_is_closed_and_proposed_again() {
    let mut rejected = case().by("ben", Some(Level::Senior)).rejected_by("li");
    rejected.change.state = ChangeState::Closed;
    let again = case().by("ben", Some(Level::Senior));
    assert_eq!(
        ask(vec![found(1, &rejected), found(2, &again)]).verdict,
        Word::Rejected
    );
    assert_eq!(ask(vec![found(1, &rejected)]).verdict, Word::Rejected);
    assert!(
        ask(vec![
            found(1, &rejected.withdrawn_by("li")),
            found(2, &again)
        ])
        .allow
    );
}

#[test]
fn a_no_that_time_alone_made_is_told_from_one_that_the_facts_make() {
    let (policy, later) = (Policy::built_in(), NOW + time::Duration::days(2));
    let overridden = found(1, &case().by("ana", None).overridden_by("ben"));
    let ended = answer(vec![overridden], &policy, later);
    assert!(!ended.allow);
    assert!(ended.was_more_at(&policy, NOW));
    assert!(!ended.was_more_at(&policy, later));
    let waits = ask(vec![found(1, &case().by("ana", None))]);
    assert!(!waits.was_more_at(&policy, NOW - time::Duration::days(2)));
}

/// A policy that lets pass what a host confirmed an hour ago at most.
fn hourly() -> Policy {
    let mut policy = Policy::built_in();
    policy.document.source.max_age = Some(Duration::HOUR);
    policy
}

#[test]
fn a_yes_that_no_host_confirmed_lately_is_none_where_the_policy_asks_for_that() {
    let approved = case().by("ana", None).approved_by("ben");
    let by_senior = case().by("ben", Some(Level::Senior));
    let ago = |minutes| Confirmed::At(NOW - Duration::minutes(minutes));
    for (confirmed, passes) in [
        (ago(-1), true),
        (ago(60), true),
        (ago(61), false),
        (Confirmed::Never, false),
        (Confirmed::Forgotten, true),
    ] {
        for case in [&approved, &by_senior] {
            let found = Found {
                confirmed,
                ..found(1, case)
            };
            assert!(ask(vec![found.clone()]).allow, "{confirmed:?}: nobody asks");
            let answer = answer(vec![found], &hourly(), NOW);
            assert_eq!(answer.allow, passes, "{confirmed:?}");
            let old = codes(&answer) == ["source_old"] && answer.verdict == Word::Undecidable;
            assert_eq!(old, !passes);
        }
    }
}

#[test]
fn an_old_source_takes_nothing_but_a_yes_away() {
    let by_ana = case().by("ana", None);
    for case in [
        by_ana.clone(),
        by_ana.clone().rejected_by("ben"),
        by_ana.clone().overridden_by("ben"),
    ] {
        let asked = vec![found(1, &case)];
        assert_eq!(answer(asked.clone(), &hourly(), NOW), ask(asked));
    }
    let in_an_emergency = by_ana.clone().approved_by("ben").overridden_by("li");
    let passes = answer(vec![found(1, &in_an_emergency)], &hourly(), NOW);
    assert_eq!((passes.allow, passes.verdict), (true, Word::Overridden));
    for state in [ChangeState::Merged, ChangeState::Closed] {
        let approved = Found {
            state,
            ..found(1, &by_ana.clone().approved_by("ben"))
        };
        let asked = vec![approved];
        assert_eq!(answer(asked.clone(), &hourly(), NOW), ask(asked));
    }
}

#[test]
fn an_answer_that_lets_less_pass_as_its_source_grew_old_did_let_more_pass_before() {
    let approved = Found {
        confirmed: Confirmed::At(NOW - Duration::hours(2)),
        ..found(1, &case().by("ana", None).approved_by("ben"))
    };
    let answer = answer(vec![approved], &hourly(), NOW);
    assert!(answer.was_more_at(&hourly(), NOW - Duration::HOUR));
    assert!(!answer.was_more_at(&hourly(), NOW - Duration::minutes(59)));
}

#[test]
fn the_age_of_an_answer_is_that_of_its_stalest_change() {
    let at = |n, confirmed| Found {
        confirmed,
        ..found(n, &case())
    };
    let ago = |minutes| Confirmed::At(NOW - Duration::minutes(minutes));
    let age = |found| ask(found).source_age();
    assert_eq!(age(vec![]), None);
    let two = vec![at(1, ago(3)), at(2, ago(7))];
    assert_eq!(age(two), Some(Duration::minutes(7)));
    assert_eq!(age(vec![at(1, ago(-1))]), Some(Duration::ZERO));
    for unknown in [Confirmed::Never, Confirmed::Forgotten] {
        assert_eq!(age(vec![at(1, ago(3)), at(2, unknown)]), None);
    }
}

#[test]
fn of_the_past_is_known_when_a_host_confirmed_last_unless_it_did_since() {
    let confirmed = Confirmed::At(NOW);
    assert_eq!(confirmed.as_of(NOW), confirmed);
    let before = NOW - Duration::SECOND;
    assert_eq!(confirmed.as_of(before), Confirmed::Forgotten);
    assert_eq!(Confirmed::Never.as_of(before), Confirmed::Never);
}
