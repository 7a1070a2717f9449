//! The server as a whole: every route, and what runs beside them.

use crate::{api, auth, connections, health, jobs, settings::Settings, state::Server, web};
use anyhow::{Context, bail};
use axum::{
    Router,
    http::{HeaderValue, header},
    middleware::from_fn_with_state,
};
use secrecy::ExposeSecret;
use std::sync::Arc;
use store::Db;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tower_http::{
    set_header::SetResponseHeaderLayer,
    timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer},
};

/// Serves until it is told to stop, then finishes what it has begun.
///
/// # Errors
/// The database or the address cannot be had, or the role that it is given may rewrite records.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let address = settings.listen.address;
    let db = Db::connect(
        settings.database.url.expose_secret(),
        settings.database.connections,
    )
    .await
    .context("could not connect to DATABASE_URL")?;
    refuse_too_much(&db).await?;
    let server = Server::new(db, settings)?;
    let configured = jobs::policy::configure(&server).await?;
    let mut jobs = JoinSet::new();
    jobs.spawn(jobs::standings::run(server.clone()));
    jobs.spawn(jobs::sessions::run(server.clone()));
    jobs.spawn(jobs::deliveries::run(server.clone()));
    jobs.spawn(jobs::looks::run(server.clone()));
    jobs.spawn(jobs::groups::run(server.clone()));
    jobs.spawn(jobs::remarks::run(server.clone()));
    jobs.spawn(jobs::reconcile::run(server.clone()));
    jobs.spawn(jobs::checks::run(server.clone()));
    jobs.spawn(jobs::deliveries::keep_house(server.clone()));
    if !configured {
        jobs.spawn(jobs::policy::when_migrated(server.clone()));
    }
    let routes = router(server.clone())?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("could not listen on {address}"))?;
    tracing::info!(%address, url = %server.settings.site.url, "Serving");
    let (patience, stop) = (server.settings.patience, server.stop.clone());
    tokio::spawn({
        let stop = stop.clone();
        async move {
            told_to_stop().await;
            tracing::info!("Stopping: what has begun is finished");
            stop.tell();
        }
    });
    connections::serve(listener, routes, patience, stop).await;
    jobs.abort_all();
    Ok(())
}

/// How many large patches are read to be shown at once: each takes a core for a while, and several times its size.
const LARGE_SHOWN_AT_ONCE: usize = 2;

/// Every route of the server.
///
/// # Errors
/// Where the API says of itself what its page cannot show.
pub fn router(server: Server) -> anyhow::Result<Router> {
    let (api, document) = api::routes();
    let routes = Router::new()
        .merge(health::routes())
        .merge(api)
        .with_state(server.clone());
    let site = app::caller::Site {
        db: server.db.clone(),
        provider: server.settings.provider.name.as_str().into(),
        claims_max_age: server.claims_max_age(),
        large: Arc::new(Semaphore::new(LARGE_SHOWN_AT_ONCE)),
        reference: Arc::new(web::reference(&document)?),
    };
    let pages = web::pages(site.clone())
        .merge(web::patch(site))
        .merge(web::openapi(Arc::new(document)));
    let pages = auth::guarded(&server.auth, pages)
        .layer(from_fn_with_state(server.clone(), web::openapi_for_tokens))
        .layer(from_fn_with_state(server.clone(), api::elsewhere));
    let patience = server.settings.patience;
    let whole = routes
        .merge(web::browser(pages, web::Site::of(&server.settings)))
        .layer(RequestBodyTimeoutLayer::new(patience.read.unsigned_abs()))
        .layer(RequestBodyDeadlineLayer::new(patience.body.unsigned_abs()));
    let nosniff = HeaderValue::from_static("nosniff");
    Ok(web::outermost(whole.layer(
        SetResponseHeaderLayer::if_not_present(header::X_CONTENT_TYPE_OPTIONS, nosniff),
    )))
}

/// Refuses to run as a role that could rewrite records: least privilege is not left to good intentions.
async fn refuse_too_much(db: &Db) -> anyhow::Result<()> {
    let mut conn = db.pool().acquire().await?;
    let reasons = store::roles::too_much(&mut conn).await?;
    if !reasons.is_empty() {
        bail!(
            "the role of DATABASE_URL {}; give `serve` the application's role, which `countersign migrate` makes",
            reasons.join(", ")
        );
    }
    Ok(())
}

async fn told_to_stop() {
    let mut terminated =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(_) => return std::future::pending().await,
        };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
