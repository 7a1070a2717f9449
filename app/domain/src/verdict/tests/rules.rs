//! What rules ask: of whom, how often, and what is said where it is missing.

use super::*;
use crate::{
    people::Role,
    policy::{Rule, When, Who},
    testing::{ask, of_team, reviewer, rule},
};

fn senior() -> Who {
    Who::of_level(Level::Senior)
}

fn of_role(role: Role) -> Who {
    Who {
        role: Some(role),
        ..Who::default()
    }
}

/// A change of somebody unknown, under one rule that asks for one senior and one of team security.
fn two_asks() -> Case {
    let needs = vec![ask(1, senior()), ask(1, of_team("security"))];
    case().by("ana", None).under(vec![rule("two", needs)])
}

fn lacks(case: &Case) -> Vec<(String, usize)> {
    let judged = case.judged();
    let shown = |need: &Need| (need.whom(), need.count);
    judged.needs().iter().map(shown).collect()
}

fn sentences(case: &Case) -> Vec<String> {
    let judged = case.judged();
    judged.needs().iter().map(Need::sentence).collect()
}

#[test]
fn every_need_of_a_rule_has_to_be_filled() {
    let both = two_asks();
    assert_eq!(
        lacks(&both),
        [
            ("senior".to_owned(), 1),
            ("person of team security".to_owned(), 1)
        ]
    );
    let one = both.approved_by("ben");
    assert_eq!(lacks(&one), [("person of team security".to_owned(), 1)]);
    let all = one.approved_by("sam").as_one(None, &["security"]);
    assert_eq!(all.word(), Word::Approved);
}

#[test]
fn nobody_fills_two_needs_of_one_rule_unless_it_says_so() {
    let ben = two_asks()
        .approved_by("ben")
        .as_one(Some(Level::Senior), &["security"]);
    assert_eq!(lacks(&ben), [("person of team security".to_owned(), 1)]);
    let mut allowed = ben.clone();
    allowed.policy.document.rules[0].same_person = true;
    assert_eq!(allowed.word(), Word::Approved);
    let another = ben.approved_by("li");
    assert_eq!(
        another.word(),
        Word::Approved,
        "li is the senior, and ben then of security"
    );
}

#[test]
fn who_is_put_where_does_not_depend_on_who_came_first() {
    for order in [["ben", "li"], ["li", "ben"]] {
        let case = order.into_iter().fold(two_asks(), |case, name| {
            let teams: &[&str] = if name == "ben" { &["security"] } else { &[] };
            case.approved_by(name).as_one(Some(Level::Senior), teams)
        });
        assert_eq!(case.word(), Word::Approved, "{order:?}");
    }
}

#[test]
fn also_one_person_fills_one_place_of_a_need_only() {
    let two = case()
        .by("ana", None)
        .under(vec![Rule {
            same_person: true,
            ..rule("two seniors", vec![ask(2, senior())])
        }])
        .approved_by("ben")
        .approved_by("ben");
    assert_eq!(lacks(&two), [("senior".to_owned(), 1)]);
    assert_eq!(two.approved_by("li").word(), Word::Approved);
}

#[test]
fn one_approval_serves_several_rules() {
    let rules = vec![
        rule("one", vec![ask(1, senior())]),
        rule("other", vec![ask(1, of_team("security"))]),
    ];
    let ben = case()
        .by("ana", None)
        .under(rules)
        .approved_by("ben")
        .as_one(Some(Level::Senior), &["security"]);
    assert_eq!(ben.word(), Word::Approved);
}

#[test]
fn a_level_of_a_team_takes_both_in_one_person() {
    let who = Who {
        team: Some("payments".to_owned()),
        ..senior()
    };
    let case = case()
        .by("ana", None)
        .under(vec![rule("owners", vec![ask(1, who)])]);
    let apart = case
        .clone()
        .approved_by("ben")
        .approved_by("mika")
        .as_one(Some(Level::Mid), &["payments"]);
    assert_eq!(apart.word(), Word::Waiting);
    let together = case
        .approved_by("ben")
        .as_one(Some(Level::Senior), &["payments"]);
    assert_eq!(together.word(), Word::Approved);
}

