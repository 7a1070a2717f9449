//! Who may decide, and what becomes of a form.

use super::*;
use crate::{
    change::ChangeState,
    decision::Reason,
    digest::PatchHash,
    host::Host,
    people::{Granted, Source},
    policy::Who,
    testing::{MAX_AGE, NOW, ask, case, id, of_team, person, rule, senior},
    verdict::Word,
};

#[test]
fn a_senior_who_is_no_contributor_may_approve_and_reject() {
    let case = case().by("ana", Some(Level::Junior));
    for kind in [Kind::Approve, Kind::Reject, Kind::Override] {
        assert!(
            case.may_decide(&senior("ben"), kind, NOW).is_ok(),
            "{kind:?}"
        );
    }
}

#[test]
fn whoever_had_a_hand_in_it_may_not() {
    let case = case().by_unproved("ben");
    for kind in [Kind::Approve, Kind::Reject] {
        assert_eq!(
            case.may_decide(&senior("ben"), kind, NOW),
            Err(Problem::Contributor(Role::Author))
        );
    }
    let breaks_the_glass = case.may_decide(&senior("ben"), Kind::Override, NOW);
    assert!(breaks_the_glass.is_ok(), "{breaks_the_glass:?}");
}

#[test]
fn each_place_that_somebody_may_fill_for_another_is_offered_once() {
    let payments = &["payments"][..];
    let case = case()
        .under(vec![rule("one", vec![ask(1, of_team("payments"))])])
        .stood_in("li", "ben", Some(Level::Senior), payments)
        .stood_in("li", "ben", Some(Level::Senior), payments)
        .stood_in("li", "cleo", Some(Level::Senior), &["platform"])
        .stood_in("mika", "ben", Some(Level::Senior), payments);
    let places = |case: &Case, who: &str| -> Vec<PersonId> {
        let places = case.places(&senior(who), NOW);
        places.iter().map(|place| place.principal).collect()
    };
    assert_eq!(places(&case, "li"), [id("ben")]);
    assert_eq!(places(&case, "vera"), []);
    let mut alone = case.clone();
    alone.stand_ins.retain(|one| one.person == id("li"));
    assert_eq!(places(&alone, "li"), [id("ben")]);
    assert_eq!(places(&alone, "mika"), []);
    assert_eq!(places(&case.by_unproved("ben"), "li"), []);
}

#[test]
fn nobody_stands_in_for_who_may_not_see_the_change() {
    let case = case().stood_in("li", "ben", Some(Level::Senior), &["platform"]);
    let may = |case: &Case| case.may_stand_in(&senior("li"), id("ben"), NOW);
    assert!(may(&case).is_ok());
    let hidden = case.read_by("payments");
    assert!(hidden.may_decide(&senior("li"), Kind::Approve, NOW).is_ok());
    assert_eq!(may(&hidden), Err(Problem::NoStandIn));
}

#[test]
fn a_bots_change_is_its_own_until_anybody_else_is_known_to_have_had_a_hand_in_it() {
    let mut case = case().by_unknown("bot");
    case.contributors[0].contributor.login = Some("dependabot[bot]".to_owned());
    assert_eq!(case.automation(), None);
    case.bot = Some(Bot::new(Host::GitHub, 49_699_333, "Dependabot[bot]"));
    assert_eq!(case.automation(), Some("github:49699333"));
    assert_eq!(case.by_unknown("mallory").automation(), None);
}

#[test]
fn a_tie_that_was_taken_back_bars_nobody() {
    let case = case().by_unproved("ben");
    let may = |case: &Case| case.may_decide(&senior("ben"), Kind::Approve, NOW);
    assert!(may(&case).is_err());
    assert!(may(&case.unlinked("ben")).is_ok());
}

#[test]
fn who_may_not_see_it_decides_nothing_and_is_not_asked() {
    let case = case()
        .by("ana", Some(Level::Junior))
        .with("vera", Some(Level::Senior), &["vault"])
        .read_by("vault");
    for kind in Kind::ALL {
        let refused = case.may_decide(&senior("ben"), kind, NOW);
        assert_eq!(refused, Err(Problem::NotFound), "{kind:?}");
    }
    let mut vera = senior("vera");
    vera.teams[0].value = "vault".to_owned();
    assert!(case.may_decide(&vera, Kind::Approve, NOW).is_ok());
    assert_eq!(case.judged().needs()[0].people, ["vera".into()]);
    vera.signed_in = None;
    assert_eq!(
        case.may_decide(&vera, Kind::Approve, NOW),
        Err(Problem::NotFound),
        "what was confirmed too long ago shows nothing"
    );
    assert_eq!(
        case.approved_by("ben").word(),
        Word::Approved,
        "what was decided stands"
    );
}

