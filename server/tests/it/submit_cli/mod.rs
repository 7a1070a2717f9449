//! `countersign submit` on real repositories: what the server is told, whatever the machine and the change would rather have.

mod bent;
mod carrying;
pub mod checkout;
mod deploying;
mod landing;
mod noted;
mod releases;
mod stories;

use crate::cli::{self, Outcome, countersign, outcome};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Multipart, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::put,
};
use checkout::Checkout;
use domain::patch::{self, FileStatus, Mode};
use serde_json::{Value, json};
use server::api::wire::Text;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command as StdCommand,
    sync::{Arc, Mutex},
};
use tokio::process::Command;

/// The parts of a submission.
type Taken = (Value, Vec<u8>);

/// A server that takes everything, and remembers it.
#[derive(Clone, Default)]
struct Server {
    /// Refusals to give first.
    refusals: Arc<Mutex<Vec<u16>>>,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Server {
    async fn serve(&self) -> String {
        let routes = Router::new()
            .route("/api/v1/changes", put(take))
            .layer(DefaultBodyLimit::disable())
            .with_state(self.clone());
        cli::play(routes).await
    }

    /// The one submission that was taken: its JSON, and its patch, unpacked.
    fn only(&self) -> (Value, Vec<u8>) {
        let taken = self.taken.lock().unwrap();
        assert_eq!(taken.len(), 1);
        let (change, packed) = &taken[0];
        (change.clone(), zstd::decode_all(packed.as_slice()).unwrap())
    }
}

async fn take(State(server): State<Server>, mut form: Multipart) -> Response {
    let (mut change, mut patch) = (Value::Null, Vec::new());
    while let Some(field) = form.next_field().await.unwrap() {
        let kind = field.content_type().unwrap().to_owned();
        match (field.name().unwrap().to_owned().as_str(), kind.as_str()) {
            ("change", "application/json") => {
                change = serde_json::from_slice(&field.bytes().await.unwrap()).unwrap()
            }
            ("patch", "application/zstd") => patch = field.bytes().await.unwrap().to_vec(),
            other => panic!("{other:?}"),
        }
    }
    if let Some(status) = server.refusals.lock().unwrap().pop() {
        let problem = json!({ "type": "/problems/x", "title": "No", "status": status, "detail": "The server says why.", "request_id": "r-1" });
        return (
            StatusCode::from_u16(status).unwrap(),
            [("retry-after", "0")],
            Json(problem),
        )
            .into_response();
    }
    server.taken.lock().unwrap().push((change, patch));
    let id = "01900000-0000-7000-8000-000000000001";
    Json(json!({
        "change": id, "revision": id, "number": 1, "digest": "d", "new": true, "current": true, "url": "http://x.example/changes/1"
    }))
    .into_response()
}

/// `countersign submit` of `change` against `main`.
fn submit(server: &str, dir: &Path, more: &[&str]) -> Command {
    let usual = [
        "submit",
        "--server",
        server,
        "--repository",
        "acme/payments",
    ];
    let mut arguments = usual.to_vec();
    for (option, usual) in [("--key", "142"), ("--base", "main"), ("--head", "change")] {
        if !more.contains(&option) {
            arguments.extend([option, usual]);
        }
    }
    arguments.extend(more);
    countersign(dir, &arguments)
}

/// What a server is told by a checkout.
async fn told(checkout: &Checkout, more: &[&str]) -> (Value, Vec<u8>) {
    let server = Server::default();
    let seen = outcome(&mut submit(&server.serve().await, &checkout.dir, more)).await;
    assert_eq!(seen.code, Some(0), "{seen:?}");
    server.only()
}

/// The sentence with which a submission is refused before anything is sent.
async fn refusal(mut command: Command) -> String {
    let Outcome {
        code,
        stdout,
        stderr,
    } = outcome(&mut command).await;
    assert_eq!((code, stdout.as_str()), (Some(3), ""), "{stderr}");
    stderr
}

/// A change in which every setting of a diff could show.
fn telling_change() -> Checkout {
    let checkout = Checkout::new();
    checkout.write("payments/fee.rs", "fn fee() {\n    10\n}\n\n\n\n\n\n\n\n\nfn another() {\n    2\n}\n\nfn third() {\n    2\n}\n");
    checkout.write("größe.txt", "neu\n");
    checkout.write("zeros.bin", [0, 1, 2, 0]);
    checkout.git(&["mv", "README.md", "docs.md"]);
    checkout.commit("Change much");
    checkout
}

#[tokio::test]
async fn a_submission_says_what_git_recorded() {
    let checkout = Checkout::new();
    let base = checkout.git(&["rev-parse", "main"]);
    checkout.write("payments/fee.rs", "fn fee() {}\n");
    let first = checkout.commit("Drop the fee\n\nCo-authored-by: Claude <noreply@anthropic.com>");
    checkout.write("payments/fee.rs", "fn fee() -> u8 { 0 }\n");
    let head = checkout.commit("Say its type");

    let (change, patch) = told(
        &checkout,
        &[
            "--author",
            "ana",
            "--author-name",
            "Ana Sofía",
            "--state",
            "merged",
            "--url",
            "https://git.example/142",
            "--tool",
            "cursor",
            "--draft",
            "--target",
            "release/1.2",
        ],
    )
    .await;

    assert_eq!(change["repository"], "acme/payments");
    assert_eq!(change["key"], "142");
    assert_eq!(change["title"], "Drop the fee");
    assert_eq!(
        change["author"],
        json!({ "login": "ana", "name": "Ana Sofía" })
    );
    assert_eq!(change["url"], "https://git.example/142");
    assert_eq!(change["target"], "release/1.2");
    assert_eq!(change["ai"], json!({ "tool": "cursor" }));
    assert_eq!(change["draft"], true);
    assert_eq!(change["state"], "merged");
    assert_eq!(change["current"], false);
    assert_eq!(
        (&change["base"], &change["head"]),
        (&json!(base), &json!(head))
    );
    assert_eq!(change["commits"].as_array().unwrap().len(), 2);
    assert_eq!(
        change["commits"][0],
        json!({
            "sha": first, "tree": checkout.git(&["rev-parse", &format!("{first}^{{tree}}")]), "parents": [base],
            "author": { "name": "Ana", "email": "ana@halden.example" }, "authored_at": "2026-09-21T14:13:20Z",
            "committer": { "name": "Ben", "email": "ben@halden.example" },
            "message": "Drop the fee\n\nCo-authored-by: Claude <noreply@anthropic.com>\n",
        })
    );
    assert_eq!(patch::split(&patch).unwrap().len(), 1);

    let (change, _) = told(&checkout, &["--title", "- drop the fee"]).await;
    assert_eq!(change["title"], "- drop the fee");
}

#[tokio::test]
async fn the_machine_cannot_bend_a_patch() {
    let checkout = telling_change();
    let (plain, patch) = told(&checkout, &[]).await;

    let home = tempfile::tempdir().unwrap();
    let settings = "[diff]\n noprefix = true\n mnemonicPrefix = true\n algorithm = patience\n context = 0\n interHunkContext = 9\n renames = false\n \
        external = /bin/false\n suppressBlankEmpty = true\n submodule = log\n ignoreSubmodules = all\n indentHeuristic = false\n relative = true\n \
        orderFile = order\n colorMoved = zebra\n srcPrefix = x/\n[core]\n abbrev = 4\n quotePath = false\n attributesFile = ~/attributes\n\
        [color]\n ui = always\n[diff \"odd\"]\n textconv = rev\n command = /bin/false\n xfuncname = nothing\n[pager]\n diff = /bin/false\n";
    fs::write(home.path().join(".gitconfig"), settings).unwrap();
    fs::write(home.path().join("attributes"), "* diff=odd\n*.rs -diff\n").unwrap();
    let own = checkout.dir.join(".git");
    let mut config = fs::read_to_string(own.join("config")).unwrap();
    config.push_str(settings);
    fs::write(own.join("config"), config).unwrap();
    fs::create_dir_all(own.join("info")).unwrap();
    fs::write(own.join("info/attributes"), "* -diff\n").unwrap();
    fs::create_dir(checkout.dir.join("below")).unwrap();

    let server = Server::default();
    let mut command = submit(&server.serve().await, &checkout.dir.join("below"), &[]);
    command
        .env("HOME", home.path())
        .env("GIT_DIFF_OPTS", "--unified=0")
        .env("GIT_EXTERNAL_DIFF", "/bin/false")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "diff.noprefix")
        .env("GIT_CONFIG_VALUE_0", "true");
    let seen = outcome(&mut command).await;
    assert_eq!(seen.code, Some(0), "{seen:?}");
    let (bent, bent_patch) = server.only();
    assert_eq!(
        String::from_utf8_lossy(&bent_patch),
        String::from_utf8_lossy(&patch)
    );
    assert_eq!(bent, plain);
}

