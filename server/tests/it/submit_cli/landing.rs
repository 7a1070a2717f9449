//! The commit that ships: `countersign submit --merged-as` in real repositories, and what the gate then says of that commit.

use super::{checkout::Checkout, stories::Pipeline, submit};
use crate::{
    cli::{Outcome, countersign, outcome},
    support::{
        TestServer,
        changes::{Change, change, sha},
        people::Human,
    },
};
use domain::{decision::Kind, token::Scope};
use serde_json::{Value, json};
use sqlx::PgPool;

const TRAILER: &str = "Co-authored-by: Claude <noreply@anthropic.com>";

/// A company with one senior, and a branch of three commits that a machine took part in, while `main` went on.
pub(super) struct Story {
    pub t: TestServer,
    pub li: Human,
    pub checkout: Checkout,
    pub ci: crate::support::machines::Machine,
}

impl Story {
    pub async fn new(pool: PgPool) -> Self {
        let t = TestServer::new(pool).await;
        let checkout = Checkout::new();
        for (file, text) in [
            ("payments/retry.rs", "fn retry() {}\n"),
            ("payments/limit.rs", "fn limit() {}\n"),
            (
                "payments/fee.rs",
                "fn fee() {\n    100\n}\n\n\n\n\n\n\n\n\nfn other() {\n    2\n}\n",
            ),
        ] {
            checkout.write(file, text);
            checkout.commit(&format!("Write {file}\n\n{TRAILER}"));
        }
        checkout.git(&["switch", "--quiet", "main"]);
        checkout.write("README.md", "# Payments, and more\n");
        checkout.commit("Somebody else's work");
        Self {
            li: t.senior("li").await,
            ci: t.ci().await,
            t,
            checkout,
        }
    }

    fn pipeline(&self) -> Pipeline<'_> {
        Pipeline {
            ci: self.ci.clone(),
            checkout: &self.checkout,
        }
    }

    pub async fn submits(&self, more: &[&str]) -> Outcome {
        let mut command = submit(&self.t.at(""), &self.checkout.dir, more);
        outcome(command.env("COUNTERSIGN_TOKEN", &self.ci.secret)).await
    }

    async fn submits_without_a_base(&self, more: &[&str]) -> Outcome {
        let server = self.t.at("");
        let usual = [
            "submit",
            "--server",
            &server,
            "--repository",
            "acme/payments",
            "--key",
            "142",
            "--head",
            "change",
        ];
        let mut command = countersign(&self.checkout.dir, &[&usual, more].concat());
        outcome(command.env("COUNTERSIGN_TOKEN", &self.ci.secret)).await
    }

    /// Tells what the change became, which has to be true.
    pub async fn tells(&self, merged: &str) {
        let told = self.submits(&["--merged-as", merged]).await;
        assert_eq!(told.code, Some(0), "{told:?}");
    }

    pub async fn approves(&self, change: &Change) {
        self.li.decides(change, Kind::Approve).await.unwrap();
    }

    /// The answer about a commit, and the exit code.
    pub async fn asks(&self, commit: &str) -> (Option<i32>, Value) {
        let seen = outcome(&mut self.pipeline().gate(commit, &["--json"])).await;
        (seen.code, serde_json::from_str(&seen.stdout).unwrap())
    }

    pub async fn release(&self, range: &str) -> Outcome {
        self.asks_for(range, &[]).await
    }

    /// `countersign gate --range`.
    pub async fn asks_for(&self, range: &str, more: &[&str]) -> Outcome {
        let server = self.t.at("");
        let arguments = [
            "gate",
            "--server",
            &server,
            "--repository",
            "acme/payments",
            "--range",
            range,
        ];
        let mut command = countersign(&self.checkout.dir, &[&arguments, more].concat());
        outcome(command.env("COUNTERSIGN_TOKEN", &self.ci.secret)).await
    }

    /// Merges the change in a way that hosts offer; the commit that it became.
    pub fn merges(&self, way: &str) -> String {
        let git = |arguments: &[&str]| self.checkout.git(arguments);
        match way {
            "merge" => git(&["merge", "--quiet", "--no-ff", "-m", "Merge 142", "change"]),
            "squash" => {
                git(&["merge", "--quiet", "--squash", "change"]);
                git(&[
                    "commit",
                    "--quiet",
                    "-m",
                    "Retry settlement (142), and what somebody wrote into the box",
                ])
            }
            _ => {
                git(&["switch", "--quiet", "--create", "rebased", "change"]);
                git(&["rebase", "--quiet", "main"]);
                git(&["switch", "--quiet", "main"]);
                git(&["merge", "--quiet", "--ff-only", "rebased"])
            }
        };
        self.checkout.head()
    }
}