#[test]
fn a_need_that_nobody_may_see_says_so() {
    let hidden = case().by("ana", Some(Level::Junior)).read_by("vault");
    let need = hidden.judged().needs()[0].clone();
    assert_eq!((need.eligible, need.people.len()), (0, 0));
    assert_eq!(
        need.nobody().unwrap(),
        "None of the 2 seniors there are may see this repository. An admin says which teams do."
    );
}

#[test]
fn people_below_senior_may_not() {
    let case = case();
    let mika = person("mika", Some(Level::Mid));
    assert_eq!(
        case.may_decide(&mika, Kind::Approve, NOW),
        Err(Problem::LevelTooLow {
            known: Some(Level::Mid),
            needed: Level::Senior
        })
    );
    let grace = person("grace", None);
    assert_eq!(
        case.may_decide(&grace, Kind::Reject, NOW),
        Err(Problem::LevelTooLow {
            known: None,
            needed: Level::Senior
        })
    );
}

#[test]
fn a_level_that_was_last_told_too_long_ago_grants_nothing() {
    let late = NOW + MAX_AGE;
    assert_eq!(
        case().may_decide(&senior("ben"), Kind::Approve, late),
        Err(Problem::LevelStale)
    );
    let mut by_hand = senior("ben");
    by_hand.levels = vec![Granted {
        value: Level::Senior,
        source: Source::Operator,
    }];
    assert!(case().may_decide(&by_hand, Kind::Approve, late).is_ok());
}

#[test]
fn somebody_inactive_may_not_even_withdraw() {
    let mut ben = senior("ben");
    ben.active = false;
    let case = case().rejected_by("ben");
    for kind in Kind::ALL {
        assert_eq!(case.may_decide(&ben, kind, NOW), Err(Problem::Inactive));
    }
}

#[test]
fn one_withdraws_only_what_one_said() {
    assert_eq!(
        case().may_decide(&senior("ben"), Kind::Withdraw, NOW),
        Err(Problem::NothingToWithdraw)
    );
    assert!(
        case()
            .rejected_by("ben")
            .may_decide(&person("ben", None), Kind::Withdraw, NOW)
            .is_ok(),
        "also after a demotion"
    );
    let twice = case().rejected_by("ben").withdrawn_by("ben");
    assert_eq!(
        twice.may_decide(&senior("ben"), Kind::Withdraw, NOW),
        Err(Problem::NothingToWithdraw)
    );
}

#[test]
fn what_is_closed_is_not_decided_and_what_is_merged_can_still_be_stopped_or_cleared() {
    let mut case = case();
    case.change.state = ChangeState::Closed;
    for kind in [Kind::Approve, Kind::Reject, Kind::Override] {
        assert_eq!(
            case.may_decide(&senior("ben"), kind, NOW),
            Err(Problem::NotOpen)
        );
        case.change.state = ChangeState::Merged;
        assert!(case.may_decide(&senior("ben"), kind, NOW).is_ok());
        case.change.state = ChangeState::Closed;
    }
}

#[test]
fn what_a_message_says_lowers_a_level_and_never_gives_one() {
    for hearsay in [Role::CoAuthor, Role::Requester] {
        let mut agents = case().by("ben", Some(Level::Senior));
        agents.contributors[0].contributor.role = hearsay;
        assert_eq!(agents.level(), None);
        assert_eq!(agents.role_of(id("ben")), Some(hearsay), "it bars");
        let with_a_senior = agents.by("li", Some(Level::Senior));
        assert_eq!(with_a_senior.level(), Some(Level::Senior));
        let with_a_junior = with_a_senior.by("ana", Some(Level::Junior));
        assert_eq!(with_a_junior.level(), Some(Level::Junior));
        let mut asked_by_a_junior = case()
            .by("ben", Some(Level::Senior))
            .by("ana", Some(Level::Junior));
        asked_by_a_junior.contributors[1].contributor.role = hearsay;
        assert_eq!(asked_by_a_junior.level(), Some(Level::Junior));
    }
}