#[tokio::test]
async fn a_patch_is_what_git_writes_with_the_flags_that_we_promise() {
    let checkout = telling_change();
    let (_, patch) = told(&checkout, &[]).await;
    let promised = "--attr-source=4b825dc642cb6eb9a060e54bf8d69288fbee4904 -c core.attributesFile=/dev/null diff --no-ext-diff --no-textconv \
        --no-color --binary --full-index -U3 --inter-hunk-context=0 --diff-algorithm=myers -M50% -l1000 --submodule=short --src-prefix=a/ \
        --dst-prefix=b/ main change";
    let words: Vec<&str> = promised.split_whitespace().collect();
    assert_eq!(patch, checkout.bytes(&words));
}

#[tokio::test]
async fn a_change_cannot_hide_its_own_lines_or_submodules() {
    let checkout = Checkout::new();
    checkout.write(".gitattributes", "payments/** -diff\n*.lock binary\n");
    checkout.write(
        ".gitmodules",
        "[submodule \"lib\"]\n\tpath = lib\n\turl = https://git.example/lib\n\tignore = all\n",
    );
    checkout.write("payments/fee.rs", "fn fee() { steal() }\n");
    checkout.write("Cargo.lock", "evil = 1\n");
    checkout.git(&["add", "--all"]);
    checkout.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        "160000,9f1c4e0a7d3b5826f0c9e1d2a4b6c8d0e2f4a6b8,lib",
    ]);
    checkout.git(&["commit", "--quiet", "-m", "Look away"]);

    let (_, patch) = told(&checkout, &[]).await;
    let text = String::from_utf8(patch).unwrap();
    assert!(text.contains("+fn fee() { steal() }"), "{text}");
    assert!(text.contains("+evil = 1"), "{text}");
    assert!(
        text.contains("+Subproject commit 9f1c4e0a7d3b5826f0c9e1d2a4b6c8d0e2f4a6b8"),
        "{text}"
    );
}

