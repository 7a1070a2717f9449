//! What a submission means for a change that may be known already.

use crate::{
    digest::PatchHash,
    ids::RevisionId,
    names::{Branch, CommitSha},
};

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    pub target: Branch,
    pub merge_base: CommitSha,
    pub head: CommitSha,
    pub patch: PatchHash,
    /// Whether it asks to be the current revision even though its head is known: a force-push back.
    pub make_current: bool,
}

/// A revision that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRevision {
    pub id: RevisionId,
    pub target: Branch,
    pub merge_base: CommitSha,
    pub head: CommitSha,
    pub patch: PatchHash,
    pub current: bool,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    New {
        current: bool,
    },
    Known {
        revision: RevisionId,
        becomes_current: bool,
    },
    /// Another patch for a target, merge base and head that are known: refused, recorded, and shown.
    Differs {
        revision: RevisionId,
    },
}

/// Without a code host a new head becomes current. A late retry of an old head must not turn a change back, so a head that
/// is known, or that the current revision contains, becomes current only when asked; but the current head retargeted, or over another merge base, is another
/// revision at once, or an approval for one branch would open another. `is_behind` says that the current revision has
/// this head among its commits: two pipelines finished in another order than they began.
#[must_use]
pub fn arrive(known: &[KnownRevision], submitted: &Submitted, is_behind: bool) -> Arrival {
    let same = |r: &&KnownRevision| {
        r.target == submitted.target
            && r.merge_base == submitted.merge_base
            && r.head == submitted.head
    };
    if let Some(revision) = known.iter().find(same) {
        return again(revision, submitted);
    }
    let mut with_this_head = known
        .iter()
        .filter(|revision| revision.head == submitted.head)
        .peekable();
    let is_past = with_this_head.peek().is_some() || is_behind;
    let is_current = with_this_head.any(|revision| revision.current);
    Arrival::New {
        current: !is_past || is_current || submitted.make_current,
    }
}

fn again(revision: &KnownRevision, submitted: &Submitted) -> Arrival {
    if revision.patch != submitted.patch {
        return Arrival::Differs {
            revision: revision.id,
        };
    }
    Arrival::Known {
        revision: revision.id,
        becomes_current: submitted.make_current && !revision.current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn submitted(target: &str, base: &str, head: &str, patch: &[u8]) -> Submitted {
        Submitted {
            target: Branch::parse(target).unwrap(),
            merge_base: CommitSha::parse(base.repeat(40)).unwrap(),
            head: CommitSha::parse(head.repeat(40)).unwrap(),
            patch: PatchHash::of(patch),
            make_current: false,
        }
    }

    fn known(id: u128, of: Submitted, current: bool) -> KnownRevision {
        let Submitted {
            target,
            merge_base,
            head,
            patch,
            ..
        } = of;
        KnownRevision {
            id: RevisionId(Uuid::from_u128(id)),
            target,
            merge_base,
            head,
            patch,
            current,
        }
    }

    fn arrive(known: &[KnownRevision], submitted: &Submitted) -> Arrival {
        super::arrive(known, submitted, false)
    }

    fn two_heads() -> Vec<KnownRevision> {
        vec![
            known(1, submitted("main", "a", "1", b"x"), false),
            known(2, submitted("main", "a", "2", b"y"), true),
        ]
    }

    #[test]
    fn the_first_and_every_new_head_become_current() {
        assert_eq!(
            arrive(&[], &submitted("main", "a", "1", b"x")),
            Arrival::New { current: true }
        );
        assert_eq!(
            arrive(&two_heads(), &submitted("main", "a", "3", b"z")),
            Arrival::New { current: true }
        );
    }

    #[test]
    fn the_same_again_is_nothing_new_and_a_late_retry_does_not_turn_back() {
        let retry = submitted("main", "a", "1", b"x");
        let first = RevisionId(Uuid::from_u128(1));
        assert_eq!(
            arrive(&two_heads(), &retry),
            Arrival::Known {
                revision: first,
                becomes_current: false
            }
        );
        let forced_back = Submitted {
            make_current: true,
            ..retry
        };
        assert_eq!(
            arrive(&two_heads(), &forced_back),
            Arrival::Known {
                revision: first,
                becomes_current: true
            }
        );
    }

    #[test]
    fn the_current_head_retargeted_or_over_another_base_is_the_current_revision() {
        assert_eq!(
            arrive(&two_heads(), &submitted("release", "a", "2", b"y")),
            Arrival::New { current: true }
        );
        assert_eq!(
            arrive(&two_heads(), &submitted("main", "b", "2", b"w")),
            Arrival::New { current: true }
        );
    }

    #[test]
    fn an_old_head_retargeted_is_recorded_but_not_current() {
        assert_eq!(
            arrive(&two_heads(), &submitted("release", "a", "1", b"x")),
            Arrival::New { current: false }
        );
    }

    #[test]
    fn a_head_that_the_current_revision_contains_arrives_late_and_turns_nothing_back() {
        let late = submitted("main", "a", "3", b"z");
        assert_eq!(
            super::arrive(&two_heads(), &late, true),
            Arrival::New { current: false }
        );
        let forced_back = Submitted {
            make_current: true,
            ..late
        };
        assert_eq!(
            super::arrive(&two_heads(), &forced_back, true),
            Arrival::New { current: true }
        );
    }

    #[test]
    fn another_patch_for_the_same_three_differs() {
        let differs = arrive(&two_heads(), &submitted("main", "a", "2", b"other"));
        assert_eq!(
            differs,
            Arrival::Differs {
                revision: RevisionId(Uuid::from_u128(2))
            }
        );
    }
}
