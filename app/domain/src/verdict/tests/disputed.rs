//! A mark that somebody says is wrong: who may say so, who decides, and when it counts again.

use super::*;
use crate::{problem::Problem, provenance::Tool, testing::person};

fn marked() -> Case {
    case().by("ana", Some(Level::Junior)).marked_once()
}

fn disputed() -> Case {
    marked().said_of(1, "ana", Kind::DisputeMark)
}

fn proposes(case: &Case, who: &str, kind: Kind, mark: Option<i32>) -> Result<(), Problem> {
    let level = (who != "ana").then_some(Level::Senior);
    let proposed = Proposed {
        mark,
        ..case.proposed(kind, "because")
    };
    let seq = i32::try_from(case.decisions.len()).unwrap() + 1;
    case.decide(&person(who, level), proposed, seq, NOW)
        .map(|_| ())
}

#[test]
fn a_dispute_alone_changes_nothing_and_a_seniors_word_ends_the_mark() {
    assert_eq!(disputed().marked(), Provenance::Assisted);
    let wrong = disputed().said_of(1, "ben", Kind::MarkWrong);
    assert_eq!(wrong.marked(), Provenance::Unknown);
    assert_eq!(wrong.word(), Word::Waiting, "no mark is unknown, not human");
    let human = wrong.said("ben", Kind::Human);
    assert_eq!(human.word(), Word::NotRequired);
    let another = Case {
        provenance: Provenance::Assisted,
        ..human
    };
    assert_eq!(another.word(), Word::Waiting, "another mark came later");
}

#[test]
fn a_mark_that_was_found_wrong_counts_again_when_the_word_does_not() {
    let wrong = disputed().said_of(1, "ben", Kind::MarkWrong);
    for (case, why) in [
        (wrong.clone().withdrawn_by("ben"), "taken back"),
        (wrong.clone().rejected_by("ben"), "rejected since"),
        (wrong.clone().by_unproved("ben"), "by a contributor"),
        (
            disputed()
                .said_of(1, "mika", Kind::MarkWrong)
                .as_one(Some(Level::Mid), &[]),
            "by somebody below senior",
        ),
        (
            disputed().said_of(1, "ben", Kind::MarkStands),
            "it was let stand",
        ),
        (wrong.clone().pushed(), "of another revision"),
    ] {
        assert_eq!(case.marked(), Provenance::Assisted, "{why}");
    }
    let not_theirs = wrong.withdrawn_by("ana");
    assert_eq!(not_theirs.marked(), Provenance::Unknown, "it was decided");
}

#[test]
fn whoever_disputes_a_mark_does_not_decide_about_it_and_no_contributor_does() {
    let by_ben = marked().said_of(1, "ben", Kind::DisputeMark);
    for kind in [Kind::MarkWrong, Kind::MarkStands] {
        let own = proposes(&by_ben, "ben", kind, Some(1));
        assert_eq!(own, Err(Problem::NoMarkToDecide));
        assert_eq!(proposes(&by_ben, "li", kind, Some(1)), Ok(()));
        let below = proposes(&by_ben, "ana", kind, Some(1));
        assert!(matches!(below, Err(Problem::LevelTooLow { .. })));
        let contributor = proposes(&by_ben.clone().by_unproved("li"), "li", kind, Some(1));
        assert!(matches!(contributor, Err(Problem::Contributor(_))));
        let undisputed = proposes(&marked(), "li", kind, Some(1));
        assert_eq!(undisputed, Err(Problem::NoMarkToDecide));
    }
}

#[test]
fn a_mark_is_disputed_once_by_anybody_and_only_if_it_is_there() {
    let nothing = Err(Problem::NoMarkToDispute);
    for mark in [None, Some(0), Some(2)] {
        let refused = proposes(&marked(), "ana", Kind::DisputeMark, mark);
        assert_eq!(refused, nothing, "{mark:?}");
    }
    let disputes = |case: &Case| proposes(case, "ana", Kind::DisputeMark, Some(1));
    assert_eq!(disputes(&marked()), Ok(()));
    assert_eq!(disputes(&disputed()), nothing);
    let wrong = disputed().said_of(1, "ben", Kind::MarkWrong);
    assert_eq!(disputes(&wrong), nothing, "that would bring it back");
    let stands = disputed().said_of(1, "ben", Kind::MarkStands);
    assert_eq!(disputes(&stands), Ok(()));
    let unsaid = Proposed {
        mark: Some(1),
        ..marked().proposed(Kind::DisputeMark, " ")
    };
    let refused = marked().decide(&person("ana", None), unsaid, 1, NOW);
    assert_eq!(refused, Err(Problem::ReasonNeeded));
}

#[test]
fn a_rule_about_a_tool_reads_the_marks_that_stand() {
    let tools = |case: &Case| {
        let mut case = case.clone();
        case.policy.document.rules[0].when.tool = vec![Tool::ClaudeCode];
        case.applying().any(|(position, _)| position == 0)
    };
    assert!(tools(&disputed()));
    assert!(!tools(&disputed().said_of(1, "ben", Kind::MarkWrong)));
}