#[tokio::test]
async fn a_changed_submodule_shows_though_settings_of_the_branch_ignore_it() {
    let checkout = Checkout::new();
    checkout.git(&["switch", "--quiet", "main"]);
    checkout.write(
        ".gitmodules",
        "[submodule \"lib\"]\n\tpath = lib\n\turl = https://git.example/lib\n\tignore = all\n",
    );
    checkout.git(&["add", "--all"]);
    let pin = |digit: &str| {
        let entry = format!("160000,{},lib", digit.repeat(40));
        checkout.git(&["update-index", "--add", "--cacheinfo", &entry]);
        checkout.git(&["commit", "--quiet", "-m", "Pin the library"]);
    };
    pin("1");
    checkout.git(&["switch", "--quiet", "--force-create", "change"]);
    pin("2");
    let (_, patch) = told(&checkout, &[]).await;
    assert!(
        String::from_utf8(patch)
            .unwrap()
            .contains("+Subproject commit 2222")
    );
}

#[tokio::test]
async fn every_kind_of_file_travels() {
    let checkout = Checkout::new();
    checkout.git(&["switch", "--quiet", "main"]);
    for (file, text) in [
        ("run.sh", "echo\n"),
        ("moved.txt", "one\ntwo\nthree\nfour\n"),
        ("gone.txt", "bye\n"),
    ] {
        checkout.write(file, text);
    }
    checkout.commit("More files");
    checkout.git(&["switch", "--quiet", "--force-create", "change"]);
    fs::set_permissions(
        checkout.dir.join("run.sh"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    checkout.git(&["mv", "moved.txt", "arrived.txt"]);
    checkout.git(&["rm", "--quiet", "gone.txt"]);
    checkout.link("link", "/etc/passwd");
    checkout.write("picture.png", [0x89, 0x50, 0, 0xff]);
    checkout.write("no newline", "at the end");
    checkout.write_bytes(b"caf\xe9.txt", b"latin\n");
    checkout.write("日本語.txt", "はい\n");
    checkout.commit("Every kind");

    let (_, patch) = told(&checkout, &[]).await;
    let files = patch::split(&patch).unwrap();
    let file = |name: &[u8]| {
        files
            .iter()
            .find(|file| file.name().is_some_and(|found| found.as_bytes() == name))
            .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&patch)))
    };
    assert_eq!(file(b"run.sh").new_mode, Some(Mode::Executable));
    assert_eq!(
        file(b"arrived.txt").status,
        FileStatus::Renamed { similarity: 100 }
    );
    assert_eq!(file(b"gone.txt").status, FileStatus::Deleted);
    assert_eq!(file(b"link").new_mode, Some(Mode::Symlink));
    assert!(file(b"picture.png").binary);
    assert_eq!(file("日本語.txt".as_bytes()).added, 1);
    assert_eq!(file(b"caf\xe9.txt").added, 1);
    assert_eq!(files.len(), 8);
}

