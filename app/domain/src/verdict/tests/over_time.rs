//! What ends, and when: approvals, rejections set aside, a word that is believed, an override and its review.

use super::*;
use crate::{
    contributor::Role,
    policy::Belief,
    standing::Turn,
    testing::{person, senior},
};

fn waiting_by_ana() -> Case {
    case().by("ana", Some(Level::Junior))
}

fn turn(after: i32) -> Option<Turn> {
    Some(Turn { after, at: NOW })
}

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    let reasons = verdict.reasons();
    reasons.into_iter().map(|reason| reason.code).collect()
}

#[test]
fn an_approval_ages_only_where_the_policy_says_so_and_says_when_it_ended() {
    let mut approved = waiting_by_ana().approved_by("ben");
    let later = NOW + Duration::days(30);
    assert_eq!(approved.verdict(later).word(), Word::Approved);
    approved.policy.document.approvals.expire_after = Some(Duration::days(30));
    let just_before = later - Duration::SECOND;
    assert_eq!(approved.verdict(just_before).word(), Word::Approved);
    let ended = approved.verdict(later);
    assert_eq!(codes(&ended), ["approval_needed", "approval_expired"]);
    assert_eq!(
        ended.reasons()[1].sentence,
        "The approval by ben grew too old on 2026-12-20 12:00 UTC."
    );
    assert_eq!(
        names(&ended.needs()[0]),
        ["ben", "li"],
        "whose approval ended can give another"
    );
}

#[test]
fn the_first_approval_to_grow_too_old_is_known_beforehand() {
    let month = Duration::days(30);
    let mut both = waiting_by_ana().approved_by("ben").approved_by("li");
    let first = NOW + month;
    let second = first + Duration::HOUR;
    both.decisions[1].decision.at = NOW + Duration::HOUR;
    let ends = |case: &Case, now| ends(&case.standing(), &case.policy, now);
    assert_eq!(ends(&both, NOW), None, "the policy lets none age");
    both.policy.document.approvals.expire_after = Some(month);
    for (now, next, left) in [
        (NOW, Some(first), vec!["ben", "li"]),
        (first - Duration::SECOND, Some(first), vec!["ben", "li"]),
        (first, Some(second), vec!["li"]),
        (second, None, vec![]),
    ] {
        assert_eq!(ends(&both, now), next);
        let standing = both.standing();
        let signed = signed(&standing, &both.policy, now);
        let by: Vec<&str> = signed.iter().map(|voice| &*voice.name).collect();
        assert_eq!(by, left);
    }
    assert_eq!(ends(&both.withdrawn_by("ben"), NOW), Some(second));
}

#[test]
fn going_back_to_draft_ends_what_was_approved_until_then_where_the_policy_says_so() {
    let mut twice = waiting_by_ana().approved_by("ben");
    twice.drafted = turn(1);
    assert_eq!(twice.word(), Word::Approved);
    twice.policy.document.approvals.expire_on_draft = true;
    assert_eq!(
        codes(&twice.judged()),
        ["approval_needed", "approval_expired"]
    );
    assert_eq!(
        twice.approved_by("li").word(),
        Word::Approved,
        "given after"
    );
}

#[test]
fn another_merge_base_ends_what_was_approved_until_then_where_the_policy_says_so() {
    let mut moved = waiting_by_ana().approved_by("ben");
    moved.rebased = turn(1);
    assert_eq!(moved.word(), Word::Approved);
    moved.policy.document.approvals.expire_on_new_base = true;
    assert_eq!(
        codes(&moved.judged()),
        ["approval_needed", "approval_expired"]
    );
    assert_eq!(
        moved.approved_by("ben").word(),
        Word::Approved,
        "given anew"
    );
}

#[test]
fn a_rejection_that_was_set_aside_stands_no_more() {
    let rejected = waiting_by_ana().rejected_by("ben");
    let aside = rejected.clone().set_aside_by("li", 1);
    assert_eq!(aside.word(), Word::Waiting);
    assert_eq!(aside.clone().pushed().word(), Word::Waiting);
    assert_eq!(
        aside.clone().rejected_by("ben").word(),
        Word::Rejected,
        "they may reject again"
    );
    assert_eq!(
        aside.withdrawn_by("li").word(),
        Word::Rejected,
        "whoever set it aside may take that back"
    );
}

#[test]
fn setting_aside_counts_only_by_others_whom_the_policy_lets_and_about_that_rejection() {
    let rejected = waiting_by_ana().rejected_by("ben");
    for (case, why) in [
        (rejected.clone().set_aside_by("ben", 1), "one's own"),
        (rejected.clone().set_aside_by("li", 2), "another one"),
        (
            rejected.clone().set_aside_by("li", 1).by_unproved("li"),
            "by a contributor, found later",
        ),
        (
            rejected
                .clone()
                .set_aside_by("mika", 1)
                .as_one(Some(Level::Mid), &[]),
            "by somebody below senior",
        ),
        (
            rejected.clone().rejected_by("li").set_aside_by("zoe", 1),
            "one of two",
        ),
    ] {
        assert_eq!(case.word(), Word::Rejected, "{why}");
    }
}

