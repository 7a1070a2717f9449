//! From the domain to the wire.

use super::{gate, wire};
use domain::{
    Timestamp,
    case::Case,
    change::{Change, ChangeState, Confirmed, Patch, Revision},
    decision::{Principal, Recorded},
    deployment::Sanction,
    gate::{Answer, Judged, Moment, Question},
    landing::{Origin, Via},
    names::RepositoryName,
    people::Level,
    policy::{
        Mode, Policy, Terms, Who,
        trial::{AskWhy, Differs, Reviews, RuleWhy, Waits, Why},
    },
    provenance::{Mark, Written},
    standing::{Standing, Voice},
    verdict::{Need, Reason, Verdict, Word},
};
use store::{
    deployments::{Commit, Deployment, Part, Report},
    listing::Listed,
    policies::Measured,
};

/// How many revisions that would be judged otherwise are told by name.
const DIFFER: usize = 200;

/// An answer of the gate.
#[must_use]
pub fn answer(question: &Question, from: Answer, by: &gate::Judged) -> wire::Answer {
    let source_age = from.source_age().map(|age| age.whole_seconds());
    wire::Answer {
        repository: question.repository.to_string(),
        commit: question.commit.to_string(),
        target: question.target.as_ref().map(ToString::to_string),
        environment: question.environment.as_ref().map(ToString::to_string),
        allow: from.allow,
        enforced: from.enforced,
        verdict: verdict(from.verdict),
        reasons: from.reasons.into_iter().map(reason).collect(),
        needs: from.needs.iter().map(need).collect(),
        changes: from
            .changes
            .into_iter()
            .map(|judged| gate_change(question, judged, from.as_of))
            .collect(),
        via: from.via.map(via),
        policy: Some(policy(&by.terms.policy)),
        as_of: from.as_of,
        snapshot: Moment::new(from.as_of, by.snapshot.clone()).to_string(),
        source_age,
    }
}

fn via(from: Via) -> wire::Via {
    let (kind, evidence) = match from.origin {
        Origin::Landed(kind, evidence) => (kind.as_str(), Some(evidence.as_str().to_owned())),
        Origin::Part => ("part", None),
    };
    wire::Via {
        kind: kind.to_owned(),
        digests: from.digests.iter().map(ToString::to_string).collect(),
        evidence,
        onto: from.onto.iter().map(ToString::to_string).collect(),
    }
}

fn gate_change(question: &Question, judged: Judged, now: Timestamp) -> wire::GateChange {
    let decisions = judged
        .found
        .standing
        .voices
        .iter()
        .map(|voice| gate_decision(voice, judged.counts(voice)))
        .collect();
    let found = judged.found;
    wire::GateChange {
        id: found.change.0,
        repository: question.repository.to_string(),
        key: found.standing.key.to_string(),
        target: found.target.to_string(),
        state: state(found.state),
        revision: found.standing.number,
        head: found.head.to_string(),
        digest: found.standing.digest.to_string(),
        current: found.current,
        verdict: verdict(judged.verdict.word()),
        source_age: age(found.confirmed, now),
        decisions,
    }
}

fn age(confirmed: Confirmed, now: Timestamp) -> Option<i64> {
    confirmed.age(now).map(|age| age.whole_seconds())
}

fn gate_decision(voice: &Voice, counts: bool) -> wire::GateDecision {
    wire::GateDecision {
        seq: voice.seq,
        kind: voice.kind.as_str().to_owned(),
        by: voice.name.clone(),
        stands_in_for: voice.stands_in_for.clone().map(principal),
        revision: voice.revision,
        counts,
        about: voice.about,
        carried: counts.then(|| carried(voice)).flatten(),
        at: voice.at,
    }
}

fn carried(voice: &Voice) -> Option<wire::Carried> {
    voice.carried.map(|proof| wire::Carried {
        from_revision: voice.revision,
        proof: proof.as_str().to_owned(),
    })
}

/// A change with its verdict now.
#[must_use]
pub fn change(case: &Case, terms: &Terms, now: Timestamp, page: String) -> wire::Change {
    with(
        &case.change,
        &case.revision,
        &case.standing(),
        &case.verdict(now),
        terms.mode(now),
        now,
        page,
    )
}

/// The same, from what a list has loaded.
#[must_use]
pub fn listed(from: &Listed, now: Timestamp, page: String) -> wire::Change {
    with(
        &from.change,
        &from.revision,
        &from.standing,
        &from.verdict(now),
        from.mode(now),
        now,
        page,
    )
}

