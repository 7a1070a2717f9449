//! Connections from their first byte to their last: nobody keeps one by saying nothing, and all are let go of at the end.

use crate::settings::Patience;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{future::Future, net::SocketAddr, pin::pin, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// How long to wait after a connection could not be accepted: most often there are no file descriptors left.
const BREATH: Duration = Duration::from_millis(500);

/// Serves these routes until it is told to stop, and then finishes what it has begun.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    patience: Patience,
    told_to_stop: impl Future<Output = ()>,
) {
    let stop = watch::Sender::new(false);
    let mut told_to_stop = pin!(told_to_stop);
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut told_to_stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let routes = routes.clone();
                    open.spawn(connection(stream, peer, routes, patience, stop.subscribe()));
                }
                Err(error) => {
                    tracing::warn!(%error, "A connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            },
            Some(_) = open.join_next() => {}
        }
    }
    drop(listener);
    stop.send_replace(true);
    while open.join_next().await.is_some() {}
}

/// Answers what comes over one connection, one request after the other.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) {
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        routes.call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience.read.unsigned_abs())
            .serve_connection(TokioIo::new(stream), service)
    );
    // What ends badly ends the same: whoever was at the other end is gone, or was too slow.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|told| *told) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
