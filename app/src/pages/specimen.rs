//! One change as a test needs it: whole, small, and easy to bend.

use std::sync::Arc;

use domain::{
    Timestamp,
    case::{Case, Known, Reviewer, Tie},
    change::{Change, ChangeState, Confirmed, Patch, Revision},
    commit::{Commit, Signature},
    contributor::{Contributor, Role},
    decision::{Decision, Kind, Reason, Recorded},
    digest::Digest,
    ids::{ChangeId, DecisionId, FormKey, PersonId, RepositoryId, RevisionId},
    names::{Branch, ChangeKey, CommitSha, RepositoryName},
    patch::split,
    people::{Granted, Groups, Level, Person, SignIn, Source},
    policy::{Mode, Policy},
    provenance::Provenance,
    readers::Readers,
};
use hydration_context::SsrSharedContext;
use leptos::prelude::*;
use leptos_meta::ServerMetaContext;
use time::{Duration, macros::datetime};
use uuid::Uuid;

use super::change::ChangePage;
use crate::{
    actions::Theme,
    components::{
        diff::{Lines, Room, Shown},
        exceptional::RareKeys,
        frame::Viewer,
    },
};

pub const NOW: Timestamp = datetime!(2026-11-24 14:20 UTC);
pub const ANA: PersonId = PersonId(Uuid::from_u128(1));
pub const BEN: PersonId = PersonId(Uuid::from_u128(2));

/// What a browser would get of a page.
pub fn html(show: impl FnOnce() -> AnyView) -> String {
    // An island with children asks for the context that hydration has.
    Owner::new_root(Some(Arc::new(SsrSharedContext::new()))).with(|| {
        let (meta, _output) = ServerMetaContext::new();
        provide_context(meta);
        leptos_meta::provide_meta_context();
        show().to_html()
    })
}

pub fn viewer(id: PersonId, name: &str, level: Level) -> Viewer {
    let granted = |value| Granted {
        value,
        source: Source::Claims,
    };
    let person = Person {
        id,
        name: name.to_owned(),
        active: true,
        levels: vec![granted(level)],
        teams: vec![Granted {
            value: "payments".to_owned(),
            source: Source::Claims,
        }],
        roles: vec![],
        accounts: vec![],
        signed_in: Some(SignIn {
            at: NOW,
            groups: Groups::Read,
        }),
    };
    let max_age = Duration::hours(12);
    Viewer {
        level: person.level(NOW, max_age),
        teams: person.teams(NOW, max_age),
        roles: person.roles(NOW, max_age),
        person,
        theme: Theme::System,
    }
}

pub fn ben() -> Viewer {
    viewer(BEN, "Ben Okonkwo", Level::Senior)
}

pub fn ana() -> Viewer {
    viewer(ANA, "Ana Sofía Echeverría-Montalbán", Level::Junior)
}

fn sha(digit: char) -> CommitSha {
    CommitSha::parse(digit.to_string().repeat(40)).unwrap()
}

pub fn revision(number: i32) -> Revision {
    Revision {
        id: RevisionId(Uuid::from_u128(100 + number as u128)),
        number,
        target: Branch::parse("main").unwrap(),
        merge_base: sha('b'),
        head: sha('9'),
        digest: Digest::parse(&format!("{number}1f0a996f53463af").repeat(4)).unwrap(),
        patch: Patch::Whole,
        files: 1,
        added: 1,
        removed: 1,
        arrived_at: NOW - Duration::hours(2),
    }
}

