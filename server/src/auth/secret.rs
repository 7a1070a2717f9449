//! Secrets: where they are made, how they look, and how they are kept.
//!
//! A token is `cs_`, 256 random bits in base64url, `_`, and eight hexadecimal digits of a checksum, so that scanners find
//! one that leaked and a mistyped one is refused without asking the database. What we keep of it is a SHA-256: so many
//! random bits need no slow hash.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "cs_";
/// 256 bits in base64url.
const RANDOM_LEN: usize = 43;
const CHECKSUM_LEN: usize = 8;

/// What a machine sends. Printed once, when it is made.
#[derive(Debug, Clone)]
pub struct TokenSecret(SecretString);

impl TokenSecret {
    /// A new one.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn new() -> Result<Self, NoRandomness> {
        let random = text(&random()?);
        let checksum = checksum(&random);
        Ok(Self(format!("{PREFIX}{random}_{checksum}").into()))
    }

    /// Reads what a client sent. None if it cannot be one of ours, whichever way.
    #[must_use]
    pub fn parse(sent: &str) -> Option<Self> {
        let rest = sent.strip_prefix(PREFIX)?;
        if !rest.is_ascii() || rest.len() != RANDOM_LEN + 1 + CHECKSUM_LEN {
            return None;
        }
        let (random, rest) = rest.split_at(RANDOM_LEN);
        let sent_checksum = rest.strip_prefix('_')?;
        is_equal(sent_checksum, &checksum(random)).then(|| Self(sent.into()))
    }

    /// What is kept of it, and what it is found by.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose_secret()).into()
    }

    /// The token itself, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The system has no randomness to give. Nothing safe can be done without.
#[derive(Debug, thiserror::Error)]
#[error("the system has no randomness to give: {0}")]
pub struct NoRandomness(getrandom::Error);

/// 256 bits that nobody can guess.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where secrets are made; tokens are kept hashed, the others live minutes in one browser"
)]
pub(super) fn random() -> Result<[u8; 32], NoRandomness> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// Bytes as they travel in cookies and addresses.
pub(super) fn text(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes that travelled.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

/// Compares without telling by the time it takes how much was right.
pub(super) fn is_equal(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

fn checksum(random: &str) -> String {
    let hash = Sha256::digest(format!("countersign-token {random}"));
    let mut digits = String::new();
    for byte in &hash[..CHECKSUM_LEN / 2] {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_reads_back_and_no_two_are_alike() {
        let (one, other) = (TokenSecret::new().unwrap(), TokenSecret::new().unwrap());
        let read = TokenSecret::parse(one.expose()).expect("it is ours");
        assert_eq!(read.hash(), one.hash());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(format!("{one:?}").find(one.expose()), None);
    }

    #[test]
    fn what_is_mistyped_is_none() {
        let token = TokenSecret::new().unwrap();
        let good = token.expose();
        let wrong_end = format!(
            "{}{}",
            &good[..good.len() - 1],
            if good.ends_with('0') { '1' } else { '0' }
        );
        let wrong_start = good.replacen("cs_", "cs-", 1);
        let cases = [
            "",
            "cs_",
            "hunter2",
            &good[1..],
            &good[..50],
            &wrong_end,
            &wrong_start,
            &good.to_uppercase(),
        ];
        for bad in cases {
            assert!(TokenSecret::parse(bad).is_none(), "{bad}");
        }
        assert!(TokenSecret::parse(&format!("cs_{}_é0000000", "A".repeat(42))).is_none());
    }
}
