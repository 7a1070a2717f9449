//! How long a verdict takes once the paths have been matched: `./dev bench verdict`.
//!
//! 50 rules that all apply and look at paths, 50 decisions by 25 people, 2,000 paths. Beside the verdict stands what is done once
//! per revision and version of the policy.

use criterion::{Criterion, criterion_group, criterion_main};
use domain::{
    Timestamp,
    change::Patch,
    decision::Kind,
    digest::Digest,
    ids::PersonId,
    names::ChangeKey,
    people::Level,
    policy::{Document, Facts, Policy},
    provenance::Provenance,
    standing::{Asked, Candidate, Candidates, Standing, Voice},
    verdict::{Word, verdict},
};
use std::{error::Error, hint::black_box};
use time::Duration;

const RULES: usize = 50;
const DECISIONS: i32 = 50;
const PEOPLE: i32 = 25;
const PATHS: usize = 2_000;

criterion_group!(benches, verdicts);
criterion_main!(benches);

#[expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has no figure"
)]
fn verdicts(criterion: &mut Criterion) {
    let document = Document::parse(&text()).expect("a policy");
    let paths: Vec<String> = (0..PATHS)
        .map(|n| format!("src/module-{}/file-{n}.rs", n % 50))
        .collect();
    let paths: Vec<&[u8]> = paths.iter().map(String::as_bytes).collect();
    let rules = document.applying(&facts(&paths));
    assert_eq!(rules.len(), RULES, "rules that apply");
    let policy = Policy {
        id: "default".to_owned(),
        version: 1,
        document,
        whole: true,
    };
    let now = Timestamp::UNIX_EPOCH + Duration::days(20_000);
    for (name, word) in [
        ("verdict", Word::Approved),
        ("verdict-waiting", Word::Waiting),
    ] {
        let standing = standing(&policy, &rules, now, word == Word::Approved).expect("a standing");
        assert_eq!(verdict(&standing, &policy, now).word(), word);
        criterion.bench_function(name, |bench| {
            bench.iter(|| verdict(black_box(&standing), &policy, now));
        });
    }
    criterion.bench_function("verdict-matching-once", |bench| {
        bench.iter(|| policy.document.applying(black_box(&facts(&paths))));
    });
}

/// Every rule asks for a senior, and for somebody of one of five teams.
fn text() -> String {
    let rule = |n: usize| {
        format!(
            "[[rule]]\nname = \"rule {n}\"\nwhen = {{ provenance = [\"assisted\"], any_path = [\"src/module-{n}/**\"] }}\n\
             require = [{{ approvals = 1, level = \"senior\" }}, {{ approvals = 1, team = \"team-{}\" }}]\n",
            n % 5
        )
    };
    let rules: String = (0..RULES).map(rule).collect();
    format!("version = 1\n{rules}")
}

fn facts<'a>(paths: &'a [&'a [u8]]) -> Facts<'a> {
    Facts {
        provenance: Provenance::Assisted,
        tools: &[],
        level: None,
        automation: None,
        repository: "acme/payments",
        target: "main",
        paths,
        lines: 9_000,
        files: 2_000,
        labels: &[],
    }
}

fn standing(
    policy: &Policy,
    rules: &[usize],
    now: Timestamp,
    approved: bool,
) -> Result<Standing, Box<dyn Error>> {
    let candidates = || Candidates {
        total: 40,
        first: (0..30).map(candidate).collect(),
        contributors: 3,
        of_any_level: 60,
        unseeing: 0,
        stand_ins: vec![],
    };
    let asked = |&rule| Asked {
        rule,
        candidates: vec![candidates(), candidates()],
    };
    Ok(Standing {
        key: ChangeKey::parse("142")?,
        number: 9,
        digest: Digest::from_bytes(&[7; 32]).ok_or("no digest")?,
        patch: Patch::Whole,
        provenance: Provenance::Assisted,
        believed: None,
        level: None,
        unclaimed: false,
        undoes: None,
        voices: (1..=DECISIONS)
            .map(|seq| voice(seq, now, approved))
            .collect(),
        policy: policy.id.clone(),
        policy_version: policy.version,
        asked: rules.iter().map(asked).collect(),
        drafted: None,
        rebased: None,
    })
}

/// Each approves twice; where the change waits, half of what they say is about another revision, and none is a senior.
fn voice(seq: i32, now: Timestamp, approved: bool) -> Voice {
    let who = seq % PEOPLE;
    Voice {
        seq,
        kind: Kind::Approve,
        person: person(who),
        name: format!("person {who}"),
        stands_in_for: None,
        level: Some(if approved { Level::Senior } else { Level::Mid }),
        teams: vec![format!("team-{}", who % 5)],
        roles: vec![],
        revision: 9,
        about_this: approved || who % 2 == 0,
        carried: None,
        contributor: false,
        unasked: false,
        trusted: true,
        about: None,
        at: now - Duration::HOUR,
        incident: None,
    }
}

fn candidate(n: i32) -> Candidate {
    Candidate {
        person: person(n),
        name: format!("person {n}").into(),
    }
}

fn person(n: i32) -> PersonId {
    PersonId(uuid::Uuid::from_u128(n.unsigned_abs().into()))
}
