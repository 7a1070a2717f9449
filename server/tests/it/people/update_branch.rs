//! "Update branch": a reviewer who merges the target into the branch had no hand in the change, where that is provable.

use crate::support::{
    TestServer,
    changes::{Change, change, patch, sha},
    people::Human,
};
use domain::{contributor::Role, decision::Kind, problem::Problem};
use serde_json::{Value, json};
use sqlx::PgPool;

/// `change`, with the target merged into it by Ben in the code host's browser: the same patch over another merge base.
fn merged(change: &Change) -> Change {
    let base = sha("b2");
    let ben = json!({ "name": "Ben", "email": "ben@halden.example" });
    let host = json!({ "name": "GitHub", "email": "noreply@github.com" });
    let Value::Array(mut commits) = change.json()["commits"].take() else {
        panic!("commits are a list")
    };
    commits.push(json!({ "sha": sha("m"), "tree": sha("tree"), "parents": [change.head, base], "author": ben, "committer": host,
                         "message": "Merge branch 'main' into topic" }));
    Change {
        head: sha("m"),
        base,
        over: json!({ "commits": commits }),
        ..change.clone()
    }
}

async fn ready(pool: PgPool) -> (TestServer, Change, Human) {
    let t = TestServer::new(pool).await;
    t.junior("ana").await.linked("ana").await;
    let ben = t.senior("ben").await;
    let change = change().by("ana");
    t.ci().await.submit(&change).await;
    (t, change, ben)
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_reviewer_who_brings_the_branch_up_to_date_may_approve(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let updated = merged(&change);
    t.ci().await.submit(&updated).await;
    ben.approve(&updated).await;
    assert_eq!(t.verdict(&updated).await, "approved");
    // Nor does the merge make them one in what comes after it.
    let mut next = updated.clone().by("ana").pushed("c3");
    let own = json!({ "name": "Ana", "email": "ana@halden.example" });
    let commit = json!({ "sha": next.head, "tree": sha("tree"), "parents": [updated.head], "author": own, "committer": own, "message": "More" });
    next.over["commits"].as_array_mut().unwrap().push(commit);
    t.ci().await.submit(&next).await;
    ben.approve(&next).await;
    assert_eq!(t.verdict(&next).await, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_merge_that_changes_anything_or_cannot_be_compared_makes_a_contributor(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let slips_in = Change {
        patch: patch("another line"),
        ..merged(&change)
    };
    let mut no_merge = Change {
        base: change.base.clone(),
        ..merged(&change).key("2")
    };
    no_merge.over["commits"][1]["parents"] = json!([change.head]);
    let never_submitted = merged(&change).key("3");
    for (case, first) in [
        (&slips_in, false),
        (&no_merge, true),
        (&never_submitted, false),
    ] {
        if first {
            t.ci().await.submit(&change.clone().key(&case.key)).await;
        }
        t.ci().await.submit(case).await;
        assert_eq!(
            ben.presses(Kind::Approve, case, "").await,
            Err(Problem::Contributor(Role::Author)),
            "{case:?}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_disputed_patch_proves_no_merge_innocent(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let other = Change {
        patch: patch("another line"),
        ..change.clone()
    };
    assert_eq!(t.ci().await.try_to_submit(&other).await.status, 409);
    let updated = merged(&change);
    t.ci().await.submit(&updated).await;
    assert_eq!(
        ben.presses(Kind::Approve, &updated, "").await,
        Err(Problem::Contributor(Role::Author))
    );
}
