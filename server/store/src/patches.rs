//! Patches, stored by file and packed; a whole one is the concatenation of its files.

use crate::{Db, Error, Tx};
use domain::{
    digest::PatchHash,
    ids::{ChangeId, RepositoryId, RevisionId},
    patch::{FilePatch, FileStatus},
};
use sqlx::{Connection as _, PgConnection};
use tokio::task::spawn_blocking;

/// How hard zstd tries: 3 packs a patch to a quarter at 200 MB a second.
const LEVEL: i32 = 3;

/// A patch that was read, checked and packed, ready to be stored.
#[derive(Debug, Clone)]
pub struct Packed {
    pub hash: PatchHash,
    pub bytes: usize,
    files: Vec<PackedFile>,
}

#[derive(Debug, Clone)]
struct PackedFile {
    file: FilePatch,
    body: Vec<u8>,
}

impl Packed {
    /// Packs `patch`, of which `files` are the parts. Takes CPU time in proportion to the patch: run it off the async threads.
    ///
    /// # Errors
    /// Packing failed.
    pub fn new(patch: &[u8], files: Vec<FilePatch>) -> Result<Self, Error> {
        let pack = |file: FilePatch| {
            let body = zstd::bulk::compress(&patch[file.body.clone()], LEVEL)?;
            Ok(PackedFile { file, body })
        };
        let files = files
            .into_iter()
            .map(pack)
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(Self {
            hash: PatchHash::of(patch),
            bytes: patch.len(),
            files,
        })
    }

    /// What its headers say, file after file.
    pub(crate) fn file_patches(&self) -> impl Iterator<Item = &FilePatch> {
        self.files.iter().map(|packed| &packed.file)
    }

    /// The patch as it was before it was packed. Takes CPU time in proportion to it.
    ///
    /// # Errors
    /// Unpacking failed.
    fn whole(&self) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::with_capacity(self.bytes);
        for packed in &self.files {
            whole.extend(zstd::bulk::decompress(
                &packed.body,
                packed.file.body.len(),
            )?);
        }
        Ok(whole)
    }

    /// How many files it changes.
    #[must_use]
    pub fn files(&self) -> i32 {
        int(self.files.len())
    }

    /// Lines added, in all files together.
    #[must_use]
    pub fn added(&self) -> i32 {
        int(self
            .files
            .iter()
            .map(|packed| packed.file.added as usize)
            .sum())
    }

    /// Lines removed.
    #[must_use]
    pub fn removed(&self) -> i32 {
        int(self
            .files
            .iter()
            .map(|packed| packed.file.removed as usize)
            .sum())
    }
}

/// A packed patch as it was, unpacked off the async threads.
///
/// # Errors
/// Unpacking failed.
pub(crate) async fn unpacked(patch: &Packed) -> Result<Vec<u8>, Error> {
    let patch = patch.clone();
    let whole = spawn_blocking(move || patch.whole()).await;
    whole.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
}

