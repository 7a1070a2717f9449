//! Who sends slowly is heard to the end; who stops, or never ends, gives their place back.

use crate::support::{
    TestServer,
    changes::{Change, change, sha},
    sockets::{Body, Socket},
};
use reqwest::Method;
use server::settings::Patience;
use sqlx::PgPool;
use std::time::Duration;

const MULTIPART: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

fn patience(read: f64, body: f64) -> Patience {
    Patience {
        read: time::Duration::seconds_f64(read),
        body: time::Duration::seconds_f64(body),
        stop: time::Duration::SECOND,
    }
}

/// A submission as it goes over the wire, its patch large enough for one of the few places.
fn large(change: &Change) -> Vec<u8> {
    let lines = 130_000;
    let (zero, blob) = ("0".repeat(40), sha("big"));
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"change\"\r\n\r\n{}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"patch\"\r\n\r\n\
         diff --git a/big.txt b/big.txt\nnew file mode 100644\nindex {zero}..{blob}\n--- /dev/null\n+++ b/big.txt\n\
         @@ -0,0 +1,{lines} @@\n",
        change.json()
    );
    for line in 0..lines {
        body.push_str(&format!("+{line:08}\n"));
    }
    body.push_str("\r\n--b--\r\n");
    body.into_bytes()
}

impl TestServer {
    /// Begins to submit something large.
    async fn begins(&self, secret: &str, body: Body<'_>) -> Socket {
        let authorization = format!("Bearer {secret}");
        let mut socket = Socket::open(self).await;
        let headers = [MULTIPART, ("authorization", &authorization)];
        socket
            .ask(&Method::PUT, "/api/v1/changes", &headers, body)
            .await;
        socket
    }

    /// Returns when so many places for large patches are free.
    async fn has_places(&self, n: usize) {
        let free = async {
            while self.server.intake.large.available_permits() != n {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), free)
            .await
            .unwrap_or_else(|_| panic!("{n} free places"));
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_large_upload_that_stops_gives_its_place_back(pool: PgPool) {
    let t = TestServer::new(pool)
        .await
        .with(|settings| settings.patience = patience(2.0, 600.0))
        .await;
    let (secret, body) = (t.ci().await.secret, large(&change()));
    let mut socket = t.begins(&secret, Body::Promised(body.len())).await;
    socket.send(&body[..body.len() - 1_000]).await;
    t.has_places(3).await;
    let head = socket.head().await;
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    assert!(head.contains("application/problem+json"), "{head}");
    t.has_places(4).await;
    assert_eq!(t.count("change").await, 0);
}

/// Longer than a pause may be, and each pause shorter.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_slow_line_is_heard_to_the_end(pool: PgPool) {
    let t = TestServer::new(pool)
        .await
        .with(|settings| settings.patience = patience(3.0, 600.0))
        .await;
    let (secret, body) = (t.ci().await.secret, large(&change()));
    let mut socket = t.begins(&secret, Body::Promised(body.len())).await;
    for piece in body.chunks(body.len() / 10 + 1) {
        tokio::time::sleep(Duration::from_millis(400)).await;
        socket.send(piece).await;
    }
    assert_eq!(socket.status().await, 201);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_body_that_trickles_for_ever_is_ended(pool: PgPool) {
    let t = TestServer::new(pool)
        .await
        .with(|settings| settings.patience = patience(600.0, 1.0))
        .await;
    let (secret, body) = (t.ci().await.secret, large(&change()));
    let mut socket = t.begins(&secret, Body::Promised(body.len())).await;
    for byte in &body[..500] {
        if socket.has_answered().await {
            break;
        }
        socket.send(&[*byte]).await;
    }
    assert_eq!(socket.status().await, 408);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_question_and_a_form_that_stop_are_told_so_too(pool: PgPool) {
    let t = TestServer::new(pool)
        .await
        .with(|settings| settings.patience = patience(0.5, 600.0))
        .await;
    let authorization = format!("Bearer {}", t.ci().await.secret);
    for path in ["/api/v1/gate", "/fn/decide"] {
        let mut socket = Socket::open(&t).await;
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &authorization),
        ];
        socket
            .ask(&Method::POST, path, &headers, Body::Promised(100))
            .await;
        assert_eq!(socket.status().await, 408, "{path}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_connection_that_never_says_what_it_wants_is_closed(pool: PgPool) {
    let t = TestServer::new(pool)
        .await
        .with(|settings| settings.patience = patience(0.5, 600.0))
        .await;
    for beginning in ["", "GET /livez HTTP/1.1\r\nhost: count"] {
        let mut socket = Socket::open(&t).await;
        socket.send(beginning.as_bytes()).await;
        let head = socket.head().await;
        assert!(
            head.is_empty() || head.starts_with("HTTP/1.1 408 "),
            "{beginning:?}: {head}"
        );
    }
}

/// Each of the four is there but for its end, so that nothing but its place tells when it came.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_fifth_large_upload_is_asked_to_come_back_while_the_four_are_heard_to_the_end(
    pool: PgPool,
) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let mut uploads = vec![];
    for key in ["1", "2", "3", "4"] {
        let body = large(&change().key(key).pushed(key));
        let mut socket = t.begins(&ci.secret, Body::Promised(body.len())).await;
        let end = body.len() - 1_000;
        socket.send(&body[..end]).await;
        uploads.push((socket, body[end..].to_vec()));
    }
    t.has_places(0).await;
    let fifth = large(&change().key("5").pushed("5"));
    let mut refused = t.begins(&ci.secret, Body::Announced(&fifth)).await;
    let head = refused.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("retry-after: 5"), "{head}");
    for (mut socket, end) in uploads {
        socket.send(&end).await;
        assert_eq!(socket.status().await, 201);
    }
    t.has_places(4).await;
    let mut again = t.begins(&ci.secret, Body::Announced(&fifth)).await;
    assert_eq!(again.status().await, 201);
}

/// What is packed and on its way to the database takes memory too.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_large_patch_keeps_its_place_until_it_is_recorded(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (secret, body) = (t.ci().await.secret, large(&change()));
    let held = t.holding("lock table patch").await;
    let mut socket = t.begins(&secret, Body::Announced(&body)).await;
    t.locked_out(1).await;
    assert_eq!(t.server.intake.large.available_permits(), 3);
    held.rollback().await.unwrap();
    assert_eq!(socket.status().await, 201);
    t.has_places(4).await;
}
