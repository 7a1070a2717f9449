//! What is GitLab's alone: how its patch is known to be whole, and what it says of a commit.

use super::{NAME, World, is_recorded_as_git_would_write_it, merging::opens, numbered};
use domain::host::Host;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;

fn undecidable() -> (bool, String, Vec<String>) {
    let why = vec!["patch_incomplete".to_owned()];
    (false, "undecidable".to_owned(), why)
}

impl World {
    /// Why the newest revision is not whole, if it is not.
    async fn lacks(&self) -> Option<String> {
        sqlx::query_scalar("select incomplete from revision order by number desc limit 1")
            .fetch_one(&self.t.owner)
            .await
            .unwrap()
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_merge_request_is_recorded_as_git_would_write_it(pool: PgPool) {
    let w = World::at(pool, Host::GitLab).await;
    let [_, head] = is_recorded_as_git_would_write_it(&w).await;
    let change = &w.changes().await[0];
    let url = format!("https://gitlab.example/{NAME}/-/merge_requests/7");
    assert_eq!(
        (&change["key"], &change["state"], &change["url"]),
        (&json!("7"), &json!("open"), &json!(url))
    );
    assert_eq!(w.gate(&head).await.1, "waiting");
    // Whoever opened it is known for good, whatever they call themselves.
    let keys: Vec<String> =
        sqlx::query_scalar("select distinct unnest(keys) as key from contributor order by key")
            .fetch_all(&w.t.owner)
            .await
            .unwrap();
    for key in [
        "login:octocat",
        "email:583231-octocat@users.noreply.gitlab.example",
        "email:ana@halden.example",
    ] {
        assert!(keys.iter().any(|known| known == key), "{key}: {keys:?}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nothing_is_asked_twice_that_cannot_have_changed(pool: PgPool) {
    let w = World::at(pool, Host::GitLab).await;
    w.repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    w.hears_of("d1", 7).await;
    let _ = w.host.was_asked();
    let project = "/api/v4/projects/Hosted%2FPayments";
    w.hears_of("d2", 7).await;
    assert_eq!(
        w.host.was_asked(),
        [format!("304 {project}/merge_requests/7")]
    );
    w.host
        .pull(NAME, 7, |pull| pull.title = "Another".to_owned());
    w.looks_at("d3", 7).await;
    assert_eq!(
        w.host.was_asked(),
        [
            format!("200 {project}/merge_requests/7"),
            format!("200 {project}/repository/merge_base"),
            format!("200 {project}/repository/commits"),
        ]
    );
    assert_eq!(w.changes().await[0]["title"], "Another");
    assert_eq!(w.t.count("revision").await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_patch_that_is_not_whole_is_undecidable_until_it_is(pool: PgPool) {
    let w = World::at(pool, Host::GitLab).await;
    w.repository.commit(
        "main",
        &[("a.txt", Some(numbered("2", "50").as_bytes()))],
        "Fill",
    );
    let changed = numbered("two", "fifty");
    let changes = |more: &str| {
        let (changed, more) = (changed.as_bytes(), more.as_bytes());
        w.repository.commit(
            "topic",
            &[("a.txt", Some(changed)), ("b.txt", Some(more))],
            "Change",
        )
    };
    w.host.pull(NAME, 7, |_| {});
    let too_large = "The patch is larger than the host gives out.";
    for (n, (most, last, why)) in [
        (100, None, too_large),
        (100_000, Some("diff --git a/b.txt"), NOT_ALL),
        (100_000, Some("+more"), NOT_ALL),
        (100_000, Some("diff --git a/a.txt"), NOT_ALL),
    ]
    .into_iter()
    .enumerate()
    {
        let head = changes(&format!("more {n}\n"));
        let whole = w.repository.git(&["diff", "--full-index", "main", &head]);
        w.host.gives_at_most(most, 100_000);
        w.host
            .breaks_off(last.map_or(usize::MAX, |last| whole.find(last).unwrap()));
        w.hears_of(&format!("d{n}"), 7).await;
        assert_eq!(w.gate(&head).await, undecidable(), "{n}");
        assert_eq!(w.lacks().await.as_deref(), Some(why), "{n}");
    }
    let head = changes("whole\n");
    w.host.breaks_off(usize::MAX);
    w.hears_of("whole", 7).await;
    assert_eq!(w.gate(&head).await.1, "waiting");
}

const NOT_ALL: &str =
    "The patch that the host gives does not say all that differs between the two commits.";

/// GitLab works out what it shows when somebody pushes to the source, and not when the target goes back.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_the_target_lost_is_not_passed_off_as_part_of_it(pool: PgPool) {
    let w = World::at(pool, Host::GitLab).await;
    let begin = w.repository.tip("main").unwrap();
    let evil = w
        .repository
        .commit("main", &[("evil.txt", Some(b"evil\n"))], "Evil");
    let change = opens(&w, 7);
    w.host.pull(NAME, 7, |pull| pull.base = Some(evil.clone()));
    w.hears_of("opened", 7).await;
    w.t.senior("ben").await.approve(&change).await;
    assert_eq!(w.gate(&change.head).await.1, "approved");
    w.repository.force("main", &begin);
    w.host
        .pull(NAME, 7, |pull| pull.title = "Another".to_owned());
    w.hears_of("went back", 7).await;
    assert_eq!(w.lacks().await, None, "it may be making it just now");
    for _ in 0..8 {
        w.t.pass(Duration::minutes(2));
        w.works().await;
    }
    let why = "The host shows what it adds to something else than its target as it is now.";
    assert_eq!(w.lacks().await.as_deref(), Some(why));
    assert_eq!(w.gate(&change.head).await, undecidable());
    // And when somebody pushes, all of it is shown.
    w.repository
        .commit("topic-7", &[("7.txt", Some(b"two\n"))], "Two");
    w.host.pull(NAME, 7, |pull| pull.base = None);
    w.hears_of("pushed", 7).await;
    assert_eq!(w.lacks().await, None);
    let patch = String::from_utf8(w.patch().await).unwrap();
    assert!(patch.contains("evil.txt"), "{patch}");
}
