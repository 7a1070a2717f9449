//! Another patch for the same commits: shown, settled by an admin who saw it, and what gates say before and after.

use crate::support::{
    TestServer,
    browsers::Form,
    changes::{Change, change, patch, sha},
    machines::Machine,
    people::Human,
};
use domain::problem::Problem;
use serde_json::{Value, json};
use sqlx::PgPool;

/// `142` with two revisions, `c1` and `c2`, the first approved by ben and then disputed; and grace, who is an admin.
async fn disputed_before_the_current_one(pool: PgPool) -> (TestServer, Machine, Human) {
    let t = TestServer::new(pool).await;
    let (ci, ben, grace) = (t.ci().await, t.senior("ben").await, t.admin("grace").await);
    ci.submit(&change()).await;
    ben.approve(&change()).await;
    ci.submit(&change().pushed("c2")).await;
    contradict(&ci, "other").await;
    (t, ci, grace)
}

/// Submits another patch for `c1`.
async fn contradict(ci: &Machine, line: &str) {
    let other = Change {
        patch: patch(line),
        ..change()
    };
    assert_eq!(
        ci.try_to_submit(&other).await.problem(),
        (409, "patch-differs")
    );
}

/// The forms that settle, off the page of the change.
async fn forms(who: &Human, query: &str) -> Vec<Form> {
    let path = format!("/changes/{}{query}", who.t.id_of(&change()).await);
    let page = who.browser.page(&who.t, &path).await;
    Form::all(&page, "/fn/settle")
}

async fn patches(t: &TestServer, ci: &Machine) -> Value {
    let id = t.id_of(&change()).await;
    let revisions = ci.get(&format!("/api/v1/changes/{id}/revisions")).await;
    let revisions = revisions.json["revisions"].as_array().unwrap().clone();
    revisions
        .into_iter()
        .map(|one| one["patch"].clone())
        .collect()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_stored_patch_of_an_earlier_revision_is_true_and_its_verdict_is_back(pool: PgPool) {
    let (t, ci, grace) = disputed_before_the_current_one(pool).await;
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "undecidable");
    assert_eq!(patches(&t, &ci).await, json!(["disputed", "whole"]));
    let form = forms(&grace, "").await.remove(0);
    let settled = grace.sends(&form.with("stored_is_true", "true")).await;
    assert_eq!(settled.outcome(), Ok(()));
    assert_eq!(
        ci.gate(&sha("c1")).await.answer(),
        (true, "approved", vec!["approved"])
    );
    assert_eq!(patches(&t, &ci).await, json!(["whole", "whole"]));
    assert!(forms(&grace, "").await.is_empty());
    let again = grace.calls(&form.with("stored_is_true", "false")).await;
    assert_eq!(again.said(), (409, Some(Problem::NotDisputed)));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_stored_patch_of_an_earlier_revision_is_wrong_for_good(pool: PgPool) {
    let (t, ci, grace) = disputed_before_the_current_one(pool).await;
    let form = forms(&grace, "?revision=1").await.remove(0);
    let settled = grace.sends(&form.with("stored_is_true", "false")).await;
    assert_eq!(settled.outcome(), Ok(()));
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "undecidable");
    assert_eq!(ci.gate(&sha("c2")).await.answer().1, "waiting");
    assert_eq!(patches(&t, &ci).await, json!(["wrong", "whole"]));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_dispute_that_arrived_after_the_page_is_not_ruled_upon(pool: PgPool) {
    let (t, ci, grace) = disputed_before_the_current_one(pool).await;
    let form = forms(&grace, "").await.remove(0);
    contradict(&ci, "a third").await;
    for word in ["true", "false"] {
        let refused = grace.calls(&form.with("stored_is_true", word)).await;
        assert_eq!(refused.said(), (409, Some(Problem::ChangedSinceYouLooked)));
    }
    assert_eq!(t.count("patch_ruling").await, 0);
    let form = forms(&grace, "").await.remove(0);
    let settled = grace.sends(&form.with("stored_is_true", "true")).await;
    assert_eq!(settled.outcome(), Ok(()));
    assert_eq!(t.count("patch_ruling").await, 2);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn each_disputed_revision_has_its_form(pool: PgPool) {
    let (t, ci, grace) = disputed_before_the_current_one(pool).await;
    let current = Change {
        patch: patch("other"),
        ..change().pushed("c2")
    };
    ci.try_to_submit(&current).await;
    let both = forms(&grace, "").await;
    assert_eq!(both.len(), 2);
    let settled = grace.sends(&both[0].with("stored_is_true", "true")).await;
    assert_eq!(settled.outcome(), Ok(()));
    assert_eq!(patches(&t, &ci).await, json!(["disputed", "whole"]));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn whoever_is_no_admin_or_had_a_hand_in_it_sees_the_form_and_cannot_use_it(pool: PgPool) {
    let (t, ci, _) = disputed_before_the_current_one(pool).await;
    ci.submit(&change().key("7").by("ana").pushed("c7")).await;
    let author = t.admin("ana").await;
    for (who, problem) in [
        (t.senior("li").await, Problem::NotAllowed),
        (
            author,
            Problem::Contributor(domain::contributor::Role::ChangeAuthor),
        ),
    ] {
        let form = forms(&who, "").await.remove(0);
        let refused = who.calls(&form.with("stored_is_true", "true")).await;
        assert_eq!(refused.said(), (403, Some(problem)));
    }
    assert_eq!(t.count("patch_ruling").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_earlier_revision_is_read_and_not_decided(pool: PgPool) {
    let (t, _, grace) = disputed_before_the_current_one(pool).await;
    let path = format!("/changes/{}", t.id_of(&change()).await);
    let page = grace.browser.page(&t, &format!("{path}?revision=1")).await;
    assert!(page.contains("This is revision 1, which is not the current one"));
    assert!(page.contains(">one</ins>"), "{page}");
    assert!(Form::all(&page, "/fn/decide").is_empty());
    let unknown = t.at(&format!("{path}?revision=3"));
    assert_eq!(grace.browser.opens(&unknown).await.status, 404);
}
