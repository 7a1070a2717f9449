//! Builds cases for tests: `case().by("ana", None).approved_by("ben")`.

use crate::{
    Timestamp,
    carry::{Carry, Proof},
    case::{Case, DisputedMark, Known, Reviewer, Tie},
    change::{Change, ChangeState, Confirmed, Patch, Revision},
    commit::Signature,
    contributor::{Contributor, Role, Stranger},
    decision::{Decision, Kind, Proposed, Reason, Recorded},
    digest::{Covered, Digest, PatchHash},
    ids::{ChangeId, DecisionId, FormKey, PersonId, RepositoryId, RevisionId},
    names::{Branch, ChangeKey, CommitSha, RepositoryName},
    people::{Account, Granted, Groups, Level, Person, SignIn, Source},
    policy::{Ask, Policy, Rule, When, Who},
    provenance::{Provenance, Strength, Tool},
    readers::Readers,
    stand_in::StandIn,
    verdict::{Verdict, Word},
};
use time::{Duration, macros::datetime};
use uuid::Uuid;

pub const NOW: Timestamp = datetime!(2026-11-20 12:00 UTC);
pub const MAX_AGE: Duration = Duration::hours(12);

/// The same name is the same person in every test.
pub fn id(name: &str) -> PersonId {
    let mut bytes = [0; 16];
    bytes[..name.len().min(16)].copy_from_slice(&name.as_bytes()[..name.len().min(16)]);
    PersonId(Uuid::from_bytes(bytes))
}

/// Somebody who signed in an hour ago with this level.
pub fn person(name: &str, level: Option<Level>) -> Person {
    Person {
        id: id(name),
        name: name.to_owned(),
        active: true,
        levels: level
            .map(|value| Granted {
                value,
                source: Source::Claims,
            })
            .into_iter()
            .collect(),
        teams: vec![Granted {
            value: "payments".to_owned(),
            source: Source::Claims,
        }],
        roles: vec![],
        accounts: Vec::<Account>::new(),
        signed_in: Some(SignIn {
            at: NOW - Duration::HOUR,
            groups: Groups::Read,
        }),
    }
}

/// A rule that applies to everything.
pub fn rule(name: &str, needs: Vec<Ask>) -> Rule {
    Rule {
        name: name.to_owned(),
        when: When::default(),
        needs,
        same_person: false,
    }
}

/// So many approvals by such people.
pub fn ask(approvals: usize, who: Who) -> Ask {
    Ask { approvals, who }
}

/// People of this team.
pub fn of_team(team: &str) -> Who {
    Who {
        team: Some(team.to_owned()),
        ..Who::default()
    }
}

/// Somebody active, in no team.
pub fn reviewer(name: &str, level: Option<Level>) -> Reviewer {
    Reviewer {
        id: id(name),
        name: name.to_owned(),
        level,
        teams: vec![],
        roles: vec![],
        load: 0,
    }
}

/// A senior who may decide about what they had no hand in.
pub fn senior(name: &str) -> Person {
    person(name, Some(Level::Senior))
}

fn digest(number: i32) -> Digest {
    Digest::of(Covered {
        repository: RepositoryId(Uuid::nil()),
        key: &ChangeKey::parse("142").unwrap(),
        target: &Branch::parse("main").unwrap(),
        merge_base: &CommitSha::parse("a".repeat(40)).unwrap(),
        head: &head(number),
        patch: PatchHash::of(b""),
    })
}

fn head(number: i32) -> CommitSha {
    CommitSha::parse(format!("{number:040x}")).unwrap()
}

fn revision(number: i32) -> Revision {
    Revision {
        id: RevisionId(Uuid::from_u128(u128::try_from(number).unwrap())),
        number,
        target: Branch::parse("main").unwrap(),
        merge_base: CommitSha::parse("a".repeat(40)).unwrap(),
        head: head(number),
        digest: digest(number),
        patch: Patch::Whole,
        files: 1,
        added: 1,
        removed: 0,
        arrived_at: NOW - Duration::HOUR,
    }
}

