//! Deliveries in any order, twice or never: what the host shows in the end is what is recorded.

use super::{NAME, World};
use crate::support::hosts::Delivery;
use fake_host::Mood;
use serde_json::json;
use server::jobs::{deliveries, looks};
use sqlx::PgPool;
use time::Duration;

const STEPS: usize = 60;
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

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn any_order_and_any_repetition_ends_in_what_the_host_shows(pool: PgPool) {
    let w = World::new(pool).await;
    let seed = u64::from_le_bytes(store::ids::new().as_bytes()[8..].try_into().unwrap());
    println!("seed {seed}");
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
        happens(&w, number, step, &mut chance);
        under_way.push(number);
        // Some of what was told comes now, in any order, some of it twice.
        for _ in 0..chance.below(4) {
            let at = chance.below(under_way.len());
            let told = if chance.below(4) == 0 {
                under_way[at]
            } else {
                under_way.swap_remove(at)
            };
            tell(
                &w,
                told,
                &format!("{step}-{at}-{}", chance.below(1_000_000)),
            )
            .await;
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
        tell(&w, number, &format!("last-{n}")).await;
    }
    for _ in 0..20 {
        w.works().await;
        w.t.pass(Duration::seconds(5));
    }
    let changes = w.changes().await;
    assert_eq!(changes.len(), usize::try_from(CHANGES).unwrap());
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
    let body = json!({ "pull_request": { "number": number }, "repository": { "full_name": NAME } });
    let told = Delivery::github(id, "pull_request", &body.to_string());
    assert!(w.t.delivers(&told).await.status.is_success());
}

fn branch(number: u64) -> String {
    format!("topic-{number}")
}

fn file(number: u64) -> String {
    format!("file-{number}.txt")
}
