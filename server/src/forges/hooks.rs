//! `POST /hooks/{host}`: what a code host sends is checked, stored and answered. Nothing of it is read here but its signature.

use super::{
    Reason, Refused,
    events::Event,
    signature::{Claim, Unsigned},
};
use crate::{
    api::wire,
    problem::{Refusal, was_too_slow},
    state::Server,
};
use axum::{
    Json,
    body::{Body, BodyDataStream},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use domain::host::Host;
use futures::StreamExt as _;
use std::{sync::Arc, time::Duration};
use store::{deliveries, ids};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

/// The largest body: what GitHub sends at most.
pub const MAX_BODY: usize = 25_000_000;
/// How much of all bodies is held at once. Everybody may send one, so it is bounded for all of them together.
const HELD: usize = 8 * MAX_BODY;
/// What is counted of it at a time.
const PIECE: usize = 65_536;
/// How long a whole body may take: hosts give up after as long.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a host calls a delivery, or an event, is no longer.
const LONGEST_NAME: usize = 100;

/// What the receiving of deliveries keeps in one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hooks {
    pub refused: Refused,
    /// Told when a delivery was stored.
    pub arrived: Arc<Notify>,
    held: Arc<Semaphore>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            refused: Refused::default(),
            arrived: Arc::default(),
            held: Arc::new(Semaphore::new(HELD / PIECE)),
        }
    }
}