fn with(
    change: &Change,
    current: &Revision,
    standing: &Standing,
    judged: &Verdict,
    mode: Mode,
    now: Timestamp,
    page: String,
) -> wire::Change {
    wire::Change {
        id: change.id.0,
        repository: change.repository_name.to_string(),
        key: change.key.to_string(),
        title: change.title.clone(),
        url: change.url.clone(),
        author: change.author.clone(),
        state: state(change.state),
        draft: change.draft,
        verdict: verdict(judged.word()),
        enforced: mode == Mode::Enforce,
        reasons: judged.reasons().into_iter().map(reason).collect(),
        needs: judged.needs().iter().map(need).collect(),
        provenance: standing.provenance.as_str().to_owned(),
        level: standing.level.map_or("nobody", Level::as_str).to_owned(),
        revision: revision(current),
        source_age: age(change.confirmed, now),
        created_at: change.created_at,
        page,
    }
}

/// One revision.
#[must_use]
pub fn revision(from: &Revision) -> wire::Revision {
    wire::Revision {
        id: from.id.0,
        number: from.number,
        target: from.target.to_string(),
        base: from.merge_base.to_string(),
        head: from.head.to_string(),
        digest: from.digest.to_string(),
        patch: patch(from.patch),
        files: from.files,
        added: from.added,
        removed: from.removed,
        arrived_at: from.arrived_at,
    }
}

fn patch(from: Patch) -> wire::Patch {
    match from {
        Patch::Whole => wire::Patch::Whole,
        Patch::Disputed => wire::Patch::Disputed,
        Patch::Wrong => wire::Patch::Wrong,
        Patch::Incomplete => wire::Patch::Incomplete,
    }
}

/// One mark.
#[must_use]
pub fn mark(from: Mark) -> wire::Mark {
    wire::Mark {
        tool: from.tool.id().into_owned(),
        strength: from.strength.as_str().to_owned(),
        place: from.place.as_str().to_owned(),
        commit: from.place.commit().map(ToString::to_string),
        line: from.place.line().and_then(|line| i32::try_from(line).ok()),
        model: from.model,
        text: from.text,
    }
}

/// Lines of one session.
#[must_use]
pub fn lines(from: Written) -> wire::Lines {
    wire::Lines {
        path: String::from_utf8_lossy(&from.path).into_owned(),
        source: from.source.as_str().to_owned(),
        session: from.session,
        tool: from.tool.id().into_owned(),
        model: from.model,
        prompter: from.prompter,
        ranges: from
            .ranges
            .into_iter()
            .map(|(from, to)| [from, to])
            .collect(),
    }
}

/// The decisions of a change, with how they came to count for the revision that is judged.
#[must_use]
pub fn decisions(case: Case) -> Vec<wire::Decision> {
    let standing = case.standing();
    let with_carried = |from: Recorded| {
        let mut voices = standing.voices.iter();
        let voice = voices.find(|voice| voice.seq == from.decision.seq && standing.counts(voice));
        wire::Decision {
            carried: voice.and_then(carried),
            ..decision(from)
        }
    };
    case.decisions.into_iter().map(with_carried).collect()
}

/// One decision.
#[must_use]
pub fn decision(from: Recorded) -> wire::Decision {
    let stands_in_for = from.stands_in_for().map(principal);
    let decision = from.decision;
    wire::Decision {
        id: from.id.0,
        change: decision.change.0,
        revision: from.revision_number,
        digest: decision.digest.to_string(),
        seq: decision.seq,
        kind: decision.kind.as_str().to_owned(),
        reason: decision.reason.as_str().to_owned(),
        incident: decision.incident,
        about: decision.about,
        mark: decision.mark,
        since: decision.since,
        person: decision.person.0,
        name: from.name,
        stands_in_for,
        level: decision.level.map(|level| level.as_str().to_owned()),
        teams: decision.teams,
        roles: decision
            .roles
            .iter()
            .map(|role| role.as_str().to_owned())
            .collect(),
        policy: wire::Policy {
            id: decision.policy,
            version: decision.policy_version,
        },
        carried: None,
        repository: None,
        gates: None,
        at: decision.at,
    }
}

/// A deployment as it was recorded.
#[must_use]
pub fn deployment(report: &Report, from: Deployment) -> wire::Deployment {
    let unsanctioned = |one: &&Commit| one.sanction == Sanction::Unsanctioned;
    wire::Deployment {
        id: from.id,
        repository: report.repository.to_string(),
        environment: from.environment.to_string(),
        key: report.key.clone(),
        when: from.told_at,
        recorded_at: from.at,
        enforced: from.enforced,
        policy: wire::Policy {
            id: from.policy,
            version: from.policy_version,
        },
        unsanctioned: from.commits.iter().filter(unsanctioned).count(),
        commits: from.commits.into_iter().map(deployed).collect(),
    }
}