#[test]
fn a_disputed_patch_can_be_rejected_and_not_approved() {
    let mut case = case();
    case.revision.patch = Patch::Disputed;
    assert_eq!(
        case.may_decide(&senior("ben"), Kind::Approve, NOW),
        Err(Problem::PatchInDoubt)
    );
    assert_eq!(
        case.may_decide(&senior("ben"), Kind::Override, NOW),
        Err(Problem::PatchInDoubt)
    );
    assert!(case.may_decide(&senior("ben"), Kind::Reject, NOW).is_ok());
}

#[test]
fn a_decision_is_about_what_was_seen() {
    let shown = case().by("ana", None);
    let proposed = shown.proposed(Kind::Approve, "");
    let decision = shown
        .decide(&senior("ben"), proposed.clone(), 1, NOW)
        .unwrap();
    assert_eq!(
        (decision.digest, decision.level, decision.teams.as_slice()),
        (
            shown.revision.digest,
            Some(Level::Senior),
            &["payments".to_owned()][..]
        )
    );
    assert_eq!(
        shown.pushed().decide(&senior("ben"), proposed, 1, NOW),
        Err(Problem::ChangedSinceYouLooked)
    );
}

#[test]
fn an_older_revision_is_not_decided_even_if_it_was_seen() {
    let mut old = case();
    let proposed = old.proposed(Kind::Approve, "");
    old.change.head = case().pushed().revision.id;
    assert_eq!(
        old.decide(&senior("ben"), proposed, 1, NOW),
        Err(Problem::ChangedSinceYouLooked)
    );
}

#[test]
fn a_rejection_and_an_override_say_why() {
    let case = case();
    let rejected =
        |reason| case.decide(&senior("ben"), case.proposed(Kind::Reject, reason), 1, NOW);
    assert_eq!(rejected("  \n "), Err(Problem::ReasonNeeded));
    assert_eq!(
        rejected(" no test ").unwrap().reason,
        Reason::parse("no test").unwrap()
    );
    let overridden = |reason: &str, incident: Option<&str>| {
        let proposed = Proposed {
            incident: incident.map(str::to_owned),
            ..case.proposed(Kind::Override, reason)
        };
        case.decide(&senior("ben"), proposed, 1, NOW)
    };
    assert_eq!(
        overridden("payments are down", None),
        Err(Problem::IncidentNeeded)
    );
    assert_eq!(
        overridden("payments are down", Some(" ")),
        Err(Problem::IncidentNeeded)
    );
    assert_eq!(overridden("", Some("INC-1")), Err(Problem::ReasonNeeded));
    assert_eq!(
        overridden("payments are down", Some(" INC-1 "))
            .unwrap()
            .incident
            .as_deref(),
        Some("INC-1")
    );
}

#[test]
fn a_reason_is_bounded_and_an_approval_needs_none() {
    assert_eq!(
        Reason::parse(&"x".repeat(4001)),
        Err(Problem::ReasonTooLong)
    );
    assert!(Reason::parse(&"x".repeat(4000)).is_ok());
    assert_eq!(Reason::parse("a\0b\r\nc").unwrap().as_str(), "ab\nc");
    let case = case();
    assert!(
        case.decide(&senior("ben"), case.proposed(Kind::Approve, ""), 1, NOW)
            .is_ok()
    );
}

#[test]
fn an_admin_who_is_no_contributor_says_which_patch_is_true() {
    let case = case().by("ana", None);
    let mut grace = person("grace", None);
    grace.roles = vec![Granted {
        value: people::Role::Admin,
        source: Source::Claims,
    }];
    let mut revision = case.revision.clone();
    let may = |case: &Case, person: &Person, revision: &Revision, now| {
        case.may_settle(person, revision, now)
    };
    assert_eq!(
        may(&case, &grace, &revision, NOW),
        Err(Problem::NotDisputed)
    );
    revision.patch = Patch::Disputed;
    assert_eq!(may(&case, &grace, &revision, NOW), Ok(()));
    let stale = may(&case, &grace, &revision, NOW + MAX_AGE);
    assert_eq!(stale, Err(Problem::NotAllowed), "claims age");
    assert_eq!(
        may(&case, &senior("ben"), &revision, NOW),
        Err(Problem::NotAllowed)
    );

    let shown: Disputed = [PatchHash([1; 32])].into_iter().collect();
    let more: Disputed = [PatchHash([1; 32]), PatchHash([2; 32])]
        .into_iter()
        .collect();
    let settled = |open| case.settle(&grace, &revision, open, &shown, NOW);
    assert_eq!(settled(&shown), Ok(()));
    assert_eq!(settled(&more), Err(Problem::ChangedSinceYouLooked));
    assert_eq!(
        may(&case.by_unproved("grace"), &grace, &revision, NOW),
        Err(Problem::Contributor(Role::Author))
    );
}

