//! Reads a patch as `git diff --binary --full-index` writes it, and refuses everything else.
//!
//! A reviewer decides about what a patch shows, so a patch must not be able to say one thing and show another: counts
//! and line numbers of hunks are checked, a line inside a hunk is never taken for a header, names must agree wherever
//! git repeats them, and a file that says its content changed must show how. Reading takes time and memory in
//! proportion to the patch, without recursion.

mod file;
mod hunk;
mod lines;
mod name;
mod since;

pub use hunk::{Hunk, Line, LineKind, Lines};
pub use name::FileName;
pub use since::{FileSince, HunkSince, LineSince, Since, lines_since, since};

use lines::Cursor;
use std::{collections::HashSet, ops::Range};

/// The largest patch that is accepted, in bytes.
pub const MAX_BYTES: usize = 20_000_000;

/// The most files that a patch may have.
pub const MAX_FILES: usize = 5_000;

/// Why this is not a patch that we can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// Lines are counted from 1, over all of what was read.
    #[error("line {line} of the patch: expected {expected}")]
    Unexpected { line: u64, expected: &'static str },
    #[error("the patch is {bytes} bytes long; {MAX_BYTES} are accepted")]
    TooLarge { bytes: usize },
    #[error("the patch has more than {MAX_FILES} files")]
    TooManyFiles,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileStatus {
    Added,
    Deleted,
    Modified,
    /// Similarity in percent.
    Renamed {
        similarity: u8,
    },
    /// Similarity in percent.
    Copied {
        similarity: u8,
    },
}

/// What a file is to git.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    File,
    Executable,
    Symlink,
    Submodule,
}

impl Mode {
    /// The mode that git writes as these six digits.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        match digits {
            "100644" => Some(Self::File),
            "100755" => Some(Self::Executable),
            "120000" => Some(Self::Symlink),
            "160000" => Some(Self::Submodule),
            _ => None,
        }
    }

    /// The six digits.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }
}

/// One file of a patch: what its header says, and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// The bytes of this file in the patch, header included. All files' bytes together are the patch.
    pub body: Range<usize>,
    /// The name before: none for an added file.
    pub old: Option<FileName>,
    /// The name after: none for a deleted file.
    pub new: Option<FileName>,
    pub status: FileStatus,
    /// None where there was no file, and where git does not say: a rename or copy that changes nothing.
    pub old_mode: Option<Mode>,
    pub new_mode: Option<Mode>,
    /// Full object ids; none where there was no file, and where content did not change.
    pub old_blob: Option<String>,
    pub new_blob: Option<String>,
    pub binary: bool,
    /// Lines added, in all hunks together.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}

impl FilePatch {
    /// The name to call this file by: the one after, or the one before if it is gone.
    #[must_use]
    pub fn name(&self) -> Option<&FileName> {
        self.new.as_ref().or(self.old.as_ref())
    }

    /// Whether the patch says which content this file had and has. A rename or copy without an edit does not, nor does
    /// a bare change of mode: the same bytes then speak of whatever the file holds on that base.
    #[must_use]
    pub fn names_blobs(&self) -> bool {
        self.old_blob.is_some() || self.new_blob.is_some()
    }

    /// Whether names, status and modes are the same: all that a header says but for the blobs.
    #[must_use]
    pub fn same_header(&self, other: &Self) -> bool {
        let said = |file: &Self| (file.status, file.old_mode, file.new_mode);
        (&self.old, &self.new) == (&other.old, &other.new) && said(self) == said(other)
    }
}

/// One file of a patch together with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    pub file: FilePatch,
    /// The bytes that [`FilePatch::body`] names.
    pub body: &'a [u8],
}

impl Part<'_> {
    /// Whether this can be the edit that `was` is, made to another version of the file: the header says the same, and
    /// the file's content differed already before it. Whether the lines are the same is for the hunks to say. A file that a
    /// patch shows whole (a new, deleted or binary one) has no other version; one that it renames or copies brings content
    /// that no hunk shows to a new name.
    #[must_use]
    pub fn is_on_another_base(&self, was: &Self) -> bool {
        let (file, was) = (&self.file, &was.file);
        file.status == FileStatus::Modified
            && !file.binary
            && file.same_header(was)
            && file.old_blob != was.old_blob
            && file.new_blob != was.new_blob
    }
}

/// Cuts a patch into its files and keeps each one's bytes beside it.
///
/// # Errors
/// As [`split`].
pub fn parts(patch: &[u8]) -> Result<Vec<Part<'_>>, PatchError> {
    let part = |file: FilePatch| Part {
        body: patch.get(file.body.clone()).unwrap_or_default(),
        file,
    };
    Ok(split(patch)?.into_iter().map(part).collect())
}

/// Cuts a patch into its files. No bytes are no files.
///
/// # Errors
/// [`PatchError`] says at which line it stopped being such a patch and what was expected there, or which limit it
/// breaks.
pub fn split(patch: &[u8]) -> Result<Vec<FilePatch>, PatchError> {
    if patch.len() > MAX_BYTES {
        return Err(PatchError::TooLarge { bytes: patch.len() });
    }
    let mut cursor = Cursor::new(patch);
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    while !cursor.is_at_end() {
        if files.len() == MAX_FILES {
            return Err(PatchError::TooManyFiles);
        }
        let start = cursor;
        let file = file::read(&mut cursor, |_| ())?;
        // A change of type is a deletion and an addition under one name, so these two are kept apart.
        if !seen.insert((file.new.is_some(), file.name().cloned())) {
            return Err(start.error("each file once"));
        }
        files.push(file);
    }
    Ok(files)
}

/// The hunks of one file, given the bytes that [`FilePatch::body`] names. A binary file, and one whose content did not
/// change, has none.
///
/// # Errors
/// As [`split`]; lines are counted from the beginning of `body`.
pub fn hunks(body: &[u8]) -> Result<Vec<Hunk<'_>>, PatchError> {
    if body.len() > MAX_BYTES {
        return Err(PatchError::TooLarge { bytes: body.len() });
    }
    let mut cursor = Cursor::new(body);
    let mut hunks = Vec::new();
    file::read(&mut cursor, |hunk| hunks.push(hunk))?;
    if cursor.is_at_end() {
        Ok(hunks)
    } else {
        Err(cursor.error("the end of this file's part of the patch"))
    }
}

#[cfg(test)]
mod tests;
