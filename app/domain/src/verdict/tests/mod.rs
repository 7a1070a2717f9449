//! The verdict, told as cases and as properties.

mod carried;
mod disputed;
mod going_back;
mod over_time;
mod properties;
mod reverts;
mod rules;
mod stood_in;

use super::*;
use crate::{
    case::Case,
    contributor,
    decision::{Kind, Proposed},
    people::Level,
    policy::Who,
    problem::Problem,
    provenance::Provenance,
    testing::{self, NOW, case, id},
};
use time::Duration;

fn names(need: &Need) -> Vec<&str> {
    need.people.iter().map(AsRef::as_ref).collect()
}

#[test]
fn a_juniors_assisted_change_waits_for_one_senior() {
    let case = case().by("ana", Some(Level::Junior));
    let Verdict::Waiting { needs, .. } = case.judged() else {
        panic!("{:?}", case.judged())
    };
    assert_eq!(needs.len(), 1);
    assert_eq!(
        (needs[0].rule.as_str(), needs[0].count, needs[0].eligible),
        ("assisted-below-senior", 1, 2)
    );
    assert_eq!(names(&needs[0]), ["ben", "li"]);
    assert_eq!(case.approved_by("ben").word(), Word::Approved);
}

#[test]
fn a_proved_seniors_own_change_needs_nobody() {
    assert_eq!(
        case().by("ben", Some(Level::Senior)).word(),
        Word::NotRequired
    );
}

#[test]
fn an_unproved_seniors_change_is_nobodys() {
    assert_eq!(case().by_unproved("ben").word(), Word::Waiting);
}

#[test]
fn the_lowest_contributor_gives_the_level() {
    let mixed = case()
        .by("ben", Some(Level::Senior))
        .by("ana", Some(Level::Junior));
    assert_eq!(
        (mixed.level(), mixed.word()),
        (Some(Level::Junior), Word::Waiting)
    );
    let with_a_stranger = case().by("ben", Some(Level::Senior)).by_stranger();
    assert_eq!(
        (with_a_stranger.level(), with_a_stranger.word()),
        (None, Word::Waiting)
    );
    assert_eq!(
        case().level(),
        None,
        "a revision without a contributor comes from nobody"
    );
}

#[test]
fn where_nobody_says_whose_change_it_is_no_address_in_it_gives_a_level_and_all_of_them_bar() {
    let borrowed = case().with_commit_by("ben", Some(Level::Senior));
    assert_eq!(
        (borrowed.level(), borrowed.word()),
        (None, Word::Waiting),
        "a senior's address, which anybody can write"
    );
    assert_eq!(
        borrowed.role_of(id("ben")),
        Some(contributor::Role::Author),
        "it bars"
    );
    let reasons = |case: &Case| {
        let reasons = case.judged().reasons();
        reasons.iter().map(|one| one.code).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&borrowed), ["approval_needed", "author_unsaid"]);
    let approved = borrowed.clone().approved_by("li");
    assert_eq!(approved.word(), Word::Approved);
    let said = borrowed.clone().by("ben", Some(Level::Senior));
    assert_eq!(said.word(), Word::NotRequired);
    let by_a_junior = borrowed.clone().by("ana", Some(Level::Junior));
    assert_eq!(by_a_junior.level(), Some(Level::Junior));
    assert_eq!(reasons(&by_a_junior), ["approval_needed"]);
    let of_a_senior = Who::of_level(Level::Senior);
    let of_everybody = testing::rule("all", vec![testing::ask(1, of_a_senior)]);
    let whoever = borrowed.under(vec![of_everybody]);
    assert_eq!(reasons(&whoever), ["approval_needed"], "no rule looks");
}

#[test]
fn commits_by_others_lower_the_level_of_a_named_author_and_never_raise_it() {
    let seniors = case().by("ben", Some(Level::Senior));
    let with = |level| seniors.clone().with_commit_by("ana", level).level();
    assert_eq!(with(Some(Level::Junior)), Some(Level::Junior));
    assert_eq!(with(None), None);
    assert_eq!(with(Some(Level::Senior)), Some(Level::Senior));
    assert_eq!(seniors.clone().by_stranger().level(), None);
    assert_eq!(seniors.by_unproved("ana").level(), None);
    let juniors = case().by("ana", Some(Level::Junior));
    let with_a_seniors = juniors.with_commit_by("ben", Some(Level::Senior));
    assert_eq!(with_a_seniors.level(), Some(Level::Junior));
    let strangers = case().by("ana", None);
    let with_a_seniors = strangers.with_commit_by("ben", Some(Level::Senior));
    assert_eq!(with_a_seniors.level(), None);
}