#[test]
fn whoever_could_fill_a_need_may_approve_and_a_refusal_says_what_is_missing() {
    let rules = vec![rule("security", vec![ask(1, of_team("security"))])];
    let case = case().by("ana", None).under(rules);
    let mut sam = person("sam", None);
    assert_eq!(
        case.may_decide(&sam, Kind::Approve, NOW),
        Err(Problem::NotAsked)
    );
    assert_eq!(
        case.may_decide(&senior("ben"), Kind::Approve, NOW),
        Err(Problem::NotAsked),
        "a level is no team"
    );
    assert!(
        case.may_decide(&senior("ben"), Kind::Reject, NOW).is_ok(),
        "any senior may say no"
    );
    sam.teams[0].value = "security".to_owned();
    for kind in [Kind::Approve, Kind::Reject] {
        assert!(case.may_decide(&sam, kind, NOW).is_ok(), "{kind:?}");
    }
    assert_eq!(
        case.may_decide(&sam, Kind::Approve, NOW + MAX_AGE),
        Err(Problem::LevelStale),
        "teams age like levels"
    );
    let asks_for_mid = case.under(vec![rule("mid", vec![ask(1, Who::of_level(Level::Mid))])]);
    assert_eq!(
        asks_for_mid.may_decide(&sam, Kind::Approve, NOW),
        Err(Problem::LevelTooLow {
            known: None,
            needed: Level::Mid
        })
    );
    assert!(
        asks_for_mid
            .may_decide(&person("mika", Some(Level::Mid)), Kind::Approve, NOW)
            .is_ok()
    );
}

#[test]
fn where_no_rule_asks_a_senior_may_still_be_on_record() {
    let case = case().under(vec![]);
    assert!(case.may_decide(&senior("ben"), Kind::Approve, NOW).is_ok());
    let mika = person("mika", Some(Level::Mid));
    assert!(case.may_decide(&mika, Kind::Approve, NOW).is_err());
}

#[test]
fn the_policy_says_who_may_override() {
    let mut case = case().by("ana", None);
    case.policy.document.glass.by = vec![of_team("on-call")];
    assert_eq!(
        case.may_decide(&senior("ben"), Kind::Override, NOW),
        Err(Problem::NotAsked)
    );
    let mut zoe = person("zoe", None);
    zoe.teams[0].value = "on-call".to_owned();
    assert!(case.may_decide(&zoe, Kind::Override, NOW).is_ok());
}

#[test]
fn a_decision_records_what_somebody_was() {
    let mut ben = senior("ben");
    ben.roles = vec![Granted {
        value: people::Role::Admin,
        source: Source::Operator,
    }];
    let case = case();
    let proposed = case.proposed(Kind::Approve, "");
    let decision = case.decide(&ben, proposed, 1, NOW).unwrap();
    assert_eq!(decision.roles, [people::Role::Admin]);
}

/// Whom nobody knows, by name.
fn nobodys(case: &Case) -> Vec<String> {
    let names = case.unidentified().into_iter();
    names.map(|one| one.who.name.clone()).collect()
}

#[test]
fn whoever_calls_an_address_theirs_is_barred_and_its_author_stays_somebody_nobody_knows() {
    let claimed = case().by_own_word_of("mika");
    assert_eq!(claimed.role_of(id("mika")), Some(Role::Author), "it bars");
    assert_eq!(nobodys(&claimed), ["mika"], "and lifts nothing");
    assert_eq!(claimed.level(), None);
    let silent = claimed.proposed(Kind::Approve, "");
    let refused = claimed.decide(&senior("ben"), silent, 1, NOW);
    assert_eq!(refused, Err(Problem::SayNoneIsYou));
    let mut told = claimed.clone();
    told.contributors[0].ties[0].own_word = false;
    assert_eq!(nobodys(&told), [""; 0], "as soon as anybody else says so");
    let mut withdrawn = told.clone().unlinked("mika");
    let mut own = claimed.contributors[0].ties.clone();
    withdrawn.contributors[0].ties.append(&mut own);
    assert_eq!(nobodys(&withdrawn), ["mika"]);
}