/// An assisted change in its first revision, with two seniors who could decide, and no contributor yet.
pub fn case() -> Case {
    let revision = revision(1);
    Case {
        change: Change {
            id: ChangeId(Uuid::nil()),
            repository: RepositoryId(Uuid::nil()),
            repository_name: RepositoryName::parse("acme/payments").unwrap(),
            key: ChangeKey::parse("142").unwrap(),
            title: "Retry settlement batches".to_owned(),
            url: None,
            author: "ana".to_owned(),
            state: ChangeState::Open,
            draft: false,
            head: revision.id,
            created_at: NOW - Duration::DAY,
            confirmed: Confirmed::Never,
        },
        revision,
        provenance: Provenance::Assisted,
        marks: 0,
        disputed: vec![],
        tools: vec![],
        paths: vec![],
        labels: vec![],
        bot: None,
        contributors: vec![],
        decisions: vec![],
        reviewers: ["ben", "li"]
            .map(|name| reviewer(name, Some(Level::Senior)))
            .to_vec(),
        readers: Readers::Everybody,
        stand_ins: vec![],
        carries: vec![],
        undoes: None,
        policy: Policy::built_in(),
        drafted: None,
        rebased: None,
        oldest_debt: None,
        people_version: 1,
        claims_max_age: MAX_AGE,
    }
}

impl Case {
    /// Under a policy of these rules.
    pub fn under(mut self, rules: Vec<Rule>) -> Self {
        self.policy.document.rules = rules;
        self
    }

    /// With somebody active of these teams.
    pub fn with(mut self, name: &str, level: Option<Level>, teams: &[&str]) -> Self {
        self.reviewers.push(Reviewer {
            teams: teams.iter().map(|&team| team.to_owned()).collect(),
            ..reviewer(name, level)
        });
        self
    }

    /// Somebody may approve until tomorrow in the place of a principal of this level and these teams.
    pub fn stood_in(
        mut self,
        name: &str,
        principal: &str,
        level: Option<Level>,
        teams: &[&str],
    ) -> Self {
        self.stand_ins.push(StandIn {
            person: id(name),
            principal: id(principal),
            name: principal.to_owned(),
            level,
            teams: teams.iter().map(|&team| team.to_owned()).collect(),
            until: NOW + Duration::DAY,
        });
        self
    }

    /// The last decision, taken in the place of somebody else.
    pub fn for_another(mut self, principal: &str) -> Self {
        let last = self.decisions.last_mut().expect("somebody decided");
        last.decision.stands_in_for =
            Some(id(principal)).filter(|one| *one != last.decision.person);
        last.principal = Some(principal.to_owned());
        self
    }

    /// Only for people of this team to see.
    pub fn read_by(mut self, team: &str) -> Self {
        self.readers = Readers::Teams(vec![team.to_owned()]);
        self
    }

    /// The last decision, taken by somebody of this level and these teams.
    pub fn as_one(mut self, level: Option<Level>, teams: &[&str]) -> Self {
        let last = self.decisions.last_mut().expect("somebody decided");
        last.decision.level = level;
        last.decision.teams = teams.iter().map(|&team| team.to_owned()).collect();
        self
    }

    /// Somebody said that it is this person's change, who is proved to be them, and had this level when the revision arrived.
    pub fn by(self, name: &str, level: Option<Level>) -> Self {
        let mut case = self.with_commit_by(name, level);
        let last = case.contributors.last_mut().expect("a contributor");
        last.contributor.role = Role::ChangeAuthor;
        case
    }

    /// Adds a commit author whose address was proved to be this person's, who had this level when the revision arrived.
    pub fn with_commit_by(self, name: &str, level: Option<Level>) -> Self {
        self.tied(name, true, level)
    }

    /// Adds a commit author whose address only looks like this person's: it bars them and grants nothing.
    pub fn by_unproved(self, name: &str) -> Self {
        self.tied(name, false, None)
    }

    /// Adds a commit author to whom nobody leads.
    pub fn by_stranger(self) -> Self {
        self.by_unknown("stranger")
    }

    /// The same, of this name.
    pub fn by_unknown(mut self, name: &str) -> Self {
        self.contributors.push(Known {
            contributor: author(name),
            ties: vec![],
        });
        self
    }

    /// Adds a commit author whose address this person calls theirs, and nobody else does.
    pub fn by_own_word_of(mut self, name: &str) -> Self {
        self = self.by_unproved(name);
        let last = self.contributors.last_mut().expect("a contributor");
        last.ties[0].own_word = true;
        self
    }

    /// Withdraws every link to that person.
    pub fn unlinked(mut self, name: &str) -> Self {
        self.people_version += 1;
        let version = self.people_version;
        for known in &mut self.contributors {
            let theirs = |tie: &&mut Tie| tie.person == id(name) && tie.holds();
            for tie in known.ties.iter_mut().filter(theirs) {
                tie.until = Some(version);
            }
        }
        self
    }

