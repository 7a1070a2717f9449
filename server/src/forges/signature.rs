//! Whether a delivery comes from who knows the secret: asked of its bytes before anything reads them.
//!
//! GitHub and Gitea sign the body with HMAC-SHA256. GitLab signs id, time and body as Standard Webhooks do, where it has a
//! signing token (`whsec_…`), and sends the secret itself where it has an old one.

use axum::http::HeaderMap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{Timestamp, host::Host};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq as _};
use time::Duration;

/// How far the clock of a sender may be from ours, either way, where what is signed has a time: as Standard Webhooks advise.
const CLOCKS_DIFFER: Duration = Duration::minutes(5);
/// More signatures than this in one header are no rotation of secrets.
const MOST_SIGNATURES: usize = 8;
/// What a signing token of Standard Webhooks begins with.
const SIGNING: &str = "whsec_";

/// The secrets of one host, each as good as the others, so that one can replace another without a gap.
#[derive(Clone)]
pub struct Secrets(Vec<Secret>);

#[derive(Clone)]
enum Secret {
    /// What HMAC is made with.
    Signing(hmac::Key),
    /// SHA-256 of what is sent along: two of one length compare without telling what was right.
    Sent([u8; 32]),
}

/// Why what came is nobody's we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// There is no signature, or none that could be one.
    Missing,
    /// It was made with no secret that we have, or of something else.
    Wrong,
    /// It is too old, or from the future.
    Stale,
}

impl Secrets {
    /// The secrets with which that host signs. None if one of them cannot be one.
    #[must_use]
    pub fn of(host: Host, secrets: &[SecretString]) -> Option<Self> {
        let all: Option<Vec<Secret>> = secrets
            .iter()
            .map(|secret| Secret::of(host, secret.expose_secret()))
            .collect();
        all.filter(|all| !all.is_empty()).map(Self)
    }

    /// Whether any of them is what something is signed with.
    fn sign(&self) -> bool {
        self.0
            .iter()
            .any(|secret| matches!(secret, Secret::Signing(_)))
    }
}

