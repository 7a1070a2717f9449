//! What was allowed when it was deployed may go back there, and nothing else may.

use super::*;
use crate::{
    carry::Proof,
    case::Case,
    change::{ChangeState, Patch},
    gate::{Answer, answer},
    people::Level,
    testing::{NOW, case},
    verdict::Word,
};
use time::Duration;
use uuid::Uuid;

fn found(change: u128, case: &Case) -> Found {
    Found {
        change: ChangeId(Uuid::from_u128(change)),
        ..Found::of(case)
    }
}

fn commit(number: u32) -> CommitSha {
    CommitSha::parse(format!("{number:040x}")).unwrap()
}

fn shipped(number: u32, found: Vec<Found>) -> Shipped {
    Shipped {
        commit: commit(number),
        found,
        sources: vec![],
        within: vec![],
        before: None,
    }
}

/// The fact that is recorded of a deployment of this case now, if it is one that may be gone back to.
fn deployed(case: &Case) -> Option<Deployed> {
    let judged = judge(vec![shipped(1, vec![found(1, case)])], &case.policy, NOW);
    (judged[0].sanction == Sanction::Allowed).then(|| Deployed {
        environment: Environment::parse("production").unwrap(),
        at: NOW,
        changes: vec![Then {
            change: ChangeId(Uuid::from_u128(1)),
            revision: case.revision.number,
            allowed: true,
            decisions: i32::try_from(case.decisions.len()).unwrap(),
        }],
    })
}

fn back(case: &Case, before: Option<&Deployed>, now: Timestamp) -> Answer {
    answer(vec![found(1, case)], &case.policy, now).back_to(before, &case.policy, now)
}

fn codes(answer: &Answer) -> Vec<&str> {
    answer.reasons.iter().map(|reason| reason.code).collect()
}

fn approved() -> Case {
    case().by("ana", None).approved_by("ben")
}

/// Under a policy that lets approvals age.
fn ageing(mut case: Case) -> Case {
    case.policy.document.approvals.expire_after = Some(Duration::DAY);
    case
}

#[test]
fn what_was_allowed_and_deployed_may_go_back_after_it_expired_for_ninety_days() {
    let case = ageing(approved());
    let before = deployed(&case);
    let later = NOW + Duration::days(2);
    let no = back(&case, None, later);
    assert_eq!((no.allow, no.verdict), (false, Word::Waiting));
    let yes = back(&case, before.as_ref(), later);
    assert_eq!(
        (yes.allow, yes.verdict, codes(&yes)),
        (true, Word::NotRequired, vec!["redeploy"])
    );
    assert!(yes.needs.is_empty());
    assert_eq!(
        yes.reasons[0].sentence,
        "It was allowed and deployed to production on 2026-11-20 12:00 UTC; going back to it there is open until 2027-02-18 12:00 UTC."
    );
    let end = NOW + Duration::days(90);
    assert!(back(&case, before.as_ref(), end - Duration::SECOND).allow);
    assert!(!back(&case, before.as_ref(), end).allow);
}

#[test]
fn a_yes_stays_the_yes_that_it_is() {
    let case = approved();
    let answer = back(&case, deployed(&case).as_ref(), NOW);
    assert_eq!(
        (answer.verdict, codes(&answer)),
        (Word::Approved, vec!["approved"])
    );
}

#[test]
fn a_rejection_given_after_the_deployment_keeps_it_from_going_back_until_it_is_withdrawn() {
    let case = ageing(approved());
    let before = deployed(&case);
    let later = NOW + Duration::days(2);
    let rejected = case.clone().rejected_by("li");
    let answer = back(&rejected, before.as_ref(), later);
    assert_eq!((answer.allow, answer.verdict), (false, Word::Rejected));
    let of_the_next = case.pushed().rejected_by("li");
    let mut old = of_the_next.clone();
    old.revision = approved().revision;
    assert!(
        !back(&old, before.as_ref(), later).allow,
        "it outlives revisions"
    );
    assert!(back(&rejected.withdrawn_by("li"), before.as_ref(), later).allow);
}