#[test]
fn unknown_asks_as_much_as_assisted_and_a_believed_word_asks_nothing() {
    let of = |provenance| {
        Case {
            provenance,
            ..case().by("ana", Some(Level::Mid))
        }
        .word()
    };
    assert_eq!(of(Provenance::Assisted), Word::Waiting);
    assert_eq!(of(Provenance::Unknown), Word::Waiting);
    assert_eq!(of(Provenance::Human), Word::NotRequired);
}

#[test]
fn a_contributors_approval_does_not_count_also_when_the_tie_is_found_later() {
    let before = case().by("ana", Some(Level::Junior)).approved_by("ben");
    assert_eq!(before.word(), Word::Approved);
    assert_eq!(before.by_unproved("ben").word(), Word::Waiting);
}

#[test]
fn a_link_that_is_withdrawn_frees_its_person_and_makes_nothing_count_that_it_had_ended() {
    let anas = case().by("ana", Some(Level::Junior));
    let linked = anas.approved_by("ben").by_unproved("ben");
    assert_eq!(linked.word(), Word::Waiting);
    let unlinked = linked.unlinked("ben");
    assert_eq!(unlinked.word(), Word::Waiting, "it stays ended");
    let reasons = unlinked.judged().reasons();
    assert_eq!(
        (reasons.len(), reasons[1].code, &*reasons[1].sentence),
        (
            2,
            "approval_barred",
            "The approval by ben ended: a link was found by which they had a hand in the change."
        )
    );
    let again = unlinked.clone().approved_by("ben");
    assert_eq!(again.word(), Word::Approved, "he may give another");
    assert_eq!(unlinked.approved_by("li").word(), Word::Approved);
    let before = case().by_unproved("ben").unlinked("ben").approved_by("ben");
    assert_eq!(
        before.word(),
        Word::Approved,
        "what was withdrawn before ends nothing"
    );
    assert_eq!(
        before.by_unproved("li").unlinked("li").word(),
        Word::Approved,
        "nor does somebody else's link"
    );
}

#[test]
fn a_withdrawn_link_brings_no_word_back_that_took_somebody_free() {
    let mine = || case().by("ana", Some(Level::Junior)).unmarked();
    let later = |case: Case| case.by("ben", Some(Level::Senior)).unlinked("ben");
    let human = mine().said("ben", Kind::Human);
    assert_eq!(human.word(), Word::NotRequired);
    assert_eq!(later(human.clone()).word(), Word::Waiting, "believed");
    let again = later(human).said("ben", Kind::Human);
    assert_eq!(again.word(), Word::NotRequired);
    let aside = mine().rejected_by("li").set_aside_by("ben", 1);
    assert_eq!(aside.word(), Word::Waiting);
    assert_eq!(later(aside).word(), Word::Rejected, "set aside");
    let paid = mine()
        .overridden_by("li")
        .approved_by("ben")
        .as_one(None, &[]);
    let debt = |case: Case| match case.judged() {
        Verdict::Overridden(glass) => glass.review,
        other => panic!("{other:?}"),
    };
    assert_eq!(debt(paid.clone()), Debt::PaidBy("ben".to_owned()));
    assert_eq!(debt(later(paid)), Debt::Due(NOW + Duration::days(3)));
}

#[test]
fn a_new_commit_takes_another_approval() {
    assert_eq!(
        case().by("ana", None).approved_by("ben").pushed().word(),
        Word::Waiting
    );
}

#[test]
fn a_rejection_outlives_revisions_until_its_author_withdraws_it() {
    let rejected = case().by("ana", None).rejected_by("ben");
    assert_eq!(rejected.word(), Word::Rejected);
    let pushed = rejected.pushed();
    assert_eq!(pushed.word(), Word::Rejected);
    assert_eq!(
        pushed.clone().approved_by("li").word(),
        Word::Rejected,
        "nobody else's approval ends it"
    );
    assert_eq!(
        pushed.clone().withdrawn_by("li").word(),
        Word::Rejected,
        "nobody else can withdraw it"
    );
    assert_eq!(pushed.clone().withdrawn_by("ben").word(), Word::Waiting);
    assert_eq!(
        pushed.approved_by("ben").word(),
        Word::Approved,
        "approving the newer revision is withdrawing"
    );
}

#[test]
fn a_rejection_bars_also_what_needs_nobody() {
    assert_eq!(
        case()
            .by("ben", Some(Level::Senior))
            .rejected_by("li")
            .word(),
        Word::Rejected
    );
}