async fn ships_as(pool: PgPool, way: &str) {
    let story = Story::new(pool).await;
    assert_eq!(story.submits(&[]).await.code, Some(0));
    let before = story.checkout.head();
    let merged = story.merges(way);
    let (code, answer) = story.asks(&merged).await;
    assert_eq!(
        (code, &answer["verdict"], &answer["via"]),
        (Some(2), &json!("unheard"), &Value::Null)
    );
    story.tells(&merged).await;
    let (code, answer) = story.asks(&merged).await;
    assert_eq!(
        (code, &answer["verdict"]),
        (Some(2), &json!("waiting")),
        "nobody signed it off: {answer}"
    );
    story.approves(&change()).await;
    let (code, answer) = story.asks(&merged).await;
    assert_eq!(
        (code, &answer["verdict"]),
        (Some(0), &json!("approved")),
        "{answer}"
    );
    let head = story.checkout.git(&["rev-parse", "change"]);
    assert_eq!(answer["changes"][0]["head"], json!(head));
    assert_eq!(answer["changes"][0]["state"], "merged");
    let digest = &answer["changes"][0]["digest"];
    assert_eq!(
        answer["via"],
        json!({ "kind": way, "digests": [digest], "evidence": "tree", "onto": [before] })
    );
    let (told_before, events) = (story.t.count("landing").await, story.t.count("event").await);
    story.tells(&merged).await;
    assert_eq!(
        (story.t.count("landing").await, story.t.count("event").await),
        (told_before, events)
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_merge_ships_what_was_signed_off(pool: PgPool) {
    ships_as(pool, "merge").await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_squash_ships_it_whatever_its_message_says(pool: PgPool) {
    ships_as(pool, "squash").await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rebase_ships_it_and_a_part_of_it_does_not(pool: PgPool) {
    ships_as(pool.clone(), "rebase").await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_release_passes_when_every_commit_that_the_branch_took_does(pool: PgPool) {
    let story = Story::new(pool).await;
    let deployed = story.checkout.head();
    story.submits(&[]).await;
    let merged = story.merges("rebase");
    let range = format!("{deployed}..{merged}");
    let refused = story.release(&range).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused
            .stdout
            .ends_with("not allowed: 3 of 3 commits of acme/payments may not pass\n"),
        "{refused:?}"
    );
    story.tells(&merged).await;
    story.approves(&change()).await;
    let allowed = story.release(&range).await;
    assert_eq!(
        (allowed.code, allowed.stdout.as_str()),
        (Some(0), "allowed: all 3 commits of acme/payments\n")
    );
    let below = story.checkout.git(&["rev-parse", "HEAD~1"]);
    let (code, answer) = story.asks(&below).await;
    assert_eq!(
        (code, &answer["verdict"]),
        (Some(2), &json!("unheard")),
        "alone it is not what was signed off"
    );

    story.checkout.write("README.md", "# Nobody saw this\n");
    let pushed = story.checkout.commit("Straight to main");
    let refused = story.release(&format!("{deployed}..HEAD")).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let lines: Vec<&str> = refused.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{refused:?}");
    assert!(
        lines[0].contains(&pushed[..7]) && lines[0].contains("Nobody has told"),
        "{refused:?}"
    );
    assert_eq!(
        lines[1],
        "not allowed: 1 of 4 commits of acme/payments may not pass"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn commits_of_a_branch_that_was_taken_as_it_is_pass_with_its_head(pool: PgPool) {
    let story = Story::new(pool).await;
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let deployed = story.checkout.head();
    story.submits(&[]).await;
    story.approves(&change()).await;
    git(&["merge", "--quiet", "--ff-only", "change"]);
    let allowed = story.release(&format!("{deployed}..HEAD")).await;
    assert_eq!(allowed.code, Some(0), "{allowed:?}");
    let told = story
        .submits(&["--merged-as", "HEAD", "--base", &deployed])
        .await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let (code, answer) = story.asks(&story.checkout.head()).await;
    assert_eq!((code, &answer["via"]), (Some(0), &Value::Null));
    assert_eq!(answer["changes"][0]["state"], "merged");
    let told = story.submits_without_a_base(&["--merged-as", "HEAD"]).await;
    assert_eq!(told.code, Some(3), "{told:?}");
    assert!(
        told.stderr.contains("name what it left with --base"),
        "{told:?}"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_not_exactly_the_head_is_nothing_that_anybody_signed_off(pool: PgPool) {
    let story = Story::new(pool).await;
    story.submits(&[]).await;
    story.approves(&change()).await;
    let before = story.checkout.head();
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    // One more line in a squash.
    git(&["merge", "--quiet", "--squash", "change"]);
    story
        .checkout
        .write("payments/retry.rs", "fn retry() {}\nfn steal() {}\n");
    let squashed = story.checkout.commit("Retry settlement");
    // A line less in a merge: somebody solved what was no conflict.
    git(&["reset", "--quiet", "--hard", &before]);
    git(&["merge", "--quiet", "--no-ff", "--no-commit", "change"]);
    story
        .checkout
        .write("payments/limit.rs", "fn limit() { /* none */ }\n");
    let merged = story.checkout.commit("Merge 142");
    // A conflict that was solved by hand.
    git(&["reset", "--quiet", "--hard", &before]);
    story.checkout.write(
        "payments/fee.rs",
        "fn fee() {\n    7\n}\n\n\n\n\n\n\n\n\nfn other() {\n    2\n}\n",
    );
    story.checkout.commit("Another fee");
    let conflict = super::checkout::git(&story.checkout.dir)
        .args(["merge", "--quiet", "change"])
        .output()
        .unwrap();
    assert!(!conflict.status.success());
    story.checkout.write(
        "payments/fee.rs",
        "fn fee() {\n    100\n}\n\n\n\n\n\n\n\n\nfn other() {\n    2\n}\n",
    );
    let solved = story.checkout.commit("Merge 142");
    let pushed = story.checkout.commit("Straight to main");
    for commit in [&squashed, &merged, &solved, &pushed] {
        let told = story.submits(&["--merged-as", commit]).await;
        assert_eq!(told.code, Some(3), "{told:?}");
        assert!(told.stderr.contains("is not exactly head"), "{told:?}");
        let (code, answer) = story.asks(commit).await;
        assert_eq!(
            (code, &answer["verdict"]),
            (Some(2), &json!("unheard")),
            "{answer}"
        );
    }
    assert_eq!(story.t.count("landing").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_merged_at_a_head_that_nobody_approved_waits(pool: PgPool) {
    let story = Story::new(pool).await;
    story.submits(&[]).await;
    story.approves(&change()).await;
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    git(&["switch", "--quiet", "change"]);
    story.checkout.write("payments/late.rs", "fn late() {}\n");
    story
        .checkout
        .commit(&format!("One more thing\n\n{TRAILER}"));
    git(&["switch", "--quiet", "main"]);
    let merged = story.merges("squash");
    story.tells(&merged).await;
    let (code, answer) = story.asks(&merged).await;
    assert_eq!(
        (code, &answer["verdict"]),
        (Some(2), &json!("waiting")),
        "{answer}"
    );
    assert_eq!(answer["changes"][0]["revision"], 2);
    let page = format!("/changes/{}", story.t.id_of(&change()).await);
    for path in ["/", page.as_str()] {
        let shown = story.li.browser.page(&story.t, path).await;
        assert!(shown.contains("merged without sign-off"), "{path}: {shown}");
    }
    story.li.decides(&change(), Kind::Reject).await.unwrap();
    assert_eq!(story.asks(&merged).await.0, Some(1));
    story.li.decides(&change(), Kind::Approve).await.unwrap();
    assert_eq!(story.asks(&merged).await.0, Some(0));
    let shown = story.li.browser.page(&story.t, &page).await;
    assert!(!shown.contains("merged without sign-off"), "{shown}");
}

/// `main` merged a fix, and so did a branch that left it before, in this way; then the branch was squashed onto `main` as git
/// does it. The squash.
async fn crossed(story: &Story, way: &[&str]) -> String {
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    let left = story.checkout.head();
    git(&["switch", "--quiet", "--create", "fix", "main~1"]);
    story.checkout.write("payments/auth.rs", "fn auth() {}\n");
    story.checkout.commit("Ask who it is");
    git(&["switch", "--quiet", "main"]);
    git(&["merge", "--quiet", "--no-ff", "-m", "Merge the fix", "fix"]);
    git(&["switch", "--quiet", "--create", "crossed", &left]);
    git(&[&["merge", "--quiet", "-m", "Take the fix"], way, &["fix"]].concat());
    story
        .checkout
        .write("payments/refund.rs", "fn refund() {}\n");
    story.checkout.commit("Refund");
    let refused = story.submits(&["--head", "crossed"]).await;
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let sentence = "merge the target into the branch, or rebase it";
    assert!(refused.stderr.contains(sentence), "{refused:?}");
    let seen = ["--base", &left, "--head", "crossed"];
    assert_eq!(story.submits(&seen).await.code, Some(0));
    story.approves(&change()).await;
    git(&["switch", "--quiet", "main"]);
    git(&["merge", "--quiet", "--squash", "crossed"]);
    story.checkout.commit("Refund")
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_a_merge_undoes_that_the_patch_does_not_show_is_nothing_that_anybody_signed_off(
    pool: PgPool,
) {
    let story = Story::new(pool).await;
    let squashed = crossed(&story, &["--strategy=ours"]).await;
    assert!(!story.checkout.dir.join("payments/auth.rs").exists());
    let merged = ["--head", "crossed", "--merged-as", &squashed];
    let told = story.submits(&merged).await;
    assert_eq!(told.code, Some(3), "{told:?}");
    assert!(told.stderr.contains("is not exactly head"), "{told:?}");
    let (code, answer) = story.asks(&squashed).await;
    assert_eq!((code, &answer["verdict"]), (Some(2), &json!("unheard")));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_both_sides_merged_is_no_obstacle(pool: PgPool) {
    let story = Story::new(pool).await;
    let squashed = crossed(&story, &[]).await;
    assert!(story.checkout.dir.join("payments/auth.rs").exists());
    let merged = ["--head", "crossed", "--merged-as", &squashed];
    let told = story.submits(&merged).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(story.asks(&squashed).await.0, Some(0));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_commit_that_somebody_proposes_elsewhere_is_what_it_came_from_all_the_same(pool: PgPool) {
    let story = Story::new(pool).await;
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    git(&["switch", "--quiet", "--create", "words"]);
    story.checkout.write("docs/refund.md", "# Refunds\n");
    story.checkout.commit("Write about refunds");
    git(&["switch", "--quiet", "main"]);
    let before = story.checkout.head();
    story.submits(&["--head", "words"]).await;
    story.approves(&change()).await;
    git(&["merge", "--quiet", "--squash", "words"]);
    let merged = story.checkout.commit("Write about refunds (142)");
    let told = ["--head", "words", "--merged-as", &merged];
    assert_eq!(story.submits(&told).await.code, Some(0));
    let theirs = [
        "--key", "999", "--base", &before, "--head", &merged, "--target", "attic",
    ];
    let closed = [&theirs[..], &["--state", "closed"]].concat();
    assert_eq!(story.submits(&closed).await.code, Some(0));
    let (code, answer) = story.asks(&merged).await;
    assert_eq!(
        (code, &answer["verdict"], &answer["via"]["kind"]),
        (Some(0), &json!("approved"), &json!("squash")),
        "{answer}"
    );

    assert_eq!(story.submits(&theirs).await.code, Some(0));
    story.li.decides(&change(), Kind::Reject).await.unwrap();
    let (code, answer) = story.asks(&merged).await;
    assert_eq!(
        (code, &answer["verdict"]),
        (Some(1), &json!("rejected")),
        "{answer}"
    );
    assert_eq!(answer["changes"].as_array().unwrap().len(), 2, "{answer}");
    let snapshot = answer["snapshot"].as_str().unwrap();
    let path =
        format!("/api/v1/gate/past?repository=acme/payments&commit={merged}&as_of={snapshot}");
    assert_eq!(story.ci.get(&path).await.json["then"], answer);
    let deployer = story.t.machine(&[Scope::Incidents], "acme/*").await;
    let report = json!({ "repository": "acme/payments", "environment": "production", "commits": [merged], "key": "1" });
    let recorded = deployer.post("/api/v1/deployments", report).await.json;
    assert_eq!(recorded["commits"][0]["verdict"], "rejected", "{recorded}");
}

/// A branch `below`, and one on top of it that was signed off with all of both; then both were merged, one after the other.
/// Where the two left `main`, and the second merge.
async fn stacked(story: &Story, on_top: &str) -> (String, String) {
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    let left = story.checkout.head();
    git(&["switch", "--quiet", "--create", "below"]);
    story.checkout.write("payments/auth.rs", "fn auth() {}\n");
    story.checkout.commit("Ask who it is");
    git(&["switch", "--quiet", "--create", "top"]);
    story
        .checkout
        .write("payments/refund.rs", "fn refund() {}\n");
    story.checkout.write("payments/auth.rs", on_top);
    story.checkout.commit("Refund");
    assert_eq!(story.submits(&["--head", "top"]).await.code, Some(0));
    story.approves(&change()).await;
    git(&["switch", "--quiet", "main"]);
    git(&["merge", "--quiet", "--no-ff", "-m", "Merge below", "below"]);
    git(&["merge", "--quiet", "--no-ff", "-m", "Merge top", "top"]);
    (left, story.checkout.head())
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_signed_off_with_what_it_stands_on_ships_after_that(pool: PgPool) {
    let story = Story::new(pool).await;
    let (left, merged) = stacked(&story, "fn auth() {}\n").await;
    let told = ["--head", "top", "--base", &left, "--merged-as", &merged];
    assert_eq!(story.submits(&told).await.code, Some(0));
    let (code, answer) = story.asks(&merged).await;
    assert_eq!((code, &answer["verdict"]), (Some(0), &json!("approved")));
    assert_eq!(answer["changes"][0]["revision"], 1);
    let onto = story.checkout.git(&["rev-parse", "HEAD~1"]);
    assert_eq!(answer["via"]["onto"], json!([onto]));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_a_stack_undoes_of_what_it_stands_on_was_shown_to_nobody(pool: PgPool) {
    let story = Story::new(pool).await;
    let (left, merged) = stacked(&story, "").await;
    let told = ["--head", "top", "--base", &left, "--merged-as", &merged];
    let told = story.submits(&told).await;
    assert_eq!(told.code, Some(3), "{told:?}");
    assert_eq!(story.asks(&merged).await.0, Some(2));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn changes_that_are_merged_together_pass_together(pool: PgPool) {
    let story = Story::new(pool).await;
    let git = |arguments: &[&str]| story.checkout.git(arguments);
    story.submits(&[]).await;
    git(&["switch", "--quiet", "--create", "other", "main"]);
    story.checkout.write("payments/other.rs", "fn other() {}\n");
    story.checkout.commit(&format!("Another\n\n{TRAILER}"));
    git(&["switch", "--quiet", "main"]);
    let server = story.t.at("");
    let tell_of_the_other = |more: &'static [&'static str]| {
        let usual = [
            "submit",
            "--server",
            &server,
            "--repository",
            "acme/payments",
            "--key",
            "143",
            "--head",
            "other",
        ];
        let mut command = countersign(&story.checkout.dir, &[&usual, more].concat());
        command.env("COUNTERSIGN_TOKEN", &story.ci.secret);
        async move { assert_eq!(outcome(&mut command).await.code, Some(0)) }
    };
    tell_of_the_other(&["--base", "main"]).await;
    let deployed = story.checkout.head();
    let first = story.merges("merge");
    git(&["merge", "--quiet", "--no-ff", "-m", "Merge 143", "other"]);
    let group = story.checkout.head();
    story.tells(&first).await;
    tell_of_the_other(&["--merged-as", "HEAD"]).await;
    story.approves(&change()).await;
    let range = format!("{deployed}..{group}");
    assert_eq!(
        story.release(&range).await.code,
        Some(2),
        "one of them waits"
    );
    story.approves(&change().key("143")).await;
    assert_eq!(story.release(&range).await.code, Some(0));
    assert_eq!(story.asks(&group).await.0, Some(0));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_gate_that_waits_for_a_commit_hears_what_it_was_merged_from(pool: PgPool) {
    let story = Story::new(pool).await;
    story.submits(&[]).await;
    story.approves(&change()).await;
    let merged = story.merges("squash");
    let mut waiting = story.pipeline().gate(&merged, &["--wait", "60s"]);
    let waiting = tokio::spawn(async move { outcome(&mut waiting).await });
    story.t.somebody_waits().await;
    story.tells(&merged).await;
    let heard = waiting.await.unwrap();
    assert_eq!(heard.code, Some(0), "{heard:?}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_ships_may_go_back_and_its_past_is_told(pool: PgPool) {
    let story = Story::new(pool).await;
    story.submits(&[]).await;
    story.approves(&change()).await;
    let merged = story.merges("squash");
    let (_, unheard) = story.asks(&merged).await;
    story.tells(&merged).await;
    let (_, allowed) = story.asks(&merged).await;
    let deployer = story.t.machine(&[Scope::Incidents], "acme/*").await;
    let report = json!({ "repository": "acme/payments", "environment": "production", "commits": [merged], "key": "1" });
    let recorded = deployer.post("/api/v1/deployments", report).await.json;
    assert_eq!(recorded["commits"][0]["sanction"], "allowed", "{recorded}");
    assert_eq!(
        recorded["commits"][0]["changes"][0]["key"], "142",
        "{recorded}"
    );
    let past = async |answer: &Value| {
        let snapshot = answer["snapshot"].as_str().unwrap();
        let path =
            format!("/api/v1/gate/past?repository=acme/payments&commit={merged}&as_of={snapshot}");
        story.ci.get(&path).await.json["then"].clone()
    };
    assert_eq!(past(&unheard).await, unheard);
    assert_eq!(past(&allowed).await, allowed);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_claim_that_does_not_hold_is_refused_also_without_the_command(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let commit = |tree: &str, parents: &[String]| json!({ "sha": sha("m"), "tree": sha(tree), "parents": parents });
    let claim = |kind: &str, commits: Value| {
        let merged_as =
            json!({ "kind": kind, "commits": commits, "onto": sha("b"), "tree": sha("t") });
        change().with(json!({ "merged_as": merged_as }))
    };
    let parents = [sha("b")];
    let refused = |kind: &str, commits: Value, why: &'static str| {
        let (claim, ci) = (claim(kind, commits), ci.clone());
        async move {
            let reply = ci.try_to_submit(&claim).await;
            assert_eq!(reply.problem(), (422, "field"));
            let detail = reply.json["detail"].as_str().unwrap();
            assert!(detail.contains(why), "{detail}");
        }
    };
    refused(
        "squash",
        json!([commit("another", &parents)]),
        "was added to it or left out",
    )
    .await;
    refused(
        "merge",
        json!([commit("t", &parents)]),
        "names a merge that is not",
    )
    .await;
    refused("squash", json!([]), "has no commits").await;
    refused(
        "squash",
        json!([{ "sha": "HEAD", "tree": sha("t"), "parents": parents }]),
        "merged_as.commits.sha",
    )
    .await;
    let many = vec![commit("t", &parents); 2_001];
    refused("rebase", json!(many), "more than 2000").await;
    assert_eq!(t.count("change").await, 0);
    ci.submit(&claim("squash", json!([commit("t", &parents)])))
        .await;
    assert_eq!(ci.gate(&sha("m")).await.answer().1, "waiting");
}
