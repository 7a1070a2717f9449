//! Taking in a change or its new revision: streamed, bounded, checked, and recorded in one transaction.

use super::{caller, changes, parse, wire};
use crate::{
    forges,
    problem::{Refusal, was_too_slow},
    state::Server,
};
use axum::{
    Json,
    extract::{
        Multipart, State,
        multipart::{Field, MultipartError, MultipartRejection},
    },
    http::{HeaderMap, StatusCode},
};
use domain::{
    contributor::Contributor,
    ids::TokenId,
    patch::{self, MAX_BYTES, PatchError},
    provenance,
    token::Scope,
};
use std::{collections::HashSet, io::Read as _, sync::Arc};
use store::{
    carries, lines,
    patches::Packed,
    reverts,
    submissions::{self, Outcome, Source, Submission},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

/// The largest `change` part: commits and their messages.
const MAX_CHANGE: usize = 8_000_000;
/// More people than this had no hand in a change that one person can answer for.
const MAX_CONTRIBUTORS: usize = 5_000;
/// What the whole body may take: the largest patch, packed or not, the largest `change` part, and what stands between them.
pub const MAX_BODY: usize = MAX_BYTES + MAX_CHANGE + 65_536;
/// From this size on a patch takes one of the few places for large ones.
const LARGE: usize = 1_000_000;

/// Submit a change, or a new revision of one.
///
/// The same revision again (same target, merge base and head) is a no-op and answered 200. A head that is known becomes
/// current again only with `current: true`.
#[utoipa::path(
    put, path = "/api/v1/changes", tag = "changes", security(("token" = ["submit"])),
    request_body(content = Form, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "A new revision.", body = wire::Submitted),
        (status = 200, description = "Known already.", body = wire::Submitted),
        (status = 400, description = "Not multipart/form-data.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long to arrive.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 409, description = "`patch-differs`: another patch is stored for the same target, merge base and head. `unconfirmed`: the code host of this repository shows no such revision. `crowded-head`: 100 revisions have this head.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 413, description = "Larger than is accepted.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many submissions with this token.", body = wire::Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy; `Retry-After` says when to come back.", body = wire::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn submit(
    State(server): State<Server>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<wire::Submitted>), Refusal> {
    // Before the body is read: who has no token gets nothing unpacked.
    let token = caller::token(&server, &headers).await?;
    token.has(Scope::Submit)?;
    server.auth.limits.submit(token.id)?;
    let received = receive(
        form.map_err(|error| Refusal::rejected(error.status(), "multipart", &error.body_text()))?,
        Held::of(&server.intake),
    )
    .await?;
    token.allows(Scope::Submit, &received.change.repository)?;
    // What is packed takes memory too, and once more on its way to the database: all is held until it is recorded.
    let (mut submission, _held) = spawn_blocking(move || prepare(received, token.id))
        .await
        .map_err(|_| domain::problem::Problem::Internal)??;
    forges::confirmed(&server, &submission).await?;
    submission
        .written
        .extend(lines::carried(&server.db, &submission).await?);
    let proved = carries::prove(&server.db, &submission).await?;
    let undoes = reverts::prove(&server.db, &submission).await?;
    let mut tx = server.db.begin().await?;
    let max_age = server.claims_max_age();
    let outcome = submissions::record(&mut tx, &submission, &proved, &undoes, max_age).await?;
    tx.commit().await?;
    answer(&server, &outcome)
}

/// The parts of the body.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only describes the body for /openapi.json")]
struct Form {
    change: wire::Submission,
    /// What `git diff` wrote between merge base and head; with `Content-Type: application/zstd` packed by zstd.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    patch: Vec<u8>,
}

/// A body whose parts have arrived.
struct Received {
    change: parse::Parsed,
    patch: Vec<u8>,
    packed: bool,
    held: Held,
}

/// The memory that there is for submissions at once.
#[derive(Debug, Clone)]
pub struct Intake {
    /// A place for each large one.
    pub large: Arc<Semaphore>,
    /// All others together, in [`UNIT`]s.
    pub small: Arc<Semaphore>,
}

/// How many large submissions are taken in at once: each may hold 20 MB two to three times (docs/PERFORMANCE.md).
const LARGE_AT_ONCE: usize = 4;
/// What is counted at once, in bytes.
const UNIT: usize = 16 * 1024;
/// How many of them all submissions have that are not large: 32 MB.
const UNITS: usize = 2048;

impl Default for Intake {
    fn default() -> Self {
        Self {
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            small: Arc::new(Semaphore::new(UNITS)),
        }
    }
}

/// What one submission has of it, and gives back when it ends.
#[derive(Debug)]
struct Held {
    of: Intake,
    bytes: usize,
    small: Vec<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
}

impl Held {
    fn of(intake: &Intake) -> Self {
        Self {
            of: intake.clone(),
            bytes: 0,
            small: vec![],
            large: None,
        }
    }

    /// Takes more as it turns out to be needed. Who is large takes a place instead; where there is nothing left, they are asked to
    /// come back.
    fn grow(&mut self, by: usize) -> Result<(), Refusal> {
        let units = |bytes: usize| bytes.div_ceil(UNIT);
        let more = units(self.bytes + by) - units(self.bytes);
        self.bytes += by;
        let full = |_| busy();
        if self.large.is_some() || more == 0 {
            return Ok(());
        }
        if self.bytes > LARGE {
            self.large = Some(self.of.large.clone().try_acquire_owned().map_err(full)?);
            self.small.clear();
            return Ok(());
        }
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let taken = self.of.small.clone().try_acquire_many_owned(more);
        self.small.push(taken.map_err(full)?);
        Ok(())
    }
}

async fn receive(mut form: Multipart, mut held: Held) -> Result<Received, Refusal> {
    let (mut change, mut patch) = (None, None);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("change") if change.is_none() => {
                let json = collect(field, MAX_CHANGE, &mut held).await?;
                change = Some(parsed(&json)?);
            }
            Some("patch") if patch.is_none() => {
                let packed = field
                    .content_type()
                    .is_some_and(|kind| kind == "application/zstd");
                patch = Some((collect(field, MAX_BYTES, &mut held).await?, packed));
            }
            other => {
                let name = other.unwrap_or("").chars().take(50).collect::<String>();
                return Err(Refusal::unreadable(
                    "multipart",
                    format!(
                        "The parts are `change` and `patch`, each once; this has another, `{name}`."
                    ),
                ));
            }
        }
    }
    let change =
        change.ok_or_else(|| Refusal::unreadable("multipart", "The part `change` is missing."))?;
    let (patch, packed) =
        patch.ok_or_else(|| Refusal::unreadable("multipart", "The part `patch` is missing."))?;
    Ok(Received {
        change,
        patch,
        packed,
        held,
    })
}

