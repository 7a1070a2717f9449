//! How we talk to GitHub: bounded in time and size, never redirected, and silent for as long as it asks for.

use super::auth::Credentials;
use domain::Timestamp;
use http::{HeaderMap, Method, StatusCode, header};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use store::Db;
use url::Url;

const CONNECT: std::time::Duration = std::time::Duration::from_secs(5);
const WHOLE: std::time::Duration = std::time::Duration::from_secs(30);
/// The listing of a tree of 100,000 files, more of which GitHub does not list.
const LARGEST_JSON: usize = 40_000_000;
/// How long to be silent where GitHub does not say.
const SILENT: time::Duration = time::Duration::seconds(60);
/// However long GitHub says: a wrong clock must not silence us for good.
const SILENT_AT_MOST: time::Duration = time::Duration::hours(2);

/// One GitHub, and when it may be asked again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    credentials: Credentials,
    db: Db,
    silent_until: Arc<Mutex<Option<Timestamp>>>,
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error("GitHub wants not to be asked before {0}")]
    Limited(Timestamp),
    #[error("there is no such thing there, or not for us")]
    NotThere,
    #[error("{0}")]
    Said(String),
    #[error("the database refused")]
    Database,
}

impl Failed {
    /// For what is known before.
    #[must_use]
    pub fn of(what: &str) -> Self {
        Self::Said(what.to_owned())
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        tracing::warn!(%error, "The database refused in the middle of a look");
        Self::Database
    }
}

