//! What a change became: claims that hold and that do not, and what a gate makes of them.

use super::*;
use crate::{
    case::Case,
    ids::{ChangeId, RevisionId},
    testing::{NOW, case},
};
use uuid::Uuid;

fn sha(number: u32) -> CommitSha {
    CommitSha::parse(format!("{number:040x}")).unwrap()
}

fn commit(number: u32, parents: &[u32]) -> Landed {
    Landed {
        sha: sha(number),
        tree: sha(1000 + number),
        parents: parents.iter().map(|&parent| sha(parent)).collect(),
    }
}

const ONTO: u32 = 1;
const HEAD: u32 = 7;

fn claim(kind: Kind, commits: Vec<Landed>) -> Claim {
    Claim {
        kind,
        tree: commits.first().map_or(sha(0), |last| last.tree.clone()),
        commits,
        onto: sha(ONTO),
    }
}

#[test]
fn a_claim_holds_where_parents_and_tree_say_so() {
    for claim in [
        claim(Kind::Merge, vec![commit(9, &[ONTO, HEAD])]),
        claim(Kind::Squash, vec![commit(9, &[ONTO])]),
        claim(Kind::Rebase, vec![commit(9, &[8]), commit(8, &[ONTO])]),
    ] {
        assert_eq!(claim.check(&sha(HEAD)), Ok(()), "{claim:?}");
        let another_tree = Claim {
            tree: sha(0),
            ..claim
        };
        assert_eq!(another_tree.check(&sha(HEAD)), Err(NotThat::AnotherTree));
    }
}

#[test]
fn a_claim_about_something_else_does_not() {
    for (claim, why) in [
        (claim(Kind::Squash, vec![]), NotThat::Nothing),
        (
            claim(Kind::Squash, vec![commit(HEAD, &[ONTO])]),
            NotThat::TheHead,
        ),
        (
            claim(Kind::Merge, vec![commit(9, &[ONTO])]),
            NotThat::NoMergeOfIt,
        ),
        (
            claim(Kind::Merge, vec![commit(9, &[ONTO, 6])]),
            NotThat::NoMergeOfIt,
        ),
        (
            claim(Kind::Merge, vec![commit(9, &[2, HEAD])]),
            NotThat::NoMergeOfIt,
        ),
        (
            claim(Kind::Merge, vec![commit(9, &[HEAD, ONTO])]),
            NotThat::NoMergeOfIt,
        ),
        (
            claim(Kind::Merge, vec![commit(9, &[ONTO, HEAD, 6])]),
            NotThat::NoMergeOfIt,
        ),
        (
            claim(
                Kind::Merge,
                vec![commit(9, &[ONTO, HEAD]), commit(8, &[ONTO])],
            ),
            NotThat::NoMergeOfIt,
        ),
        (claim(Kind::Squash, vec![commit(9, &[2])]), NotThat::NoLine),
        (claim(Kind::Squash, vec![commit(9, &[])]), NotThat::NoLine),
        (
            claim(Kind::Squash, vec![commit(9, &[ONTO, HEAD])]),
            NotThat::NoLine,
        ),
        (
            claim(Kind::Squash, vec![commit(9, &[8]), commit(8, &[ONTO])]),
            NotThat::NoLine,
        ),
        (
            claim(Kind::Rebase, vec![commit(9, &[6]), commit(8, &[ONTO])]),
            NotThat::NoLine,
        ),
        (
            claim(Kind::Rebase, vec![commit(9, &[8]), commit(8, &[2])]),
            NotThat::NoLine,
        ),
    ] {
        assert_eq!(claim.check(&sha(HEAD)), Err(why), "{claim:?}");
    }
}

fn source(change: u128, case: &Case, evidence: Evidence) -> Source {
    Source {
        kind: Kind::Squash,
        evidence,
        found: Found {
            change: ChangeId(Uuid::from_u128(change)),
            ..Found::of(case)
        },
    }
}

fn ask(sources: Vec<Source>) -> Answer {
    landed(sources, &Policy::built_in(), NOW)
}

#[test]
fn what_a_change_became_gets_what_its_head_would_get() {
    let by_ana = case().by("ana", None);
    for case in [
        by_ana.clone(),
        by_ana.clone().approved_by("ben"),
        by_ana.clone().rejected_by("ben"),
        by_ana.overridden_by("ben"),
    ] {
        let alone = answer(vec![Found::of(&case)], &Policy::built_in(), NOW);
        let answer = ask(vec![Source {
            found: Found::of(&case),
            ..source(1, &case, Evidence::Tree)
        }]);
        let via = answer.via.clone().unwrap();
        assert_eq!(via.digests, [Found::of(&case).standing.digest]);
        assert_eq!(via.origin, Origin::Landed(Kind::Squash, Evidence::Tree));
        assert_eq!(
            Answer {
                via: None,
                ..answer
            },
            alone
        );
    }
}

#[test]
fn what_nothing_became_is_unheard_of() {
    let answer = ask(vec![]);
    assert_eq!(
        (answer.allow, answer.verdict, answer.via),
        (false, Word::Unheard, None)
    );
}

#[test]
fn every_change_that_became_it_has_to_pass_and_the_weaker_evidence_is_named() {
    let approved = case().by("ana", None).approved_by("ben");
    let waiting = case().by("ana", None);
    let answer = ask(vec![
        source(1, &approved, Evidence::Tree),
        source(2, &waiting, Evidence::Host),
    ]);
    assert_eq!((answer.allow, answer.verdict), (false, Word::Waiting));
    let via = answer.via.unwrap();
    assert_eq!(via.origin, Origin::Landed(Kind::Squash, Evidence::Host));
    assert_eq!(via.digests.len(), 2);
}

fn within(head: u32) -> Vec<Within> {
    vec![Within {
        change: ChangeId(Uuid::from_u128(1)),
        revision: RevisionId(Uuid::from_u128(2)),
        head: sha(head),
    }]
}

#[test]
fn what_stands_below_a_commit_passes_with_it_and_never_without() {
    let of = |case: &Case| answer(vec![Found::of(case)], &Policy::built_in(), NOW);
    let unheard = answer(vec![], &Policy::built_in(), NOW);
    let approved = of(&case().by("ana", None).approved_by("ben"));
    let waiting = of(&case().by("ana", None));
    let rejected = of(&case().by("ana", None).rejected_by("ben"));
    let below = HashMap::from([(sha(8), within(9))]);
    for (top, lower, below, allow) in [
        (&approved, &unheard, &below, true),
        (&waiting, &unheard, &below, false),
        (&approved, &unheard, &HashMap::new(), false),
        (
            &approved,
            &unheard,
            &HashMap::from([(sha(8), within(6))]),
            false,
        ),
        // Whoever rejected this very commit, or has yet to read it, did not mean it to pass inside another.
        (&approved, &rejected, &below, false),
        (&approved, &waiting, &below, false),
    ] {
        let asked = vec![(sha(8), lower.clone()), (sha(9), top.clone())];
        let answers = together(asked, below);
        assert_eq!(answers[0].allow, allow);
        assert_eq!(answers[1], *top, "what it stands below is what it was");
        if allow {
            let via = answers[0].via.as_ref().unwrap();
            assert_eq!(via.origin, Origin::Part);
            assert_eq!(via.digests, [top.changes[0].found.standing.digest]);
            assert_eq!(answers[0].verdict, top.verdict);
            assert!(answers[0].reasons[0].sentence.contains(sha(9).as_str()));
        } else {
            assert_eq!(answers[0], *lower);
        }
    }
}