/// Reads a part as it arrives.
async fn collect(mut field: Field<'_>, most: usize, held: &mut Held) -> Result<Vec<u8>, Refusal> {
    let mut all = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if all.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        held.grow(chunk.len())?;
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

fn parsed(json: &[u8]) -> Result<parse::Parsed, Refusal> {
    let change: wire::Submission = serde_json::from_slice(json).map_err(|error| {
        Refusal::unreadable(
            "change",
            format!(
                "The part `change` is not as it must be: {}.",
                shortened(&error.to_string())
            ),
        )
    })?;
    let change = parse::submission(change)?;
    change.names_its_commits()?;
    Ok(change)
}

/// Unpacks, reads and packs the patch, and finds marks and contributors: all that takes time but no database.
fn prepare(received: Received, token: TokenId) -> Result<(Submission, Held), Refusal> {
    let Received {
        change,
        mut patch,
        packed,
        mut held,
    } = received;
    if packed {
        patch = unpacked(&patch, &mut held)?;
    }
    let submission = whole(change, &patch, Source::Token(token))?;
    Ok((submission, held))
}

/// What anybody tells of a change and its patch, read, checked and packed: the same for whoever submits and for a code host
/// that was asked. Takes CPU time in proportion to the patch.
///
/// # Errors
/// What is not as it must be.
pub fn assembled(
    told: wire::Submission,
    patch: &[u8],
    source: Source,
) -> Result<Submission, Refusal> {
    whole(parse::submission(told)?, patch, source)
}

fn whole(change: parse::Parsed, patch_bytes: &[u8], source: Source) -> Result<Submission, Refusal> {
    let marks = change.marks();
    let contributors = change.contributors(&marks);
    let distinct: HashSet<&Contributor> = contributors.iter().map(|(_, one)| one).collect();
    if distinct.len() > MAX_CONTRIBUTORS {
        return Err(Refusal::unreadable(
            "commits",
            format!(
                "The commits name more than {MAX_CONTRIBUTORS} contributors; split the change."
            ),
        ));
    }
    let files = patch::split(patch_bytes)?;
    let patch = Packed::new(patch_bytes, files)?;
    Ok(Submission {
        revision: change.submitted(patch.hash),
        written: provenance::written(&change.beside, &change.head, patch_bytes)?,
        labels: change.beside.labels,
        bot: None,
        marks,
        contributors,
        repository: change.repository,
        key: change.key,
        title: change.title,
        url: change.url,
        author_name: change.author.name,
        author_login: change.author.login,
        state: change.state,
        draft: change.draft,
        commits: change.commits,
        patch,
        landed: change.landed,
        source,
    })
}

/// Unpacks no further than is accepted: a few packed bytes can say that they are terabytes. What turns out to be large takes
/// a place, as it does unpacked.
fn unpacked(packed: &[u8], held: &mut Held) -> Result<Vec<u8>, Refusal> {
    let not_zstd =
        |_| Refusal::unreadable("patch", "The part `patch` says that it is zstd and is not.");
    let mut patch = Vec::new();
    let mut decoder = zstd::Decoder::new(packed).map_err(not_zstd)?;
    read_up_to(&mut decoder, LARGE, &mut patch).map_err(not_zstd)?;
    held.grow(patch.len())?;
    read_up_to(&mut decoder, MAX_BYTES, &mut patch).map_err(not_zstd)?;
    if patch.len() > MAX_BYTES {
        Err(too_large(MAX_BYTES))
    } else {
        Ok(patch)
    }
}

/// Reads on until there are `most` bytes and one more, which tells that there is more.
fn read_up_to(
    from: &mut impl std::io::Read,
    most: usize,
    all: &mut Vec<u8>,
) -> std::io::Result<()> {
    let left = u64::try_from((most + 1).saturating_sub(all.len())).unwrap_or(u64::MAX);
    from.by_ref().take(left).read_to_end(all).map(|_| ())
}

fn answer(
    server: &Server,
    outcome: &Outcome,
) -> Result<(StatusCode, Json<wire::Submitted>), Refusal> {
    if outcome.differs {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "patch-differs",
            "Another patch is stored for the same target, merge base and head. Nobody can approve this revision until an admin \
             says which is true, or a new commit comes. Make the diff with `countersign submit`, which nothing can bend.",
        ));
    }
    let status = if outcome.new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((
        status,
        Json(wire::Submitted {
            change: outcome.change.0,
            revision: outcome.revision.0,
            number: outcome.number,
            digest: outcome.digest.to_string(),
            new: outcome.new,
            current: outcome.current,
            url: changes::page_of(server, outcome.change),
        }),
    ))
}