impl Client {
    /// A client for the GitHub whose API is at this address, by the clock of this database.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(base: Url, credentials: Credentials, db: Db) -> Result<Self, reqwest::Error> {
        // The command line chose it already; a test has not, and choosing the same twice changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .user_agent("countersign")
            .build()?;
        Ok(Self {
            http,
            base,
            credentials,
            db,
            silent_until: Arc::default(),
        })
    }

    /// What is at that path.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failed> {
        let answer = self.asked(path, JSON, None).await?;
        let (_, body) = self.body(answer, LARGEST_JSON).await?;
        read(&body)
    }

    /// What is at that path, if it is another than what was called by that tag.
    pub(super) async fn changed<T: DeserializeOwned>(
        &self,
        path: &str,
        etag: Option<&str>,
    ) -> Result<Option<(T, Option<String>)>, Failed> {
        let answer = self.asked(path, JSON, etag).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let tag = answer.headers().get(header::ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let tag = tag.filter(|tag| tag.len() <= 200);
        let (_, body) = self.body(answer, LARGEST_JSON).await?;
        Ok(Some((read(&body)?, tag)))
    }

    /// The patch that is at that path; none where it is too large for GitHub, or for us.
    pub(super) async fn diff(&self, path: &str) -> Result<Option<Vec<u8>>, Failed> {
        let answer = self.asked(path, DIFF, None).await?;
        // Any other refusal may be a bad moment, and what is too large once is so for good.
        if answer.status() == StatusCode::NOT_ACCEPTABLE {
            return Ok(None);
        }
        match self.body(answer, domain::patch::MAX_BYTES).await {
            Ok((_, body)) => Ok(Some(body)),
            Err(Failed::Said(why)) if why == TOO_LARGE => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    /// Tells something to that path.
    pub(super) async fn post(&self, path: &str, said: &Value) -> Result<(), Failed> {
        let token = self.token(path).await?;
        let request = self.request(Method::POST, path, JSON)?.json(said);
        let answer = self
            .sent(request.bearer_auth(token.expose_secret()))
            .await?;
        self.body(answer, LARGEST_JSON).await?;
        Ok(())
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
        let request = self
            .request(method, path, JSON)?
            .bearer_auth(said.expose_secret());
        let answer = self.sent(request).await?;
        let (_, body) = self.body(answer, LARGEST_JSON).await?;
        read(&body)
    }

    async fn asked(&self, path: &str, kind: &str, etag: Option<&str>) -> Result<Response, Failed> {
        let token = self.token(path).await?;
        let mut request = self.request(Method::GET, path, kind)?;
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        self.sent(request.bearer_auth(token.expose_secret())).await
    }

    /// What lets us in there. As an app it asks for one first.
    async fn token(&self, path: &str) -> Result<SecretString, Failed> {
        let repository = path.strip_prefix("/repos/").unwrap_or("");
        let repository = repository.split('/').take(2).collect::<Vec<_>>().join("/");
        let token = self.credentials.token(self, &repository, self.db.now());
        Box::pin(token).await
    }

    fn request(&self, method: Method, path: &str, kind: &str) -> Result<RequestBuilder, Failed> {
        let base = self.base.as_str().trim_end_matches('/');
        let url =
            Url::parse(&format!("{base}{path}")).map_err(|_| Failed::of("that is no address"))?;
        Ok(self
            .http
            .request(method, url)
            .header(header::ACCEPT, kind)
            .header("x-github-api-version", "2022-11-28"))
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Response, Failed> {
        if let Some(until) = self.silent_until() {
            return Err(Failed::Limited(until));
        }
        // Its own words would repeat the address, and nothing else that helps.
        let answer = request.send().await.map_err(|error| {
            Failed::of(if error.is_timeout() {
                "GitHub did not answer in time"
            } else {
                "GitHub could not be reached"
            })
        })?;
        self.hear(&answer)?;
        Ok(answer)
    }

    /// Until when GitHub wants not to be asked, if it wants that.
    #[must_use]
    pub fn silent_until(&self) -> Option<Timestamp> {
        let until = *self
            .silent_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| *until > self.db.now())
    }

    /// Notes how much GitHub still lets us ask, and until when it does not.
    fn hear(&self, answer: &Response) -> Result<(), Failed> {
        let headers = answer.headers();
        let limited = matches!(
            answer.status(),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::FORBIDDEN
        );
        let none_left = number(headers, "x-ratelimit-remaining") == Some(0);
        let told = number(headers, "retry-after");
        let is_limit =
            answer.status() == StatusCode::TOO_MANY_REQUESTS || told.is_some() || none_left;
        if !(none_left || limited && is_limit) {
            return Ok(());
        }
        let now = self.db.now();
        let reset = number(headers, "x-ratelimit-reset").filter(|_| none_left);
        let until = match (told, reset) {
            (Some(seconds), _) => now + time::Duration::seconds(seconds.clamp(1, 86_400)),
            (None, Some(at)) => Timestamp::from_unix_timestamp(at).unwrap_or(now + SILENT),
            (None, None) => now + SILENT,
        };
        let until = until.clamp(now + time::Duration::SECOND, now + SILENT_AT_MOST);
        *self
            .silent_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(until);
        // The last answer that we were given is one.
        if limited {
            Err(Failed::Limited(until))
        } else {
            Ok(())
        }
    }

    async fn body(
        &self,
        mut answer: Response,
        most: usize,
    ) -> Result<(StatusCode, Vec<u8>), Failed> {
        let status = answer.status();
        match status {
            StatusCode::OK | StatusCode::CREATED => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Failed::NotThere),
            // 202: it is being worked out, and will be there when we come again.
            status => return Err(Failed::Said(format!("GitHub answered {}", status.as_u16()))),
        }
        let mut whole = Vec::new();
        let broken = |_| Failed::of("GitHub did not answer to the end");
        while let Some(part) = answer.chunk().await.map_err(broken)? {
            if whole.len() + part.len() > most {
                return Err(Failed::of(TOO_LARGE));
            }
            whole.extend_from_slice(&part);
        }
        Ok((status, whole))
    }
}

const JSON: &str = "application/vnd.github+json";
const DIFF: &str = "application/vnd.github.diff";
const TOO_LARGE: &str = "the answer is larger than is read";

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failed> {
    serde_json::from_slice(body)
        .map_err(|error| Failed::Said(format!("GitHub's answer is not as it must be: {error}")))
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// A branch as part of a path: its slashes part it there too.
pub(super) fn escaped(branch: &str) -> String {
    let part = |part: &str| {
        url::form_urlencoded::byte_serialize(part.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    branch.split('/').map(part).collect::<Vec<_>>().join("/")
}
