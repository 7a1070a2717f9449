//! What code hosts tell: checked, stored, answered, and worked on afterwards.

mod page;

use crate::support::{
    HOOK_SECRETS, TestServer,
    changes::{change, sha},
    hosts::{Delivery, signature},
    sockets::{Body, Socket},
};
use reqwest::Method;
use serde_json::json;
use server::jobs::deliveries;
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};
use time::Duration;

const OPENED: &str = r#"{"number": 7, "pull_request": {"number": 7}, "repository": {"full_name": "Hosted/Payments"}}"#;

/// Deliveries as `id: state attempts error`.
async fn stored(t: &TestServer) -> Vec<String> {
    sqlx::query_scalar(
        "select concat_ws(' ', sender_id || ':', state, attempts, error) from delivery order by sender_id",
    )
    .fetch_all(&t.owner)
    .await
    .unwrap()
}

/// What there is reason to look at, as `host repository key: asks`.
async fn looks(t: &TestServer) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%s %s %s: %s', host, repository, key, asks) from host_change order by host, folded, key",
    )
    .fetch_all(&t.owner)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_delivery_is_stored_before_it_is_read_and_the_same_again_does_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let opened = Delivery::github("d1", "pull_request", OPENED);
    let reply = t.delivers(&opened).await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.json["new"], true);
    assert_eq!(stored(&t).await, ["d1: received 0"]);
    assert!(looks(&t).await.is_empty());
    let body: Vec<u8> = sqlx::query_scalar("select body from delivery")
        .fetch_one(&t.owner)
        .await
        .unwrap();
    assert_eq!(body, OPENED.as_bytes());

    for _ in 0..2 {
        t.works_on_deliveries().await;
        let reply = t.delivers(&opened).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json["new"]),
            (200, &false.into())
        );
    }
    assert_eq!(stored(&t).await, ["d1: done 1"]);
    assert_eq!(looks(&t).await, ["github Hosted/Payments 7: 1"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn many_reasons_to_look_at_a_change_are_one_look(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let otherwise = OPENED.replace("Hosted/Payments", "hosted/payments");
    t.delivers(&Delivery::github("d1", "pull_request", OPENED))
        .await;
    t.delivers(&Delivery::github("d2", "pull_request", &otherwise))
        .await;
    // What GitLab calls d1 is another delivery, and of a repository that it is not the source for.
    let merge_request = r#"{"project": {"path_with_namespace": "hosted/payments"}, "object_attributes": {"iid": 7}}"#;
    let elsewhere = Delivery::gitlab("d1", "Merge Request Hook", merge_request);
    assert_eq!(t.delivers(&elsewhere).await.status, 202);
    let halden = Delivery::gitlab(
        "d3",
        "Merge Request Hook",
        &merge_request.replace("hosted", "halden/team"),
    );
    assert_eq!(t.delivers(&halden).await.status, 202);
    t.works_on_deliveries().await;
    assert_eq!(
        stored(&t).await,
        ["d1: done 1", "d1: done 1", "d2: done 1", "d3: done 1"]
    );
    assert_eq!(
        looks(&t).await,
        [
            "github Hosted/Payments 7: 2",
            "gitlab halden/team/payments 7: 1"
        ]
    );
}

/// A branch that moved is looked at where a change that is open began with it.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_push_is_a_reason_to_look_at_the_open_changes_of_that_branch(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let machine = t.machine(&[domain::token::Scope::Submit], "hosted/*").await;
    let of = |key: &str, head: &str, state: &str| {
        let of = json!({ "repository": "hosted/payments", "state": state });
        change().key(key).pushed(head).with(of)
    };
    machine.submit(&of("7", "c1", "open")).await;
    machine.submit(&of("8", "c1", "open")).await;
    machine.submit(&of("9", "c1", "closed")).await;
    machine.submit(&of("8", "c2", "open")).await;
    let pushed = format!(
        r#"{{"before": "{}", "after": "{}", "repository": {{"full_name": "hosted/payments"}}}}"#,
        sha("c1"),
        sha("c3")
    );
    t.delivers(&Delivery::github("d1", "push", &pushed)).await;
    t.works_on_deliveries().await;
    assert_eq!(looks(&t).await, ["github hosted/payments 7: 1"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_not_signed_or_not_understood_is_refused_counted_and_not_stored(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let good = Delivery::github("d1", "pull_request", OPENED);
    let hub = "x-hub-signature-256";
    let old = good.clone().with(hub, &signature(HOOK_SECRETS[0], OPENED));
    assert_eq!(
        t.delivers(&old.with("x-github-delivery", "d0"))
            .await
            .status,
        202
    );
    let signed_as = |body: &str| signature(HOOK_SECRETS[1], body);
    let refused = [
        (good.clone().without(hub), 401, "signature"),
        (good.clone().with(hub, "sha256=00"), 401, "signature"),
        (
            good.clone().with(hub, &signature("nobody's", OPENED)),
            401,
            "signature",
        ),
        (good.clone().with(hub, &signed_as("{}")), 401, "signature"),
        (
            good.clone()
                .with("content-type", "application/x-www-form-urlencoded"),
            415,
            "content-type",
        ),
        (good.clone().without("content-type"), 415, "content-type"),
        (
            good.clone().with("x-github-event", "star"),
            422,
            "unknown-event",
        ),
        (good.clone().without("x-github-event"), 422, "delivery-head"),
        (
            good.clone().without("x-github-delivery"),
            422,
            "delivery-head",
        ),
        (
            good.clone().with("x-github-delivery", &"d".repeat(101)),
            422,
            "delivery-head",
        ),
        (
            Delivery {
                host: "gitea",
                ..good.clone()
            },
            404,
            "host-not-connected",
        ),
        (
            Delivery {
                host: "gitlab",
                ..good.clone()
            },
            401,
            "signature",
        ),
        (
            Delivery::gitlab("d1", "Push Hook", "{}").with("x-gitlab-token", HOOK_SECRETS[1]),
            401,
            "signature",
        ),
    ];
    let mut counted = BTreeMap::<(&str, &str), i64>::new();
    for (delivery, status, kind) in &refused {
        let reply = t.delivers(delivery).await;
        assert_eq!(reply.problem(), (*status, *kind), "{:?}", delivery.headers);
        *counted.entry((delivery.host, kind)).or_default() += 1;
    }
    let nobody = Delivery {
        host: "bitbucket",
        ..good
    };
    assert_eq!(
        t.delivers(&nobody).await.problem(),
        (404, "host-not-connected")
    );
    assert_eq!(stored(&t).await, ["d0: received 0"]);

    deliveries::count_refused(&t.server).await.unwrap();
    deliveries::count_refused(&t.server).await.unwrap();
    let mut conn = t.db.pool().acquire().await.unwrap();
    let there = store::deliveries::refused(&mut conn, t.db.now().date())
        .await
        .unwrap();
    let there: BTreeMap<_, _> = there
        .iter()
        .map(|(host, reason, times)| ((host.as_str(), reason.as_str()), *times))
        .collect();
    assert_eq!(there, counted);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn strangers_are_refused_before_they_have_sent_a_body(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let json = ("content-type", "application/json");
    let signature = format!("sha256={}", "0".repeat(64));
    for (headers, status) in [
        (vec![json], 401),
        (vec![("x-hub-signature-256", signature.as_str())], 415),
    ] {
        let mut socket = Socket::open(&t).await;
        let promised = Body::Promised(20_000_000);
        socket
            .ask(&Method::POST, "/hooks/github", &headers, promised)
            .await;
        assert_eq!(socket.status().await, status);
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_cannot_be_read_is_dead_and_holds_up_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let lines = [("d1", "not json"), ("d2", "{}"), ("d3", OPENED)];
    for (id, body) in lines {
        assert_eq!(
            t.delivers(&Delivery::github(id, "pull_request", body))
                .await
                .status,
            202
        );
    }
    t.works_on_deliveries().await;
    assert_eq!(
        stored(&t).await,
        [
            "d1: dead 1 The body is not the JSON of this event: expected ident at line 1 column 2.",
            "d2: dead 1 The body has no `repository` that could be one.",
            "d3: done 1",
        ]
    );

    // Somebody has it worked on again: from the beginning, and only what is over.
    let id = sqlx::query_scalar("select id from delivery where sender_id = 'd1'");
    let id = id.fetch_one(&t.owner).await.unwrap();
    for expected in [true, false] {
        let mut tx = t.db.begin().await.unwrap();
        assert_eq!(
            store::deliveries::again(&mut tx, id).await.unwrap(),
            expected
        );
        tx.commit().await.unwrap();
    }
    assert_eq!(stored(&t).await[0], "d1: received 0");
    // Or has the host send it once more; what is done stays so.
    for (id, body, status, is) in [
        ("d2", "{}", 202, "received 0"),
        ("d3", OPENED, 200, "done 1"),
    ] {
        let again = Delivery::github(id, "pull_request", body);
        assert_eq!(t.delivers(&again).await.status, status);
        assert!(stored(&t).await.contains(&format!("{id}: {is}")));
    }
}

/// Whoever is killed leaves a delivery as it was, to be taken up again when its time has come; what kills everybody who
/// touches it is given up.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_delivery_that_somebody_died_of_is_tried_again_later_and_not_for_ever(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.delivers(&Delivery::github("d1", "pull_request", OPENED))
        .await;
    let mut conn = t.db.pool().acquire().await.unwrap();
    for attempt in 1..=store::deliveries::MOST_ATTEMPTS {
        let taken = taken(&t, &mut conn).await;
        // Taken, locked, and then nothing any more.
        let mut tx = t.db.begin().await.unwrap();
        assert!(
            store::deliveries::working(&mut tx, taken[0])
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            store::deliveries::take(&mut conn, 10, t.db.now())
                .await
                .unwrap()
                .is_empty()
        );
        drop(tx);
        t.pass(Duration::seconds(2 << attempt));
        assert_eq!(stored(&t).await, [format!("d1: received {attempt}")]);
    }
    t.works_on_deliveries().await;
    assert_eq!(
        stored(&t).await,
        ["d1: dead 9 It was tried 8 times, and never to its end."]
    );
    assert!(looks(&t).await.is_empty());
}

/// A transaction that was dropped holds its rows until its connection is used again.
async fn taken(t: &TestServer, conn: &mut sqlx::PgConnection) -> Vec<uuid::Uuid> {
    for _ in 0..1_000 {
        let taken = store::deliveries::take(conn, 10, t.db.now()).await.unwrap();
        if !taken.is_empty() {
            return taken;
        }
    }
    panic!("nothing is due");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_over_for_a_month_is_deleted(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.delivers(&Delivery::github("d1", "ping", "{}")).await;
    t.works_on_deliveries().await;
    t.delivers(&Delivery::github("d2", "pull_request", OPENED))
        .await;
    t.pass(Duration::days(31));
    assert_eq!(deliveries::forget(&t.server).await.unwrap(), 1);
    assert_eq!(stored(&t).await, ["d2: received 0"]);
}

/// The examples that GitHub's integrators collected: npm `@octokit/webhooks-examples` 7.6.1 (MIT, by the contributors of
/// github.com/octokit/webhooks), those events of it that a webhook of ours is for.
const EXAMPLES: &[u8] = include_bytes!("octokit-webhooks-examples-7.6.1.jsonl.zst");

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn every_example_that_others_published_is_taken_and_worked_on(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let lines = String::from_utf8(zstd::decode_all(EXAMPLES).unwrap()).unwrap();
    let mut sent = BTreeMap::<String, usize>::new();
    for (n, line) in lines.lines().enumerate() {
        let example: serde_json::Value = serde_json::from_str(line).unwrap();
        let event = example["event"].as_str().unwrap();
        let body = example["payload"].to_string();
        let reply = t
            .delivers(&Delivery::github(&n.to_string(), event, &body))
            .await;
        assert_eq!(reply.status, 202, "{line}");
        *sent.entry(event.to_owned()).or_default() += 1;
    }
    t.works_on_deliveries().await;
    let states: BTreeSet<String> = stored(&t)
        .await
        .iter()
        .map(|line| line.split_once(' ').unwrap().1.to_owned())
        .collect();
    assert_eq!(states, BTreeSet::from(["done 1".to_owned()]));
    insta::assert_debug_snapshot!(sent, @r#"
    {
        "check_run": 9,
        "check_suite": 9,
        "installation": 7,
        "installation_repositories": 3,
        "merge_group": 2,
        "ping": 4,
        "pull_request": 29,
        "pull_request_review": 4,
        "pull_request_review_comment": 5,
        "pull_request_review_thread": 3,
        "push": 7,
    }
    "#);
    // Each of the pull requests and of what is said of them, a merge group for number 104 or so, and who asked for checks again.
    insta::assert_debug_snapshot!(looks(&t).await, @r#"
    [
        "github Codertocat/Hello-World 2: 40",
        "github electron/electron 26764: 1",
        "github octo-org/octo-repo 104: 2",
    ]
    "#);
}

/// Each kind of event that GitLab documents (`webhook_events.md`), as far as its examples say what is read here: by which name
/// it goes, of which project it tells, and of which merge request or commit.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn every_event_that_gitlab_documents_is_taken_or_refused_for_a_reason(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let of = |name: &str, more: serde_json::Value| {
        let mut body = json!({ "project": { "id": 1, "path_with_namespace": name } });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let zeros = "0".repeat(40);
    let taken = [
        (
            "Merge Request Hook",
            of(
                "halden/test",
                json!({ "object_kind": "merge_request", "object_attributes": { "id": 99, "iid": 1 } }),
            ),
        ),
        (
            "Merge Request Hook",
            of(
                "halden/deep/test",
                json!({ "object_kind": "merge_request", "object_attributes": { "id": 99, "iid": 2 } }),
            ),
        ),
        (
            "Push Hook",
            of(
                "halden/test",
                json!({ "object_kind": "push", "before": sha("a head"), "after": sha("another") }),
            ),
        ),
        (
            "Push Hook",
            of(
                "halden/test",
                json!({ "object_kind": "push", "before": zeros, "after": sha("another") }),
            ),
        ),
        (
            "Tag Push Hook",
            of(
                "halden/test",
                json!({ "object_kind": "tag_push", "before": zeros }),
            ),
        ),
        (
            "Note Hook",
            of(
                "halden/test",
                json!({ "object_kind": "note", "merge_request": { "iid": 1 } }),
            ),
        ),
        (
            "Confidential Note Hook",
            of("halden/test", json!({ "object_kind": "note" })),
        ),
        (
            "Pipeline Hook",
            of(
                "halden/test",
                json!({ "object_kind": "pipeline", "merge_request": { "iid": 1 } }),
            ),
        ),
        (
            "Job Hook",
            json!({ "object_kind": "build", "project_id": 380, "project_name": "halden/test" }),
        ),
    ];
    let refused = [
        "Issue Hook",
        "Confidential Issue Hook",
        "Wiki Page Hook",
        "Deployment Hook",
        "Feature Flag Hook",
        "Release Hook",
        "Milestone Hook",
        "Emoji Hook",
        "Resource Access Token Hook",
        "Vulnerability Hook",
        "Member Hook",
        "Project Hook",
        "Subgroup Hook",
        "System Hook",
    ];
    for (n, (event, body)) in taken.iter().enumerate() {
        let told = Delivery::gitlab(&format!("taken-{n}"), event, &body.to_string());
        assert_eq!(t.delivers(&told).await.status, 202, "{event}");
    }
    for event in refused {
        let body = of("halden/test", json!({ "object_attributes": { "iid": 1 } }));
        let told = Delivery::gitlab(event, event, &body.to_string());
        assert_eq!(
            t.delivers(&told).await.problem(),
            (422, "unknown-event"),
            "{event}"
        );
    }
    t.works_on_deliveries().await;
    assert!(
        stored(&t)
            .await
            .iter()
            .all(|line| line.ends_with(": done 1"))
    );
    assert_eq!(t.count("delivery").await, 9);
    assert_eq!(
        looks(&t).await,
        ["gitlab halden/deep/test 2: 1", "gitlab halden/test 1: 2"]
    );
}