/// A junior's change with a tool's mark, which waits for a senior.
pub fn case() -> Case {
    let who = Signature {
        name: "Ana Sofía Echeverría-Montalbán".to_owned(),
        email: "ana@halden.example".to_owned(),
    };
    let tie = Tie {
        person: ANA,
        name: who.name.clone(),
        proved: true,
        level: Some(Level::Junior),
        own_word: false,
        until: None,
    };
    Case {
        change: Change {
            id: ChangeId(Uuid::from_u128(10)),
            repository: RepositoryId(Uuid::from_u128(11)),
            repository_name: RepositoryName::parse("acme/payments").unwrap(),
            key: ChangeKey::parse("142").unwrap(),
            title: "Retry settlement batches under one idempotency key".to_owned(),
            url: None,
            author: who.name.clone(),
            state: ChangeState::Open,
            draft: false,
            head: revision(3).id,
            created_at: NOW - Duration::hours(5),
            confirmed: Confirmed::Never,
        },
        revision: revision(3),
        provenance: Provenance::Assisted,
        tools: vec![],
        marks: 1,
        disputed: vec![],
        paths: vec![],
        labels: vec![],
        bot: None,
        contributors: vec![Known {
            contributor: Contributor {
                role: Role::ChangeAuthor,
                who,
                login: None,
                keys: vec![],
            },
            ties: vec![tie],
        }],
        decisions: vec![],
        reviewers: vec![Reviewer {
            id: BEN,
            name: "Ben Okonkwo".to_owned(),
            level: Some(Level::Senior),
            teams: vec!["payments".to_owned()],
            roles: vec![],
            load: 0,
        }],
        readers: Readers::Everybody,
        stand_ins: vec![],
        carries: vec![],
        undoes: None,
        policy: Policy::built_in(),
        drafted: None,
        rebased: None,
        oldest_debt: None,
        people_version: 1,
        claims_max_age: Duration::hours(12),
    }
}

pub fn decided(case: &Case, seq: i32, kind: Kind, reason: &str) -> Recorded {
    Recorded {
        id: DecisionId(Uuid::from_u128(200 + seq as u128)),
        name: "Ben Okonkwo".to_owned(),
        principal: None,
        revision_number: case.revision.number,
        decision: Decision {
            repository: case.change.repository,
            change: case.change.id,
            revision: case.revision.id,
            digest: case.revision.digest,
            seq,
            person: BEN,
            form_key: FormKey(Uuid::from_u128(300 + seq as u128)),
            kind,
            reason: Reason::parse(reason).unwrap(),
            incident: None,
            none_of_these_is_me: false,
            strangers: vec![],
            about: None,
            mark: None,
            stands_in_for: None,
            since: None,
            level: Some(Level::Senior),
            teams: vec!["payments".to_owned()],
            roles: vec![],
            policy: case.policy.id.to_owned(),
            policy_version: case.policy.version,
            people_version: case.people_version,
            at: NOW - Duration::minutes(40),
        },
    }
}

pub fn files() -> Vec<Shown> {
    let (a, b) = ("1".repeat(40), "2".repeat(40));
    let patch = format!(
        "diff --git a/src/pay.rs b/src/pay.rs\nindex {a}..{b} 100644\n--- a/src/pay.rs\n+++ b/src/pay.rs\n\
         @@ -1,2 +1,2 @@ mod pay\n use std::fmt;\n-let tries = 3;\n+let tries = policy.first();\n"
    );
    let bytes = patch.into_bytes();
    split(&bytes)
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(ordinal, file)| Shown {
            ordinal,
            lines: bytes
                .get(file.body.clone())
                .map(|body| Lines::of(ordinal, body, 0, Room::OF_A_FILE)),
            share: None,
            file,
        })
        .collect()
}

pub fn commit(message: &str) -> Commit {
    let who = Signature {
        name: "Ana Sofía Echeverría-Montalbán".to_owned(),
        email: "ana@halden.example".to_owned(),
    };
    Commit {
        sha: sha('9'),
        tree: Some(sha('7')),
        parents: vec![sha('b')],
        author: who.clone(),
        authored_at: Some(NOW - Duration::hours(3)),
        committer: who,
        message: message.as_bytes().to_vec(),
    }
}

pub fn change_page(viewer: Viewer, case: Case) -> ChangePage {
    let commits = vec![commit(
        "Retry batches\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n",
    )];
    ChangePage {
        viewer,
        case,
        mode: Mode::Enforce,
        marks: domain::provenance::marks(&commits, None),
        commits,
        files: files(),
        revisions: vec![revision(3), revision(2), revision(1)],
        deployments: vec![],
        remarks: None,
        disputes: vec![],
        written: vec![],
        approved: None,
        since: None,
        moved: None,
        told: None,
        form_key: FormKey(Uuid::from_u128(7)),
        rare: RareKeys {
            glass: FormKey(Uuid::from_u128(8)),
            human: FormKey(Uuid::from_u128(9)),
            dispute: FormKey(Uuid::from_u128(10)),
            set_aside: vec![],
            marks: vec![],
        },
        now: NOW,
    }
}
