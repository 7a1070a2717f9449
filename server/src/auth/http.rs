//! How we talk to the provider: bounded in time and size, never redirected, and in the clear only on this very machine.

use futures::future::BoxFuture;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::time::Duration;
use url::Url;

/// A discovery document or a key set is some kilobytes; an ID token that is larger fits in no header anyway.
const LARGEST: usize = 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);

/// The client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    in_the_clear: bool,
}

/// Why the provider could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error(transparent)]
    Failed(#[from] reqwest::Error),
    #[error("{0} is not https")]
    InTheClear(Url),
    #[error("{0} is not an address")]
    NotAnAddress(String),
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    #[error(transparent)]
    Malformed(#[from] http::Error),
}

impl Http {
    /// A client for the provider with this issuer. What an https provider names has to be https too.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(issuer: &str) -> Result<Self, reqwest::Error> {
        // The command line chose it already; a test has not, and choosing the same twice changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .user_agent("countersign")
            .build()?;
        Ok(Self {
            client,
            in_the_clear: issuer.starts_with("http:"),
        })
    }

    /// Whether that address may be asked, or a browser sent there.
    pub fn check(&self, url: &Url) -> Result<(), HttpError> {
        let clear = self.in_the_clear && crate::settings::is_safe(url);
        if url.scheme() == "https" || clear {
            Ok(())
        } else {
            Err(HttpError::InTheClear(url.clone()))
        }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let address = parts.uri.to_string();
        let url = Url::parse(&address).map_err(|_| HttpError::NotAnAddress(address))?;
        self.check(&url)?;
        let mut answer = self
            .client
            .request(parts.method, url)
            .headers(parts.headers)
            .body(body)
            .send()
            .await?;
        let mut response = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut whole = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if whole.len() + part.len() > LARGEST {
                return Err(HttpError::TooLarge);
            }
            whole.extend_from_slice(&part);
        }
        Ok(response.body(whole)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
