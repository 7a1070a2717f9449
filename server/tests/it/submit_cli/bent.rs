//! A checkout that somebody bent who may write to the runner: refused with a sentence, or read as it was.

use super::{Checkout, refusal, submit, told};
use crate::cli::countersign;
use std::{fs, path::PathBuf};

/// What a branch hides when its base is a commit of its own.
fn hiding() -> (Checkout, String) {
    let checkout = Checkout::new();
    checkout.write("payments/fee.rs", "fn fee() {\n    100\n}\n");
    let hidden = checkout.commit("Hidden");
    checkout.commit("Harmless");
    (checkout, hidden)
}

fn loose(checkout: &Checkout, id: &str) -> PathBuf {
    let (folder, file) = id.split_at(2);
    checkout.dir.join(".git/objects").join(folder).join(file)
}

/// Puts one object where another one's id is.
fn overwrite(checkout: &Checkout, id: &str, by: &str) {
    let file = loose(checkout, id);
    fs::remove_file(&file).unwrap();
    fs::copy(loose(checkout, by), file).unwrap();
}

async fn refused(checkout: &Checkout, more: &[&str]) -> String {
    refusal(submit("http://127.0.0.1:9", &checkout.dir, more)).await
}

#[tokio::test]
async fn a_file_beside_the_refs_is_no_branch() {
    let (origin, hidden) = hiding();
    let checkout = origin.cloned(&[]);
    checkout.git(&["checkout", "--quiet", "--detach", "origin/change"]);
    fs::create_dir(checkout.dir.join(".git/origin")).unwrap();
    fs::write(checkout.dir.join(".git/origin/main"), format!("{hidden}\n")).unwrap();
    fs::write(checkout.dir.join(".git/main"), format!("{hidden}\n")).unwrap();
    for base in ["origin/main", "main", "origin/main~0"] {
        let said = refused(&checkout, &["--base", base, "--head", "HEAD"]).await;
        assert!(
            said.contains("is a file of that name in the git directory"),
            "{said}"
        );
    }
    let (change, _) = told(
        &checkout,
        &["--base", "refs/remotes/origin/main", "--head", "HEAD"],
    )
    .await;
    assert_eq!(change["commits"].as_array().unwrap().len(), 2, "{change}");
    fs::write(checkout.dir.join(".git/FETCH_HEAD"), format!("{hidden}\n")).unwrap();
    let (change, _) = told(&checkout, &["--base", "FETCH_HEAD", "--head", "HEAD"]).await;
    assert_eq!(change["commits"].as_array().unwrap().len(), 1, "{change}");
}

#[tokio::test]
async fn grafts_are_refused() {
    let (checkout, hidden) = hiding();
    let main = checkout.git(&["rev-parse", "main"]);
    let graft = format!("{main} {hidden}\n");
    fs::create_dir_all(checkout.dir.join(".git/info")).unwrap();
    let file = checkout.dir.join(".git/info/grafts");
    fs::write(&file, &graft).unwrap();
    let said = refused(&checkout, &[]).await;
    assert!(
        said.contains("info/grafts makes git tell another history"),
        "{said}"
    );
    fs::remove_file(&file).unwrap();

    let elsewhere = checkout.dir.join("grafts");
    fs::write(&elsewhere, &graft).unwrap();
    let mut command = submit("http://127.0.0.1:9", &checkout.dir, &[]);
    command.env("GIT_GRAFT_FILE", &elsewhere);
    let said = refusal(command).await;
    assert!(said.contains("GIT_GRAFT_FILE is set"), "{said}");
}

#[tokio::test]
async fn a_replaced_tree_or_file_is_submitted_as_it_was() {
    let (checkout, _) = hiding();
    let fee = checkout.git(&["rev-parse", "change:payments/fee.rs"]);
    let before = checkout.git(&["rev-parse", "main:payments/fee.rs"]);
    checkout.git(&["replace", &fee, &before]);
    let trees = ["change^{tree}", "main^{tree}"].map(|tree| checkout.git(&["rev-parse", tree]));
    checkout.git(&["replace", &trees[0], &trees[1]]);
    let (_, patch) = told(&checkout, &[]).await;
    assert!(String::from_utf8(patch).unwrap().contains("+    100"));
}

#[tokio::test]
async fn an_object_that_was_overwritten_under_its_id_is_found() {
    let ends = |end: &'static str| move |what: &str| format!("{end}{what}");
    let (change, main) = (ends("change"), ends("main"));
    for (what, by) in [
        (change(":payments/fee.rs"), main(":payments/fee.rs")),
        (main(":payments/fee.rs"), change(":payments/fee.rs")),
        (change("^{tree}"), main("^{tree}")),
        (change(":payments"), main(":payments")),
        (change("~1"), main("")),
        (change(""), change("~1")),
        // Then the merge base would seem to be the hidden commit.
        (main(""), change("~1")),
    ] {
        let (checkout, _) = hiding();
        let [id, other] = [&what, &by].map(|name| checkout.git(&["rev-parse", name]));
        let head = checkout.head();
        let base = checkout.git(&["rev-parse", "main"]);
        overwrite(&checkout, &id, &other);
        let said = refused(&checkout, &["--base", &base, "--head", &head]).await;
        let sentence = format!("lies under {id} in this checkout is another one");
        assert!(said.contains(&sentence), "{what}: {said}");
    }
}

#[tokio::test]
async fn a_release_whose_history_was_bent_is_refused() {
    let (checkout, hidden) = hiding();
    let below = checkout.head();
    let head = checkout.commit("Harmless, too");
    let base = checkout.git(&["rev-parse", "main"]);
    let tree = checkout.git(&["rev-parse", "change^{tree}"]);
    let without = checkout.git(&["commit-tree", "-p", &base, "-m", "Harmless", &tree]);
    overwrite(&checkout, &below, &without);
    let listed = checkout.git(&["rev-list", &head, &format!("^{base}")]);
    assert!(!listed.contains(&hidden));
    let range = format!("{base}..{head}");
    let usual = [
        "gate",
        "--server",
        "http://127.0.0.1:9",
        "--repository",
        "acme/payments",
    ];
    let command = countersign(&checkout.dir, &[&usual[..], &["--range", &range]].concat());
    let said = refusal(command).await;
    let sentence = format!("lies under {below} in this checkout is another one");
    assert!(said.contains(&sentence), "{said}");
}