#[test]
fn a_rejection_that_was_overridden_then_does_not_count_as_one_given_since() {
    let case = case()
        .by("ana", None)
        .rejected_by("li")
        .overridden_by("ben");
    let before = deployed(&case);
    let later = NOW + Duration::hours(25);
    assert_eq!(back(&case, None, later).verdict, Word::Rejected);
    assert!(back(&case, before.as_ref(), later).allow);
    assert!(!back(&case.rejected_by("mika"), before.as_ref(), later).allow);
}

#[test]
fn what_was_overridden_may_go_back_until_its_review_is_overdue() {
    let case = case().by("ana", None).overridden_by("ben");
    let before = deployed(&case);
    let due = NOW + case.policy.document.glass.review_within;
    assert!(back(&case, before.as_ref(), due - Duration::SECOND).allow);
    assert!(!back(&case, before.as_ref(), due).allow);
    let withdrawn = case.clone().withdrawn_by("ben");
    assert!(
        !back(&withdrawn, before.as_ref(), due).allow,
        "owed all the same"
    );
    let by_themselves = ageing(case.clone().approved_by("ben"));
    assert!(!back(&by_themselves, before.as_ref(), due).allow);
    let paid = ageing(case.approved_by("li"));
    assert!(back(&paid, before.as_ref(), due).allow);
}

#[test]
fn doubt_about_what_was_deployed_keeps_it_from_going_back() {
    let before = deployed(&approved());
    let mut disputed = approved();
    disputed.revision.patch = Patch::Disputed;
    assert_eq!(
        back(&disputed, before.as_ref(), NOW).verdict,
        Word::Undecidable
    );
    let mut broken = approved();
    broken.policy.whole = false;
    assert!(!back(&broken, before.as_ref(), NOW).allow);
}

#[test]
fn a_change_that_was_closed_since_may_go_back() {
    let mut case = approved();
    let before = deployed(&case);
    case.change.state = ChangeState::Closed;
    assert_eq!(codes(&back(&case, None, NOW)), ["change_closed"]);
    assert_eq!(codes(&back(&case, before.as_ref(), NOW)), ["redeploy"]);
}

#[test]
fn every_change_that_allowed_it_has_to_speak_and_none_may_have_rejected_it_since() {
    let case = ageing(approved());
    let before = deployed(&case).unwrap();
    let later = NOW + Duration::days(2);
    let back =
        |found| answer(found, &case.policy, later).back_to(Some(&before), &case.policy, later);
    assert!(
        !back(vec![]).allow,
        "asked for another branch: it is not heard of there"
    );
    let other = ageing(crate::testing::case().by("ana", None));
    assert!(
        !back(vec![found(2, &other)]).allow,
        "another change does not answer for it"
    );
    assert!(back(vec![found(1, &case), found(2, &other)]).allow);
    let rejected = other.rejected_by("li");
    assert!(!back(vec![found(1, &case), found(2, &rejected)]).allow);
}

#[test]
fn what_was_not_allowed_is_unsanctioned_and_owes_a_review() {
    let waiting = case().by("ana", None);
    let policy = &waiting.policy;
    let judged = judge(
        vec![shipped(1, vec![found(1, &waiting)]), shipped(2, vec![])],
        policy,
        NOW,
    );
    let due = Some(NOW + policy.document.glass.review_within);
    let seen: Vec<_> = judged
        .iter()
        .map(|one| (one.sanction, one.verdict, one.changes.len(), one.review_by))
        .collect();
    assert_eq!(
        seen,
        [
            (Sanction::Unsanctioned, Word::Waiting, 1, due),
            (Sanction::Unsanctioned, Word::Unheard, 0, due),
        ]
    );
}

