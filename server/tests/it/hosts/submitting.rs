//! Where a code host is asked, who submits adds to what it shows, and makes nothing of their own.

use super::{NAME, World};
use crate::support::{
    changes::{Change, change, sha},
    machines::Reply,
};
use domain::token::Scope;
use serde_json::json;

/// What a pipeline would submit of a commit over `main`.
pub fn told(w: &World, key: &str, head: &str) -> Change {
    let base = w.repository.tip("main").unwrap();
    let mut change = change().key(key).by("mika").with(json!({
        "repository": NAME, "title": "Another title", "draft": true, "base": base,
    }));
    change.head = head.to_owned();
    change.base = base;
    change
}

async fn submits(w: &World, change: &Change) -> Reply {
    w.ci.try_to_submit(change).await
}

pub async fn who_submits_what_the_host_shows_adds_marks_and_contributors_and_nothing_else(
    w: World,
) {
    tokio::spawn(server::jobs::looks::run(w.t.server.clone()));
    let head = w
        .repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    // Nothing was heard of it yet: the host is asked at once. The patch that comes with it is another one.
    let reply = submits(&w, &told(&w, "7", &head)).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json["new"]),
        (200, &json!(false))
    );
    let shown = &w.changes().await[0];
    assert_eq!(
        (&shown["title"], &shown["draft"]),
        (&json!("Retry settlement"), &json!(false))
    );
    assert_eq!(w.t.count("patch_dispute").await, 0);
    let marks: Vec<String> = sqlx::query_scalar("select tool from mark")
        .fetch_all(&w.t.owner)
        .await
        .unwrap();
    assert_eq!(marks.len(), 1, "{marks:?}");
    let mika: bool = sqlx::query_scalar(
        "select exists (select from contributor where email = 'mika@halden.example')",
    )
    .fetch_one(&w.t.owner)
    .await
    .unwrap();
    assert!(mika);
}

pub async fn what_was_submitted_before_the_host_was_asked_is_not_its_word(w: World) {
    tokio::spawn(server::jobs::looks::run(w.t.server.clone()));
    let of = ["one", "two"].map(|text| {
        let file = [("a.txt", Some(text.as_bytes()))];
        told(&w, "7", &w.repository.commit("topic", &file, "Change"))
    });
    let unasked = w.t.set_up(&[]).await;
    let pipeline = unasked.machine(&[Scope::Submit], "hosted/*").await;
    assert_eq!(pipeline.try_to_submit(&of[0]).await.status, 201);
    w.host.pull(NAME, 7, |_| {});
    assert_eq!(submits(&w, &of[1]).await.status, 200);
    // It was pushed over, and the host never said what it was.
    assert_eq!(submits(&w, &of[0]).await.problem(), (409, "unconfirmed"));
}

pub async fn what_the_host_does_not_show_is_not_there(w: World) {
    tokio::spawn(server::jobs::looks::run(w.t.server.clone()));
    let head = w
        .repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    let unconfirmed = (409, "unconfirmed");
    let nobodys = sha("nobody's commit");
    assert_eq!(
        submits(&w, &told(&w, "7", &nobodys)).await.problem(),
        unconfirmed
    );
    // To another branch than the pull request goes to.
    let mut elsewhere = told(&w, "7", &head);
    elsewhere.target = "unprotected".to_owned();
    assert_eq!(submits(&w, &elsewhere).await.problem(), unconfirmed);
    // Neither a path nor what is not there is asked for again and again.
    for key in ["..", "7%2f..", "x", "8"] {
        assert_eq!(
            submits(&w, &told(&w, key, &head)).await.problem(),
            unconfirmed,
            "{key}"
        );
    }
    let keys: Vec<String> = sqlx::query_scalar("select key from host_change order by key")
        .fetch_all(&w.t.owner)
        .await
        .unwrap();
    assert_eq!(keys, ["7", "8"]);
    assert_eq!(w.gate(&nobodys).await.1, "unheard");
    assert_eq!(w.t.count("revision").await, 1);

    // What was submitted before the host was asked is as it was, until it is looked at.
    let mut other = change().with(json!({ "repository": "acme/other" }));
    other.key = "1".to_owned();
    let scopes = [Scope::Submit];
    let machine = w.t.machine(&scopes, "acme/*").await;
    assert_eq!(machine.try_to_submit(&other).await.status, 201);
}
