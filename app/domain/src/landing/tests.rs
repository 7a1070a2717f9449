//! What a change became: claims that hold and that do not, and what a gate makes of them.

use super::*;
use crate::{
    case::Case,
    ids::{ChangeId, RevisionId},
    testing::{NOW, case},
    verdict::Word,
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
        onto: Some(sha(ONTO)),
        found: Found {
            change: ChangeId(Uuid::from_u128(change)),
            ..Found::of(case)
        },
    }
}

fn ask(sources: Vec<Source>) -> Answer {
    landed(vec![], sources, &Policy::built_in(), NOW)
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
        assert_eq!(via.onto, [sha(ONTO)]);
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

#[test]
fn a_policy_that_asks_for_proof_lets_nothing_pass_by_the_word_of_a_host_alone() {
    let mut strict = Policy::built_in();
    strict.document.landing.evidence = Evidence::Tree;
    let ask = |found: &[&Case], sources| {
        let found = found.iter().map(|case| Found::of(case)).collect();
        let answer = landed(found, sources, &strict, NOW);
        let code = answer.reasons.first().map(|reason| reason.code);
        (
            answer.allow,
            answer.verdict,
            code == Some("landing_unproved"),
        )
    };
    let approved = case().by("ana", None).approved_by("ben");
    let rejected = another(2).rejected_by("ben");
    let by = |evidence| source(1, &approved, evidence);
    let (passes, unproved) = ((true, Word::Approved, false), (false, Word::Unheard, true));
    assert_eq!(ask(&[], vec![by(Evidence::Host)]), unproved);
    assert_eq!(ask(&[], vec![by(Evidence::Tree)]), passes);
    let both = [Evidence::Host, Evidence::Tree].map(by);
    assert_eq!(ask(&[], both.to_vec()), passes, "proof may come later");
    assert_eq!(ask(&[], both.into_iter().rev().collect()), passes);
    let host_says = source(2, &rejected, Evidence::Host);
    assert_eq!(
        ask(&[], vec![by(Evidence::Tree), host_says.clone()]),
        (false, Word::Rejected, false),
        "it can still say no"
    );
    assert_eq!(
        ask(
            &[&approved],
            vec![source(3, &another(3).approved_by("ben"), Evidence::Host)]
        ),
        passes
    );
    assert_eq!(ask(&[], vec![host_says]), (false, Word::Rejected, false));
}

#[test]
fn who_proposes_what_was_shipped_hides_nothing_of_what_it_came_from() {
    let approved = case().by("ana", None).approved_by("ben");
    let rejected = case().by("ana", None).rejected_by("ben");
    let ask = |theirs: Case, ours: &Case| {
        let sources = vec![source(1, ours, Evidence::Tree)];
        landed(vec![Found::of(&theirs)], sources, &Policy::built_in(), NOW)
    };
    let answer = ask(another(999).approved_by("ben"), &rejected);
    assert_eq!((answer.allow, answer.verdict), (false, Word::Rejected));
    assert_eq!(
        (answer.changes.len(), answer.via.unwrap().digests.len()),
        (2, 1)
    );
    let open = ask(another(999), &approved);
    assert_eq!((open.allow, open.verdict), (false, Word::Waiting));
    let mut closed = another(999);
    closed.change.state = crate::change::ChangeState::Closed;
    assert!(ask(closed.clone(), &approved).allow);
    let answer = ask(closed.rejected_by("ben"), &approved);
    assert_eq!((answer.allow, answer.verdict), (false, Word::Rejected));
}

/// That the revision of this case has a commit below this head.
fn within(case: &Case, head: u32) -> Within {
    Within {
        change: case.change.id,
        revision: case.revision.id,
        head: sha(head),
    }
}

/// The answer about a head that these revisions have, of as many changes.
fn of(cases: &[&Case]) -> Answer {
    let found = cases.iter().map(|case| Found::of(case)).collect();
    answer(found, &Policy::built_in(), NOW)
}

/// A case of a change of its own.
fn another(number: u128) -> Case {
    let mut case = case().by("ana", None);
    case.change.id = ChangeId(Uuid::from_u128(number));
    case.revision.id = RevisionId(Uuid::from_u128(number));
    case
}

/// The answer about 8 where 9 is asked about with it.
fn with(top: &Answer, lower: &Answer, above: &[Within]) -> Answer {
    let below = HashMap::from([(sha(8), above.to_vec())]);
    let asked = vec![(sha(8), lower.clone()), (sha(9), top.clone())];
    let mut answers = together(asked, &below);
    assert_eq!(answers[1], *top, "what it stands below is what it was");
    answers.remove(0)
}

#[test]
fn what_stands_below_a_commit_passes_with_it_and_never_without() {
    let case = case().by("ana", None);
    let approved = case.clone().approved_by("ben");
    let (top, unheard) = (of(&[&approved]), of(&[]));
    let passes = with(&top, &unheard, &[within(&case, 9)]);
    assert!(passes.allow);
    let via = passes.via.unwrap();
    assert_eq!(via.origin, Origin::Part);
    assert_eq!(via.digests, [top.changes[0].found.standing.digest]);
    assert_eq!(passes.verdict, top.verdict);
    assert!(passes.reasons[0].sentence.contains(sha(9).as_str()));
    for (top, above) in [
        (of(&[&case]), vec![within(&case, 9)]),
        (top.clone(), vec![]),
        (top, vec![within(&case, 6)]),
    ] {
        assert_eq!(with(&top, &unheard, &above), unheard);
    }
}

#[test]
fn what_stands_below_a_head_passes_only_by_the_revision_that_lets_the_head_pass() {
    let approved = case().by("ana", None).approved_by("ben");
    let mut theirs = another(999);
    let by_theirs = [within(&theirs, 9)];
    let unheard = of(&[]);
    let asked_for_main = of(&[&approved]);
    assert_eq!(with(&asked_for_main, &unheard, &by_theirs), unheard);
    theirs.change.state = crate::change::ChangeState::Closed;
    let closed = of(&[&approved, &theirs]);
    assert!(closed.allow);
    assert_eq!(with(&closed, &unheard, &by_theirs), unheard);
    let both = [by_theirs[0].clone(), within(&approved, 9)];
    assert!(with(&closed, &unheard, &both).allow, "by the other one");
    let mut of_another_base = approved.clone();
    of_another_base.revision.id = RevisionId(Uuid::from_u128(3));
    let other_revision = [within(&of_another_base, 9)];
    assert_eq!(with(&asked_for_main, &unheard, &other_revision), unheard);
}

#[test]
fn what_stands_below_a_head_may_have_been_refused_to_the_same_change_but_not_to_another() {
    let before = case().by("ana", None);
    let approved = before.clone().pushed().approved_by("ben");
    let above = [within(&approved, 9)];
    let top = of(&[&approved]);
    for earlier in [before.clone(), before.clone().rejected_by("ben")] {
        let answer = with(&top, &of(&[&earlier]), &above);
        assert!(answer.allow, "who approved the later one read all of it");
    }
    for theirs in [another(999), another(999).rejected_by("ben")] {
        let lower = of(&[&theirs]);
        assert_eq!(with(&top, &lower, &above), lower);
        let lower = of(&[&before, &theirs]);
        assert_eq!(with(&top, &lower, &above), lower);
    }
}
