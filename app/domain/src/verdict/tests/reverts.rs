//! A change that provably only undoes an allowed one.

use super::*;
use crate::{carry::Undone, names::ChangeKey};

fn revert() -> Case {
    let mut case = case().by("ana", Some(Level::Junior));
    case.undoes = Some(Undone {
        key: ChangeKey::parse("141").unwrap(),
        revision: 2,
    });
    case
}

#[test]
fn a_clean_revert_by_a_junior_needs_nobody_where_the_policy_lets_it() {
    let case = revert();
    assert_eq!(case.word(), Word::NotRequired);
    let reasons = case.judged().reasons();
    assert_eq!(reasons[0].code, "revert");
    assert_eq!(
        reasons[0].sentence,
        "It provably only undoes revision 2 of change 141, which was allowed."
    );
    let mut strict = revert();
    strict.policy.document.back.revert = false;
    assert_eq!(strict.word(), Word::Waiting);
}

#[test]
fn a_veto_on_a_revert_holds_and_so_does_a_doubt_about_its_patch() {
    assert_eq!(revert().rejected_by("ben").word(), Word::Rejected);
    let mut disputed = revert();
    disputed.revision.patch = Patch::Disputed;
    assert_eq!(disputed.word(), Word::Undecidable);
}

#[test]
fn a_revert_that_was_approved_is_approved_and_nothing_is_overridden_where_nothing_is_missing() {
    assert_eq!(revert().approved_by("ben").judged(), Verdict::Approved);
    assert_eq!(revert().overridden_by("ben").word(), Word::NotRequired);
}
