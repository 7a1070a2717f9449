//! From a real repository through the command line to the real server and back out of its gate.

use super::{checkout::Checkout, submit, telling_change};
use crate::{
    cli::{Outcome, countersign, gate_of, outcome},
    support::{TestServer, changes::change, machines::Machine},
};
use domain::{decision::Kind, token::Scope};
use sqlx::PgPool;
use std::{fs, path::Path, time::Duration};
use tokio::process::Command;

/// A pipeline of a checkout.
pub struct Pipeline<'a> {
    pub ci: Machine,
    pub checkout: &'a Checkout,
}

impl Pipeline<'_> {
    /// Submits, which must go well; the line that people read.
    pub async fn submits(&self, more: &[&str]) -> String {
        let server = self.ci.t.at("");
        let mut command = submit(&server, &self.checkout.dir, more);
        let seen = outcome(command.env("COUNTERSIGN_TOKEN", &self.ci.secret)).await;
        assert_eq!(seen.code, Some(0), "{seen:?}");
        seen.stdout
    }

    /// `countersign gate` about a commit.
    pub fn gate(&self, commit: &str, more: &[&str]) -> Command {
        let server = self.ci.t.at("");
        let usual = gate_of(&server, commit);
        let mut command = countersign(Path::new("."), &[&usual, more].concat());
        command.env("COUNTERSIGN_TOKEN", &self.ci.secret);
        command
    }

    pub async fn asks(&self, commit: &str) -> Outcome {
        outcome(&mut self.gate(commit, &[])).await
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_change_waits_is_approved_and_waits_again_for_each_new_commit(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (li, checkout) = (t.senior("li").await, Checkout::new());
    let pipeline = Pipeline {
        ci: t.ci().await,
        checkout: &checkout,
    };
    let first =
        checkout.commit("Retry settlement\n\nCo-authored-by: Claude <noreply@anthropic.com>");
    assert_eq!(pipeline.asks(&first).await.code, Some(2));

    pipeline.submits(&["--author", "ana"]).await;
    let seen = pipeline.asks(&first).await;
    assert_eq!(seen.code, Some(2), "{seen:?}");
    assert!(
        seen.stdout
            .starts_with("not allowed: waiting: acme/payments 142 at "),
        "{seen:?}"
    );
    assert!(seen.stdout.contains("li could give it"), "{seen:?}");

    li.decides(&change(), Kind::Approve).await.unwrap();
    assert_eq!(pipeline.asks(&first).await.code, Some(0));

    let second = checkout.commit("Retry it twice");
    pipeline.submits(&[]).await;
    assert_eq!(pipeline.asks(&second).await.code, Some(2));
    li.decides(&change(), Kind::Reject).await.unwrap();
    assert_eq!(pipeline.asks(&second).await.code, Some(1));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_gate_that_waits_hears_of_the_approval_at_once(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (li, checkout) = (t.senior("li").await, Checkout::new());
    let pipeline = Pipeline {
        ci: t.ci().await,
        checkout: &checkout,
    };
    let head = checkout.commit("Retry settlement");
    let mut gate = pipeline.gate(&head, &["--wait", "30m"]);
    let gate = tokio::spawn(async move { outcome(&mut gate).await });
    t.somebody_waits().await;
    pipeline.submits(&[]).await;
    li.decides(&change(), Kind::Approve).await.unwrap();
    let seen = tokio::time::timeout(Duration::from_secs(10), gate)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.code, Some(0), "{seen:?}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_approval_is_for_one_target_and_one_merge_base(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (li, checkout) = (t.senior("li").await, Checkout::new());
    let pipeline = Pipeline {
        ci: t.ci().await,
        checkout: &checkout,
    };
    let half = checkout.commit("Half of it");
    let head = checkout.commit("The other half");
    pipeline.submits(&[]).await;
    li.decides(&change(), Kind::Approve).await.unwrap();
    assert_eq!(pipeline.asks(&head).await.code, Some(0));

    let said = pipeline.submits(&["--target", "release"]).await;
    assert!(
        said.starts_with("acme/payments 142: revision 2 submitted: "),
        "{said}"
    );
    let asked = outcome(&mut pipeline.gate(&head, &["--target", "release"])).await;
    assert_eq!(asked.code, Some(2), "{asked:?}");

    // Half of it lands by another way: the same head, and less to be seen in its patch.
    checkout.git(&["branch", "--force", "main", &half]);
    let said = pipeline.submits(&[]).await;
    assert!(
        said.starts_with("acme/payments 142: revision 3 submitted: "),
        "{said}"
    );
    let asked = outcome(&mut pipeline.gate(&head, &["--target", "main"])).await;
    assert_eq!(asked.code, Some(2), "{asked:?}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_late_retry_changes_nothing_and_a_push_back_is_said(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = Checkout::new();
    let pipeline = Pipeline {
        ci: t.ci().await,
        checkout: &checkout,
    };
    let first = checkout.commit("First");
    pipeline.submits(&[]).await;
    checkout.commit("Second");
    pipeline.submits(&[]).await;

    let late = pipeline.submits(&["--head", &first]).await;
    assert!(
        late.contains("revision 1 known already, and a newer one is current (--current"),
        "{late}"
    );
    let back = pipeline.submits(&["--head", &first, "--current"]).await;
    assert!(back.contains("revision 1 known already: "), "{back}");
    let late = pipeline.submits(&[]).await;
    assert!(
        late.contains("revision 2 known already, and a newer one is current"),
        "{late}"
    );
    assert_eq!(t.count("revision").await, 2);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_server_reads_what_real_git_writes(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let plain = telling_change();
    let hostile = Checkout::new();
    hostile.write(".gitattributes", "* -diff\n");
    hostile.write_bytes(b"caf\xe9 \"quoted\"\t\n.txt", b"no newline, and \xff");
    hostile.link("link", "/etc/passwd");
    hostile.write("empty", "");
    hostile.write("crlf.txt", "one\r\ntwo\r\n");
    hostile.write("--- a/x", "-- y\n++ z\n@@ -1 +1 @@\ndiff --git a/x b/x\n");
    hostile.git(&["rm", "--quiet", "README.md"]);
    hostile.git(&["add", "--all"]);
    hostile.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        "160000,9f1c4e0a7d3b5826f0c9e1d2a4b6c8d0e2f4a6b8,lib",
    ]);
    hostile.git(&[
        "-c",
        "i18n.commitEncoding=ISO-8859-1",
        "commit",
        "--quiet",
        "-m",
        "Every kind",
    ]);
    let modern = Checkout::of_format("sha256");
    modern.write("payments/fee.rs", "fn fee() {}\n");
    modern.commit("Named by SHA-256");
    let empty = Checkout::new();
    empty.commit("Nothing changes");
    for (number, checkout) in [plain, hostile, modern, empty].iter().enumerate() {
        let pipeline = Pipeline {
            ci: t.ci().await,
            checkout,
        };
        let server = t.at("");
        let key = number.to_string();
        let usual = [
            "submit",
            "--server",
            &server,
            "--repository",
            "acme/payments",
            "--base",
            "main",
            "--head",
            "change",
            "--key",
            &key,
        ];
        let mut command = countersign(&checkout.dir, &usual);
        let seen = outcome(command.env("COUNTERSIGN_TOKEN", &pipeline.ci.secret)).await;
        assert_eq!(seen.code, Some(0), "{number}: {seen:?}");
        let head = checkout.git(&["rev-parse", "change"]);
        assert_eq!(pipeline.asks(&head).await.code, Some(2), "{number}");
    }
    assert_eq!(t.count("revision").await, 4);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn without_a_token_for_it_or_a_database_there_is_no_answer(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = Checkout::new();
    let head = checkout.commit("Retry settlement");
    let refused = |ci: Machine| {
        let pipeline = Pipeline {
            ci,
            checkout: &checkout,
        };
        let mut command = pipeline.gate(&head, &[]);
        async move {
            let seen = outcome(&mut command).await;
            assert_eq!((seen.code, seen.stdout.as_str()), (Some(3), ""), "{seen:?}");
            seen.stderr
        }
    };
    assert!(
        refused(t.machine(&[Scope::Submit], "acme/*").await)
            .await
            .contains("(/problems/scope, ")
    );
    assert!(
        refused(t.machine(&[Scope::Gate], "other/*").await)
            .await
            .contains("(/problems/repository, ")
    );
    let unknown = Machine {
        secret: "cs_unknown".to_owned(),
        ..t.ci().await
    };
    assert!(refused(unknown).await.contains("(/problems/token, "));
    let ci = t.ci().await;
    t.db.pool().close().await;
    assert!(refused(ci).await.contains("(/problems/unavailable, "));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_file_of_a_checkout_is_read_through_a_link(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = Checkout::new();
    let secret = checkout.dir.join("../secret");
    fs::write(&secret, "not to be seen").unwrap();
    checkout.link("link", "../secret");
    checkout.commit("Link to a secret");
    Pipeline {
        ci: t.ci().await,
        checkout: &checkout,
    }
    .submits(&[])
    .await;
    let stored: Vec<u8> = sqlx::query_scalar("select body from patch_file")
        .fetch_one(&t.owner)
        .await
        .unwrap();
    let text = String::from_utf8(zstd::decode_all(stored.as_slice()).unwrap()).unwrap();
    assert!(
        text.contains("+../secret") && !text.contains("not to be seen"),
        "{text}"
    );
}
