//! What happens at the same time at two servers: no gate ever allows what the rules do not at any moment of its question.
//!
//! Each try is a small world of one change in which a few people, pipelines and operators act at once while gates are asked
//! ([`worlds`]). What all of them saw is then judged, together with what the tables hold, by rules of its own ([`checker`]).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

mod checker;
mod history;
#[path = "../processes/mod.rs"]
#[expect(dead_code, reason = "other test crates do more with processes")]
mod processes;
mod replay;
mod seeded;
mod stage;
mod worlds;

use checker::Report;
use history::History;
use processes::chance::Chance;
use stage::Stage;
use std::{
    collections::BTreeMap,
    ops::Range,
    str::FromStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use worlds::{Lane, WORLDS};

/// How many tries there are, unless `COUNTERSIGN_RACES_TRIES` tells.
const TRIES: usize = 2000;
/// How many there are on one stage.
const ROUND: usize = 2000;
/// How many go on side by side, unless `COUNTERSIGN_RACES_LANES` tells.
const LANES: usize = 8;
/// How many answers are asked for once more at the end: all of them, unless there are more.
const KEPT: usize = 20_000;
/// How many answers a try has.
const ANSWERS: usize = 7;
/// How many of the tries in which something was found are shown whole.
const SHOWN: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_gate_allows_what_the_rules_do_not_allow_at_any_moment() {
    let seed = from_environment("COUNTERSIGN_RACES_SEED", chosen());
    let tries = from_environment("COUNTERSIGN_RACES_TRIES", TRIES);
    let lanes = from_environment("COUNTERSIGN_RACES_LANES", LANES);
    println!("COUNTERSIGN_RACES_SEED={seed}");
    let counts = Arc::new(Counts::new());
    let every = (tries * ANSWERS).div_ceil(KEPT);
    for begin in (0..tries).step_by(ROUND) {
        let round = Round {
            seed: seed.wrapping_add(begin.try_into().unwrap()),
            tries: begin..tries.min(begin + ROUND),
            lanes,
            every,
        };
        round.plays(&counts).await;
    }
    assert!(counts.told(), "something was found");
}

/// Tries on one stage. What each stage holds grows with every try, and with it the time that a try takes.
struct Round {
    seed: u64,
    tries: Range<usize>,
    lanes: usize,
    /// The answers of each so many tries are asked for once more at its end.
    every: usize,
}

impl Round {
    async fn plays(self, counts: &Arc<Counts>) {
        let stage = Arc::new(Stage::start().await);
        let begun = Arc::new(AtomicUsize::new(self.tries.start));
        let (end, every) = (self.tries.end, self.every);
        let mut all = JoinSet::new();
        for lane in 0..self.lanes {
            let (stage, begun, counts) = (stage.clone(), begun.clone(), counts.clone());
            let chance = Chance::new(self.seed, lane.try_into().unwrap());
            all.spawn(async move {
                let (mut lane, mut kept) =
                    (Lane::new(&stage, &format!("lane{lane}"), chance), vec![]);
                while let n = begun.fetch_add(1, Ordering::SeqCst)
                    && n < end
                {
                    let world = &WORLDS[n % WORLDS.len()];
                    let keeps = n.is_multiple_of(every);
                    let (mut history, report) = lane.plays(world, keeps).await;
                    counts.takes(world.name, &history, report);
                    if keeps {
                        kept.append(&mut history.told);
                    }
                }
                kept
            });
        }
        let kept = all.join_all().await.concat();
        stage.turns().await;
        let otherwise = stage.tells_otherwise(&kept).await;
        counts.asked_once_more(kept.len(), &otherwise);
    }
}

/// What all tries came to.
struct Counts {
    began: Instant,
    so_far: Mutex<SoFar>,
}

#[derive(Default)]
struct SoFar {
    /// Tries, and those that overlapped, by world.
    tries: BTreeMap<&'static str, (usize, usize)>,
    wrong_allows: usize,
    found: usize,
    said: Duration,
    /// Answers that were asked for once more, and those of them that were given otherwise.
    answers: usize,
    otherwise: usize,
}

impl Counts {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            so_far: Mutex::default(),
        }
    }

    fn takes(&self, world: &'static str, history: &History, report: Report) {
        let mut so_far = self.so_far.lock().unwrap();
        let (tries, overlapping) = so_far.tries.entry(world).or_default();
        *tries += 1;
        *overlapping += usize::from(report.overlapped);
        so_far.wrong_allows += report.wrong_allows.len();
        if !report.is_clean() {
            so_far.found += 1;
            if so_far.found <= SHOWN {
                let findings: Vec<&str> = report.findings().map(String::as_str).collect();
                let told = checker::told(history);
                println!("\n{world}: {}\n{told}", findings.join("\n    "));
            }
        }
        if self.began.elapsed() - so_far.said > Duration::from_secs(60) {
            so_far.said = self.began.elapsed();
            println!("{} after {:.0?}", so_far.line(), so_far.said);
        }
    }

    fn asked_once_more(&self, answers: usize, otherwise: &[String]) {
        let mut so_far = self.so_far.lock().unwrap();
        let shown = SHOWN.saturating_sub(so_far.otherwise);
        for told in otherwise.iter().take(shown) {
            println!("\n{told}");
        }
        so_far.answers += answers;
        so_far.otherwise += otherwise.len();
    }

    /// Prints all of it, and says whether nothing was found.
    fn told(&self) -> bool {
        let so_far = self.so_far.lock().unwrap();
        for (world, (tries, overlapping)) in &so_far.tries {
            println!("{overlapping:>6} of {tries:>6} overlapping: {world}");
        }
        let (answers, otherwise) = (so_far.answers, so_far.otherwise);
        println!("{answers} answers asked for once more, {otherwise} given otherwise");
        println!("after {:.0?}", self.began.elapsed());
        println!("{}", so_far.line());
        so_far.found == 0 && otherwise == 0
    }
}

impl SoFar {
    fn line(&self) -> String {
        let tries: usize = self.tries.values().map(|(tries, _)| tries).sum();
        let overlapping: usize = self
            .tries
            .values()
            .map(|(_, overlapping)| overlapping)
            .sum();
        let wrong = self.wrong_allows;
        format!("races: {wrong} wrong allows in {tries} tries, {overlapping} overlapping")
    }
}

fn from_environment<T: FromStr>(name: &str, or: T) -> T {
    let Ok(text) = std::env::var(name) else {
        return or;
    };
    let number = text.parse().ok();
    number.unwrap_or_else(|| panic!("{name} is a number"))
}

fn chosen() -> u64 {
    u64::from_le_bytes(store::ids::new().as_bytes()[8..].try_into().unwrap())
}
