//! What the host is told of heads: what a gate would answer, soon after it is another, and only then.

use super::{NAME, World, an_app, merging::opens, submitting::told};
use crate::support::{changes::Change, people::Human};
use fake_host::Mood;
use serde_json::{Value, json};
use server::jobs::checks;
use sqlx::PgPool;
use store::{modes, policies};
use time::Duration;

impl World {
    /// What the host was told since it was asked this last: of which commit, and which state or conclusion.
    pub async fn tells(&self) -> Vec<(String, String)> {
        let told = self.tells_all().await.into_iter();
        let word = |(head, said): (String, Value)| {
            let words = [&said["state"], &said["conclusion"], &said["status"]];
            let word = words.into_iter().find_map(Value::as_str).unwrap();
            // In GitLab's words.
            (head, word.replace("failed", "failure"))
        };
        told.map(word).collect()
    }

    async fn tells_all(&self) -> Vec<(String, Value)> {
        while checks::batch(&self.t.server).await.unwrap() > 0 {}
        self.host.was_told()
    }

    /// What is told for the first time when an override ends.
    pub async fn as_time_passes(&self) -> Vec<(String, String)> {
        let most_of_it = Duration::hours(23);
        self.t.pass(most_of_it);
        assert_eq!(self.tells().await, [], "after {most_of_it}");
        for _ in 0..12 {
            self.t.pass(Duration::minutes(10));
            let told = self.tells().await;
            if !told.is_empty() {
                return told;
            }
        }
        vec![]
    }

    async fn observes(&self, admin: &Human, days: Option<i64>) {
        let mut tx = self.t.db.begin().await.unwrap();
        let locked = policies::lock(&mut tx, &NAME.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        let until = days.map(|days| tx.now() + Duration::days(days));
        modes::set(&mut tx, &locked, until, admin.id, "a pilot")
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

fn of(change: &Change, word: &str) -> Vec<(String, String)> {
    vec![(change.head.clone(), word.to_owned())]
}

pub async fn it_is_told_what_a_gate_would_answer_and_only_when_that_is_another(w: World) {
    let (ben, li, grace) = (
        w.t.senior("ben").await,
        w.t.senior("li").await,
        w.t.admin("grace").await,
    );
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    let first = w.tells_all().await;
    let page = w.t.at(&format!("/changes/{}", w.t.id_of(&change).await));
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0, change.head);
    assert_eq!(
        (
            first[0].1.get("context").unwrap_or(&first[0].1["name"]),
            &first[0].1["state"],
            &first[0].1["target_url"]
        ),
        (&json!("countersign"), &json!("pending"), &json!(page))
    );
    // Nothing happened, and then something that changes no verdict.
    assert_eq!(w.tells().await, []);
    w.host
        .pull(NAME, 7, |pull| pull.title = "Another".to_owned());
    w.hears_of("edited", 7).await;
    assert_eq!(w.tells().await, []);

    ben.approve(&change).await;
    assert_eq!(w.tells().await, of(&change, "success"));
    li.reject(&change, "It loses money").await;
    assert_eq!(w.tells().await, of(&change, "failure"));
    w.observes(&grace, Some(3)).await;
    let observed = w.tells_all().await;
    assert_eq!(observed[0].1["state"], "success");
    let title = observed[0].1["description"].as_str().unwrap();
    assert!(
        title.starts_with("Only observed, else rejected: li "),
        "{title}"
    );
    w.observes(&grace, None).await;
    assert_eq!(w.tells().await, of(&change, "failure"));

    // Another head waits anew, and what was said of the first one still holds.
    let second = w
        .repository
        .commit("topic-7", &[("7.txt", Some(b"two\n"))], "Two");
    w.hears_of("pushed", 7).await;
    let second = told(&w, "7", &second);
    assert_eq!(w.tells().await, of(&second, "failure"));
    li.withdraw(&second).await;
    let mut both = of(&change, "success");
    both.extend(of(&second, "pending"));
    both.sort();
    let mut said = w.tells().await;
    said.sort();
    assert_eq!(said, both);
}

pub async fn what_ends_by_time_alone_is_told_when_it_ends(w: World) {
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    assert_eq!(w.tells().await, of(&change, "pending"));
    ben.breaks_the_glass(&change, "INC-7").await.unwrap();
    assert_eq!(w.tells().await, of(&change, "success"));
    assert_eq!(w.as_time_passes().await, of(&change, "pending"));
}

pub async fn a_head_that_two_changes_have_is_allowed_when_both_are(w: World) {
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    ben.approve(&change).await;
    assert_eq!(w.tells().await, of(&change, "success"));
    w.repository.force("release", &change.base);
    w.host.pull(NAME, 8, |pull| {
        (pull.head, pull.target) = ("topic-7".to_owned(), "release".to_owned());
    });
    w.hears_of("also", 8).await;
    assert_eq!(w.tells().await, of(&change, "pending"));
    let also = change.clone().key("8");
    ben.approve(&also).await;
    assert_eq!(w.tells().await, of(&change, "success"));
}

pub async fn nothing_is_lost_where_the_host_is_away_or_whoever_tells_it_dies(w: World) {
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    w.host.will(&[Mood::Status(502), Mood::RetryAfter(30)]);
    assert_eq!(w.tells().await, []);
    w.t.pass(Duration::seconds(3));
    assert_eq!(w.tells().await, []);
    w.t.pass(Duration::seconds(29));
    assert_eq!(w.tells().await, [], "it wants silence");
    // Decided meanwhile: only what holds now is told.
    ben.approve(&change).await;
    w.t.pass(Duration::seconds(3));
    assert_eq!(w.tells().await, of(&change, "success"));

    ben.withdraw(&change).await;
    let mut conn = w.t.db.pool().acquire().await.unwrap();
    let lasts = Duration::seconds(70);
    let taken = store::checks::take(&mut conn, 8, w.t.db.now(), lasts).await;
    assert_eq!(taken.unwrap().len(), 1);
    assert_eq!(w.tells().await, [], "somebody else does");
    // And is never heard of again.
    w.t.pass(Duration::seconds(71));
    assert_eq!(w.tells().await, of(&change, "pending"));
    // A commit that is gone is not told of for ever.
    w.host.will(&[const { Mood::Status(404) }; 4]);
    ben.approve(&change).await;
    for _ in 0..20 {
        w.t.pass(Duration::minutes(10));
        assert_eq!(w.tells().await, []);
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_app_makes_a_check_run_that_says_why(pool: PgPool) {
    let w = World::by(pool, an_app().1).await;
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    let told = w.tells_all().await;
    let run = &told[0].1;
    assert_eq!(
        (
            &run["name"],
            &run["head_sha"],
            &run["status"],
            &run["conclusion"]
        ),
        (
            &json!("countersign"),
            &json!(change.head),
            &json!("in_progress"),
            &Value::Null
        )
    );
    let summary = run["output"]["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("- ") && summary.contains("senior"),
        "{summary}"
    );
    ben.approve(&change).await;
    assert_eq!(w.tells().await, of(&change, "success"));
}
