//! Deliveries in any order, twice or never: what the host shows in the end is what is recorded.

use super::{NAME, World};
use crate::cli::{countersign, outcome};
use fake_host::Mood;
use serde_json::json;
use server::jobs::{deliveries, looks};
use sqlx::ConnectOptions as _;
use std::path::Path;
use time::Duration;

const STEPS: usize = 40;
const CHANGES: u64 = 3;

/// Chance that a seed makes again: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(most).unwrap()).unwrap()
    }
}

pub async fn any_order_and_any_repetition_ends_in_what_the_host_shows(w: World) {
    let seed = any_seed();
    much_happens(&w, seed, 0).await;
    is_as_the_host_shows(&w).await;
    assert_eq!(walks(&w).await, 0);
}

/// Three of ten deliveries never come.
pub async fn what_no_delivery_told_is_found_by_one_walk(w: World) {
    let seed = any_seed();
    much_happens(&w, seed, 3).await;
    // Of these at least nobody told: one is new, one is not open any more, one has another head.
    w.host.pull(NAME, 4, |pull| pull.head = branch(1));
    w.host.pull(NAME, 1, |pull| {
        let state = if pull.state == "open" {
            "closed"
        } else {
            "open"
        };
        (pull.state, pull.merged) = (state.to_owned(), false);
    });
    for number in [2, 3] {
        // What is open is not merged any more.
        w.host.pull(NAME, number, |pull| {
            (pull.state, pull.merged) = ("open".to_owned(), false);
        });
        w.repository.commit(
            &branch(number),
            &[(&file(number), Some(b"untold\n"))],
            "Untold",
        );
    }
    let found = walks(&w).await;
    assert!((3..=4).contains(&found), "{found}");
    settles(&w).await;
    is_as_the_host_shows(&w).await;

    let _ = w.host.was_asked();
    // Soon after, nobody walks again, unless somebody asks for it; and then there is nothing to find.
    assert_eq!(
        server::jobs::reconcile::batch(&w.t.server).await.unwrap(),
        0
    );
    assert!(w.host.was_asked().iter().all(|asked| !is_list(asked)));
    assert_eq!(walks(&w).await, 0);
    assert!(w.host.was_asked().iter().any(|asked| is_list(asked)));
    let changes = w.changes().await;
    let open = changes.iter().filter(|change| change["state"] == "open");
    let ages: Vec<_> = open.map(|change| &change["source_age"]).collect();
    assert!(
        !ages.is_empty() && ages.iter().all(|age| **age == 0),
        "what was found unchanged is confirmed: {ages:?}"
    );
}

/// Has somebody ask for a walk, and says how much it found.
pub async fn walks(w: &World) -> usize {
    let _ = w.host.was_asked();
    w.t.pass(Duration::seconds(1));
    let named = [NAME.parse().unwrap()];
    let mut conn = w.t.db.pool().acquire().await.unwrap();
    store::hosts::ask_for_walk(&mut conn, w.kind, &named, w.t.db.now())
        .await
        .unwrap();
    w.t.pass(Duration::seconds(1));
    let found = server::jobs::reconcile::batch(&w.t.server).await.unwrap();
    let asked = w.t.db.now() - Duration::seconds(1);
    let walks = store::hosts::walks(&mut conn, w.kind, asked).await.unwrap();
    assert_eq!((walks.len(), &walks[0].error), (1, &None));
    assert_eq!(usize::try_from(walks[0].found).unwrap(), found);
    found
}

fn is_list(asked: &str) -> bool {
    asked.ends_with("/pulls") || asked.ends_with("/merge_requests")
}

#[expect(
    clippy::print_stdout,
    reason = "what failed is made again from its seed"
)]
fn any_seed() -> u64 {
    let seed = u64::from_le_bytes(store::ids::new().as_bytes()[8..].try_into().unwrap());
    println!("seed {seed}");
    seed
}