#[test]
fn setting_aside_on_the_fix_does_not_free_the_commit_that_was_rejected() {
    let rejected = waiting_by_ana().approved_by("li").rejected_by("ben");
    let mut old = rejected.clone().pushed().set_aside_by("li", 2);
    assert_eq!(old.word(), Word::Waiting);
    old.revision = rejected.revision;
    assert_eq!(old.word(), Word::Rejected);
}

#[test]
fn a_believed_word_makes_it_human_where_no_mark_speaks_against_it() {
    let human = waiting_by_ana().unmarked().said("ben", Kind::Human);
    assert_eq!(human.word(), Word::NotRequired);
    let standing = human.standing();
    assert_eq!(
        (standing.provenance, standing.believed.as_deref()),
        (Provenance::Human, Some("ben"))
    );
    let marked = |case: Case| Case {
        provenance: Provenance::Assisted,
        ..case
    };
    for (ended, why) in [
        (marked(human.clone()), "a mark came later"),
        (waiting_by_ana().said("ben", Kind::Human), "one was there"),
        (human.clone().pushed(), "it is about one revision"),
        (human.clone().withdrawn_by("ben"), "it was withdrawn"),
        (
            human.clone().by_unproved("ben"),
            "it turned out to be theirs",
        ),
    ] {
        assert_eq!(ended.word(), Word::Waiting, "{why}");
    }
    assert_eq!(human.clone().rejected_by("ben").word(), Word::Rejected);
    let second_thoughts = human.rejected_by("ben").set_aside_by("li", 2);
    assert_eq!(
        second_thoughts.word(),
        Word::Waiting,
        "whoever rejects is believed no more"
    );
}

#[test]
fn a_word_that_nobody_believes_changes_nothing() {
    let unknown = waiting_by_ana().unmarked();
    let below = unknown
        .clone()
        .said("mika", Kind::Human)
        .as_one(Some(Level::Mid), &[]);
    let own = unknown.said("ana", Kind::Human);
    for case in [below, own] {
        assert_eq!(
            (case.word(), case.standing().believed),
            (Word::Waiting, None)
        );
    }
}

#[test]
fn a_word_about_who_wrote_it_leaves_an_approval_as_it_is() {
    let both = waiting_by_ana()
        .unmarked()
        .approved_by("ben")
        .said("ben", Kind::Human);
    let mut attested = both.clone();
    attested.policy.document.rules[0].when.provenance = vec![];
    assert_eq!(attested.word(), Word::Approved);
}

#[test]
fn the_author_is_believed_where_the_policy_says_so_and_no_mark_speaks_against_it() {
    let mut own = waiting_by_ana()
        .said("ana", Kind::Human)
        .as_one(Some(Level::Junior), &[]);
    own.provenance = Provenance::Unknown;
    assert_eq!(own.word(), Word::Waiting);
    own.policy.document.human = Belief {
        author: true,
        by: vec![],
    };
    assert_eq!(own.word(), Word::NotRequired);
    let marked = Case {
        provenance: Provenance::Assisted,
        ..own.clone()
    };
    assert_eq!(marked.word(), Word::Waiting, "a mark");
    let mut unsaid = own.clone();
    unsaid.contributors[0].contributor.role = Role::Author;
    assert_eq!(unsaid.word(), Word::Waiting, "nobody said whose it is");
    let with_another = own.clone().by("mika", Some(Level::Mid));
    assert_eq!(with_another.word(), Word::Waiting, "another author");
    let with_a_stranger = own.clone().by_stranger();
    assert_eq!(
        with_a_stranger.word(),
        Word::Waiting,
        "an author nobody knows"
    );
    let mut unproved = own.clone();
    unproved.contributors[0].ties[0].proved = false;
    assert_eq!(
        unproved.word(),
        Word::Waiting,
        "an address that only looks like theirs"
    );
    own.contributors[0].contributor.role = Role::CoAuthor;
    assert_eq!(own.word(), Word::Waiting, "no author at all");
}

