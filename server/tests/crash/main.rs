//! What was acknowledged is there, once, whoever was killed meanwhile: the server, Postgres, or a part of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod deliveries;
mod people;
#[path = "../processes/mod.rs"]
#[expect(dead_code, reason = "other test crates do more with processes")]
mod processes;

use domain::{case::Case, ids::ChangeId, people::Role, readers::Reader};
use people::{Acknowledged, Counts, Senior, Shown};
use processes::{
    chance::Chance,
    changes, clients,
    cluster::Cluster,
    site::{Door, Site},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use store::{
    Db, Tx,
    cases::{self, Which},
};
use tokio::task::JoinSet;
use uuid::Uuid;

const ROUNDS: usize = 20;
const DECISIONS: usize = 500;
const CHANGES: usize = 100;
const PEOPLE: usize = 20;

/// What makes a commit last, but for one: this Postgres is told not to wait for the disk, as careless ones are, and to be late
/// with it. Who records decisions must not take its word. The rest is small, as there are many tests on one machine.
const SETTINGS: [&str; 7] = [
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=off",
    "wal_writer_delay=10s",
    "restart_after_crash=on",
    "shared_buffers=32MB",
    "max_connections=60",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_decision_is_there_once_whatever_was_killed() {
    let seed = seed();
    println!("COUNTERSIGN_CRASH_SEED={seed}");
    let began = Instant::now();
    let mut cluster = Cluster::start(&SETTINGS).await;
    let mut site = Site::start(&cluster).await;
    let db = Db::connect(&cluster.address("postgres"), 4).await.unwrap();
    let secret = clients::token(&db).await;
    let changes = Arc::new(submitted(&site.door, &secret).await);
    let mut seniors = vec![];
    for n in 0..PEOPLE {
        seniors.push(Senior::signs_in(&db, &site.door, &format!("senior{n}")).await);
    }
    println!("set up after {:?}", began.elapsed());

    let counts = Arc::new(Counts::default());
    let reader = tokio::spawn(people::reads_on(
        site.door.clone(),
        secret.clone(),
        counts.clone(),
    ));
    let mut deciding = Deciding::default();
    for (n, senior) in (1..).zip(seniors) {
        let (changes, counts) = (changes.clone(), counts.clone());
        deciding.all.spawn(senior.decides(
            DECISIONS / PEOPLE,
            changes,
            Chance::new(seed, n),
            counts,
        ));
    }
    let mut chance = Chance::new(seed, 0);
    for round in 0..ROUNDS {
        let share = DECISIONS / ROUNDS;
        let acknowledged = round * share + chance.below(share);
        reached(&counts, acknowledged, &mut deciding, &site).await;
        // Anywhere within a decision, which takes some milliseconds.
        tokio::time::sleep(Duration::from_micros(
            chance.below(20_000).try_into().unwrap(),
        ))
        .await;
        let what = chance.below(4);
        match what {
            0 => site.crashes().await,
            1 => cluster.loses_power().await,
            2 => cluster.loses_a_backend().await,
            _ => {
                site.crashes().await;
                cluster.loses_power().await;
            }
        }
        site.is_ready().await;
        let what = [
            "the server",
            "Postgres",
            "a backend",
            "the server and Postgres",
        ][what];
        println!(
            "{:?}: {what} was killed after {acknowledged} decisions",
            began.elapsed()
        );
    }
    let acknowledged = deciding.join().await;
    counts.over.store(true, Ordering::SeqCst);
    let read = tokio::time::timeout(Duration::from_secs(30), reader)
        .await
        .unwrap()
        .unwrap();
    println!(
        "{:?}: {} forms were sent again",
        began.elapsed(),
        counts.sent_again.load(Ordering::SeqCst)
    );

    let db = Db::connect(&cluster.address("postgres"), 4).await.unwrap();
    every_one_is_there_once(&db, &acknowledged).await;
    numbers_have_no_gap(&db).await;
    each_has_its_event_and_its_leaf(&db).await;
    standings_are_what_the_facts_are(&db, &changes).await;
    gates_say_what_the_facts_say(&db, &site.door, &secret, &changes).await;
    assert_eq!(read.len(), DECISIONS, "the stream lost some");
    assert!(
        read.values().all(|times| *times == 1),
        "the stream showed some twice: {read:?}"
    );
    println!("{:?}: every one is there, once", began.elapsed());
}

/// Those who decide, and what those who are done were told.
#[derive(Default)]
struct Deciding {
    all: JoinSet<Vec<Acknowledged>>,
    acknowledged: Vec<Acknowledged>,
}

impl Deciding {
    async fn join(mut self) -> Vec<Acknowledged> {
        self.acknowledged
            .extend(self.all.join_all().await.into_iter().flatten());
        self.acknowledged
    }
}

/// What begins everything that is chance here.
fn seed() -> u64 {
    match std::env::var("COUNTERSIGN_CRASH_SEED") {
        Ok(text) => text.parse().expect("COUNTERSIGN_CRASH_SEED is a number"),
        Err(_) => u64::from_le_bytes(store::ids::new().as_bytes()[8..].try_into().unwrap()),
    }
}

async fn submitted(door: &Door, secret: &str) -> Vec<Shown> {
    let mut all = vec![];
    for key in 0..CHANGES {
        let change = changes::change()
            .key(&key.to_string())
            .pushed(&format!("c{key}"));
        let answer = door.submits(secret, &change).await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        all.push(Shown {
            change: answer["change"]
                .as_str()
                .unwrap_or_else(|| panic!("{answer}"))
                .parse()
                .unwrap(),
            head: change.head,
            digest: answer["digest"].as_str().unwrap().to_owned(),
        });
    }
    all
}

/// Returns when so many decisions are acknowledged.
async fn reached(counts: &Counts, acknowledged: usize, deciding: &mut Deciding, site: &Site) {
    let until = Instant::now() + Duration::from_secs(60);
    while counts.acknowledged.load(Ordering::SeqCst) < acknowledged {
        assert!(
            Instant::now() < until,
            "nothing is acknowledged any more:\n{}",
            site.log()
        );
        match deciding.all.try_join_next() {
            Some(Ok(done)) => deciding.acknowledged.extend(done),
            Some(Err(failed)) => panic!("{failed}\n{}", site.log()),
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn every_one_is_there_once(db: &Db, acknowledged: &[Acknowledged]) {
    let rows: Vec<(Uuid, Uuid, Uuid, String)> =
        sqlx::query_as("select person_id, form_key, change_id, kind from decision")
            .fetch_all(db.pool())
            .await
            .unwrap();
    let mut there: HashMap<(Uuid, Uuid), Vec<(Uuid, String)>> = HashMap::new();
    for (person, form_key, change, kind) in rows {
        there
            .entry((person, form_key))
            .or_default()
            .push((change, kind));
    }
    assert_eq!(acknowledged.len(), DECISIONS);
    for one in acknowledged {
        let found = there.remove(&(one.person.0, one.form_key));
        assert_eq!(
            found,
            Some(vec![(one.change, one.kind.to_owned())]),
            "{one:?}"
        );
    }
    assert_eq!(there.len(), 0, "decisions that nobody took: {there:?}");
}

async fn numbers_have_no_gap(db: &Db) {
    let rows: Vec<(Uuid, i32, i32)> = sqlx::query_as(
        "select d.change_id, d.seq, c.decisions from decision d join change c on c.id = d.change_id order by d.change_id, d.seq",
    )
    .fetch_all(db.pool())
    .await
    .unwrap();
    let mut numbers: BTreeMap<(Uuid, i32), Vec<i32>> = BTreeMap::new();
    for (change, seq, decisions) in rows {
        numbers.entry((change, decisions)).or_default().push(seq);
    }
    for ((change, decisions), numbers) in numbers {
        assert_eq!(numbers, (1..=decisions).collect::<Vec<_>>(), "{change}");
    }
}

async fn each_has_its_event_and_its_leaf(db: &Db) {
    let counts: (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from decision d join log_leaf l on l.decision_id = d.id and l.xid = d.xid
                                                join event e on e.subject = d.id and e.xid = d.xid and e.kind = 'decision.recorded'),
                (select count(*) from log_leaf), (select count(*) from event where kind = 'decision.recorded')",
    )
    .fetch_one(db.pool())
    .await
    .unwrap();
    let all = i64::try_from(DECISIONS).unwrap();
    assert_eq!(counts, (all, all, all));
}

async fn standings_are_what_the_facts_are(db: &Db, changes: &[Shown]) {
    for shown in changes {
        let mut tx = db.read().await.unwrap();
        let case = case_of(&mut tx, shown).await;
        let facts: Value = sqlx::query_scalar(
            "select facts from standing where change_id = $1 and revision_id = $2",
        )
        .bind(shown.change)
        .bind(case.revision.id.0)
        .fetch_one(tx.conn())
        .await
        .unwrap();
        let today = serde_json::to_value(case.standing()).unwrap();
        assert_eq!(without_names(facts), without_names(today), "{shown:?}");
    }
}

/// Who is named first for a need follows from what everybody has to do, which no stamp is for.
fn without_names(mut standing: Value) -> Value {
    for asked in standing["asked"].as_array_mut().unwrap() {
        for candidates in asked["candidates"].as_array_mut().unwrap() {
            candidates["first"].take();
        }
    }
    standing
}

async fn gates_say_what_the_facts_say(db: &Db, door: &Door, secret: &str, changes: &[Shown]) {
    let commits: Vec<&str> = changes.iter().map(|shown| shown.head.as_str()).collect();
    let question = json!({ "repository": "acme/payments", "commits": commits });
    let asked = door
        .http
        .post(door.at("/api/v1/gate"))
        .bearer_auth(secret)
        .json(&question);
    let answers: Value = asked.send().await.unwrap().json().await.unwrap();
    for (shown, answer) in changes.iter().zip(answers["answers"].as_array().unwrap()) {
        let mut tx = db.read().await.unwrap();
        let case = case_of(&mut tx, shown).await;
        let word = case.verdict(tx.now()).word();
        assert_eq!(answer["verdict"], word.as_str(), "{shown:?}");
    }
}

const CLAIMS_MAX_AGE: time::Duration = time::Duration::hours(12);

async fn case_of(tx: &mut Tx, shown: &Shown) -> Case {
    let change = ChangeId(shown.change);
    let everything = Reader::person(&[], &[Role::Admin]);
    let case = cases::read(
        tx.conn(),
        &everything,
        change,
        Which::Current,
        CLAIMS_MAX_AGE,
    );
    case.await.unwrap().unwrap()
}
