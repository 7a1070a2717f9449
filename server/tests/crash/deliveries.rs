//! What a code host was told is stored is worked on, whoever was killed meanwhile.

use super::{
    SETTINGS,
    processes::{
        chance::Chance,
        cluster::Cluster,
        site::{HOOK_SECRET, Site},
    },
    seed,
};
use ring::hmac;
use sqlx::PgPool;
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use store::Db;

const DELIVERIES: usize = 400;
const ROUNDS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_delivery_that_was_taken_is_lost_whatever_was_killed() {
    let seed = seed();
    println!("COUNTERSIGN_CRASH_SEED={seed}");
    let mut cluster = Cluster::start(&SETTINGS).await;
    let mut site = Site::start(&cluster).await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn({
        let (door, acknowledged) = (site.door.clone(), acknowledged.clone());
        async move {
            for n in 0..DELIVERIES {
                // Sent until it is acknowledged, under one id, as somebody who watches the deliveries of a host does.
                while !is_taken(&door.http, &door.at("/hooks/github"), n).await {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let mut chance = Chance::new(seed, 0);
    for round in 0..ROUNDS {
        let share = DELIVERIES / ROUNDS;
        let wanted = round * share + chance.below(share);
        until(&site, || acknowledged.load(Ordering::SeqCst) >= wanted).await;
        tokio::time::sleep(Duration::from_micros(
            chance.below(20_000).try_into().unwrap(),
        ))
        .await;
        if chance.below(3) == 0 {
            cluster.loses_power().await;
        } else {
            site.crashes().await;
        }
        site.is_ready().await;
    }
    tokio::time::timeout(Duration::from_secs(60), sending)
        .await
        .unwrap()
        .unwrap();

    let db = Db::connect(&cluster.address("postgres"), 4).await.unwrap();
    // What was being worked on when somebody was killed is due again after some seconds.
    let by = Instant::now() + Duration::from_secs(60);
    while states(db.pool()).await != [("done".to_owned(), DELIVERIES.try_into().unwrap())] {
        assert!(
            Instant::now() < by,
            "{:?}\n{}",
            states(db.pool()).await,
            site.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let looks: (i64, i64) = sqlx::query_as("select count(*), sum(asks)::bigint from host_change")
        .fetch_one(db.pool())
        .await
        .unwrap();
    let all = i64::try_from(DELIVERIES).unwrap();
    assert_eq!(
        looks,
        (all / 4, all),
        "each is one reason to look at one of four"
    );
}

async fn is_taken(http: &reqwest::Client, url: &str, n: usize) -> bool {
    let body = format!(
        r#"{{"pull_request": {{"number": {}}}, "repository": {{"full_name": "hosted/payments"}}}}"#,
        n / 4
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, HOOK_SECRET.as_bytes());
    let mut signature = "sha256=".to_owned();
    for byte in hmac::sign(&key, body.as_bytes()).as_ref() {
        write!(signature, "{byte:02x}").unwrap();
    }
    let request = http
        .post(url)
        .header("content-type", "application/json")
        .header("x-github-event", "pull_request")
        .header("x-github-delivery", n.to_string())
        .header("x-hub-signature-256", signature)
        .body(body);
    request
        .send()
        .await
        .is_ok_and(|answer| answer.status().is_success())
}

async fn until(site: &Site, mut is_so: impl FnMut() -> bool) {
    let by = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(
            Instant::now() < by,
            "nothing is acknowledged any more:\n{}",
            site.log()
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn states(pool: &PgPool) -> Vec<(String, i64)> {
    sqlx::query_as("select state, count(*) from delivery group by state order by state")
        .fetch_all(pool)
        .await
        .unwrap()
}
