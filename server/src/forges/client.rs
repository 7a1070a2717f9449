//! How we talk to a code host: bounded in time and size, never redirected, and silent for as long as it asks for.

use domain::{Timestamp, host::Host};
use http::{HeaderMap, Method, StatusCode, header};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex, PoisonError};
use store::Db;
use url::Url;

const CONNECT: std::time::Duration = std::time::Duration::from_secs(5);
const WHOLE: std::time::Duration = std::time::Duration::from_secs(30);
/// The listing of a tree of 100,000 files, more of which GitHub does not list.
const LARGEST_JSON: usize = 40_000_000;
/// How long to be silent where a host does not say.
const SILENT: time::Duration = time::Duration::seconds(60);
/// However long it says: a wrong clock must not silence us for good.
const SILENT_AT_MOST: time::Duration = time::Duration::hours(2);

/// One code host, and when it may be asked again. Who asks it says who they are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    host: Host,
    db: Db,
    silent_until: Arc<Mutex<Option<Timestamp>>>,
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error("it wants not to be asked before {0}")]
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
    /// A client for the host whose API is at this address, by the clock of this database.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(host: Host, base: Url, db: Db) -> Result<Self, reqwest::Error> {
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
            host,
            db,
            silent_until: Arc::default(),
        })
    }

    /// A question about what is at that path, of which that kind is wanted.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        kind: &str,
    ) -> Result<RequestBuilder, Failed> {
        let base = self.base.as_str().trim_end_matches('/');
        let url =
            Url::parse(&format!("{base}{path}")).map_err(|_| Failed::of("that is no address"))?;
        let request = self.http.request(method, url);
        Ok(request.header(header::ACCEPT, kind))
    }

    /// What it answers in JSON.
    pub async fn json<T: DeserializeOwned>(&self, asked: RequestBuilder) -> Result<T, Failed> {
        let answer = self.sent(asked).await?;
        let body = self.body(answer, LARGEST_JSON).await?;
        self.read(&body)
    }

    /// The same, and how it calls that; none where it is what was called by that tag.
    pub async fn changed<T: DeserializeOwned>(
        &self,
        mut asked: RequestBuilder,
        etag: Option<&str>,
    ) -> Result<Option<(T, Option<String>)>, Failed> {
        if let Some(etag) = etag {
            asked = asked.header(header::IF_NONE_MATCH, etag);
        }
        let answer = self.sent(asked).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let tag = answer.headers().get(header::ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let tag = tag.filter(|tag| tag.len() <= 200);
        let body = self.body(answer, LARGEST_JSON).await?;
        Ok(Some((self.read(&body)?, tag)))
    }

    /// What it answers in bytes; none where that is larger than the host gives out, or than this.
    pub async fn bytes(
        &self,
        asked: RequestBuilder,
        most: usize,
    ) -> Result<Option<Vec<u8>>, Failed> {
        let answer = self.sent(asked).await?;
        // Any other refusal may be a bad moment, and what is too large once is so for good.
        if answer.status() == StatusCode::NOT_ACCEPTABLE {
            return Ok(None);
        }
        match self.body(answer, most).await {
            Ok(body) => Ok(Some(body)),
            Err(Failed::Said(why)) if why == TOO_LARGE => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    /// Tells it something, and what it says against it, if it does.
    pub async fn tell(&self, told: RequestBuilder) -> Result<Option<String>, Failed> {
        let answer = self.sent(told).await?;
        let is_against = answer.status() == StatusCode::BAD_REQUEST;
        if is_against {
            let why = self.whole(answer, LARGEST_JSON).await?;
            return Ok(Some(String::from_utf8_lossy(&why).into_owned()));
        }
        self.body(answer, LARGEST_JSON).await?;
        Ok(None)
    }

    /// That it does not take what it was told.
    pub fn against(&self) -> Failed {
        self.failed("answered 400")
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.db.now()
    }

    /// Asks, if it may be asked now.
    pub async fn sent(&self, request: RequestBuilder) -> Result<Response, Failed> {
        if let Some(until) = self.silent_until() {
            return Err(Failed::Limited(until));
        }
        // Its own words would repeat the address, and nothing else that helps.
        let answer = request.send().await.map_err(|error| {
            self.failed(if error.is_timeout() {
                "did not answer in time"
            } else {
                "could not be reached"
            })
        })?;
        self.hear(&answer)?;
        Ok(answer)
    }

    /// Until when it wants not to be asked, if it wants that.
    #[must_use]
    pub fn silent_until(&self) -> Option<Timestamp> {
        let until = *self
            .silent_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| *until > self.db.now())
    }

    /// Notes how much it still lets us ask, and until when it does not.
    fn hear(&self, answer: &Response) -> Result<(), Failed> {
        let headers = answer.headers();
        let limited = matches!(
            answer.status(),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::FORBIDDEN
        );
        let [remaining, reset] = limit(self.host);
        let none_left = number(headers, remaining) == Some(0);
        let told = number(headers, "retry-after");
        let is_limit =
            answer.status() == StatusCode::TOO_MANY_REQUESTS || told.is_some() || none_left;
        if !(none_left || limited && is_limit) {
            return Ok(());
        }
        let now = self.db.now();
        let reset = number(headers, reset).filter(|_| none_left);
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

    /// What it answered, to its end, if that is no refusal.
    pub async fn body(&self, answer: Response, most: usize) -> Result<Vec<u8>, Failed> {
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Failed::NotThere),
            // 202: it is being worked out, and will be there when we come again.
            status => return Err(self.failed(&format!("answered {}", status.as_u16()))),
        }
        self.whole(answer, most).await
    }

    async fn whole(&self, mut answer: Response, most: usize) -> Result<Vec<u8>, Failed> {
        let mut whole = Vec::new();
        let broken = |_| self.failed("did not answer to the end");
        while let Some(part) = answer.chunk().await.map_err(broken)? {
            if whole.len() + part.len() > most {
                return Err(Failed::of(TOO_LARGE));
            }
            whole.extend_from_slice(&part);
        }
        Ok(whole)
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Failed> {
        serde_json::from_slice(body).map_err(|error| {
            Failed::Said(format!(
                "{}'s answer is not as it must be: {error}",
                self.host.name()
            ))
        })
    }

    fn failed(&self, what: &str) -> Failed {
        Failed::Said(format!("{} {what}", self.host.name()))
    }
}

const TOO_LARGE: &str = "the answer is larger than is read";

/// Where a host says how often it may still be asked, and when that is more again. Gitea says nothing.
fn limit(host: Host) -> [&'static str; 2] {
    match host {
        Host::GitHub => ["x-ratelimit-remaining", "x-ratelimit-reset"],
        Host::GitLab | Host::Gitea => ["ratelimit-remaining", "ratelimit-reset"],
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// As one part of a path.
pub fn escaped(part: &str) -> String {
    url::form_urlencoded::byte_serialize(part.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