    fn tied(mut self, name: &str, proved: bool, level: Option<Level>) -> Self {
        let tie = Tie {
            person: id(name),
            name: name.to_owned(),
            proved,
            level,
            own_word: false,
            until: None,
        };
        self.people_version += 1;
        self.contributors.push(Known {
            contributor: author(name),
            ties: vec![tie],
        });
        self
    }

    pub fn approved_by(self, name: &str) -> Self {
        self.said(name, Kind::Approve)
    }

    pub fn rejected_by(self, name: &str) -> Self {
        self.said(name, Kind::Reject)
    }

    pub fn withdrawn_by(self, name: &str) -> Self {
        self.said(name, Kind::Withdraw)
    }

    pub fn overridden_by(self, name: &str) -> Self {
        self.said(name, Kind::Override)
    }

    /// Sets the rejection with this `seq` aside.
    pub fn set_aside_by(self, name: &str, about: i32) -> Self {
        let mut case = self.said(name, Kind::SetAside);
        let last = case.decisions.last_mut().expect("somebody decided");
        last.decision.about = Some(about);
        case
    }

    /// With nothing in it that says that a tool took part.
    pub fn unmarked(mut self) -> Self {
        self.provenance = Provenance::Unknown;
        self
    }

    /// With this one as its only proof that a tool took part, which somebody may dispute.
    pub fn marked_once(self) -> Self {
        let mark = DisputedMark {
            number: 1,
            tool: Tool::ClaudeCode,
            strength: Strength::Marked,
        };
        Self {
            tools: vec![],
            marks: 1,
            disputed: vec![mark],
            ..self.unmarked()
        }
    }

    /// Says something of that mark.
    pub fn said_of(self, mark: i32, name: &str, kind: Kind) -> Self {
        let mut case = self.said(name, kind);
        let last = case.decisions.last_mut().expect("somebody decided");
        last.decision.mark = Some(mark);
        case
    }

    /// A decision about the present revision, recorded whether or not the rules would have let it through.
    pub fn said(mut self, name: &str, kind: Kind) -> Self {
        let seq = i32::try_from(self.decisions.len()).unwrap() + 1;
        let strangers: Vec<Stranger> = self
            .unidentified()
            .into_iter()
            .map(Stranger::from)
            .collect();
        let decision = Decision {
            repository: self.change.repository,
            change: self.change.id,
            revision: self.revision.id,
            digest: self.revision.digest,
            seq,
            person: id(name),
            form_key: FormKey(Uuid::from_u128(u128::try_from(seq).unwrap())),
            kind,
            reason: Reason::parse("because").unwrap(),
            incident: (kind == Kind::Override).then(|| "INC-1".to_owned()),
            none_of_these_is_me: !strangers.is_empty(),
            strangers,
            about: None,
            mark: None,
            stands_in_for: None,
            since: None,
            level: Some(Level::Senior),
            teams: vec![],
            roles: vec![],
            policy: self.policy.id.clone(),
            policy_version: self.policy.version,
            people_version: self.people_version,
            at: NOW,
        };
        let revision_number = self.revision.number;
        self.decisions.push(Recorded {
            id: DecisionId(Uuid::nil()),
            name: name.to_owned(),
            principal: None,
            revision_number,
            decision,
        });
        self
    }

    /// A new commit: another revision is current, and is judged.
    pub fn pushed(mut self) -> Self {
        self.revision = revision(self.revision.number + 1);
        self.change.head = self.revision.id;
        self
    }

    /// With the proof that the present revision is the same change as that one.
    pub fn proved_to_be(mut self, from: i32, proof: Proof) -> Self {
        self.carries.push(Carry {
            from: digest(from),
            proof,
        });
        self
    }

    pub fn word(&self) -> Word {
        self.verdict(NOW).word()
    }

    pub fn judged(&self) -> Verdict {
        self.verdict(NOW)
    }

    /// What the form that shows this case proposes.
    pub fn proposed(&self, kind: Kind, reason: &str) -> Proposed {
        Proposed {
            kind,
            seen: self.revision.digest,
            reason: Reason::parse(reason).unwrap(),
            incident: None,
            none_of_these_is_me: false,
            about: None,
            mark: None,
            stands_in_for: None,
            since: None,
            form_key: FormKey(Uuid::nil()),
        }
    }
}

fn author(name: &str) -> Contributor {
    Contributor::new(
        Role::Author,
        Signature {
            name: name.to_owned(),
            email: format!("{name}@halden.example"),
        },
        None,
    )
}