#[tokio::test]
async fn whoever_does_not_say_whose_change_it_is_is_told_what_it_counts_as() {
    let (checkout, server) = (telling_change(), Server::default().serve().await);
    let hint = "hint: without --author (the login at the code host of who opened it) a change counts as nobody's";
    for more in [&["--json"][..], &["--author-name", "Ana"]] {
        let seen = outcome(&mut submit(&server, &checkout.dir, more)).await;
        assert_eq!(seen.code, Some(0), "{seen:?}");
        assert!(seen.stderr.starts_with(hint), "{seen:?}");
        assert!(!seen.stdout.contains("hint"), "{seen:?}");
    }
    let seen = outcome(&mut submit(&server, &checkout.dir, &["--author", "ana"])).await;
    assert_eq!((seen.code, &*seen.stderr), (Some(0), ""));
}

#[tokio::test]
async fn messages_and_names_that_are_not_utf8_travel_byte_for_byte() {
    let checkout = Checkout::new();
    let tree = checkout.git(&["rev-parse", "main^{tree}"]);
    let parent = checkout.git(&["rev-parse", "main"]);
    let mut object = format!("tree {tree}\nparent {parent}\nauthor Zo").into_bytes();
    object.extend(b"\xeb <zoe@x.example> 1700000000 +0000\ncommitter Nobody <> 99999999999999 +0000\nencoding ISO-8859-1\n\nGr\xf6\xdfe\n\nline\r\n");
    fs::write(checkout.dir.join("../object"), object).unwrap();
    let head = checkout.git(&[
        "hash-object",
        "-t",
        "commit",
        "-w",
        "--literally",
        "../object",
    ]);

    let (change, patch) = told(&checkout, &["--head", &head]).await;
    let commit = &change["commits"][0];
    let text = |value: &Value| match serde_json::from_value(value.clone()).unwrap() {
        Text::Utf8(text) => text.into_bytes(),
        Text::Bytes { base64 } => {
            base64::Engine::decode(&base64::prelude::BASE64_STANDARD, base64).unwrap()
        }
    };
    assert_eq!(text(&commit["author"]["name"]), b"Zo\xeb");
    assert_eq!(text(&commit["message"]), b"Gr\xf6\xdfe\n\nline\r\n");
    assert_eq!(
        commit["committer"],
        json!({ "name": "Nobody", "email": "" })
    );
    assert_eq!(change["title"], "Gr\u{fffd}\u{fffd}e");
    assert_eq!(patch, b"");
}

