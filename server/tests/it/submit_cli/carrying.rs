//! Approvals of a change of a real repository: what git makes of it later, and what only looks like it.

use super::{checkout::Checkout, stories::Pipeline};
use crate::support::{TestServer, changes::change, people::Human};
use domain::decision::Kind;
use sqlx::PgPool;

const TOOL: &str = "echo begin\necho middle\necho end\n";

/// Three functions that look alike, so that lines can stand in another one with the same lines around.
fn pay(more: [&str; 3]) -> String {
    let body =
        |more: &str| format!("    one\n    two\n    three\n{more}    four\n    five\n    six\n");
    format!(
        "fn first() {{\n{}}}\n\nfn second() {{\n{}}}\n\nfn third() {{\n{}}}\n",
        body(more[0]),
        body(more[1]),
        body(more[2]),
    )
}

/// A checkout of which `main` has what the change touches: two places of a file, a script, and a submodule.
fn begun() -> Checkout {
    let checkout = Checkout::new();
    checkout.git(&["switch", "--quiet", "main"]);
    checkout.write("pay.rs", pay(["", "", ""]));
    checkout.write("tool.sh", TOOL);
    submodule(&checkout, "1");
    checkout.git(&["add", "pay.rs", "tool.sh"]);
    checkout.git(&["commit", "--quiet", "-m", "Pay"]);
    checkout.git(&["switch", "--quiet", "-C", "change"]);
    checkout
}

fn submodule(checkout: &Checkout, commit: &str) {
    let entry = format!("160000,{},lib", commit.repeat(40));
    checkout.git(&["update-index", "--add", "--cacheinfo", &entry]);
}

/// The change, as it is before it is committed.
fn edited(checkout: &Checkout) {
    checkout.git(&["reset", "--quiet", "--hard", "main"]);
    checkout.write("pay.rs", pay(["    retry\n", "", "    log\n"]));
    checkout.write("tool.sh", TOOL.replace("middle", "in between"));
    submodule(checkout, "2");
}

fn commit(checkout: &Checkout, message: &str) -> String {
    checkout.git(&["add", ":!lib", "."]);
    checkout.git(&["commit", "--quiet", "-m", message]);
    checkout.head()
}

/// The change, submitted and approved by Li.
async fn approved<'a>(t: &TestServer, checkout: &'a Checkout) -> (Pipeline<'a>, Human) {
    let pipeline = Pipeline {
        ci: t.ci().await,
        checkout,
    };
    edited(checkout);
    let head = commit(checkout, "Retry");
    pipeline.submits(&[]).await;
    let li = t.senior("li").await;
    li.decides(&change(), Kind::Approve).await.unwrap();
    assert_eq!(pipeline.asks(&head).await.code, Some(0));
    (pipeline, li)
}

/// By what the latest revision was proved to be an earlier one.
async fn proofs(t: &TestServer) -> Vec<String> {
    let asked = sqlx::query_scalar(
        "select c.proof from carry c join revision r on r.id = c.to_revision
         where r.number = (select max(number) from revision) order by c.proof",
    );
    asked.fetch_all(&t.owner).await.unwrap()
}