#[test]
fn the_last_word_of_one_person_counts() {
    let case = case().by("ana", None);
    assert_eq!(
        case.clone().approved_by("ben").rejected_by("ben").word(),
        Word::Rejected
    );
    assert_eq!(
        case.clone().rejected_by("ben").approved_by("ben").word(),
        Word::Approved
    );
    assert_eq!(
        case.clone().approved_by("ben").withdrawn_by("ben").word(),
        Word::Waiting
    );
    assert_eq!(
        case.approved_by("ben")
            .withdrawn_by("ben")
            .approved_by("ben")
            .word(),
        Word::Approved
    );
}

#[test]
fn an_override_stands_in_for_a_while_and_is_seen_as_one() {
    let glass = case().by("ana", None).overridden_by("ben");
    let Verdict::Overridden(broken) = glass.judged() else {
        panic!("{:?}", glass.judged())
    };
    assert_eq!(
        (broken.by.as_str(), broken.incident.as_str()),
        ("ben", "INC-1")
    );
    assert_eq!(broken.until, NOW + Duration::hours(24));
    assert_eq!(
        glass.verdict(NOW + Duration::hours(24)).word(),
        Word::Waiting,
        "it ends"
    );
    assert_eq!(
        glass.clone().rejected_by("li").word(),
        Word::Rejected,
        "a later rejection ends it"
    );
    assert_eq!(
        glass.clone().pushed().word(),
        Word::Waiting,
        "it is about one revision"
    );
    assert_eq!(glass.clone().withdrawn_by("ben").word(), Word::Waiting);
    assert_eq!(
        glass.approved_by("li").word(),
        Word::Approved,
        "a review pays for it"
    );
}

#[test]
fn an_override_that_a_rejection_ended_stays_ended() {
    let ended = case()
        .by("ana", None)
        .overridden_by("ben")
        .rejected_by("li");
    assert_eq!(ended.clone().withdrawn_by("li").word(), Word::Waiting);
    assert_eq!(ended.overridden_by("ben").word(), Word::Overridden);
}

#[test]
fn an_approval_of_the_fix_does_not_free_the_commit_that_was_rejected() {
    let rejected = case().by("ana", None).approved_by("li").rejected_by("ben");
    let mut about_the_old = rejected.clone().pushed().approved_by("ben");
    assert_eq!(about_the_old.word(), Word::Approved);
    about_the_old.revision = rejected.revision;
    assert_eq!(about_the_old.word(), Word::Rejected);
}

#[test]
fn an_override_passes_a_rejection_that_stood() {
    assert_eq!(
        case()
            .by("ana", None)
            .rejected_by("li")
            .overridden_by("ben")
            .word(),
        Word::Overridden
    );
}

#[test]
fn a_contributor_may_break_the_glass_and_never_approve() {
    let own = case().by_unproved("ben");
    assert_eq!(own.clone().overridden_by("ben").word(), Word::Overridden);
    assert_eq!(own.approved_by("ben").word(), Word::Waiting);
}

#[test]
fn a_patch_in_doubt_cannot_be_judged_whatever_was_approved() {
    for (patch, doubt) in [
        (Patch::Disputed, Doubt::PatchDisputed),
        (Patch::Wrong, Doubt::PatchWrong),
        (Patch::Incomplete, Doubt::PatchIncomplete),
    ] {
        let mut case = case().by("ana", None).approved_by("ben");
        case.revision.patch = patch;
        assert_eq!(case.judged(), Verdict::Undecidable(doubt));
    }
}

#[test]
fn an_approval_by_somebody_below_senior_then_does_not_count() {
    let mut case = case().by("ana", None).approved_by("mika");
    case.decisions[0].decision.level = Some(Level::Mid);
    assert_eq!(case.word(), Word::Waiting);
}

#[test]
fn a_need_says_why_nobody_is_left() {
    let all_took_part = case().by_unproved("ben").by_unproved("li");
    let Verdict::Waiting { needs, .. } = all_took_part.judged() else {
        panic!()
    };
    assert_eq!(needs[0].eligible, 0);
    assert!(
        needs[0]
            .sentence()
            .ends_with("Nobody is left: both seniors are contributors.")
    );
}

#[test]
fn every_verdict_gives_a_reason_and_every_word_reads_back() {
    for case in [
        case(),
        case().approved_by("ben"),
        case().rejected_by("ben"),
        case().overridden_by("ben"),
        case().by("ben", Some(Level::Senior)),
    ] {
        assert!(!case.judged().reasons().is_empty());
    }
    for word in Word::ALL {
        assert_eq!(Word::parse(word.as_str()), Some(word));
    }
    assert!(
        Word::ALL
            .windows(2)
            .all(|pair| pair[0].rank() <= pair[1].rank())
    );
}
