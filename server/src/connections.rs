//! Connections from their first byte to their last: nobody keeps one by saying nothing, and all are let go of at the end.

use crate::{settings::Patience, stop::Stop};
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
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// How long to wait after a connection could not be accepted: most often there are no file descriptors left.
const BREATH: Duration = Duration::from_millis(500);

/// The most of a request's head, or of what was read ahead of a body, that one connection holds, in bytes.
const MOST_BUFFERED: usize = 64 * 1024;

/// Serves these routes until it is told to stop, and then finishes what it has begun, or lets go of it when that takes too long.
pub async fn serve(listener: TcpListener, routes: Router, patience: Patience, stop: Stop) {
    let mut told = pin!(stop.told());
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut told => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let routes = routes.clone();
                    open.spawn(connection(stream, peer, routes, patience, stop.clone()));
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
    let all_ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(patience.stop.unsigned_abs(), all_ended)
        .await
        .is_err()
    {
        tracing::warn!(connections = open.len(), "Cut off what did not end in time");
    }
}

/// Answers what comes over one connection, one request after the other.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    patience: Patience,
    stop: Stop,
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
            .max_buf_size(MOST_BUFFERED)
            .header_read_timeout(patience.read.unsigned_abs())
            .serve_connection(TokioIo::new(stream), service)
    );
    // What ends badly ends the same: whoever was at the other end is gone, or was too slow.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.told() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
