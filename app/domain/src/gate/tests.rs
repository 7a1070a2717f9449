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
