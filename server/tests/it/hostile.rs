//! Whoever submits controls every byte: what they send is taken in bounded time or refused with a sentence, and nothing is half stored.

use crate::support::{
    TestServer,
    changes::{Change, change, sha},
    machines::{Machine, Reply},
};
use reqwest::multipart::{Form, Part};
use sqlx::PgPool;
use std::time::{Duration, Instant};

/// On a busy machine, without optimisation. Whatever took quadratic time would take minutes.
const PATIENCE: Duration = Duration::from_secs(30);

async fn sends(ci: &Machine, json: Vec<u8>, patch: Vec<u8>) -> Reply {
    let begun = Instant::now();
    let form = Form::new()
        .part("change", Part::bytes(json))
        .part("patch", Part::bytes(patch));
    let reply = ci.put(form).await;
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    reply
}

async fn is_empty(t: &TestServer) {
    for table in [
        "change",
        "revision",
        "commit",
        "mark",
        "machine_lines",
        "contributor",
        "patch",
        "standing",
    ] {
        assert_eq!(t.count(table).await, 0, "{table}");
    }
}

fn bytes_of(change: &Change) -> Vec<u8> {
    change.json().to_string().into_bytes()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_megabyte_of_trailers_is_read_to_its_last_line(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let trailers: String = (0..10_000)
        .map(|n| format!("Assisted-by: Claude Dupont {n} <c{n}@dupont.example>\n"))
        .collect();
    let last = "Co-Authored-By: Claude <noreply@anthropic.com>\n";
    let blank = " x\n".repeat((1_000_000 - trailers.len() - last.len() - 3) / 3);
    let long = change().message(&format!("x\n\n{blank}{trailers}{last}"));
    let reply = sends(&ci, bytes_of(&long), long.patch.clone()).await;
    assert_eq!(reply.status, 201, "{}", reply.json);
    let id = reply.json["change"].as_str().unwrap().to_owned();
    let shown = ci.get(&format!("/api/v1/changes/{id}")).await.json;
    assert_eq!(shown["provenance"], "assisted");
    let marks = ci.get(&format!("/api/v1/changes/{id}/marks")).await.json;
    assert!(marks["marks"].as_array().unwrap().len() <= 150);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_nested_not_utf_8_or_cut_off_is_refused_and_leaves_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let good = bytes_of(&change());
    let with = |field: &str, value: &str| {
        let mut json = good.clone();
        json.pop();
        json.extend(format!(",\"{field}\":{value}}}").into_bytes());
        json
    };
    let deep = |open: &str| open.repeat(1_000_000 / open.len());
    let mut not_utf_8 = good.clone();
    not_utf_8.extend(b"\xff");
    let inside = String::from_utf8(good.clone()).unwrap();
    let inside = inside.replacen("Retry", "R\u{1}try", 1).into_bytes();
    for json in [
        deep("[").into_bytes(),
        deep("{\"a\":").into_bytes(),
        with("labels", &deep("[")),
        with("notes", &format!("[{}", deep("{\"commit\":"))),
        with("labels", "{}"),
        with("traces", "[{}]"),
        with("key", "\"1\",\"key\":\"2\""),
        not_utf_8,
        inside
            .iter()
            .map(|byte| if *byte == 1 { 0xff } else { *byte })
            .collect(),
        good[..good.len() / 2].to_vec(),
        Vec::new(),
    ] {
        let reply = sends(&ci, json.clone(), change().patch).await;
        let said = String::from_utf8_lossy(&json[..json.len().min(80)]).into_owned();
        assert_eq!(reply.problem(), (422, "change"), "{said}");
        assert!(
            reply.json["detail"].as_str().unwrap().len() < 1_000,
            "{said}"
        );
    }
    is_empty(&t).await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_patch_that_lies_about_its_size_is_refused_and_leaves_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let honest = String::from_utf8(change().patch).unwrap();
    let more = "@@ -0,0 +1,4000000000 @@";
    for lie in [
        honest.replace("@@ -0,0 +1 @@", more),
        honest.replace("@@ -0,0 +1 @@", "@@ -0,0 +1,2 @@"),
        honest.replace("@@ -0,0 +1 @@", "@@ -0,0 +0,0 @@"),
        honest.replace("@@ -0,0 +1 @@", "@@ -0,0 +99999999999999999999 @@"),
        honest.replace("@@ -0,0 +1 @@", "@@ -4294967295,9 +4294967295,9 @@"),
        format!("{honest}+another\n"),
        format!("{honest}{honest}"),
        format!("{honest}GIT binary patch\nliteral 4000000000\nzcmZ\n\n"),
        honest.replace("\n", "\r\n"),
    ] {
        let reply = sends(&ci, bytes_of(&change()), lie.clone().into_bytes()).await;
        assert_eq!(reply.problem(), (422, "not-a-patch"), "{lie}");
    }
    is_empty(&t).await;
    let told = sends(&ci, bytes_of(&change()), change().patch).await;
    assert_eq!(told.status, 201, "the honest one: {}", sha("c1"));
}