/// Much happens, of which so many of ten deliveries never come.
async fn much_happens(w: &World, seed: u64, lost_of_ten: usize) {
    let mut chance = Chance(seed);
    w.repository.commit("release", &[], "Release");
    for number in 1..=CHANGES {
        let (branch, name) = (branch(number), file(number));
        w.repository
            .commit(&branch, &[(&name, Some(b"0\n"))], "Begin");
        w.host.pull(NAME, number, |pull| pull.head = branch);
    }
    let mut under_way: Vec<u64> = (1..=CHANGES).collect();
    for step in 0..STEPS {
        let number = u64::try_from(chance.below(3)).unwrap() + 1;
        happens(w, number, step, &mut chance);
        if chance.below(10) >= lost_of_ten {
            under_way.push(number);
        }
        // Some of what was told comes now, in any order, some of it twice.
        for _ in 0..chance.below(4).min(under_way.len()) {
            let at = chance.below(under_way.len());
            let told = if chance.below(4) == 0 {
                under_way[at]
            } else {
                under_way.swap_remove(at)
            };
            tell(w, told, &format!("{step}-{at}-{}", chance.below(1_000_000))).await;
            if under_way.is_empty() {
                break;
            }
        }
        if chance.below(5) == 0 {
            w.host.will(&[Mood::Status(503)]);
        }
        match chance.below(3) {
            0 => {}
            1 => drop(deliveries::batch(&w.t.server).await.unwrap()),
            _ => drop(looks::batch(&w.t.server).await.unwrap()),
        }
        w.t.pass(Duration::seconds(i64::try_from(chance.below(3)).unwrap()));
    }
    for (n, number) in under_way.into_iter().enumerate() {
        tell(w, number, &format!("last-{n}")).await;
    }
    settles(w).await;
}

/// Everybody does their work, also what has to be tried again.
async fn settles(w: &World) {
    for _ in 0..20 {
        w.works().await;
        w.t.pass(Duration::seconds(5));
    }
}

/// Field by field.
async fn is_as_the_host_shows(w: &World) {
    let changes = w.changes().await;
    assert!(changes.len() >= usize::try_from(CHANGES).unwrap());
    for change in &changes {
        let number = change["key"].as_str().unwrap().parse().unwrap();
        w.host.pull(NAME, number, |pull| {
            let state = if pull.merged { "merged" } else { &pull.state };
            let head = w.repository.tip(&pull.head).unwrap();
            let merge_base = w.repository.git(&["merge-base", &pull.target, &head]);
            assert_eq!(
                json!([
                    change["title"],
                    change["state"],
                    change["draft"],
                    change["revision"]["target"],
                    change["revision"]["head"],
                    change["revision"]["base"]
                ]),
                json!([pull.title, state, pull.draft, pull.target, head, merge_base]),
                "{number}"
            );
        });
    }
}

/// Something happens to a change at the host.
fn happens(w: &World, number: u64, step: usize, chance: &mut Chance) {
    let (branch, file) = (branch(number), file(number));
    let content = format!("{step}\n");
    match chance.below(6) {
        0 => drop(
            w.repository
                .commit(&branch, &[(&file, Some(content.as_bytes()))], "More"),
        ),
        1 => {
            let main = w.repository.tip("main");
            let anew = w.repository.commit_over(
                main.as_deref(),
                &[(&file, Some(content.as_bytes()))],
                "Anew",
            );
            w.repository.force(&branch, &anew);
        }
        2 => {
            let to = if chance.below(2) == 0 {
                "main"
            } else {
                "release"
            };
            w.host
                .pull(NAME, number, |pull| pull.target = to.to_owned());
        }
        3 => w.host.pull(NAME, number, |pull| pull.draft = !pull.draft),
        4 => w
            .host
            .pull(NAME, number, |pull| pull.title = format!("Title {step}")),
        _ => w.host.pull(NAME, number, |pull| {
            let state = if pull.state == "open" {
                "closed"
            } else {
                "open"
            };
            (pull.state, pull.merged) = (
                state.to_owned(),
                state == "closed" && step.is_multiple_of(2),
            );
        }),
    }
}

async fn tell(w: &World, number: u64, id: &str) {
    w.is_told(id, number).await;
}

fn branch(number: u64) -> String {
    format!("topic-{number}")
}

fn file(number: u64) -> String {
    format!("file-{number}.txt")
}

pub async fn an_operator_has_it_done_now_and_is_told_what_was_found(w: World) {
    w.repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    // The command goes by the real clock, and the server must not be behind it.
    w.t.pass(Duration::days(36_500));
    let walking = tokio::spawn(server::jobs::reconcile::run(w.t.server.clone()));
    let url = w.t.db.pool().connect_options().to_url_lossy().to_string();
    let asks = async |repository: &str| {
        let mut command = countersign(
            Path::new("/"),
            &["hosts", "reconcile", "--host", w.kind.as_str(), repository],
        );
        let outcome = outcome(command.env("DATABASE_URL", &url)).await;
        (outcome.code, outcome.stdout)
    };
    let one = format!("{NAME}: 1 open, 1 another than was known\n");
    assert_eq!(asks(NAME).await, (Some(0), one));
    let why = "elsewhere/x: this host is not the source for this repository\n".to_owned();
    assert_eq!(asks("elsewhere/x").await, (Some(1), why));
    walking.abort();
    w.works().await;
    assert_eq!(w.t.count("change").await, 1);
}
