//! A whole release in a real repository: `countersign gate --range`, and what somebody tries to take along in it.

use super::landing::Story;
use crate::support::changes::change;
use domain::token::Scope;
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_change_that_nobody_approved_takes_nothing_along_with_the_head_of_another(pool: PgPool) {
    let story = Story::new(pool).await;
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    let deployed = story.checkout.head();
    git(&["branch", "release-1"]);
    story.checkout.write("payments/steal.rs", "fn steal() {}\n");
    let pushed = story.checkout.commit("Straight to main");
    git(&["switch", "--quiet", "--create", "feature"]);
    story
        .checkout
        .write("payments/refund.rs", "fn refund() {}\n");
    let head = story.checkout.commit("Refund");
    let told = story.submits(&["--head", "feature"]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    story.approves(&change()).await;
    let theirs = [
        "--key",
        "999",
        "--base",
        "release-1",
        "--target",
        "release-1",
        "--head",
        "feature",
    ];
    let told = story.submits(&theirs).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    git(&["switch", "--quiet", "main"]);
    git(&["merge", "--quiet", "--ff-only", "feature"]);
    let range = format!("{deployed}..HEAD");
    let closed = [&theirs[..], &["--state", "closed"]].concat();
    for more in [vec!["--target", "main"], vec![]] {
        let refused = story.asks_for(&range, &more).await;
        assert_eq!(refused.code, Some(2), "{more:?}: {refused:?}");
        assert!(refused.stdout.contains(&pushed[..7]), "{refused:?}");
        story.submits(&closed).await;
    }
    let deployer = story.t.machine(&[Scope::Incidents], "acme/*").await;
    let report = json!({ "repository": "acme/payments", "environment": "production", "commits": [head, pushed], "key": "1" });
    let recorded = deployer.post("/api/v1/deployments", report).await.json;
    let sanctions: Vec<_> = recorded["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["sanction"])
        .collect();
    assert_eq!(sanctions, ["allowed", "unsanctioned"], "{recorded}");
}