impl Secret {
    fn of(host: Host, text: &str) -> Option<Self> {
        let signing = |key: &[u8]| Self::Signing(hmac::Key::new(hmac::HMAC_SHA256, key));
        match (host, text.strip_prefix(SIGNING)) {
            (Host::GitLab, Some(key)) => BASE64_STANDARD.decode(key).ok().map(|key| signing(&key)),
            (Host::GitLab, None) => Some(Self::Sent(Sha256::digest(text).into())),
            (Host::GitHub | Host::Gitea, _) => Some(signing(text.as_bytes())),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

/// What the head of a delivery says for itself, to be held against its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Body([u8; 32]),
    Standard {
        /// Id and time, as they are signed before the body.
        head: String,
        at: i64,
        signatures: Vec<[u8; 32]>,
    },
    /// What was sent is one of the secrets: nothing of the body is claimed.
    Sent,
}

impl Claim {
    /// What a delivery by that host claims. A secret that was sent along is looked at now, so that strangers send no body.
    ///
    /// # Errors
    /// There is nothing to hold against a body.
    pub fn of(host: Host, headers: &HeaderMap, secrets: &Secrets) -> Result<Self, Unsigned> {
        let kind = match host {
            Host::GitHub => of_the_body(headers, &["x-hub-signature-256"]),
            Host::Gitea => of_the_body(
                headers,
                &[
                    "x-hub-signature-256",
                    "x-gitea-signature",
                    "x-forgejo-signature",
                ],
            ),
            Host::GitLab if headers.contains_key("webhook-signature") && secrets.sign() => {
                standard(headers)
            }
            Host::GitLab => sent(headers, secrets),
        };
        kind.map(Self)
    }

    /// Whether it holds for this body.
    ///
    /// # Errors
    /// It does not.
    pub fn holds(&self, secrets: &Secrets, body: &[u8], now: Timestamp) -> Result<(), Unsigned> {
        let right = match &self.0 {
            Kind::Sent => Choice::from(1),
            Kind::Body(signature) => secrets.made(std::slice::from_ref(signature), &[body]),
            Kind::Standard {
                head, signatures, ..
            } => secrets.made(signatures, &[head.as_bytes(), body]),
        };
        if !bool::from(right) {
            return Err(Unsigned::Wrong);
        }
        match self.0 {
            Kind::Standard { at, .. } if is_far(at, now) => Err(Unsigned::Stale),
            _ => Ok(()),
        }
    }
}

impl Secrets {
    /// Whether any of them made one of these signatures. All are tried, whichever is right; each signs once, or strangers could have
    /// a large body signed for each signature that they send along.
    fn made(&self, signatures: &[[u8; 32]], parts: &[&[u8]]) -> Choice {
        let keys = self.0.iter().filter_map(|secret| match secret {
            Secret::Signing(key) => Some(key),
            Secret::Sent(_) => None,
        });
        let signed = keys.map(|key| {
            let mut signing = hmac::Context::with_key(key);
            parts.iter().for_each(|part| signing.update(part));
            signing.sign()
        });
        signed
            .flat_map(|made| signatures.iter().map(move |one| made.as_ref().ct_eq(one)))
            .fold(Choice::from(0), |a, b| a | b)
    }
}

fn of_the_body(headers: &HeaderMap, names: &[&str]) -> Result<Kind, Unsigned> {
    let sent = names.iter().find_map(|name| text(headers, name));
    let sent = sent.ok_or(Unsigned::Missing)?;
    let digits = sent.strip_prefix("sha256=").unwrap_or(sent);
    hexadecimal(digits).map(Kind::Body).ok_or(Unsigned::Missing)
}

fn standard(headers: &HeaderMap) -> Result<Kind, Unsigned> {
    let header = |name| text(headers, name).ok_or(Unsigned::Missing);
    let (id, at) = (header("webhook-id")?, header("webhook-timestamp")?);
    let signatures = header("webhook-signature")?
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|signature| BASE64_STANDARD.decode(signature).ok()?.try_into().ok())
        .take(MOST_SIGNATURES)
        .collect::<Vec<_>>();
    if signatures.is_empty() {
        return Err(Unsigned::Missing);
    }
    Ok(Kind::Standard {
        head: format!("{id}.{at}."),
        at: at.parse().map_err(|_| Unsigned::Missing)?,
        signatures,
    })
}

fn sent(headers: &HeaderMap, secrets: &Secrets) -> Result<Kind, Unsigned> {
    let token = text(headers, "x-gitlab-token").ok_or(Unsigned::Missing)?;
    let token: [u8; 32] = Sha256::digest(token).into();
    let is_it = secrets.0.iter().map(|secret| match secret {
        Secret::Sent(hash) => hash.ct_eq(&token),
        Secret::Signing(_) => Choice::from(0),
    });
    if bool::from(is_it.fold(Choice::from(0), |a, b| a | b)) {
        Ok(Kind::Sent)
    } else {
        Err(Unsigned::Wrong)
    }
}

fn is_far(at: i64, now: Timestamp) -> bool {
    let apart = now.unix_timestamp().saturating_sub(at).saturating_abs();
    apart > CLOCKS_DIFFER.whole_seconds()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn hexadecimal(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    // Checked first, as `+f` is a number too.
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: Timestamp = datetime!(2026-11-20 12:00 UTC);

    fn secrets(host: Host, all: &[&str]) -> Secrets {
        let all: Vec<SecretString> = all.iter().map(|&secret| secret.into()).collect();
        Secrets::of(host, &all).expect("they are secrets")
    }

    fn checked(
        host: Host,
        all: &[&str],
        headers: &[(&'static str, &str)],
        body: &str,
        now: Timestamp,
    ) -> Result<(), Unsigned> {
        let secrets = secrets(host, all);
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Claim::of(host, &headers, &secrets)?.holds(&secrets, body.as_bytes(), now)
    }

    /// From GitHub's documentation.
    const GITHUB: (&str, &str, &str) = (
        "It's a Secret to Everybody",
        "Hello, World!",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    );
    /// From the specification of Standard Webhooks.
    const STANDARD: (&str, &str, &str, &str, &str) = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        r#"{"test": 2432232314}"#,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );

    #[test]
    fn what_github_publishes_holds_with_either_of_two_secrets_and_for_nothing_else() {
        let (secret, body, signature) = GITHUB;
        let ask = |host, all: &[&str], name, signature: &str, body| {
            checked(host, all, &[(name, signature)], body, NOW)
        };
        let hub = "x-hub-signature-256";
        for all in [&[secret][..], &["another", secret], &[secret, "another"]] {
            assert_eq!(ask(Host::GitHub, all, hub, signature, body), Ok(()));
        }
        let wrong = Err(Unsigned::Wrong);
        assert_eq!(ask(Host::GitHub, &["another"], hub, signature, body), wrong);
        let other = "Hello, World?";
        assert_eq!(ask(Host::GitHub, &[secret], hub, signature, other), wrong);
        for nothing in ["", "sha256=", "sha1=757107ea", &signature[..70]] {
            let missing = Err(Unsigned::Missing);
            assert_eq!(ask(Host::GitHub, &[secret], hub, nothing, body), missing);
        }
        let bare = signature.trim_start_matches("sha256=");
        for name in ["x-gitea-signature", "x-forgejo-signature"] {
            assert_eq!(ask(Host::Gitea, &[secret], name, bare, body), Ok(()));
            assert_eq!(
                ask(Host::GitHub, &[secret], name, bare, body),
                Err(Unsigned::Missing)
            );
        }
    }

    #[test]
    fn what_standard_webhooks_publish_holds_for_its_time_and_body_alone() {
        let (secret, id, at, body, signature) = STANDARD;
        let ask = |at: &str, body, signature: &str, now| {
            let headers = [
                ("webhook-id", id),
                ("webhook-timestamp", at),
                ("webhook-signature", signature),
            ];
            checked(Host::GitLab, &["an old token", secret], &headers, body, now)
        };
        let then = Timestamp::from_unix_timestamp(1_614_265_330).unwrap();
        assert_eq!(ask(at, body, signature, then), Ok(()));
        let rotated = format!("v1,AAAA v1a,x {signature}");
        assert_eq!(ask(at, body, &rotated, then + CLOCKS_DIFFER), Ok(()));
        for late in [Duration::seconds(301), -Duration::seconds(301)] {
            let stale = Err(Unsigned::Stale);
            assert_eq!(ask(at, body, signature, then + late), stale);
        }
        let wrong = Err(Unsigned::Wrong);
        assert_eq!(ask("1614265331", body, signature, then), wrong);
        assert_eq!(ask(at, "{}", signature, then), wrong);
        let missing = Err(Unsigned::Missing);
        assert_eq!(ask("soon", body, signature, then), missing);
        assert_eq!(ask(at, body, "v1,AAAA", then), missing);
    }

    #[test]
    fn an_old_token_of_gitlab_is_the_secret_itself_and_signs_nothing() {
        let token = "x-gitlab-token";
        let ask = |all: &[&str], header| checked(Host::GitLab, all, &[header], "{}", NOW);
        assert_eq!(ask(&["another", "swordfish"], (token, "swordfish")), Ok(()));
        let wrong = Err(Unsigned::Wrong);
        assert_eq!(ask(&["swordfish"], (token, "swordfisk")), wrong);
        assert_eq!(ask(&["swordfish"], (token, "")), wrong);
        let missing = Err(Unsigned::Missing);
        assert_eq!(ask(&["swordfish"], ("x-other", "swordfish")), missing);
        // Who has a signing token must not be spoken to by sending it.
        assert_eq!(ask(&[STANDARD.0], (token, STANDARD.0)), wrong);
    }

    #[test]
    fn secrets_print_as_nothing() {
        let printed = format!("{:?}", secrets(Host::GitLab, &["swordfish"]));
        assert_eq!(printed, "1 secrets");
    }
}
