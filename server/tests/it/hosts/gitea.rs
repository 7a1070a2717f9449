//! What is Gitea's and Forgejo's alone: it pins nothing to commits, and works out later where a change begins.

use super::{NAME, World, is_recorded_as_git_would_write_it, merging::opens};
use domain::host::Host;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_pull_request_of_gitea_is_recorded_as_git_would_write_it(pool: PgPool) {
    let w = World::at(pool, Host::Gitea).await;
    let [_, head] = is_recorded_as_git_would_write_it(&w).await;
    let change = &w.changes().await[0];
    let url = format!("https://gitea.example/{NAME}/pulls/7");
    assert_eq!(
        (&change["key"], &change["state"], &change["url"]),
        (&json!("7"), &json!("open"), &json!(url))
    );
    assert_eq!(w.gate(&head).await.1, "waiting");
    let keys: Vec<String> =
        sqlx::query_scalar("select distinct unnest(keys) as key from contributor order by key")
            .fetch_all(&w.t.owner)
            .await
            .unwrap();
    for key in [
        "login:octocat",
        "login:ana-hub",
        "email:77+ana-hub@noreply.gitea.example",
        "email:ana@halden.example",
    ] {
        assert!(keys.iter().any(|known| known == key), "{key}: {keys:?}");
    }
    // It says for the tree of a commit what is none.
    let trees: i64 = sqlx::query_scalar("select count(tree) from commit")
        .fetch_one(&w.t.owner)
        .await
        .unwrap();
    assert_eq!(trees, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_has_more_files_than_a_page_of_its_listings_is_read_to_its_end(pool: PgPool) {
    let w = World::at(pool, Host::Gitea).await;
    w.repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    w.host.gives_at_most(100_000, 1);
    let head = w
        .repository
        .commit("topic", &[("b/c.txt", Some(b"more\n"))], "Two");
    w.hears_of("opened", 7).await;
    assert_eq!(w.gate(&head).await.1, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn where_it_begins_is_not_believed_while_it_is_from_before(pool: PgPool) {
    let w = World::at(pool, Host::Gitea).await;
    let begin = w.repository.tip("main").unwrap();
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    assert_eq!(w.t.count("revision").await, 1);
    // The target goes on, and is merged into the change; Gitea has not noticed.
    w.repository
        .commit("main", &[("else.txt", Some(b"else\n"))], "Elsewhere");
    let head = w.repository.merge("topic-7", "main");
    w.host.pull(NAME, 7, |pull| pull.base = Some(begin.clone()));
    w.hears_of("merged its target", 7).await;
    assert_eq!(w.gate(&head).await.1, "unheard", "it may notice just now");
    let (error, _) = w.waiting().await;
    assert!(error.is_some_and(|why| why.contains("where it begins")));
    w.host.pull(NAME, 7, |pull| pull.base = None);
    w.t.pass(Duration::minutes(2));
    w.works().await;
    assert_eq!(w.gate(&head).await.1, "waiting");
    let files = &w.changes().await[0]["revision"]["files"];
    assert_eq!(files, 1, "nothing of its target is its own");

    // Where it never notices, nobody can say what the change adds.
    w.repository
        .commit("main", &[("more.txt", Some(b"more\n"))], "More");
    let head = w.repository.merge("topic-7", "main");
    w.host.pull(NAME, 7, |pull| pull.base = Some(begin));
    w.hears_of("once more", 7).await;
    for _ in 0..8 {
        w.t.pass(Duration::minutes(2));
        w.works().await;
    }
    assert_eq!(w.gate(&head).await.1, "undecidable");
    assert_eq!(w.gate(&change.head).await.1, "waiting");
}

/// What its branch is by then says nothing of what was merged.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rebase_of_several_commits_is_nobodys_until_somebody_proves_it(pool: PgPool) {
    let w = World::at(pool, Host::Gitea).await;
    let change = opens(&w, 7);
    w.repository
        .commit("topic-7", &[("more.txt", Some(b"more\n"))], "More");
    w.hears_of("opened", 7).await;
    w.host.merge(NAME, 7, |git, pull| {
        let mut onto = git.commit("main", &[("else.txt", Some(b"else\n"))], "Elsewhere");
        let range = format!("{}..{}", change.base, pull.head);
        for commit in git.git(&["rev-list", "--reverse", &range]).lines() {
            let base = format!("--merge-base={commit}^");
            let tree = git.git(&["merge-tree", "--write-tree", &base, &onto, commit]);
            onto = git.git(&["commit-tree", &tree, "-p", &onto, "-m", "Again"]);
        }
        git.force("main", &onto);
    });
    w.hears_of("merged", 7).await;
    let tip = w.repository.tip("main").unwrap();
    assert_eq!(w.gate(&tip).await.1, "unheard");
    assert_eq!(w.changes().await[0]["state"], "merged");
}