#[test]
fn a_role_and_a_name_can_be_asked_for() {
    let named = Who {
        people: vec![id("mika")],
        ..Who::default()
    };
    let rules = vec![rule("named", vec![ask(1, named)])];
    let case = case().by("ana", None).under(rules);
    assert_eq!(case.clone().approved_by("ben").word(), Word::Waiting);
    let mika = case.approved_by("mika").as_one(Some(Level::Mid), &[]);
    assert_eq!(mika.word(), Word::Approved);

    let mut by_role = mika.under(vec![rule("admins", vec![ask(1, of_role(Role::Admin))])]);
    assert_eq!(by_role.word(), Word::Waiting);
    by_role.decisions[0].decision.roles = vec![Role::Admin];
    assert_eq!(by_role.word(), Word::Approved);
}

#[test]
fn a_rule_that_does_not_apply_asks_nothing() {
    let of_seniors = When {
        level: vec![Some(Level::Senior)],
        ..When::default()
    };
    let rules = vec![Rule {
        when: of_seniors,
        ..rule("seniors", vec![ask(1, senior())])
    }];
    assert_eq!(
        case().by("ana", None).under(rules).word(),
        Word::NotRequired
    );
}

#[test]
fn whoever_has_least_to_do_is_named_first_and_whoever_approved_no_more() {
    let mut case = case()
        .by("ana", None)
        .under(vec![rule("two seniors", vec![ask(2, senior())])]);
    for n in 0..6 {
        case.reviewers
            .push(reviewer(&format!("senior-{n}"), Some(Level::Senior)));
    }
    case.reviewers[0].load = 3;
    assert_eq!(
        names(&case.judged().needs()[0]),
        ["li", "senior-0", "senior-1", "senior-2", "senior-3"]
    );
    assert_eq!(case.judged().needs()[0].eligible, 8);
    let after = case.approved_by("li");
    assert_eq!(
        names(&after.judged().needs()[0]),
        ["senior-0", "senior-1", "senior-2", "senior-3", "senior-4"]
    );
    assert_eq!(after.judged().needs()[0].eligible, 7);
}

#[test]
fn a_need_says_why_nobody_can_give_it() {
    let security = two_asks().approved_by("ben");
    assert_eq!(
        sentences(&security),
        [
            "One person of team security who is no contributor has to approve exactly this revision. Nobody is in team security."
        ]
    );
    let who = Who {
        team: Some("payments".to_owned()),
        ..senior()
    };
    let owners = |case: Case| {
        let asks = vec![ask(2, who.clone())];
        let case = case.by("ana", None).under(vec![rule("owners", asks)]);
        sentences(&case)[0]
            .split_once("revision. ")
            .map(|(_, why)| why.to_owned())
    };
    let pay = &["payments"];
    let mid = || case().with("mika", Some(Level::Mid), pay);
    assert_eq!(
        owners(mid()).unwrap(),
        "The one person in team payments is not senior."
    );
    let took_part = mid()
        .with("zoe", Some(Level::Senior), pay)
        .with("ivo", Some(Level::Senior), pay)
        .by_unproved("zoe")
        .by_unproved("ivo");
    assert_eq!(
        owners(took_part).unwrap(),
        "Nobody is left: both seniors of team payments are contributors."
    );
    let approved = mid()
        .with("zoe", Some(Level::Senior), pay)
        .approved_by("zoe")
        .as_one(Some(Level::Senior), pay);
    assert_eq!(
        owners(approved).unwrap(),
        "Nobody is left: the only senior of team payments approved already."
    );
    assert_eq!(owners(mid().with("zoe", Some(Level::Senior), pay)), None);
}

#[test]
fn what_was_found_under_another_policy_cannot_be_judged_by_this_one() {
    let case = case().by("ana", None).approved_by("ben");
    let standing = case.standing();
    let mut moved = case.policy.clone();
    moved.version += 1;
    let doubt = Verdict::Undecidable(Doubt::PolicyMoved);
    assert_eq!(verdict(&standing, &moved, NOW), doubt);
    let mut shrunk = case.policy;
    shrunk.document.rules.clear();
    assert_eq!(verdict(&standing, &shrunk, NOW), doubt);
}
