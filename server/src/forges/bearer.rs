//! How we talk to a host that takes a token and nothing else: GitLab, and Gitea.

use super::client::{Client, Failed};
use domain::{Timestamp, host::Host};
use http::Method;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::Db;
use url::Url;

const JSON: &str = "application/json";
const ANY: &str = "*/*";

/// A host, and the token for it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bearer {
    host: Client,
    token: SecretString,
}

impl Bearer {
    /// For the host whose API is at this address.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(host: Host, base: Url, token: SecretString, db: Db) -> Result<Self, reqwest::Error> {
        let host = Client::new(host, base, db)?;
        Ok(Self { host, token })
    }

    /// What is at that path.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failed> {
        self.host.json(self.asks(Method::GET, path, JSON)?).await
    }

    /// What is at that path, if it is another than what was called by that tag.
    pub(super) async fn changed<T: DeserializeOwned>(
        &self,
        path: &str,
        etag: Option<&str>,
    ) -> Result<Option<(T, Option<String>)>, Failed> {
        let asked = self.asks(Method::GET, path, JSON)?;
        self.host.changed(asked, etag).await
    }

    /// The bytes that are at that path; none where they are too many.
    pub(super) async fn bytes(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, Failed> {
        let asked = self.asks(Method::GET, path, ANY)?;
        self.host.bytes(asked, most).await
    }

    /// Tells something to that path, and says what is said against it, if anything is.
    pub(super) async fn post(&self, path: &str, said: &Value) -> Result<Option<String>, Failed> {
        let told = self.asks(Method::POST, path, JSON)?.json(said);
        self.host.tell(told).await
    }

    /// That it does not take what it was told.
    pub(super) fn against(&self) -> Failed {
        self.host.against()
    }

    /// Until when it wants not to be asked, if it wants that.
    #[must_use]
    pub fn silent_until(&self) -> Option<Timestamp> {
        self.host.silent_until()
    }

    fn asks(&self, method: Method, path: &str, kind: &str) -> Result<RequestBuilder, Failed> {
        let asked = self.host.request(method, path, kind)?;
        Ok(asked.bearer_auth(self.token.expose_secret()))
    }
}
