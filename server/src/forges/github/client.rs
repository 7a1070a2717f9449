//! How we talk to GitHub: as an app or with a token, and in the version of its API that is written for here.

use super::auth::Credentials;
use crate::forges::client::{self, Failed};
use domain::{Timestamp, host::Host};
use http::Method;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::Db;
use url::Url;

/// One GitHub. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    host: client::Client,
    credentials: Credentials,
}

impl Client {
    /// A client for the GitHub whose API is at this address.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(base: Url, credentials: Credentials, db: Db) -> Result<Self, reqwest::Error> {
        let host = client::Client::new(Host::GitHub, base, db)?;
        Ok(Self { host, credentials })
    }

    /// What is at that path.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failed> {
        self.host.json(self.asked(path, JSON).await?).await
    }

    /// What is at that path, if it is another than what was called by that tag.
    pub(super) async fn changed<T: DeserializeOwned>(
        &self,
        path: &str,
        etag: Option<&str>,
    ) -> Result<Option<(T, Option<String>)>, Failed> {
        self.host.changed(self.asked(path, JSON).await?, etag).await
    }

    /// The patch that is at that path; none where it is too large for GitHub, or for us.
    pub(super) async fn diff(&self, path: &str) -> Result<Option<Vec<u8>>, Failed> {
        let asked = self.asked(path, DIFF).await?;
        self.host.bytes(asked, domain::patch::MAX_BYTES).await
    }

    /// Tells something to that path.
    pub(super) async fn post(&self, path: &str, said: &Value) -> Result<(), Failed> {
        let token = self.token(path).await?;
        let request = self.request(Method::POST, path, JSON)?.json(said);
        let told = request.bearer_auth(token.expose_secret());
        match self.host.tell(told).await? {
            None => Ok(()),
            Some(_) => Err(self.host.against()),
        }
    }

    /// Whether it asks as an app.
    pub(super) fn is_app(&self) -> bool {
        matches!(self.credentials, Credentials::App(_))
    }

    /// Asks as an app, which is no installation yet.
    pub(super) async fn as_app<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        said: &SecretString,
    ) -> Result<T, Failed> {
        let request = self.request(method, path, JSON)?;
        self.host
            .json(request.bearer_auth(said.expose_secret()))
            .await
    }

    /// Until when GitHub wants not to be asked, if it wants that.
    #[must_use]
    pub fn silent_until(&self) -> Option<Timestamp> {
        self.host.silent_until()
    }

    async fn asked(&self, path: &str, kind: &str) -> Result<RequestBuilder, Failed> {
        let token = self.token(path).await?;
        let request = self.request(Method::GET, path, kind)?;
        Ok(request.bearer_auth(token.expose_secret()))
    }

    /// What lets us in there. As an app it asks for one first.
    async fn token(&self, path: &str) -> Result<SecretString, Failed> {
        let repository = path.strip_prefix("/repos/").unwrap_or("");
        let repository = repository.split('/').take(2).collect::<Vec<_>>().join("/");
        let token = self.credentials.token(self, &repository, self.host.now());
        Box::pin(token).await
    }

    fn request(&self, method: Method, path: &str, kind: &str) -> Result<RequestBuilder, Failed> {
        let request = self.host.request(method, path, kind)?;
        Ok(request.header("x-github-api-version", "2022-11-28"))
    }
}

const JSON: &str = "application/vnd.github+json";
const DIFF: &str = "application/vnd.github.diff";

/// A branch as part of a path: its slashes part it there too.
pub(super) fn escaped(branch: &str) -> String {
    branch
        .split('/')
        .map(client::escaped)
        .collect::<Vec<_>>()
        .join("/")
}
