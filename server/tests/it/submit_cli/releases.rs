//! A whole release in a real repository: `countersign gate --range`, and what somebody tries to take along in it.

use super::{checkout, landing::Story};
use crate::support::changes::change;
use domain::{decision::Kind, token::Scope};
use serde_json::json;
use sqlx::PgPool;
use std::{io::Write as _, process::Stdio};

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

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_merge_of_the_target_into_the_branch_hides_nothing_that_the_target_took(pool: PgPool) {
    let story = Story::new(pool).await;
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    let deployed = story.checkout.head();
    git(&["switch", "--quiet", "--create", "feature"]);
    story
        .checkout
        .write("payments/refund.rs", "fn refund() {}\n");
    story.checkout.commit("Refund");
    git(&["switch", "--quiet", "main"]);
    story.checkout.write("payments/steal.rs", "fn steal() {}\n");
    let pushed = story.checkout.commit("Straight to main");
    git(&["switch", "--quiet", "feature"]);
    git(&["merge", "--quiet", "--no-ff", "-m", "Merge main", "main"]);
    let told = story.submits(&["--head", "feature"]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    story.approves(&change()).await;
    git(&["switch", "--quiet", "main"]);
    git(&["merge", "--quiet", "--ff-only", "feature"]);
    let range = format!("{deployed}..HEAD");
    let refused = story.release(&range).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let lines: Vec<&str> = refused.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{refused:?}");
    assert!(lines[0].contains(&pushed[..7]), "{refused:?}");
    assert_eq!(
        lines[1],
        "not allowed: 1 of 3 commits of acme/payments may not pass"
    );
    let theirs = ["--key", "143", "--base", &deployed, "--head", &pushed];
    let told = story.submits(&theirs).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    story.approves(&change().key("143")).await;
    let allowed = story.release(&range).await;
    assert_eq!(allowed.code, Some(0), "{allowed:?}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_refused_before_it_was_mended_ships_with_what_mended_it(pool: PgPool) {
    let story = Story::new(pool).await;
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    let deployed = story.checkout.head();
    story.submits(&["--head", "change~2"]).await;
    story.submits(&["--head", "change~1"]).await;
    story.li.decides(&change(), Kind::Reject).await.unwrap();
    story.submits(&[]).await;
    let merged = story.merges("merge");
    story.tells(&merged).await;
    let range = format!("{deployed}..HEAD");
    let refused = story.release(&range).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    story.approves(&change()).await;
    let allowed = story.release(&range).await;
    assert_eq!(
        (allowed.code, allowed.stdout.as_str()),
        (Some(0), "allowed: all 4 commits of acme/payments\n"),
        "{allowed:?}"
    );
    let half = git(&["rev-parse", "change~1"]);
    assert_eq!(
        story.asks(&half).await.0,
        Some(1),
        "alone it stays rejected"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_runs_already_and_what_ran_before_are_asked_about_themselves(pool: PgPool) {
    let story = Story::new(pool).await;
    let before = story.checkout.head();
    story.submits(&[]).await;
    story.approves(&change()).await;
    let merged = story.merges("merge");
    story.tells(&merged).await;
    for (range, commit, code) in [
        (format!("{merged}..{merged}"), &merged, 0),
        (
            format!("{merged}..change"),
            &story.checkout.git(&["rev-parse", "change"]),
            0,
        ),
        (format!("{merged}..{before}"), &before, 2),
    ] {
        let seen = story.release(&range).await;
        assert_eq!(seen.code, Some(code), "{seen:?}");
        let said = format!("asking about {commit} alone");
        assert!(seen.stderr.contains(&said), "{seen:?}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_long_release_is_asked_about_in_parts_that_keep_a_change_together(pool: PgPool) {
    let story = Story::new(pool).await;
    let deployed = story.checkout.head();
    let middle = grow(&story, &deployed, 260);
    let head = grow(&story, &middle, 260);
    let first = ["--base", &deployed, "--head", &middle];
    assert_eq!(story.submits(&first).await.code, Some(0));
    story.approves(&change()).await;
    let range = format!("{deployed}..{head}");
    let refused = story.release(&range).await;
    assert_eq!(refused.code, Some(2));
    let last = "not allowed: 260 of 520 commits of acme/payments may not pass\n";
    assert!(refused.stdout.ends_with(last), "{refused:?}");
    let second = ["--key", "143", "--base", &middle, "--head", &head];
    assert_eq!(story.submits(&second).await.code, Some(0));
    story.approves(&change().key("143")).await;
    let allowed = story.release(&range).await;
    assert_eq!(
        (allowed.code, allowed.stdout.as_str()),
        (Some(0), "allowed: all 520 commits of acme/payments\n")
    );
}

/// So many commits on top of another one, each with a line of its own; the last of them.
fn grow(story: &Story, from: &str, count: usize) -> String {
    let mut git = checkout::git(&story.checkout.dir);
    git.args(["fast-import", "--quiet", "--force"]);
    let mut git = git.stdin(Stdio::piped()).spawn().unwrap();
    let mut stream = format!("reset refs/heads/long\nfrom {from}\n\n");
    for number in 0..count {
        stream += &format!(
            "commit refs/heads/long\ncommitter Ana <ana@halden.example> {} +0200\ndata 5\nGrow\nM 100644 inline {from}-{number}\ndata 5\nline\n\n",
            1_790_000_000 + number
        );
    }
    git.stdin
        .take()
        .unwrap()
        .write_all(stream.as_bytes())
        .unwrap();
    assert!(git.wait().unwrap().success());
    story.checkout.git(&["rev-parse", "long"])
}
