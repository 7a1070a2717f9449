//! Changes that only undo one that was merged: which of them pass without an approval, and which wait like any other.

use crate::support::{
    TestServer,
    changes::{Change, change, patch, sha},
    machines::Machine,
};
use domain::decision::Kind;
use serde_json::json;
use sqlx::PgPool;

/// What undoes [`patch`].
fn undoing(line: &str) -> Vec<u8> {
    let (zero, blob) = ("0".repeat(40), sha(line));
    format!(
        "diff --git a/notes.txt b/notes.txt\ndeleted file mode 100644\nindex {blob}..{zero}\n--- a/notes.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-{line}\n"
    )
    .into_bytes()
}

/// Ana's change that takes out again what the first one brought.
pub fn revert() -> Change {
    Change {
        head: sha("revert"),
        base: sha("c1"),
        patch: undoing("one"),
        ..change().key("143")
    }
}

/// Tells that it was merged.
pub async fn merged(ci: &Machine, change: &Change) {
    ci.submit(&change.clone().with(json!({ "state": "merged" })))
        .await;
}

/// The verdict about a commit, with the code of its first reason.
async fn verdict(ci: &Machine, commit: &str) -> (String, String) {
    let answer = ci.gate(commit).await;
    let (_, verdict, codes) = answer.answer();
    (verdict.to_owned(), codes[0].to_owned())
}

fn waiting() -> (String, String) {
    ("waiting".to_owned(), "approval_needed".to_owned())
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_clean_revert_of_an_approved_change_passes_until_somebody_rejects_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    t.junior("ana").await;
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    merged(&ci, &change()).await;
    ci.submit(&revert()).await;
    let passes = ("not_required".to_owned(), "revert".to_owned());
    assert_eq!(verdict(&ci, &revert().head).await, passes);
    let beside = sqlx::query_scalar(
        "select count(*) from revert v join event e on e.xid = v.xid and e.subject = v.revision_id and e.kind = 'revert.proved'",
    );
    let beside: i64 = beside.fetch_one(&t.owner).await.unwrap();
    assert_eq!(beside, 1);

    ben.reject(&revert(), "we need it").await;
    assert_eq!(verdict(&ci, &revert().head).await.0, "rejected");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_revert_with_one_more_line_or_one_more_file_waits(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    merged(&ci, &change()).await;
    let text = String::from_utf8(undoing("one")).unwrap();
    let line = Change {
        patch: text
            .replace("@@ -1 +0,0 @@\n", "@@ -1,2 +0,0 @@\n-more\n")
            .into_bytes(),
        ..revert()
    };
    ci.submit(&line).await;
    assert_eq!(verdict(&ci, &line.head).await, waiting());
    let other = String::from_utf8(patch("two"))
        .unwrap()
        .replace("notes.txt", "other.txt");
    let file = Change {
        patch: (text + &other).into_bytes(),
        head: sha("file"),
        ..revert()
    };
    ci.submit(&file).await;
    assert_eq!(verdict(&ci, &file.head).await, waiting());
    assert_eq!(t.count("revert").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_revert_of_what_was_never_allowed_waits(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ci.submit(&revert()).await;
    assert_eq!(verdict(&ci, &revert().head).await, waiting(), "not merged");
    merged(&ci, &change()).await;
    ci.submit(&revert()).await;
    assert_eq!(
        verdict(&ci, &revert().head).await,
        waiting(),
        "not approved"
    );
    ben.decides(&change(), Kind::Override).await.unwrap();
    ci.submit(&revert()).await;
    assert_eq!(verdict(&ci, &revert().head).await, waiting(), "overridden");
    ben.reject(&change(), "no").await;
    ci.submit(&revert()).await;
    assert_eq!(verdict(&ci, &revert().head).await, waiting(), "rejected");
    assert_eq!(t.count("revert").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_revert_of_a_revert_and_one_on_another_target_wait(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    merged(&ci, &change()).await;
    merged(&ci, &revert()).await;
    assert_eq!(verdict(&ci, &revert().head).await.1, "revert");
    let again = Change {
        head: sha("again"),
        base: sha("revert"),
        ..change().key("144")
    };
    ci.submit(&again).await;
    assert_eq!(verdict(&ci, &again.head).await, waiting());
    let elsewhere = Change {
        head: sha("elsewhere"),
        ..revert().key("145").to("release")
    };
    ci.submit(&elsewhere).await;
    assert_eq!(verdict(&ci, &elsewhere.head).await, waiting());
}
