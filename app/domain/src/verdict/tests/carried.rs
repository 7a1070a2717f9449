//! Approvals of an earlier revision that is provably the same change.

use super::*;
use crate::{
    carry::Proof,
    policy::Who,
    testing::{ask, rule},
};

/// Ana's change, approved by Ben in its first revision; the second is judged.
fn pushed_after_approval() -> Case {
    case()
        .by("ana", Some(Level::Junior))
        .approved_by("ben")
        .pushed()
}

#[test]
fn an_approval_counts_for_a_later_revision_only_by_a_recorded_proof_that_the_policy_accepts() {
    let case = pushed_after_approval();
    assert_eq!(case.word(), Word::Waiting);
    let by = |proof| pushed_after_approval().proved_to_be(1, proof);
    assert_eq!(by(Proof::Blobs).word(), Word::Approved);
    assert_eq!(by(Proof::Patch).word(), Word::Waiting, "not by default");
    let accepting = |accepted: &[Proof], proof| {
        let mut case = by(proof);
        case.policy.document.approvals.carry = accepted.to_vec();
        case.word()
    };
    assert_eq!(accepting(&[Proof::Patch], Proof::Patch), Word::Approved);
    assert_eq!(accepting(&[Proof::Patch], Proof::Blobs), Word::Waiting);
    assert_eq!(accepting(&[], Proof::Blobs), Word::Waiting);
}

#[test]
fn the_strongest_accepted_proof_is_named_beside_the_approval() {
    let case = pushed_after_approval()
        .proved_to_be(1, Proof::Patch)
        .proved_to_be(1, Proof::Blobs);
    let voices = case.standing().voices;
    assert_eq!(
        (voices[0].carried, voices[0].revision),
        (Some(Proof::Blobs), 1)
    );
}

#[test]
fn what_somebody_decided_since_ends_what_would_carry_over() {
    let withdrawn = case()
        .by("ana", Some(Level::Junior))
        .approved_by("ben")
        .pushed()
        .withdrawn_by("ben")
        .pushed();
    // The third revision is provably the first; the second, where Ben took his word back, is provably neither.
    assert_eq!(
        withdrawn.proved_to_be(1, Proof::Blobs).word(),
        Word::Waiting
    );
    let rejected = pushed_after_approval().rejected_by("ben");
    assert_eq!(
        rejected.proved_to_be(1, Proof::Blobs).word(),
        Word::Rejected
    );
}

#[test]
fn an_approval_by_a_contributor_of_the_new_revision_does_not_carry_over() {
    let case = pushed_after_approval()
        .proved_to_be(1, Proof::Blobs)
        .by_unproved("ben");
    assert_eq!(case.word(), Word::Waiting);
}

#[test]
fn an_approval_carries_over_past_strangers_only_of_whom_it_said_that_they_are_not_its_person() {
    let proved = |case: Case| case.pushed().proved_to_be(1, Proof::Blobs);
    let anas = case().by("ana", Some(Level::Junior));
    let named = proved(anas.by_stranger().approved_by("ben"));
    assert_eq!(named.word(), Word::Approved, "he said so of this one");
    let another = named.clone().by_unknown("somebody else");
    assert_eq!(another.word(), Word::Waiting);
    let reasons = another.judged().reasons();
    assert_eq!(
        (reasons.len(), reasons[1].code, &*reasons[1].sentence),
        (
            2,
            "approval_not_carried",
            "The approval by ben does not carry over: they did not say that a contributor whom nobody knows is not them."
        )
    );
    assert_eq!(another.clone().approved_by("ben").word(), Word::Approved);
    assert_eq!(another.approved_by("li").word(), Word::Approved);
    let nobody_asked = proved(case().by("ana", None).approved_by("ben"));
    assert_eq!(nobody_asked.word(), Word::Approved);
    assert_eq!(nobody_asked.clone().by("mika", None).word(), Word::Approved);
    assert_eq!(nobody_asked.clone().by_stranger().word(), Word::Waiting);
    let known_no_more = nobody_asked.unlinked("ana");
    assert_eq!(
        known_no_more.word(),
        Word::Waiting,
        "whoever that is, it was not asked"
    );
    // Of the revision that was approved the approval counts on, whoever joins later ones.
    let mut approved = case().by_stranger().approved_by("ben");
    approved = approved.by_unknown("somebody else");
    assert_eq!(approved.word(), Word::Approved);
}

#[test]
fn a_rejection_that_was_set_aside_stands_again_once_a_stranger_joins_who_could_have_done_it() {
    let rejected = case().by("ana", None).rejected_by("ben");
    let aside = rejected.set_aside_by("li", 1).pushed();
    assert_eq!(aside.word(), Word::Waiting);
    assert_eq!(aside.clone().by("mika", None).word(), Word::Waiting);
    let joined = aside.by_stranger();
    assert_eq!(joined.word(), Word::Rejected);
    assert_eq!(joined.set_aside_by("li", 1).word(), Word::Waiting);
}

#[test]
fn no_override_carries_over() {
    let case = case()
        .by("ana", Some(Level::Junior))
        .overridden_by("ben")
        .pushed();
    assert_eq!(case.proved_to_be(1, Proof::Blobs).word(), Word::Waiting);
}

#[test]
fn whoever_approved_two_revisions_that_are_both_the_same_change_counts_once() {
    let two = vec![rule("two", vec![ask(2, Who::of_level(Level::Senior))])];
    let case = case()
        .by("ana", None)
        .under(two)
        .approved_by("ben")
        .pushed()
        .approved_by("ben")
        .pushed()
        .proved_to_be(1, Proof::Blobs)
        .proved_to_be(2, Proof::Blobs);
    assert_eq!(case.clone().standing().approvals().count(), 1);
    assert_eq!(case.word(), Word::Waiting);
    let li_too = case.approved_by("li");
    assert_eq!(li_too.word(), Word::Approved);
}
