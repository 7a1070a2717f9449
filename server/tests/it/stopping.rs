//! A server that is told to stop answers who waits, cuts off who does not end, and is gone in time.

use crate::{
    cli,
    support::{
        TestServer,
        changes::{change, sha},
        sockets::{Body, Socket},
    },
};
use reqwest::Method;
use serde_json::Value;
use server::{connections, serve, settings::Patience, state::Server};
use sqlx::{ConnectOptions as _, PgPool};
use std::{path::Path, process::Stdio, time::Duration};
use store::{Clock, Db};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    task::JoinHandle,
};

/// Longer than anything here takes, and much shorter than a gate would wait.
const SOON: Duration = Duration::from_secs(20);

impl TestServer {
    /// The same server at another address, served by a task that ends when it is told to stop.
    async fn that_stops(&self) -> (Self, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = (*self.server.settings).clone();
        let patience = Patience {
            stop: time::Duration::seconds(2),
            ..settings.patience
        };
        let server = Server::new(self.db.clone(), settings).unwrap();
        let routes = serve::router(server.clone()).unwrap();
        let serving = connections::serve(listener, routes, patience, server.stop.clone());
        let serving = tokio::spawn(serving);
        let mut t = self.clone();
        (t.server, t.address) = (server, address);
        (t, serving)
    }

    /// Whether a process looks for news in this database, which none does unless somebody waits.
    async fn somebody_listens(&self) -> bool {
        let looking =
            "select exists (select from pg_stat_activity where datname = current_database()
                       and pid <> pg_backend_pid() and query like '%from event%pg_snapshot_xmin%')";
        sqlx::query_scalar(looking)
            .fetch_one(&self.owner)
            .await
            .unwrap()
    }
}

/// A question that nobody answers with yes.
fn question() -> String {
    let commit = sha("c1");
    format!("/api/v1/gate?repository=acme/payments&commit={commit}&wait=60")
}

async fn ends(serving: JoinHandle<()>) {
    tokio::time::timeout(SOON, serving)
        .await
        .expect("a server that ends in time")
        .unwrap();
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_gate_that_waits_is_answered_when_the_server_stops(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    ci.submit(&change()).await;
    let (t, serving) = t.that_stops().await;
    let ci = ci.at(&t);
    let stop = async {
        t.somebody_waits().await;
        t.server.stop.tell();
    };
    let question = question();
    let (reply, ()) = tokio::time::timeout(SOON, async { tokio::join!(ci.get(&question), stop) })
        .await
        .expect("an answer at once");
    assert_eq!(
        (reply.status.as_u16(), reply.answer().1),
        (200, "waiting"),
        "{reply:?}"
    );
    ends(serving).await;
}

/// The binary itself, told as an operator tells it.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_process_that_is_terminated_answers_who_waits_and_ends_well(pool: PgPool) {
    let mut t = TestServer::new(pool).await;
    // The process has no clock but the true one, by which a token must be good.
    t.db = Db::new(t.db.pool().clone(), Clock::System);
    let ci = t.ci().await;
    ci.submit(&change()).await;
    let url = cli::nowhere().await;
    let mut process = serves(&t, &url);
    until("it serves", async || {
        ci.http.get(format!("{url}/readyz")).send().await.is_ok()
    })
    .await;
    let asking = ci
        .http
        .get(format!("{url}{}", question()))
        .bearer_auth(&ci.secret)
        .send();
    let asking = tokio::spawn(asking);
    until("a question waits", async || t.somebody_listens().await).await;
    let pid = process.id().unwrap().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(told.unwrap().success());
    let ended = tokio::time::timeout(SOON, process.wait()).await;
    assert_eq!(ended.expect("an end in time").unwrap().code(), Some(0));
    let answer: Value = asking.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["verdict"], "waiting");
}

/// `countersign serve` at this address, over the database of the test.
fn serves(t: &TestServer, url: &str) -> Child {
    let database = t.db.pool().connect_options().to_url_lossy();
    cli::countersign(Path::new("."), &["serve"])
        .env("DATABASE_URL", database.as_str())
        .env("COUNTERSIGN_URL", url)
        .env("COUNTERSIGN_LISTEN", url.trim_start_matches("http://"))
        .env("COUNTERSIGN_OIDC_ISSUER", "http://127.0.0.1:9")
        .env("COUNTERSIGN_OIDC_CLIENT_ID", "countersign")
        .env("COUNTERSIGN_OIDC_CLIENT_SECRET", "not-used")
        .env("COUNTERSIGN_LEVEL_GROUPS", "senior=eng-senior")
        .env("COUNTERSIGN_STOP_TIMEOUT", "3s")
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Returns when something holds, which it must soon.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let holds = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, holds)
        .await
        .unwrap_or_else(|_| panic!("{what}"));
}

/// A body that is never finished, and a connection on which nothing is asked.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn whoever_does_not_end_is_cut_off(pool: PgPool) {
    let (t, serving) = TestServer::new(pool).await.that_stops().await;
    let mut idle = Socket::open(&t).await;
    let headers = [("content-type", "application/json")];
    let mut half = Socket::open(&t).await;
    half.ask(&Method::POST, "/fn/decide", &headers, Body::Promised(1_000))
        .await;
    let mut another = Socket::open(&t).await;
    another.ask(&Method::GET, "/livez", &[], Body::None).await;
    assert_eq!(
        another.status().await,
        200,
        "the others were accepted before"
    );
    t.server.stop.tell();
    ends(serving).await;
    assert_eq!(idle.head().await, "");
    assert_eq!(half.head().await, "");
}
