//! A server that is told to stop answers who waits, cuts off who does not end, and is gone in time.

use crate::support::{
    TestServer,
    changes::{change, sha},
    sockets::{Body, Socket},
};
use reqwest::Method;
use server::{connections, serve, settings::Patience, state::Server};
use sqlx::PgPool;
use std::time::Duration;
use tokio::{net::TcpListener, task::JoinHandle};

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
        let routes = serve::router(server.clone());
        let serving = connections::serve(listener, routes, patience, server.stop.clone());
        let serving = tokio::spawn(serving);
        let mut t = self.clone();
        (t.server, t.address) = (server, address);
        (t, serving)
    }
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
    let path = format!(
        "/api/v1/gate?repository=acme/payments&commit={}&wait=60",
        sha("c1")
    );
    let stop = async {
        t.somebody_waits().await;
        t.server.stop.tell();
    };
    let (reply, ()) = tokio::time::timeout(SOON, async { tokio::join!(ci.get(&path), stop) })
        .await
        .expect("an answer at once");
    assert_eq!(
        (reply.status.as_u16(), reply.answer().1),
        (200, "waiting"),
        "{reply:?}"
    );
    ends(serving).await;
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