impl From<parse::Wrong> for Refusal {
    fn from(wrong: parse::Wrong) -> Self {
        Refusal::unreadable("field", shortened(&format!("{wrong}.")))
    }
}

impl From<PatchError> for Refusal {
    fn from(error: PatchError) -> Self {
        match error {
            PatchError::TooLarge { .. } => too_large(MAX_BYTES),
            PatchError::TooManyFiles => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-many-files",
                format!("{error}; split the change."),
            ),
            PatchError::Unexpected { .. } => Refusal::unreadable(
                "not-a-patch",
                format!(
                    "This is not a patch as `git diff --binary --full-index` writes it: {error}."
                ),
            ),
        }
    }
}

fn broken(error: MultipartError) -> Refusal {
    if was_too_slow(&error) {
        return Refusal::too_slow();
    }
    Refusal::new(
        error.status(),
        "multipart",
        format!(
            "The body is not multipart/form-data as it must be: {}.",
            shortened(&error.body_text())
        ),
    )
}

fn too_large(most: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        format!("At most {most} bytes are accepted there; split the change."),
    )
}

fn busy() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "busy",
        "As many submissions are being taken in as there is room for. Try again in a moment.",
    )
    .retry_after(5)
}

/// Quotes of what was sent are cut: an answer is no echo.
fn shortened(text: &str) -> String {
    domain::text::one_line(text, 300).into_owned()
}
