//! Whether a patch does nothing but undo another.

use super::Side;
use crate::patch::{FileName, FilePatch, FileStatus, LineKind, Mode, Part, PatchError, hunks};
use std::collections::HashMap;

/// Whether `new` provably undoes all of `undone`, on the same target, and does nothing else: the same files with their sides
/// exchanged, in names, modes and blobs. So each of these files was what `undone` made of it, and becomes what
/// it was before.
///
/// A file whose blobs the patch does not name (a rename without an edit, a bare change of mode) proves nothing: undoing
/// such a rename would bring whatever the file holds by now to the old name. A copy is no one's other side. Blobs are what a
/// patch says of itself, so the lines must agree: what both patches add and what both remove is the same.
/// No files undo nothing.
#[must_use]
pub fn only_undoes(new: &Side<'_>, undone: &Side<'_>) -> bool {
    if new.target != undone.target || new.files.is_empty() {
        return false;
    }
    let mut left: HashMap<_, &Part<'_>> = undone
        .files
        .iter()
        .map(|part| ((before(&part.file), after(&part.file)), part))
        .collect();
    new.files.len() == undone.files.len()
        && new.files.iter().all(|part| {
            left.remove(&(after(&part.file), before(&part.file)))
                .is_some_and(|was| {
                    is_provable(part, was) && lines_cancel(part, was).unwrap_or(false)
                })
        })
}

/// What a file is on one side of a patch: nothing at all where there is none.
type State<'a> = (Option<&'a FileName>, Option<Mode>, Option<&'a str>);

fn before(file: &FilePatch) -> State<'_> {
    (file.old.as_ref(), file.old_mode, file.old_blob.as_deref())
}

fn after(file: &FilePatch) -> State<'_> {
    (file.new.as_ref(), file.new_mode, file.new_blob.as_deref())
}

fn is_provable(new: &Part<'_>, was: &Part<'_>) -> bool {
    let copied = |part: &Part<'_>| matches!(part.file.status, FileStatus::Copied { .. });
    new.file.names_blobs() && !copied(new) && !copied(was)
}

/// Whether each line is added as often as it is removed by both together. That holds for any two patches there and
/// back, however git chose to align the lines.
fn lines_cancel(new: &Part<'_>, was: &Part<'_>) -> Result<bool, PatchError> {
    let mut balance: HashMap<(&[u8], bool), i64> = HashMap::new();
    for part in [new, was] {
        for line in hunks(part.body)?.iter().flat_map(|hunk| hunk.lines) {
            let by = match line.kind {
                LineKind::Context => continue,
                LineKind::Added => 1,
                LineKind::Removed => -1,
            };
            *balance.entry((line.text, line.no_newline)).or_default() += by;
        }
    }
    Ok(balance.values().all(|sum| *sum == 0))
}