/// Stores a patch, unless the same one is there already.
///
/// # Errors
/// The database refused.
pub async fn store(tx: &mut Tx, patch: &Packed) -> Result<(), Error> {
    let new = sqlx::query_scalar!(
        "insert into patch (hash, bytes, files) values ($1, $2, $3) on conflict do nothing returning true as \"new!\"",
        &patch.hash.0[..],
        i64::try_from(patch.bytes).unwrap_or(i64::MAX),
        patch.files(),
    )
    .fetch_optional(tx.conn())
    .await?;
    if new.is_none() || patch.files.is_empty() {
        return Ok(());
    }
    let column =
        |f: fn(&PackedFile) -> Option<Vec<u8>>| patch.files.iter().map(f).collect::<Vec<_>>();
    let text = |f: fn(&FilePatch) -> Option<&str>| {
        patch
            .files
            .iter()
            .map(|p| f(&p.file).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let number =
        |f: fn(&PackedFile) -> usize| patch.files.iter().map(|p| int(f(p))).collect::<Vec<_>>();
    let (status, similarity): (Vec<_>, Vec<_>) =
        patch.files.iter().map(|p| words(p.file.status)).unzip();
    let status: Vec<String> = status.into_iter().map(str::to_owned).collect();
    sqlx::query!(
        r#"insert into patch_file (patch_hash, ordinal, status, similarity, old_name, new_name, old_mode, new_mode, old_blob,
                                   new_blob, "binary", added, removed, bytes, body)
           select $1, ordinal, status, similarity, old_name, new_name, old_mode, new_mode, old_blob, new_blob, is_binary, added,
                  removed, bytes, body
           from unnest($2::text[], $3::int[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[],
                       $10::bool[], $11::int[], $12::int[], $13::int[], $14::bytea[])
                with ordinality as file (status, similarity, old_name, new_name, old_mode, new_mode, old_blob, new_blob, is_binary,
                                         added, removed, bytes, body, ordinal)"#,
        &patch.hash.0[..],
        &status,
        &similarity as &[Option<i32>],
        &column(|p| p.file.old.as_ref().map(|name| name.as_bytes().to_vec())) as &[Option<Vec<u8>>],
        &column(|p| p.file.new.as_ref().map(|name| name.as_bytes().to_vec())) as &[Option<Vec<u8>>],
        &text(|file| file.old_mode.map(domain::patch::Mode::as_str)) as &[Option<String>],
        &text(|file| file.new_mode.map(domain::patch::Mode::as_str)) as &[Option<String>],
        &text(|file| file.old_blob.as_deref()) as &[Option<String>],
        &text(|file| file.new_blob.as_deref()) as &[Option<String>],
        &patch.files.iter().map(|p| p.file.binary).collect::<Vec<_>>(),
        &number(|p| p.file.added as usize),
        &number(|p| p.file.removed as usize),
        &number(|p| p.file.body.len()),
        &patch.files.iter().map(|p| p.body.as_slice()).collect::<Vec<_>>() as &[&[u8]],
    )
    .execute(tx.conn())
    .await?;
    // The connection goes back to the pool and would keep what it needed for this one for good.
    tx.conn().shrink_buffers();
    Ok(())
}

/// The bytes of a revision's patch, file after file: what was hashed, and the only thing that is ever shown.
///
/// # Errors
/// The database refused, or a body does not unpack to its length.
pub async fn bodies(
    conn: &mut PgConnection,
    repository: RepositoryId,
    revision: RevisionId,
) -> Result<Vec<Vec<u8>>, Error> {
    let rows = sqlx::query!(
        "select file.bytes, file.body from revision join patch_file file on file.patch_hash = revision.patch_hash
         where revision.repository_id = $1 and revision.id = $2 order by file.ordinal",
        repository.0,
        revision.0,
    )
    .fetch_all(conn)
    .await?;
    let packed = rows
        .into_iter()
        .map(|row| (row.body, usize::try_from(row.bytes).unwrap_or(0)));
    let packed: Vec<(Vec<u8>, usize)> = packed.collect();
    let unpack = move || {
        packed
            .iter()
            .map(|(body, bytes)| Ok(zstd::bulk::decompress(body, *bytes)?))
            .collect()
    };
    let unpacked = spawn_blocking(unpack).await;
    unpacked.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
}

/// How large the largest patch of a change is, in bytes; 0 where there is no such change.
///
/// # Errors
/// The database cannot be asked.
pub async fn largest(db: &Db, change: ChangeId) -> Result<i64, Error> {
    let largest = sqlx::query_scalar!(
        r#"select coalesce(max(r.patch_bytes), 0) as "bytes!" from change c
           join revision r on r.repository_id = c.repository_id and r.change_id = c.id where c.id = $1"#,
        change.0,
    );
    Ok(largest.fetch_one(db.pool()).await?)
}

fn words(status: FileStatus) -> (&'static str, Option<i32>) {
    match status {
        FileStatus::Added => ("added", None),
        FileStatus::Deleted => ("deleted", None),
        FileStatus::Modified => ("modified", None),
        FileStatus::Renamed { similarity } => ("renamed", Some(similarity.into())),
        FileStatus::Copied { similarity } => ("copied", Some(similarity.into())),
    }
}

fn int(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