#[test]
fn an_override_leaves_a_review_owed_which_somebody_else_pays() {
    let glass = waiting_by_ana().overridden_by("ben");
    let debt = |case: &Case| match case.judged() {
        Verdict::Overridden(glass) => glass.review,
        other => panic!("{other:?}"),
    };
    assert_eq!(debt(&glass), Debt::Due(NOW + Duration::days(3)));
    let own = glass.clone().approved_by("ben").as_one(None, &[]);
    assert_eq!(
        debt(&own),
        Debt::Due(NOW + Duration::days(3)),
        "not by oneself"
    );
    let mut moved_on = glass.clone().pushed().approved_by("mika");
    moved_on.revision = glass.revision.clone();
    assert_eq!(
        debt(&moved_on),
        Debt::PaidBy("mika".to_owned()),
        "also by looking at what came of it"
    );
    let owed = Debt::Due(NOW + Duration::days(3));
    assert_eq!(debt(&moved_on.withdrawn_by("mika")), owed, "taken back");
    let mut before = waiting_by_ana().pushed().overridden_by("ben");
    let overridden = before.revision.clone();
    before.revision = waiting_by_ana().revision;
    before = before.approved_by("mika").as_one(Some(Level::Mid), &[]);
    before.revision = overridden;
    assert_eq!(debt(&before), owed, "not by what came before it");
    let by_mika = glass.approved_by("mika").as_one(Some(Level::Mid), &[]);
    assert_eq!(debt(&by_mika), Debt::PaidBy("mika".to_owned()));
    assert_eq!(
        debt(&by_mika.by_unproved("mika")),
        Debt::Due(NOW + Duration::days(3)),
        "nor by a contributor"
    );
}

#[test]
fn the_next_override_can_be_refused_while_a_review_is_overdue() {
    let mut case = waiting_by_ana();
    case.claims_max_age = Duration::days(9);
    case.oldest_debt = Some(NOW);
    let ben = senior("ben");
    let due = NOW + Duration::days(3);
    assert!(
        case.may_decide(&ben, Kind::Override, due).is_ok(),
        "only where the policy says so"
    );
    case.policy.document.glass.refused_while_overdue = true;
    assert_eq!(
        case.may_decide(&ben, Kind::Override, due),
        Err(Problem::ReviewOverdue)
    );
    assert!(case.may_decide(&ben, Kind::Approve, due).is_ok());
    let just_before = due - Duration::SECOND;
    assert!(case.may_decide(&ben, Kind::Override, just_before).is_ok());
}

fn sets_aside(case: &Case, name: &str, about: i32, now: Timestamp) -> Result<(), Problem> {
    let proposed = Proposed {
        about: Some(about),
        ..case.proposed(Kind::SetAside, "ben is on leave")
    };
    case.decide(&senior(name), proposed, 9, now)
        .map(|decision| {
            assert_eq!(decision.about, Some(about));
        })
}

#[test]
fn a_rejection_by_somebody_who_is_here_can_be_set_aside_after_a_working_day() {
    let rejected = waiting_by_ana().rejected_by("ben");
    // NOW is a Friday.
    let monday = NOW + Duration::days(3);
    let mut fresh = rejected.clone();
    fresh.claims_max_age = Duration::days(9);
    assert_eq!(sets_aside(&fresh, "li", 1, NOW), Err(Problem::TooSoon));
    let too_soon = monday - Duration::SECOND;
    assert_eq!(sets_aside(&fresh, "li", 1, too_soon), Err(Problem::TooSoon));
    assert_eq!(sets_aside(&fresh, "li", 1, monday), Ok(()));
    let mut gone = rejected;
    gone.reviewers.retain(|one| one.name != "ben");
    assert_eq!(sets_aside(&gone, "li", 1, NOW), Ok(()), "ben is inactive");
}

#[test]
fn only_others_set_aside_only_what_stands_and_say_why() {
    let mut rejected = waiting_by_ana().rejected_by("ben");
    rejected.reviewers.clear();
    let nothing = Err(Problem::NothingToSetAside);
    assert_eq!(sets_aside(&rejected, "ben", 1, NOW), nothing, "one's own");
    assert_eq!(sets_aside(&rejected, "li", 2, NOW), nothing, "no such one");
    let silent = Proposed {
        about: Some(1),
        ..rejected.proposed(Kind::SetAside, "")
    };
    assert_eq!(
        rejected.decide(&senior("li"), silent, 2, NOW),
        Err(Problem::ReasonNeeded)
    );
    let barred = rejected.clone().by_unproved("li");
    assert_eq!(
        sets_aside(&barred, "li", 1, NOW),
        Err(Problem::Contributor(Role::Author))
    );
    let over = rejected.clone().withdrawn_by("ben");
    assert_eq!(
        sets_aside(&over, "li", 1, NOW),
        nothing,
        "it stands no more"
    );
    assert_eq!(
        rejected.may_decide(&person("mika", Some(Level::Mid)), Kind::SetAside, NOW),
        Err(Problem::LevelTooLow {
            known: Some(Level::Mid),
            needed: Level::Senior
        })
    );
}

#[test]
fn anybody_may_say_human_on_record_while_it_is_open() {
    let mut case = waiting_by_ana();
    let ana = person("ana", Some(Level::Junior));
    assert!(case.may_decide(&ana, Kind::Human, NOW).is_ok());
    case.change.state = crate::change::ChangeState::Closed;
    assert_eq!(
        case.may_decide(&ana, Kind::Human, NOW),
        Err(Problem::NotOpen)
    );
}
