//! Policies: which one holds for a repository, and every version that there ever was.
//!
//! A repository's row points at what holds for it, so that the gate's one statement reads it on its way. The pointer moves
//! in the transaction that writes down which version is in force from when, under the row's lock.

pub mod drafts;
mod past;
mod versions;

pub use past::{MOST_REVISIONS, Measured, Past, case_under, measure, past, set};
pub use versions::{
    Author, DEFAULT, Locked, New, Outcome, State, Version, about, configure, confirm, in_force,
    lock, refuse, version, versions,
};

pub(crate) use versions::{default_in_force, default_now, held_in};

use crate::Error;
use domain::policy::{Document, Policy};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

/// What a repository's row says of its policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pointer {
    pub policy: String,
    pub version: i32,
    /// SHA-256 of its text.
    pub hash: Vec<u8>,
}

/// Policies as they were read, by what is never another: the hash of the text is in the key, so that what stands here is
/// right for every database and every moment, and nothing has to be told when a pointer moves.
static READ: LazyLock<Mutex<HashMap<Pointer, Arc<Policy>>>> = LazyLock::new(Mutex::default);

/// How many are kept; one more, and all are read again when they are asked for.
const KEPT: usize = 2_000;

/// The policy that a pointer names. One whose text is gone, is another, or is not understood by this version is broken, and
/// what it would judge undecidable.
///
/// # Errors
/// The database cannot be asked.
pub(crate) async fn read(conn: &mut PgConnection, pointer: &Pointer) -> Result<Arc<Policy>, Error> {
    if let Some(policy) = known(pointer) {
        return Ok(policy);
    }
    let text = sqlx::query_scalar!(
        "select text from policy_version where policy = $1 and version = $2",
        pointer.policy,
        pointer.version,
    )
    .fetch_optional(conn)
    .await?
    .flatten();
    let policy = Arc::new(parsed(pointer, text.as_deref()));
    // A text that is gone may come back with a restored row: only what is whole is kept.
    if policy.whole {
        keep(pointer, &policy);
    }
    Ok(policy)
}

/// The same if it was read before.
fn known(pointer: &Pointer) -> Option<Arc<Policy>> {
    all_read().get(pointer).cloned()
}

fn keep(pointer: &Pointer, policy: &Arc<Policy>) {
    let mut read = all_read();
    if read.len() >= KEPT {
        read.clear();
    }
    read.insert(pointer.clone(), policy.clone());
}

fn all_read() -> MutexGuard<'static, HashMap<Pointer, Arc<Policy>>> {
    READ.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parsed(pointer: &Pointer, text: Option<&str>) -> Policy {
    let (id, version) = (pointer.policy.clone(), pointer.version);
    match text.filter(|text| hash(text) == pointer.hash) {
        None => Policy::broken(id, version),
        Some(text) => match Document::parse(text) {
            Ok(document) => Policy {
                id,
                version,
                document,
                whole: true,
            },
            Err(_) => Policy::broken(id, version),
        },
    }
}

fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}
