//! Merge queues of GitHub: what they would merge passes if every change in it does, and if it is nothing but those.

use super::{NAME, World, landed, merging::opens};
use crate::support::{changes::Change, hosts::Delivery};
use fake_host::{Mood, Pull};
use serde_json::{Value, json};
use server::jobs::reconcile;
use sqlx::PgPool;
use time::Duration;

impl World {
    /// Makes the commit at the next place of the queue, on top of `below`, as the host does: on a branch of its own.
    fn queues(&self, number: u64, below: &str, way: landed::Way) -> String {
        let name = format!("gh-readonly-queue/main/pr-{number}-{below}");
        self.repository.force(&name, below);
        let (head, target) = (format!("topic-{number}"), name.clone());
        way(
            &self.repository,
            &Pull {
                head,
                target,
                ..Pull::default()
            },
        );
        self.repository.tip(&name).unwrap()
    }

    /// Has the host ask for checks of what is at a place, as it asks for them, and everybody do their work.
    async fn asks_for_checks(&self, id: &str, number: u64) {
        let head_ref = format!("refs/heads/gh-readonly-queue/main/pr-{number}-0123");
        let group = json!({ "head_ref": head_ref, "base_ref": "refs/heads/main" });
        let body = json!({ "action": "checks_requested", "merge_group": group, "repository": { "full_name": NAME } });
        let told = Delivery::github(id, "merge_group", &body.to_string());
        assert!(self.t.delivers(&told).await.status.is_success());
        self.works().await;
    }

    /// Opens two changes that have nothing to do with each other, and has them queued, the second on top of the first.
    async fn two_in_the_queue(&self) -> ([Change; 2], [String; 2]) {
        let changes = [opens(self, 1), opens(self, 2)];
        for number in [1, 2] {
            self.hears_of(&format!("opened-{number}"), number).await;
        }
        let main = self.repository.tip("main").unwrap();
        let first = self.queues(1, &main, landed::squash);
        let second = self.queues(2, &first, landed::squash);
        (changes, [first, second])
    }

