//! Who we are to GitHub: somebody with a token, or an app that gets one for each owner that installed it.

use super::{
    client::Client,
    wire::{AccessToken, Installation},
};
use crate::forges::client::Failed;
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use domain::Timestamp;
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use time::Duration;

/// How long what an app says of itself holds: GitHub takes ten minutes at most.
const SAID_FOR: Duration = Duration::minutes(9);
/// Clocks differ.
const SAID_BEFORE: Duration = Duration::seconds(60);
/// A token is got anew when it would end this soon.
const ENDS_SOON: Duration = Duration::minutes(5);

/// What is sent along with each question.
#[derive(Clone)]
pub enum Credentials {
    Token(SecretString),
    App(App),
}

/// An app, and the tokens that it got, by owner.
#[derive(Clone)]
pub struct App {
    id: String,
    key: Arc<KeyPair>,
    tokens: Arc<Mutex<HashMap<String, (SecretString, Timestamp)>>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("a token"),
            Self::App(app) => write!(f, "app {}", app.id),
        }
    }
}

impl Credentials {
    /// Those of an app, with its private key as GitHub gives it out: PEM, PKCS#1 or PKCS#8.
    #[must_use]
    pub fn app(id: &str, pem: &SecretString) -> Option<Self> {
        let pem = pem.expose_secret();
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let text: String = lines.flat_map(str::split_whitespace).collect();
        let der = BASE64_STANDARD.decode(text).ok()?;
        let key = if pem.contains("BEGIN RSA PRIVATE KEY") {
            KeyPair::from_der(&der)
        } else {
            KeyPair::from_pkcs8(&der)
        };
        let key = Arc::new(key.ok()?);
        let (id, tokens) = (id.to_owned(), Arc::default());
        Some(Self::App(App { id, key, tokens }))
    }

    /// The token for what is below `/repos/owner/name`.
    pub(super) async fn token(
        &self,
        client: &Client,
        repository: &str,
        now: Timestamp,
    ) -> Result<SecretString, Failed> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::App(app) => app.token(client, repository, now).await,
        }
    }
}

impl App {
    async fn token(
        &self,
        client: &Client,
        repository: &str,
        now: Timestamp,
    ) -> Result<SecretString, Failed> {
        let owner = repository
            .split('/')
            .next()
            .unwrap_or("")
            .to_ascii_lowercase();
        if let Some(token) = self.kept(&owner, now) {
            return Ok(token);
        }
        let said = self.said(now)?;
        let asked = format!("/repos/{repository}/installation");
        let installation: Installation = client.as_app(http::Method::GET, &asked, &said).await?;
        let asked = format!("/app/installations/{}/access_tokens", installation.id);
        let got: AccessToken = client.as_app(http::Method::POST, &asked, &said).await?;
        let token = SecretString::from(got.token);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(owner, (token.clone(), got.expires_at));
        Ok(token)
    }

    fn kept(&self, owner: &str, now: Timestamp) -> Option<SecretString> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, until) = tokens.get(owner)?;
        (now + ENDS_SOON < *until).then(|| token.clone())
    }

    /// What the app says of itself: a JWT, signed with its key.
    fn said(&self, now: Timestamp) -> Result<SecretString, Failed> {
        let text = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "iat": (now - SAID_BEFORE).unix_timestamp(),
            "exp": (now + SAID_FOR).unix_timestamp(),
            "iss": self.id,
        });
        let head = text(json!({ "alg": "RS256", "typ": "JWT" }));
        let said = format!("{head}.{}", text(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let signed = self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            said.as_bytes(),
            &mut signature,
        );
        signed.map_err(|_| Failed::of("the key of the app does not sign"))?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Ok(format!("{said}.{signature}").into())
    }
}
