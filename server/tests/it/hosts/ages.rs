//! How lately a host was heard: said of every change, and asked for where a policy says so.

use super::{NAME, World, any_order::walks, merging::opens};
use crate::{policies::asking, support::changes::Change};
use domain::host::Host;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;

impl World {
    /// What is said of the age of the only change: by the gate, of it there, and by itself.
    async fn ages(&self, change: &Change) -> [Value; 3] {
        let answer = self.asked(&change.head).await;
        let [shown] = &self.changes().await[..] else {
            panic!("there are several");
        };
        let of_it = &answer["changes"][0]["source_age"];
        [&answer["source_age"], of_it, &shown["source_age"]].map(Clone::clone)
    }

    /// A policy that lets pass what the host confirmed an hour ago at most.
    async fn wants_to_hear_hourly(&self) {
        let text = format!("{}[source]\nmax_age = \"1 hour\"\n", asking(1, "senior"));
        self.demands(text).await;
    }

    async fn said(&self, change: &Change) -> (bool, String, Vec<String>) {
        self.gate(&change.head).await
    }
}

fn all(age: i64) -> [Value; 3] {
    [age.into(), age.into(), age.into()]
}

fn old() -> (bool, String, Vec<String>) {
    let why = vec!["source_old".to_owned()];
    (false, "undecidable".to_owned(), why)
}

pub async fn how_long_ago_a_host_confirmed_a_change_is_said_wherever_it_is_read(w: World) {
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    assert_eq!(w.ages(&change).await, all(0));
    w.t.pass(Duration::minutes(5));
    assert_eq!(w.ages(&change).await, all(300));
    // What happens here confirms nothing, and takes nothing of it away.
    ben.approve(&change).await;
    w.ci.submit(&change).await;
    assert_eq!(w.ages(&change).await, all(300));
    assert_eq!(walks(&w).await, 0);
    assert_eq!(w.ages(&change).await, all(0));
    w.t.pass(Duration::MINUTE);
    w.hears_of("nothing new", 7).await;
    assert_eq!(w.ages(&change).await, all(0));
    w.t.pass(Duration::MINUTE);
    w.host.pull(NAME, 7, |pull| pull.title = "Another".into());
    w.hears_of("edited", 7).await;
    assert_eq!(w.ages(&change).await, all(0));
    let path = format!("/changes/{}", w.t.id_of(&change).await);
    let page = ben.browser.page(&w.t, &path).await;
    assert!(page.contains("confirmed by its host"), "{page}");
}

pub async fn what_no_host_confirmed_for_longer_than_the_policy_allows_passes_after_the_next_walk(
    w: World,
) {
    let (ben, li) = (w.t.senior("ben").await, w.t.senior("li").await);
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    w.wants_to_hear_hourly().await;
    ben.approve(&change).await;
    assert!(w.said(&change).await.0);
    assert_eq!(told(&w).await, ["success"]);
    w.t.pass(Duration::HOUR);
    assert!(w.said(&change).await.0);
    w.t.pass(Duration::SECOND);
    assert_eq!(w.said(&change).await, old());
    assert_eq!(told(&w).await, ["failure"]);
    let path = format!("/changes/{}", w.t.id_of(&change).await);
    let page = ben.browser.page(&w.t, &path).await;
    assert!(page.contains("too long ago for the policy"), "{page}");

    // Who waits for an answer gets it as soon as the host was looked at.
    let asked = format!(
        "/api/v1/gate?repository={NAME}&commit={}&wait=60",
        change.head
    );
    let (answer, found) = tokio::join!(w.ci.get(&asked), walks(&w));
    assert_eq!(
        (found, &answer.json["allow"]),
        (0, &json!(true)),
        "{answer:?}"
    );
    assert_eq!(told(&w).await, ["success"]);

    // An override is for hosts that are down; and what is merged is confirmed by nobody any more.
    w.t.pass(Duration::hours(2));
    li.breaks_the_glass(&change, "INC-7").await.unwrap();
    assert_eq!(w.said(&change).await.1, "overridden");
    w.host.merge(NAME, 7, |git, pull| {
        drop(git.merge(&pull.target, &pull.head))
    });
    w.hears_of("merged", 7).await;
    w.t.pass(Duration::days(20));
    assert_eq!(w.said(&change).await.1, "approved");
}

/// The states or conclusions that the host was told since it was asked this last.
async fn told(w: &World) -> Vec<String> {
    w.tells().await.into_iter().map(|(_, word)| word).collect()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_no_host_is_asked_about_is_never_confirmed(pool: PgPool) {
    let w = World::at(pool, Host::GitHub).await;
    let change = opens(&w, 7);
    let t = w.t.set_up(&[]).await;
    let ci = w.ci.at(&t);
    ci.submit(&change).await;
    t.senior("ben").await.approve(&change).await;
    let asked = format!("/api/v1/gate?repository={NAME}&commit={}", change.head);
    let answer = ci.get(&asked).await;
    assert_eq!(answer.json["source_age"], Value::Null);
    assert_eq!(answer.json["allow"], true);
    w.wants_to_hear_hourly().await;
    let codes = ci.get(&asked).await;
    assert_eq!(
        codes.answer(),
        (false, "undecidable", vec!["source_old"]),
        "who asks for the word of a host gets none"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_is_given_again_with_the_age_that_its_source_had_then(pool: PgPool) {
    let w = World::new(pool).await;
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    w.wants_to_hear_hourly().await;
    w.t.senior("ben").await.approve(&change).await;
    w.t.pass(Duration::hours(2));
    let refused = w.asked(&change.head).await;
    assert_eq!(refused["reasons"][0]["code"], "source_old");
    let past = format!(
        "/api/v1/gate/past?repository={NAME}&commit={}&as_of={}",
        change.head,
        refused["snapshot"].as_str().unwrap()
    );
    w.t.pass(Duration::MINUTE);
    assert_eq!(w.ci.get(&past).await.json["then"], refused);
    // Nobody keeps when it was confirmed before it was confirmed again.
    assert_eq!(walks(&w).await, 0);
    let then = &w.ci.get(&past).await.json["then"];
    assert_eq!(then["verdict"], "approved");
    assert_eq!(then["source_age"], Value::Null);
}