#[test]
fn who_approves_says_that_they_are_none_of_those_whom_nobody_knows() {
    let case = case().by("ana", Some(Level::Junior)).by_stranger();
    assert_eq!(nobodys(&case), ["stranger"]);
    let decide = |proposed| case.decide(&senior("ben"), proposed, 1, NOW);
    let silent = case.proposed(Kind::Approve, "");
    assert_eq!(decide(silent.clone()), Err(Problem::SayNoneIsYou));
    let said = Proposed {
        none_of_these_is_me: true,
        ..silent
    };
    let approval = decide(said.clone()).unwrap();
    let named: Vec<&str> = approval
        .strangers
        .iter()
        .map(|one| &*one.who.name)
        .collect();
    assert_eq!(
        (approval.none_of_these_is_me, named),
        (true, vec!["stranger"])
    );
    let no = decide(case.proposed(Kind::Reject, "no test")).unwrap();
    assert!(!no.none_of_these_is_me, "a no is safe whoever says it");
    assert!(no.strangers.is_empty());
    let mut known = case.clone();
    known.contributors.pop();
    let approval = known.decide(&senior("ben"), said, 1, NOW).unwrap();
    assert!(
        !approval.none_of_these_is_me,
        "what nobody was asked is not on the record"
    );
}

#[test]
fn whom_a_withdrawn_link_leads_to_is_known_no_more_and_an_agent_is_nobody_to_ask_for() {
    let unlinked = case().by("ana", Some(Level::Junior)).unlinked("ana");
    assert_eq!(unlinked.unidentified().len(), 1);
    let mut twice = case().by_stranger().by_stranger();
    twice.contributors[1].contributor.role = Role::Committer;
    assert_eq!(twice.unidentified().len(), 1, "each once");
    twice.contributors[0].contributor.who.email = "noreply@anthropic.com".to_owned();
    assert_eq!(twice.unidentified().len(), 1, "an agent is no human");
}

#[test]
fn who_approved_before_may_say_that_they_read_what_changed_since_and_nobody_else_may() {
    let case = case().approved_by("ben").pushed();
    let since = |case: &Case, who: &str, number| {
        let proposed = Proposed {
            since: Some(number),
            ..case.proposed(Kind::Approve, "")
        };
        let seq = i32::try_from(case.decisions.len()).unwrap() + 1;
        let decision = case.decide(&senior(who), proposed, seq, NOW);
        decision.map(|decision| decision.since)
    };
    let refused = Err(Problem::NothingApprovedBefore);
    assert_eq!(since(&case, "ben", 1), Ok(Some(1)));
    assert_eq!(since(&case, "li", 1), refused, "that was Ben");
    for other in [0, 2, 3, -1, i32::MAX] {
        assert_eq!(since(&case, "ben", other), refused, "{other}");
    }
    let later = case.clone().approved_by("ben").pushed();
    assert_eq!(since(&later, "ben", 1), Ok(Some(1)));
    assert_eq!(since(&later, "ben", 2), Ok(Some(2)));
    let numbers = |case: &Case| -> Vec<i32> {
        let before = case.approved_before(id("ben"));
        before.iter().map(|one| one.revision_number).collect()
    };
    assert_eq!(numbers(&later), [2, 1], "the latest first");
    let taken_back = case.clone().withdrawn_by("ben");
    assert_eq!(since(&taken_back, "ben", 1), refused);
    assert_eq!(since(&case.rejected_by("ben"), "ben", 1), refused);
}

#[test]
fn a_rejection_is_about_the_whole_whatever_was_read() {
    let case = case().approved_by("ben").pushed();
    let proposed = Proposed {
        since: Some(1),
        ..case.proposed(Kind::Reject, "no test")
    };
    let no = case.decide(&senior("ben"), proposed, 2, NOW).unwrap();
    assert_eq!(no.since, None);
}
