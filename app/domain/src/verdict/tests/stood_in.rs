//! Approvals in the place of somebody else: worth no more than either of the two, and one of them however many speak.

use super::*;
use crate::{
    people::Role,
    policy::Who,
    testing::{ask, of_team, person, rule},
};

const SENIOR: Option<Level> = Some(Level::Senior);

/// Two of payments are asked for; li, who is none of them, stands in for ben, who is.
fn stood_in() -> Case {
    let who = Who {
        level: SENIOR,
        ..of_team("payments")
    };
    case()
        .by("ana", Some(Level::Junior))
        .under(vec![rule("owners", vec![ask(2, who)])])
        .with("zoe", SENIOR, &["payments"])
        .stood_in("li", "ben", SENIOR, &["payments"])
}

/// What is missing after these have approved, each as a senior of payments.
fn after(approvals: &[(&str, &str)]) -> usize {
    let says = |case: Case, (who, place): &(&str, &str)| {
        let case = case.approved_by(who).as_one(SENIOR, &["payments"]);
        case.for_another(place)
    };
    let judged = approvals.iter().fold(stood_in(), says).judged();
    judged.needs().iter().map(|need| need.count).sum()
}

#[test]
fn a_place_is_one_whoever_fills_it_and_a_person_is_one_whatever_they_fill() {
    assert_eq!(after(&[("li", "ben")]), 1);
    assert_eq!(after(&[("li", "ben"), ("zoe", "zoe")]), 0);
    assert_eq!(
        after(&[("li", "ben"), ("ben", "ben")]),
        1,
        "him and for him"
    );
    assert_eq!(after(&[("li", "ben"), ("ivo", "ben")]), 1, "two for him");
    assert_eq!(
        after(&[("li", "li"), ("li", "ben")]),
        1,
        "herself and for him"
    );
    assert_eq!(after(&[("li", "ben"), ("li", "zoe")]), 1, "for two");
}

#[test]
fn who_stands_in_fills_lists_and_teams_of_the_principal_and_no_role() {
    let named = Who {
        people: vec![id("ben")],
        ..Who::default()
    };
    let role = Who {
        role: Some(Role::Manager),
        ..Who::default()
    };
    for (who, fills) in [(named, true), (of_team("payments"), true), (role, false)] {
        let case = stood_in().under(vec![rule("one", vec![ask(1, who.clone())])]);
        let li = person("li", SENIOR);
        assert_eq!(
            case.may_stand_in(&li, id("ben"), NOW).is_ok(),
            fills,
            "{who:?}"
        );
        let judged = case.judged();
        let need = &judged.needs()[0];
        assert_eq!(names(need).contains(&"li"), fills, "{who:?}");
    }
}

#[test]
fn nobody_stands_in_below_the_level_for_a_contributor_or_after_the_end() {
    let refused = |case: &Case, level, now| {
        let li = person("li", level);
        case.may_stand_in(&li, id("ben"), now).map(|_| ()).err()
    };
    let case = stood_in();
    assert_eq!(refused(&case, SENIOR, NOW), None);
    let too_low = Some(Problem::LevelTooLow {
        known: Some(Level::Mid),
        needed: Level::Senior,
    });
    assert_eq!(refused(&case, Some(Level::Mid), NOW), too_low);
    let for_a_mid =
        self::case()
            .by("ana", None)
            .stood_in("li", "ben", Some(Level::Mid), &["payments"]);
    assert_eq!(
        refused(&for_a_mid, SENIOR, NOW),
        too_low,
        "nor for one who is below it"
    );
    let ended = NOW + Duration::DAY;
    let stale = person("li", SENIOR);
    assert_eq!(
        case.may_stand_in(&stale, id("ben"), ended).err(),
        Some(Problem::NoStandIn)
    );
    let his = stood_in().by_unproved("ben");
    assert_eq!(
        refused(&his, SENIOR, NOW),
        Some(Problem::PrincipalContributed)
    );
    let hers = stood_in().by_unproved("li");
    let barred = refused(&hers, SENIOR, NOW);
    assert!(
        matches!(barred, Some(Problem::Contributor(_))),
        "{barred:?}"
    );
    let zoes = case.may_stand_in(&person("li", SENIOR), id("zoe"), NOW);
    assert_eq!(zoes.err(), Some(Problem::NoStandIn));
}

#[test]
fn an_approval_ends_when_whoever_was_stood_in_for_turns_out_to_be_a_contributor() {
    let case = stood_in()
        .under(vec![rule("one", vec![ask(1, of_team("payments"))])])
        .approved_by("li")
        .as_one(SENIOR, &["payments"])
        .for_another("ben");
    assert_eq!(case.word(), Word::Approved);
    assert_eq!(case.by_unproved("ben").word(), Word::Waiting);
}

#[test]
fn who_stands_in_is_named_until_it_ends() {
    let case = stood_in();
    let named = |now| {
        let judged = case.verdict(now);
        let need = &judged.needs()[0];
        (names(need).join(" "), need.eligible)
    };
    assert_eq!(named(NOW), ("zoe li".to_owned(), 2));
    assert_eq!(named(NOW + Duration::DAY), ("zoe".to_owned(), 1));
    let spent = case
        .clone()
        .approved_by("ben")
        .as_one(SENIOR, &["payments"]);
    assert_eq!(
        names(&spent.judged().needs()[0]),
        ["zoe"],
        "his place is filled"
    );
}

#[test]
fn whoever_is_stood_in_for_does_not_pay_for_an_override_of_their_own() {
    let overridden = |who: &str| {
        let case = stood_in().overridden_by("ben").approved_by("li");
        match case.as_one(SENIOR, &["payments"]).for_another(who).judged() {
            Verdict::Overridden(glass) => glass.review,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(overridden("ben"), Debt::Due(_)));
    assert!(matches!(overridden("zoe"), Debt::PaidBy(_)));
}
