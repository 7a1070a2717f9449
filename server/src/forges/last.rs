//! Whether a patch goes on to its end: one that breaks off between two hunks reads like a whole one, and only what its last file
//! came to tells them apart.

use super::{client::Failed, patch::Incomplete};
use domain::patch::{Hunk, LineKind, hunks, parts};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The last file of a patch, where a break would go unseen.
#[derive(Debug, PartialEq, Eq)]
pub struct Last {
    /// What it was.
    pub old: String,
    new: String,
    body: Vec<u8>,
}

/// A patch that was read, with what could be missing of it, if it goes on to its end; `blob` asks the host what its last file was.
///
/// # Errors
/// The host could not be asked.
pub async fn to_its_end<Asked>(
    (last, patch): (Option<Last>, Vec<u8>),
    blob: impl FnOnce(String) -> Asked,
) -> Result<Result<Vec<u8>, Incomplete>, Failed>
where
    Asked: Future<Output = Result<Option<Vec<u8>>, Failed>>,
{
    let Some(last) = last else {
        return Ok(Ok(patch));
    };
    let old = blob(last.old.clone()).await?;
    let is_whole = old.is_some_and(|old| last.is_whole(&old));
    Ok(is_whole.then_some(patch).ok_or(Incomplete::NotAll))
}

impl Last {
    /// None where the last file has one hunk at most by its kind, and what is counted there was checked.
    pub fn of(patch: &[u8]) -> Option<Self> {
        let parts = parts(patch).ok()?;
        let last = parts.last()?;
        let (old, new) = (last.file.old_blob.clone()?, last.file.new_blob.clone()?);
        (!last.file.binary).then(|| Self {
            old,
            new,
            body: last.body.to_vec(),
        })
    }

    /// Whether the hunks make of what it was what it is to be.
    pub fn is_whole(&self, old: &[u8]) -> bool {
        let Ok(hunks) = hunks(&self.body) else {
            return false;
        };
        made(old, &hunks).is_some_and(|made| object("blob", &made, self.new.len()) == self.new)
    }
}

/// The file after all hunks, none where they are of another file.
fn made(old: &[u8], hunks: &[Hunk<'_>]) -> Option<Vec<u8>> {
    let mut left = old.split_inclusive(|byte| *byte == b'\n');
    let (mut made, mut at) = (Vec::with_capacity(old.len()), 1_u32);
    for hunk in hunks {
        // A hunk that takes no lines stands behind the one that it names.
        let begins = hunk.old_start + u32::from(hunk.old_lines == 0);
        while at < begins {
            made.extend_from_slice(left.next()?);
            at += 1;
        }
        for line in hunk.lines {
            if line.kind != LineKind::Added {
                left.next()?;
                at += 1;
            }
            if line.kind != LineKind::Removed {
                made.extend_from_slice(line.text);
                made.extend_from_slice(if line.no_newline { b"" } else { b"\n" });
            }
        }
    }
    left.for_each(|line| made.extend_from_slice(line));
    Some(made)
}

/// The id that git gives to this: its digits say which hash the repository goes by.
pub fn object(kind: &str, bytes: &[u8], digits: usize) -> String {
    let header = format!("{kind} {}\0", bytes.len());
    let hash = match digits {
        64 => hashed::<Sha256>(&header, bytes),
        _ => hashed::<Sha1>(&header, bytes),
    };
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hashed<D: Digest>(header: &str, bytes: &[u8]) -> Vec<u8> {
    D::new_with_prefix(header)
        .chain_update(bytes)
        .finalize()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    const NEW: &str = "one\n2\n3\n4\n5\n6\n7\n8\nnine\nten";

    fn patch(hunks: &str) -> Vec<u8> {
        let id = |text: &str| object("blob", text.as_bytes(), 40);
        let (old, new) = (id(OLD), id(NEW));
        format!("diff --git a/a b/a\nindex {old}..{new} 100644\n--- a/a\n+++ b/a\n{hunks}")
            .into_bytes()
    }

    #[test]
    fn ids_are_those_of_git() {
        let empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        assert_eq!(object("blob", b"", 40), empty);
        let empty = "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813";
        assert_eq!(object("blob", b"", 64), empty);
    }

    #[test]
    fn what_breaks_off_between_two_hunks_is_not_whole() {
        let (first, second) = (
            "@@ -1,2 +1,2 @@\n-1\n+one\n 2\n",
            "@@ -8,2 +8,3 @@\n 8\n-9\n+nine\n+ten\n\\ No newline at end of file\n",
        );
        let whole = Last::of(&patch(&format!("{first}{second}"))).unwrap();
        assert!(whole.is_whole(OLD.as_bytes()));
        assert!(!whole.is_whole(b"1\n2\n"));
        for cut in [first, second] {
            assert!(
                !Last::of(&patch(cut)).unwrap().is_whole(OLD.as_bytes()),
                "{cut}"
            );
        }
    }

    #[test]
    fn lines_may_be_added_where_none_are_taken() {
        let old = "1\n2\n";
        let new = "1\n1.5\n2\n";
        let ids = [old, new].map(|text| object("blob", text.as_bytes(), 40));
        let patch = format!(
            "diff --git a/a b/a\nindex {}..{} 100644\n--- a/a\n+++ b/a\n@@ -1,0 +2 @@\n+1.5\n",
            ids[0], ids[1]
        );
        assert!(Last::of(patch.as_bytes()).unwrap().is_whole(old.as_bytes()));
    }

    #[test]
    fn a_file_that_is_shown_at_one_go_is_not_asked_about() {
        let id = object("blob", b"1\n", 40);
        let none = "0".repeat(40);
        let added = format!(
            "diff --git a/a b/a\nnew file mode 100644\nindex {none}..{id}\n--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+1\n"
        );
        assert_eq!(Last::of(added.as_bytes()), None);
        assert_eq!(Last::of(b""), None);
    }
}