/// Tell of something that happened at a code host.
///
/// For the webhooks of GitHub, GitLab, Gitea and Forgejo (`gitea`), each with the secret that the settings name; there is no
/// token. The body is stored as it is and worked on afterwards; the same delivery again changes nothing.
#[utoipa::path(
    post, path = "/hooks/{host}", tag = "hooks", security(()),
    params(("host" = String, Path, description = "`github`, `gitlab` or `gitea`")),
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses(
        (status = 202, description = "Stored.", body = wire::Stored),
        (status = 200, description = "Stored before.", body = wire::Stored),
        (status = 401, description = "Not signed with a secret of this host.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such host is connected here.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Larger than 25 MB.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `application/json`.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "An event that is not known here, or a head that cannot be read.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy; `Retry-After` says when to come back.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn receive(
    State(server): State<Server>,
    Path(host): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<wire::Stored>), Refusal> {
    let host = Host::parse(&host).ok_or_else(|| not_connected(&host))?;
    let checked = checked(&server, host, &headers, body).await;
    let (delivery, _held) = checked.map_err(|(reason, refusal)| {
        server.hooks.refused.count(host, reason);
        refusal
    })?;
    let id = ids::new();
    let new = deliveries::New {
        id,
        host,
        sender_id: &delivery.sender_id,
        event: &delivery.event,
        body: &delivery.body,
    };
    let stored = deliveries::store(&server.db, &new).await?;
    server.hooks.arrived.notify_one();
    let status = if stored {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    let delivery = delivery.sender_id;
    Ok((
        status,
        Json(wire::Stored {
            delivery,
            new: stored,
        }),
    ))
}

/// What was signed with a secret of the host.
struct Checked {
    sender_id: String,
    event: String,
    body: Vec<u8>,
}

type Refuses = (Reason, Refusal);

/// From the cheapest question to the dearest: strangers are told off before they have sent much.
async fn checked(
    server: &Server,
    host: Host,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Checked, OwnedSemaphorePermit), Refuses> {
    let secrets = server.settings.hosts.secrets(host);
    let secrets = secrets.ok_or_else(|| (Reason::NotConnected, not_connected(host.as_str())))?;
    if announced(headers) > MAX_BODY {
        return Err(too_large());
    }
    let claim = Claim::of(host, headers, secrets).map_err(unsigned)?;
    is_json(host, headers)?;
    let (body, held) = collected(body, &server.hooks.held).await?;
    let body = signed(claim, host, body, server).await?;
    let event = named(host, headers)?;
    let sender_id = sender_id(host, headers)?;
    Ok((
        Checked {
            sender_id,
            event,
            body,
        },
        held,
    ))
}

/// The body, if it is what was signed. Megabytes of it are not read where gates are answered.
async fn signed(
    claim: Claim,
    host: Host,
    body: Vec<u8>,
    server: &Server,
) -> Result<Vec<u8>, Refuses> {
    let (server, now) = (server.clone(), server.db.now());
    let signed = spawn_blocking(move || {
        let secrets = server.settings.hosts.secrets(host);
        let secrets = secrets.ok_or(Unsigned::Missing)?;
        claim.holds(secrets, &body, now).map(|()| body)
    });
    signed
        .await
        .unwrap_or(Err(Unsigned::Missing))
        .map_err(unsigned)
}

fn announced(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.unwrap_or(0)
}

fn is_json(host: Host, headers: &HeaderMap) -> Result<(), Refuses> {
    let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err((
        Reason::ContentType,
        Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reason::ContentType.as_str(),
            format!(
                "Send `Content-Type: application/json`: at {} that is the content type of the webhook.",
                host.name()
            ),
        ),
    ))
}

/// Reads a body as it arrives. All bodies share what may be held; it is given back when the delivery is stored.
async fn collected(
    body: Body,
    held: &Arc<Semaphore>,
) -> Result<(Vec<u8>, OwnedSemaphorePermit), Refuses> {
    let mut place = place(held)?;
    let mut pieces = body.into_data_stream();
    let mut all = Vec::new();
    let reading = async {
        while let Some(piece) = next(&mut pieces).await? {
            if all.len() + piece.len() > MAX_BODY {
                return Err(too_large());
            }
            all.extend_from_slice(&piece);
            while place.num_permits() * PIECE < all.len() {
                place.merge(self::place(held)?);
            }
        }
        Ok(())
    };
    let read = tokio::time::timeout(PATIENCE, reading).await;
    read.map_err(|_| too_slow())??;
    Ok((all, place))
}

async fn next(pieces: &mut BodyDataStream) -> Result<Option<Bytes>, Refuses> {
    pieces.next().await.transpose().map_err(|error| {
        if was_too_slow(&error) {
            too_slow()
        } else {
            let broken = "The body ended before it was whole. Send it again.";
            (
                Reason::Head,
                Refusal::unreadable(Reason::Head.as_str(), broken),
            )
        }
    })
}

fn place(held: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refuses> {
    held.clone().try_acquire_owned().map_err(|_| {
        let refusal = Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Reason::Busy.as_str(),
            "Many deliveries are being taken in just now. Try again in a moment.",
        );
        (Reason::Busy, refusal.retry_after(5))
    })
}

/// The event. Neither it nor the id is signed at some hosts: they say where to look, and never what is there.
fn named(host: Host, headers: &HeaderMap) -> Result<String, Refuses> {
    let names: &[&str] = match host {
        Host::GitHub => &["x-github-event"],
        Host::GitLab => &["x-gitlab-event"],
        Host::Gitea => &["x-gitea-event", "x-forgejo-event", "x-github-event"],
    };
    let event = first(headers, names).ok_or_else(|| unnamed("event", names[0]))?;
    if Event::of(host, event).is_some() {
        return Ok(event.to_owned());
    }
    Err((
        Reason::Event,
        Refusal::unreadable(
            Reason::Event.as_str(),
            format!(
                "Countersign knows no event `{event}` of {}. Take it out of the webhook; docs/OPERATIONS.md says which are of use.",
                host.name()
            ),
        ),
    ))
}

/// What the host calls the delivery. GitLab had no name for it once; then each is one of its own, which costs a look more.
fn sender_id(host: Host, headers: &HeaderMap) -> Result<String, Refuses> {
    let names: &[&str] = match host {
        Host::GitHub => &["x-github-delivery"],
        Host::GitLab => &["webhook-id", "idempotency-key"],
        Host::Gitea => &[
            "x-gitea-delivery",
            "x-forgejo-delivery",
            "x-github-delivery",
        ],
    };
    match first(headers, names) {
        Some(id) => Ok(id.to_owned()),
        None if host == Host::GitLab => Ok(ids::new().to_string()),
        None => Err(unnamed("delivery", names[0])),
    }
}

fn unnamed(what: &str, name: &str) -> Refuses {
    let why = format!("The header `{name}` has to name the {what}.");
    (
        Reason::Head,
        Refusal::unreadable(Reason::Head.as_str(), why),
    )
}

fn first<'h>(headers: &'h HeaderMap, names: &[&str]) -> Option<&'h str> {
    let mut found = names.iter().filter_map(|name| text(headers, name));
    found.find(|name| !name.is_empty() && name.len() <= LONGEST_NAME)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn not_connected(host: &str) -> Refusal {
    let host = domain::text::one_line(host, 50);
    Refusal::new(
        StatusCode::NOT_FOUND,
        Reason::NotConnected.as_str(),
        format!("No host `{host}` is connected here."),
    )
}

fn unsigned(why: Unsigned) -> Refuses {
    let (reason, detail) = match why {
        Unsigned::Missing => (
            Reason::Unsigned,
            "There is no signature that could be one. Give the webhook a secret, the same as in our settings.",
        ),
        Unsigned::Wrong => (
            Reason::Unsigned,
            "The signature was made with another secret than ours, or of another body.",
        ),
        Unsigned::Stale => (
            Reason::Stale,
            "The signature is more than five minutes from our time: a clock is wrong, or this was sent before.",
        ),
    };
    (
        reason,
        Refusal::new(StatusCode::UNAUTHORIZED, reason.as_str(), detail).challenging("Signature"),
    )
}

fn too_large() -> Refuses {
    let refusal = Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Reason::TooLarge.as_str(),
        format!("At most {MAX_BODY} bytes are accepted there."),
    );
    (Reason::TooLarge, refusal)
}

fn too_slow() -> Refuses {
    (Reason::TooSlow, Refusal::too_slow())
}