fn deployed(from: Commit) -> wire::DeployedCommit {
    let change = |part: Part| wire::DeployedChange {
        id: part.change.0,
        key: part.key.to_string(),
        revision: part.revision,
    };
    wire::DeployedCommit {
        commit: from.sha.to_string(),
        sanction: match from.sanction {
            Sanction::Allowed => wire::Sanction::Allowed,
            Sanction::Redeployed => wire::Sanction::Redeployed,
            Sanction::Part => wire::Sanction::Part,
            Sanction::Unsanctioned => wire::Sanction::Unsanctioned,
        },
        verdict: verdict(from.verdict),
        review_by: from.review_by,
        changes: from.changes.into_iter().map(change).collect(),
    }
}

fn principal(from: Principal) -> wire::Principal {
    wire::Principal {
        person: from.person.0,
        name: from.name,
    }
}

/// What a policy would have made of the past.
#[must_use]
pub fn tried(
    repository: &RepositoryName,
    days: i64,
    from: Measured,
    change: Option<wire::PolicyWhy>,
) -> wire::PolicyTried {
    let seen = from.hindsight;
    let differs = |one: Differs| wire::Differs {
        change: one.change.0,
        key: one.key.to_string(),
        revision: one.revision,
        now: verdict(one.now),
        then: verdict(one.then),
    };
    let reviews = |one: Reviews| wire::Reviews {
        whom: one.whom,
        now: one.now,
        then: one.then,
    };
    let waits = |one: Waits| wire::Waits {
        whom: one.whom,
        revisions: one.revisions,
        people: one.people,
        others: one.others,
    };
    wire::PolicyTried {
        repository: repository.to_string(),
        days,
        looked_at: seen.looked_at,
        whole: from.whole,
        wait_now: seen.wait_now,
        would_wait: seen.would_wait,
        nobody: seen.nobody,
        differ: seen.differ.into_iter().take(DIFFER).map(differs).collect(),
        reviews: seen.reviews.into_iter().map(reviews).collect(),
        waits: seen.waits.into_iter().map(waits).collect(),
        seconds_each: from.pace.map(|pace| pace.median.whole_seconds()),
        lowers: from.lowers,
        change,
    }
}

/// Why a policy judges a change as it does.
#[must_use]
pub fn why(case: &Case, from: Why) -> wire::PolicyWhy {
    let ask = |ask: AskWhy| wire::AskWhy {
        whom: ask.whom,
        approvals: ask.approvals,
        given: ask.given,
    };
    let rule = |rule: RuleWhy| wire::RuleWhy {
        rule: rule.name,
        applies: rule.unmet.is_empty(),
        unmet: rule.unmet.into_iter().map(str::to_owned).collect(),
        asks: rule.asks.into_iter().map(ask).collect(),
    };
    wire::PolicyWhy {
        key: case.change.key.to_string(),
        revision: case.revision.number,
        verdict: verdict(from.verdict.word()),
        reasons: from.verdict.reasons().into_iter().map(reason).collect(),
        needs: from.verdict.needs().iter().map(need).collect(),
        rules: from.rules.into_iter().map(rule).collect(),
    }
}

fn policy(from: &Policy) -> wire::Policy {
    wire::Policy {
        id: from.id.clone(),
        version: from.version,
    }
}

fn need(from: &Need) -> wire::Need {
    wire::Need {
        rule: from.rule.clone(),
        missing: from.sentence(),
        count: u32::try_from(from.count).unwrap_or(u32::MAX),
        who: who(&from.who),
        eligible: from.eligible,
        people: from.people.iter().map(ToString::to_string).collect(),
    }
}

fn who(from: &Who) -> wire::Who {
    wire::Who {
        level: from.level.map(|level| level.as_str().to_owned()),
        team: from.team.clone(),
        role: from.role.map(|role| role.as_str().to_owned()),
        people: from.people.iter().map(|person| person.0).collect(),
    }
}

fn reason(from: Reason) -> wire::Reason {
    wire::Reason {
        code: from.code.to_owned(),
        sentence: from.sentence,
    }
}

fn state(from: ChangeState) -> wire::State {
    match from {
        ChangeState::Open => wire::State::Open,
        ChangeState::Merged => wire::State::Merged,
        ChangeState::Closed => wire::State::Closed,
    }
}

fn verdict(from: Word) -> wire::Verdict {
    match from {
        Word::Unheard => wire::Verdict::Unheard,
        Word::Undecidable => wire::Verdict::Undecidable,
        Word::Rejected => wire::Verdict::Rejected,
        Word::Waiting => wire::Verdict::Waiting,
        Word::Overridden => wire::Verdict::Overridden,
        Word::Approved => wire::Verdict::Approved,
        Word::NotRequired => wire::Verdict::NotRequired,
    }
}