/// Moves `main` by a commit, and back to the branch.
fn main_moves(checkout: &Checkout, file: &str, text: &str) {
    checkout.git(&["switch", "--quiet", "--force", "main"]);
    checkout.write(file, text);
    checkout.git(&["add", file]);
    checkout.git(&["commit", "--quiet", "-m", "Meanwhile"]);
    checkout.git(&["switch", "--quiet", "--force", "change"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_approval_carries_over_a_rebase_without_conflict(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = begun();
    let (pipeline, _) = approved(&t, &checkout).await;
    main_moves(&checkout, "README.md", "# Payments, moved\n");
    checkout.git(&["rebase", "--quiet", "main"]);
    let said = pipeline.submits(&[]).await;
    assert!(said.contains("revision 2 submitted"), "{said}");
    assert_eq!(pipeline.asks(&checkout.head()).await.code, Some(0));
    assert_eq!(proofs(&t).await, ["blobs", "patch"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rebase_over_a_file_that_the_target_touched_is_proved_by_its_lines_and_waits(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    let checkout = begun();
    let (pipeline, _) = approved(&t, &checkout).await;
    let above = format!("use std;\n\n{}", pay(["", "", ""]));
    main_moves(&checkout, "pay.rs", &above);
    checkout.git(&["rebase", "--quiet", "main"]);
    pipeline.submits(&[]).await;
    assert_eq!(pipeline.asks(&checkout.head()).await.code, Some(2));
    assert_eq!(proofs(&t).await, ["patch"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b04_an_approval_does_not_carry_over_to_what_only_looks_like_the_change(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = begun();
    let (pipeline, _) = approved(&t, &checkout).await;
    type Edit = fn(&Checkout);
    let other: [(&str, Edit); 9] = [
        ("one changed byte", |c| {
            c.write("pay.rs", pay(["    retrY\n", "", "    log\n"]))
        }),
        ("a mode", |c| {
            c.git(&["update-index", "--chmod=+x", "tool.sh"]);
            c.git(&["config", "core.fileMode", "false"]);
        }),
        ("a rename with an edit", |c| {
            c.git(&["rm", "--quiet", "--cached", "tool.sh"]);
            std::fs::remove_file(c.dir.join("tool.sh")).unwrap();
            c.write("other.sh", TOOL.replace("middle", "in between"));
        }),
        ("a new file", |c| c.write("new.txt", "new\n")),
        ("a new empty file", |c| c.write("empty", "")),
        ("the same lines in another function", |c| {
            c.write("pay.rs", pay(["", "    retry\n", "    log\n"]))
        }),
        ("two hunks swapped", |c| {
            c.write("pay.rs", pay(["    log\n", "", "    retry\n"]))
        }),
        ("a submodule's commit", |c| submodule(c, "3")),
        ("one file fewer", |c| c.write("tool.sh", TOOL)),
    ];
    for (what, twist) in other {
        edited(&checkout);
        twist(&checkout);
        let head = commit(&checkout, what);
        pipeline.submits(&[]).await;
        assert_eq!(pipeline.asks(&head).await.code, Some(2), "{what}");
        assert_eq!(proofs(&t).await, Vec::<String>::new(), "{what}");
    }
    // That none of them was proved is worth nothing if nothing is.
    edited(&checkout);
    let head = commit(&checkout, "The same in other words");
    pipeline.submits(&[]).await;
    assert_eq!(pipeline.asks(&head).await.code, Some(0));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b03_an_approval_does_not_carry_over_to_another_target(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = begun();
    let (pipeline, _) = approved(&t, &checkout).await;
    let head = checkout.head();
    pipeline.submits(&["--target", "release"]).await;
    assert_eq!(pipeline.asks(&head).await.code, Some(2));
    assert_eq!(proofs(&t).await, Vec::<String>::new());
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_line_that_the_target_changed_beside_the_change_is_in_its_context(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = begun();
    let (pipeline, _) = approved(&t, &checkout).await;
    let beside = pay(["", "", ""]).replacen("    one\n", "    ONE\n", 1);
    main_moves(&checkout, "pay.rs", &beside);
    checkout.git(&["rebase", "--quiet", "main"]);
    pipeline.submits(&[]).await;
    assert_eq!(pipeline.asks(&checkout.head()).await.code, Some(2));
    assert_eq!(proofs(&t).await, Vec::<String>::new());
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_approval_by_a_contributor_of_the_new_revision_carries_over(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let checkout = begun();
    let (pipeline, _) = approved(&t, &checkout).await;
    let author = "--author=Somebody <li@halden.example>";
    checkout.git(&["commit", "--quiet", "--amend", "--no-edit", author]);
    pipeline.submits(&[]).await;
    assert_eq!(pipeline.asks(&checkout.head()).await.code, Some(2));
    assert_eq!(proofs(&t).await, ["blobs", "patch"]);
}