#[tokio::test]
async fn a_replaced_commit_is_submitted_as_it_was() {
    let checkout = Checkout::new();
    let head = checkout.commit("Assisted\n\nCo-authored-by: Claude <noreply@anthropic.com>");
    checkout.git(&["switch", "--quiet", "--detach", "main"]);
    let clean = checkout.commit("All by hand");
    checkout.git(&["replace", &head, &clean]);
    let (change, _) = told(&checkout, &["--head", &head]).await;
    assert!(
        change["commits"][0]["message"]
            .as_str()
            .unwrap()
            .starts_with("Assisted")
    );
}

#[tokio::test]
async fn a_repository_of_sha256_is_read_alike() {
    let checkout = Checkout::of_format("sha256");
    checkout.write(".gitattributes", "* -diff\n");
    checkout.write("payments/fee.rs", "fn fee() {}\n");
    let head = checkout.commit("Drop the fee");
    let (change, patch) = told(&checkout, &[]).await;
    assert_eq!(head.len(), 64);
    assert_eq!(change["head"], head);
    assert!(String::from_utf8(patch).unwrap().contains("+fn fee() {}"));
}

#[tokio::test]
async fn a_merge_of_the_target_moves_the_merge_base() {
    let checkout = Checkout::new();
    checkout.write("mine.txt", "mine\n");
    let own = checkout.commit("Mine");
    checkout.git(&["switch", "--quiet", "main"]);
    checkout.write("theirs.txt", "theirs\n");
    let theirs = checkout.commit("Theirs");
    checkout.git(&["switch", "--quiet", "change"]);
    checkout.git(&[
        "merge",
        "--quiet",
        "--no-ff",
        "-m",
        "Merge branch 'main' into change",
        "main",
    ]);

    let (change, patch) = told(&checkout, &[]).await;
    assert_eq!(change["base"], theirs);
    let shas: Vec<&str> = change["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|commit| commit["sha"].as_str().unwrap())
        .collect();
    assert_eq!(shas, [own.as_str(), checkout.head().as_str()]);
    assert!(!String::from_utf8(patch).unwrap().contains("theirs"));
}

#[tokio::test]
async fn a_shallow_clone_is_submitted_only_if_it_reaches_far_enough() {
    let origin = Checkout::new();
    for number in 1..=3 {
        origin.commit(&format!("Number {number}"));
    }
    let ends = ["--base", "origin/main", "--head", "origin/change"];
    for (depth, enough) in [("1", false), ("3", false), ("4", true)] {
        let clone = origin.cloned(&["--depth", depth]);
        if enough {
            let (change, _) = told(&clone, &ends).await;
            assert_eq!(change["commits"].as_array().unwrap().len(), 3);
        } else {
            let said = refusal(submit("http://127.0.0.1:9", &clone.dir, &ends)).await;
            assert!(
                said.contains("shallow") && said.contains("git fetch --unshallow"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn a_merge_base_that_a_cut_could_hide_is_not_believed() {
    let origin = Checkout::new();
    let old = origin.head();
    // `main` goes on, the change takes that in, and then the history between is cut off.
    origin.git(&["switch", "--quiet", "main"]);
    let cut = origin.commit("Cut off here");
    origin.commit("After the cut");
    origin.git(&["switch", "--quiet", "change"]);
    origin.git(&["merge", "--quiet", "--no-ff", "-m", "Take main in", &cut]);
    origin.git(&[
        "merge",
        "--quiet",
        "--no-ff",
        "-m",
        "Once more",
        "-s",
        "ours",
        &old,
    ]);
    origin.commit("Mine");
    fs::write(
        origin.dir.join(".git/shallow"),
        format!("{}\n", origin.git(&["rev-parse", "change~1"])),
    )
    .unwrap();
    let said = refusal(submit("http://127.0.0.1:9", &origin.dir, &[])).await;
    assert!(said.contains("shallow"), "{said}");
}

#[tokio::test]
async fn a_partial_clone_fetches_what_the_patch_needs() {
    let origin = Checkout::new();
    origin.write("payments/fee.rs", "fn fee() { 7 }\n");
    origin.commit("Seven");
    origin.git(&["switch", "--quiet", "main"]);
    let clone = origin.cloned(&["--filter=blob:none", "--no-checkout"]);
    let (_, patch) = told(
        &clone,
        &["--base", "origin/main", "--head", "origin/change"],
    )
    .await;
    assert!(
        String::from_utf8(patch)
            .unwrap()
            .contains("+fn fee() { 7 }")
    );
}

#[tokio::test]
async fn a_trial_merge_of_the_host_is_refused_and_ones_own_merge_is_not() {
    let checkout = Checkout::new();
    let own = checkout.commit("Mine");
    checkout.git(&["switch", "--quiet", "main"]);
    checkout.commit("Theirs");
    checkout.git(&["switch", "--quiet", "--detach"]);
    let mut merge = vec!["merge", "--quiet", "--no-ff", "-m", "Merge branch 'change'"];
    merge.push(&own);
    checkout.git(&merge);
    let head = checkout.head();
    let ends = ["--base", "main", "--head", &head];

    let server = Server::default();
    let address = server.serve().await;
    assert_eq!(
        outcome(&mut submit(&address, &checkout.dir, &ends))
            .await
            .code,
        Some(0)
    );

    let mut github = submit(&address, &checkout.dir, &ends);
    github
        .env("GITHUB_REF", "refs/pull/142/merge")
        .env("GITHUB_SHA", &head);
    let mut gitlab = submit(&address, &checkout.dir, &ends);
    gitlab
        .env("CI_MERGE_REQUEST_EVENT_TYPE", "merged_result")
        .env("CI_COMMIT_SHA", &head);
    checkout.git(&["update-ref", "refs/remotes/pull/142/merge", &head]);
    let by_ref = submit(&address, &checkout.dir, &ends);
    for command in [github, gitlab, by_ref] {
        let said = refusal(command).await;
        assert!(
            said.contains("trial merge") && said.contains(&own),
            "{said}"
        );
    }

    checkout.git(&["update-ref", "-d", "refs/remotes/pull/142/merge"]);
    let base = checkout.git(&["rev-parse", "main"]);
    checkout.git(&[
        "commit",
        "--quiet",
        "--amend",
        "-m",
        &format!("Merge {own} into {base}"),
    ]);
    let said = refusal(submit(&address, &checkout.dir, &["--head", "HEAD"])).await;
    assert!(said.contains("trial merge"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_submitted_is_refused_with_a_sentence() {
    let checkout = Checkout::new();
    checkout.commit("Mine");
    checkout.git(&["switch", "--quiet", "--orphan", "apart"]);
    checkout.commit("No history in common");
    let elsewhere = tempfile::tempdir().unwrap();
    let here = |more: &[&str]| submit("http://127.0.0.1:9", &checkout.dir, more);
    let rows = [
        (
            here(&["--head", "nowhere"]),
            "there is no commit \"nowhere\" in this checkout; fetch it first",
        ),
        (here(&["--head", "main^{tree}"]), "there is no commit"),
        (
            here(&["--head", "x\u{1b}[31m\u{202e}y"]),
            "`git fetch origin x[31my`",
        ),
        (here(&["--head", "apart"]), "have no common history"),
        (here(&["--head", "main"]), "there is nothing to submit"),
        (
            submit("http://127.0.0.1:9", elsewhere.path(), &[]),
            "this is no git checkout",
        ),
        (
            here(&["--repo-dir", "/nonexistent"]),
            "this is no git checkout",
        ),
    ];
    for (command, sentence) in rows {
        let said = refusal(command).await;
        assert!(said.contains(sentence), "{said}");
    }
}

/// Of a tag and a branch of one name git takes the tag, and whoever may push can push one: as a base it would hide commits.
#[tokio::test]
async fn a_name_with_more_than_one_meaning_is_refused() {
    let origin = Checkout::new();
    origin.write("payments/fee.rs", "fn fee() {\n    100\n}\n");
    let hidden = origin.commit("Hidden");
    origin.commit("Harmless");
    origin.git(&["tag", "origin/main", &hidden]);
    let checkout = origin.cloned(&[]);
    checkout.git(&["checkout", "--quiet", "--detach", "origin/change"]);
    let base = |base: &str| submit("http://127.0.0.1:9", &checkout.dir, &["--base", base]);
    for ambiguous in ["origin/main", "origin/main~0", "origin/main^{commit}"] {
        let said = refusal(base(ambiguous)).await;
        let expected = "\"origin/main\" has more than one meaning in this checkout: refs/remotes/origin/main, refs/tags/origin/main";
        assert!(said.contains(expected), "{said}");
    }
    let short = &checkout.head()[..7];
    checkout.git(&["tag", short, &hidden]);
    let said = refusal(base(short)).await;
    assert!(said.contains("has more than one meaning"), "{said}");
    let (change, _) = told(&checkout, &["--base", "refs/remotes/origin/main"]).await;
    assert_eq!(change["commits"].as_array().unwrap().len(), 2, "{change}");
}

#[tokio::test]
async fn a_git_that_cannot_read_safely_is_refused() {
    let checkout = Checkout::new();
    checkout.commit("Mine");
    let bin = tempfile::tempdir().unwrap();
    let git = bin.path().join("git");
    fs::write(&git, "#!/bin/sh\necho git version 2.39.5\n").unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let mut old = submit("http://127.0.0.1:9", &checkout.dir, &[]);
    old.env("PATH", bin.path());
    let said = refusal(old).await;
    assert!(
        said.contains("\"git version 2.39.5\"") && said.contains("2.41 or newer"),
        "{said}"
    );

    fs::remove_file(&git).unwrap();
    let mut none = submit("http://127.0.0.1:9", &checkout.dir, &[]);
    none.env("PATH", bin.path());
    let said = refusal(none).await;
    assert!(said.contains("git is not installed here"), "{said}");
}

#[tokio::test]
async fn it_comes_again_when_the_server_is_busy_and_not_when_it_refuses() {
    let checkout = Checkout::new();
    checkout.commit("Mine");
    let busy = Server::default();
    *busy.refusals.lock().unwrap() = vec![503, 429, 503];
    let seen = outcome(&mut submit(&busy.serve().await, &checkout.dir, &[])).await;
    assert_eq!(seen.code, Some(0), "{seen:?}");
    assert_eq!(
        seen.stdout,
        "acme/payments 142: revision 1 submitted: http://x.example/changes/1\n"
    );
    busy.only();

    let refusing = Server::default();
    *refusing.refusals.lock().unwrap() = vec![409];
    let said = refusal(submit(&refusing.serve().await, &checkout.dir, &[])).await;
    assert!(
        said.contains("The server says why. (/problems/x, request r-1)"),
        "{said}"
    );
    assert!(refusing.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nothing_of_a_submission_stays_on_the_machine() {
    let checkout = telling_change();
    let temporary = tempfile::tempdir().unwrap();
    let server = Server::default();
    let before = objects(&checkout);
    let mut command = submit(&server.serve().await, &checkout.dir, &[]);
    let seen = outcome(command.env("TMPDIR", temporary.path())).await;
    assert_eq!(seen.code, Some(0), "{seen:?}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert_eq!(objects(&checkout), before);
}

fn objects(checkout: &Checkout) -> String {
    let mut count: StdCommand = checkout::git(&checkout.dir);
    let output = count.args(["count-objects", "-v"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