    pub async fn asked(&self, commit: &str) -> Value {
        let asked = format!("/api/v1/gate?repository={NAME}&commit={commit}");
        self.ci.get(&asked).await.json
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_ends_by_time_alone_is_told_of_a_group_too(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.t.senior("ben").await;
    let ([one, _], [first, _]) = w.two_in_the_queue().await;
    w.asks_for_checks("queued", 1).await;
    ben.breaks_the_glass(&one, "INC-7").await.unwrap();
    assert!(w.tells().await.contains(&says(&first, "success")));
    let ended = [&one.head, &first].map(|head| says(head, "pending"));
    assert_eq!(sorted(w.as_time_passes().await), sorted(ended.to_vec()));
}

fn keys(answer: &Value) -> Vec<&str> {
    let changes = answer["changes"].as_array().unwrap().iter();
    changes.map(|one| one["key"].as_str().unwrap()).collect()
}

fn says(commit: &str, word: &str) -> (String, String) {
    (commit.to_owned(), word.to_owned())
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_a_queue_would_merge_passes_with_its_change_whichever_way_it_merges(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.t.senior("ben").await;
    let main = w.repository.tip("main").unwrap();
    for (number, (kind, way)) in (1..).zip(landed::WAYS) {
        w.repository.force("main", &main);
        let change = w.opens_three(number).await;
        let onto = w.repository.tip("main").unwrap();
        let group = w.queues(number, &onto, way);
        w.asks_for_checks(&format!("queued-{number}"), number).await;
        let answer = w.asked(&group).await;
        assert_eq!(
            (&answer["verdict"], &answer["via"]["kind"]),
            (&json!("waiting"), &json!("merge_group")),
            "{kind}: {answer}"
        );
        assert!(w.tells().await.contains(&says(&group, "pending")), "{kind}");
        ben.approve(&change).await;
        assert!(w.tells().await.contains(&says(&group, "success")), "{kind}");
        let answer = w.asked(&group).await;
        assert_eq!(
            (&answer["allow"], &answer["via"]["onto"]),
            (&json!(true), &json!([onto])),
            "{kind}"
        );
        // The queue merges it: it becomes the target as it is.
        w.host.merge(NAME, number, |git, pull| {
            git.force(&pull.target, &group);
        });
        w.hears_of(&format!("merged-{number}"), number).await;
        assert_eq!(w.asked(&group).await["allow"], true, "{kind}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_group_passes_when_every_change_in_it_does(pool: PgPool) {
    let w = World::new(pool).await;
    let (ben, li) = (w.t.senior("ben").await, w.t.senior("li").await);
    let ([one, two], [first, second]) = w.two_in_the_queue().await;
    w.tells().await;
    // What was told of the first place is lost; it is there all the same.
    w.asks_for_checks("queued", 2).await;
    let both = vec![says(&first, "pending"), says(&second, "pending")];
    assert_eq!(sorted(w.tells().await), sorted(both));
    assert_eq!(keys(&w.asked(&first).await), ["1"]);
    assert_eq!(keys(&w.asked(&second).await), ["1", "2"]);

    ben.approve(&two).await;
    assert_eq!(w.asked(&second).await["verdict"], "waiting");
    assert_eq!(w.tells().await, [says(&two.head, "success")]);
    ben.approve(&one).await;
    assert_eq!(w.asked(&second).await["verdict"], "approved");
    let all = [&one.head, &first, &second].map(|head| says(head, "success"));
    assert_eq!(sorted(w.tells().await), sorted(all.to_vec()));
    li.reject(&one, "It loses money").await;
    assert_eq!(w.asked(&second).await["verdict"], "rejected");
    let all = [&one.head, &first, &second].map(|head| says(head, "failure"));
    assert_eq!(sorted(w.tells().await), sorted(all.to_vec()));
    // Of what passes by itself it says nothing.
    assert_eq!(w.asked(&two.head).await["verdict"], "approved");
}

fn sorted(mut told: Vec<(String, String)>) -> Vec<(String, String)> {
    told.sort();
    told
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_more_than_its_changes_is_nobodys_and_the_queue_is_told_so(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.t.senior("ben").await;
    let change = w.opens_three(1).await;
    ben.approve(&change).await;
    w.tells().await;
    let main = w.repository.tip("main").unwrap();
    let with_more = w.queues(1, &main, |git, pull| landed::more(git, pull, &[]));
    w.asks_for_checks("queued", 1).await;
    // Its change could just be looked at: a queue that is told no forgets it.
    assert_eq!(w.tells().await, []);
    assert_eq!(w.asked(&with_more).await["verdict"], "unheard");
    for _ in 0..12 {
        w.t.pass(Duration::minutes(20));
        w.works().await;
    }
    assert_eq!(w.tells().await, [says(&with_more, "failure")]);
    assert_eq!(w.asked(&with_more).await["verdict"], "unheard");

    // On top of what is not the target, and of a change to another branch.
    let aside = w
        .repository
        .commit("aside", &[("x.txt", Some(b"x\n"))], "Aside");
    let elsewhere = w.queues(1, &aside, landed::squash);
    w.repository.force("release", &main);
    w.asks_for_checks("again", 1).await;
    assert_eq!(w.asked(&elsewhere).await["verdict"], "unheard");
    w.host
        .pull(NAME, 1, |pull| pull.target = "release".to_owned());
    w.hears_of("retargeted", 1).await;
    let to_main = w.queues(1, &main, landed::squash);
    w.asks_for_checks("once more", 1).await;
    assert_eq!(w.asked(&to_main).await["verdict"], "unheard");
    assert_eq!(w.t.count("landing").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_group_is_known_when_its_changes_are_and_the_host_answers(pool: PgPool) {
    let w = World::new(pool).await;
    let change = opens(&w, 1);
    let main = w.repository.tip("main").unwrap();
    let group = w.queues(1, &main, landed::squash);
    // Nobody knows of the change yet, and then the host is away.
    w.host.will(&[Mood::Status(502)]);
    w.asks_for_checks("queued", 1).await;
    assert_eq!(w.asked(&group).await["verdict"], "unheard");
    for _ in 0..3 {
        w.t.pass(Duration::seconds(10));
        w.works().await;
    }
    assert_eq!(keys(&w.asked(&group).await), ["1"]);
    let told = w.tells().await;
    assert_eq!(
        sorted(told),
        sorted(vec![says(&group, "pending"), says(&change.head, "pending")])
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_group_that_no_delivery_told_of_is_found_by_a_walk(pool: PgPool) {
    let w = World::new(pool).await;
    let (_, [_, second]) = w.two_in_the_queue().await;
    assert_eq!(w.asked(&second).await["verdict"], "unheard");
    reconcile::batch(&w.t.server).await.unwrap();
    w.works().await;
    assert_eq!(keys(&w.asked(&second).await), ["1", "2"]);
    // Nothing is asked of the host about what is known.
    assert!(!w.host.was_asked().is_empty());
    w.asks_for_checks("again", 3).await;
    let asked = w.host.was_asked();
    let beside = asked
        .iter()
        .filter(|asked| !asked.contains("matching-refs"));
    assert_eq!(
        beside.collect::<Vec<_>>(),
        [&format!("404 /repos/{NAME}/pulls/3")]
    );
}