#[test]
fn a_commit_below_an_allowed_head_is_part_of_it_where_both_are_deployed() {
    let allowed = case().by("ben", Some(Level::Senior));
    let within = |revision| Within {
        change: ChangeId(Uuid::from_u128(1)),
        revision,
        head: commit(1),
    };
    let below = |found| Shipped {
        within: vec![within(allowed.revision.id)],
        ..shipped(2, found)
    };
    let sanctions = |shipped| -> Vec<Sanction> {
        let judged = judge(shipped, &allowed.policy, NOW);
        judged.into_iter().map(|one| one.sanction).collect()
    };
    let head = || shipped(1, vec![found(1, &allowed)]);
    assert_eq!(
        sanctions(vec![head(), below(vec![])]),
        [Sanction::Allowed, Sanction::Part]
    );
    assert_eq!(sanctions(vec![below(vec![])]), [Sanction::Unsanctioned]);
    let waiting = shipped(1, vec![found(1, &case().by("ana", None))]);
    assert_eq!(
        sanctions(vec![waiting, below(vec![])]),
        [Sanction::Unsanctioned; 2]
    );
    let rejected = case().by("ana", None).rejected_by("li");
    assert_eq!(
        sanctions(vec![head(), below(vec![found(2, &rejected)])]),
        [Sanction::Allowed, Sanction::Unsanctioned],
        "rejected by itself"
    );
    let by_another = Shipped {
        within: vec![within(RevisionId(Uuid::from_u128(999)))],
        ..shipped(2, vec![])
    };
    assert_eq!(
        sanctions(vec![head(), by_another]),
        [Sanction::Allowed, Sanction::Unsanctioned],
        "of a revision that nobody approved"
    );
}

#[test]
fn what_goes_back_takes_along_what_came_with_the_revision_that_was_allowed() {
    let case = ageing(approved());
    let ship = |revision| {
        let head = Shipped {
            before: deployed(&case),
            ..shipped(1, vec![found(1, &case)])
        };
        let above = Within {
            change: ChangeId(Uuid::from_u128(1)),
            revision,
            head: commit(1),
        };
        let below = Shipped {
            within: vec![above],
            ..shipped(2, vec![])
        };
        let judged = judge(vec![head, below], &case.policy, NOW + Duration::days(2));
        (judged[0].sanction, judged[1].sanction)
    };
    assert_eq!(
        ship(case.revision.id),
        (Sanction::Redeployed, Sanction::Part)
    );
    let another = RevisionId(Uuid::from_u128(999));
    assert_eq!(
        ship(another),
        (Sanction::Redeployed, Sanction::Unsanctioned)
    );
}

#[test]
fn going_back_is_recorded_as_that_and_begins_nothing_anew() {
    let case = ageing(approved());
    let again = Shipped {
        before: deployed(&case),
        ..shipped(1, vec![found(1, &case)])
    };
    let judged = judge(vec![again], &case.policy, NOW + Duration::days(2));
    let judged = (judged[0].sanction, judged[0].verdict, judged[0].review_by);
    assert_eq!(judged, (Sanction::Redeployed, Word::Waiting, None));
}

#[test]
fn what_carried_over_may_go_back_like_what_was_approved_itself() {
    let case = approved().pushed().proved_to_be(1, Proof::Blobs);
    let before = deployed(&case);
    let later = NOW + Duration::days(2);
    assert!(before.is_some());
    assert!(back(&ageing(case), before.as_ref(), later).allow);
}

#[test]
fn a_sanction_reads_as_it_is_written() {
    for sanction in Sanction::ALL {
        assert_eq!(Sanction::parse(sanction.as_str()), Some(sanction));
    }
    assert_eq!(Sanction::parse("forgiven"), None);
}

#[test]
fn what_was_signed_off_was_so_also_where_its_host_was_not_heard_of_for_long() {
    let mut approved = case().by("ana", None).approved_by("ben");
    approved.policy.document.source.max_age = Some(Duration::HOUR);
    let before = deployed(&approved).expect("it is allowed");
    let refused = || answer(vec![found(1, &approved)], &approved.policy, NOW);
    assert_eq!(refused().verdict, Word::Undecidable);
    let back = refused().back_to(Some(&before), &approved.policy, NOW);
    assert!(back.allow, "and it may go back");
}
