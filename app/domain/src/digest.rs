//! What a decision is about: one hash over everything that a revision is.

use crate::{
    ids::RepositoryId,
    names::{Branch, ChangeKey, CommitSha},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Names this very construction, so that no other use of SHA-256 can be mistaken for a digest.
const TAG: &[u8] = b"countersign-digest-1";

/// SHA-256 over, each with its length before it as eight big-endian bytes: the tag, repository id, change key, target
/// branch, merge base, head commit, SHA-256 of the stored patch. Policy is not in it: decisions name that beside it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// SHA-256 of the bytes of a patch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PatchHash(pub [u8; 32]);

/// All that a digest covers.
#[derive(Debug, Clone, Copy)]
pub struct Covered<'a> {
    pub repository: RepositoryId,
    pub key: &'a ChangeKey,
    pub target: &'a Branch,
    pub merge_base: &'a CommitSha,
    pub head: &'a CommitSha,
    pub patch: PatchHash,
}

impl Digest {
    /// The digest of a revision.
    #[must_use]
    pub fn of(covered: Covered<'_>) -> Self {
        let mut hash = Sha256::new();
        let parts: [&[u8]; 7] = [
            TAG,
            covered.repository.0.as_bytes(),
            covered.key.as_str().as_bytes(),
            covered.target.as_str().as_bytes(),
            covered.merge_base.as_str().as_bytes(),
            covered.head.as_str().as_bytes(),
            &covered.patch.0,
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The bytes, as they are stored.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What was stored, if it is 32 bytes long.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// What a form posted back, if it is 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }

    /// The first sixteen hexadecimal digits, each 0 to 15: what the eye compares as bars.
    #[must_use]
    pub fn bars(&self) -> [u8; 16] {
        std::array::from_fn(|i| {
            if i % 2 == 0 {
                self.0[i / 2] >> 4
            } else {
                self.0[i / 2] & 15
            }
        })
    }
}

impl PatchHash {
    /// The hash of a whole patch.
    #[must_use]
    pub fn of(patch: &[u8]) -> Self {
        Self(Sha256::digest(patch).into())
    }

    /// What a form posted back, if it is 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    // `from_str_radix` takes a sign; a hash has none.
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

impl std::fmt::Display for PatchHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl TryFrom<String> for PatchHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a hash is 64 hexadecimal digits")
    }
}

impl From<PatchHash> for String {
    fn from(hash: PatchHash) -> String {
        hash.to_string()
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::fmt::Debug for PatchHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PatchHash(")?;
        self.0
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a digest is 64 hexadecimal digits")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn digest(
        key: &str,
        target: &str,
        base: &str,
        head: &str,
        patch: &[u8],
        repository: u128,
    ) -> Digest {
        Digest::of(Covered {
            repository: RepositoryId(Uuid::from_u128(repository)),
            key: &ChangeKey::parse(key).unwrap(),
            target: &Branch::parse(target).unwrap(),
            merge_base: &CommitSha::parse(base.repeat(40)).unwrap(),
            head: &CommitSha::parse(head.repeat(40)).unwrap(),
            patch: PatchHash::of(patch),
        })
    }

    #[test]
    fn whatever_a_revision_is_made_of_changes_its_digest() {
        let known = digest("142", "main", "a", "b", b"x", 1);
        assert_eq!(known, digest("142", "main", "a", "b", b"x", 1));
        for other in [
            digest("143", "main", "a", "b", b"x", 1),
            digest("142", "release", "a", "b", b"x", 1),
            digest("142", "main", "c", "b", b"x", 1),
            digest("142", "main", "a", "c", b"x", 1),
            digest("142", "main", "a", "b", b"y", 1),
            digest("142", "main", "a", "b", b"x", 2),
        ] {
            assert_ne!(known, other);
        }
    }

    #[test]
    fn a_letter_cannot_move_from_one_part_to_the_next() {
        assert_ne!(
            digest("14", "2main", "a", "b", b"", 1),
            digest("142", "main", "a", "b", b"", 1)
        );
    }

    #[test]
    fn the_construction_is_pinned_for_those_who_compute_it_elsewhere() {
        insta::assert_snapshot!(digest("142", "main", "a", "b", b"patch", 7));
    }

    #[test]
    fn it_is_read_back_from_text_and_from_nothing_else() {
        let known = digest("142", "main", "a", "b", b"x", 1);
        assert_eq!(Digest::parse(&known.to_string()), Some(known));
        for bad in [
            "",
            "00",
            &"0".repeat(63),
            &"+1".repeat(32),
            &"é".repeat(32),
            &"g".repeat(64),
        ] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
        assert_eq!(
            known.bars().map(|bar| format!("{bar:x}")).concat(),
            known.to_string()[..16]
        );
    }
}
