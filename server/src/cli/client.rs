//! How pipelines talk to a Countersign server: its address, the token, and what to make of a refusal.

use super::warn;
use crate::api::wire;
use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use std::{path::PathBuf, time::Duration};
use url::Url;

/// How long one try may take, sending included: a job that hangs is a deploy that hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often something is sent before we give up: about a minute of a server that is starting or busy.
const ATTEMPTS: u32 = 7;

/// Where the server is, and how we show who we are.
#[derive(Debug, clap::Args)]
pub struct ServerOptions {
    /// Address of the Countersign server
    #[arg(long, env = "COUNTERSIGN_SERVER", value_name = "URL", value_parser = address)]
    server: Url,
    /// File that holds the token; or set COUNTERSIGN_TOKEN to the token, or COUNTERSIGN_TOKEN_FILE to its file
    // There is no `--token`: arguments are visible to everybody on the machine, and CI prints them.
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
}

impl ServerOptions {
    /// Where the server is.
    pub fn url(&self) -> &Url {
        &self.server
    }
}

fn address(text: &str) -> anyhow::Result<Url> {
    let mut url = Url::parse(text)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        bail!("it must begin with https:// or http://");
    }
    // `join` would replace the last segment of a path that does not end in a slash.
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// A server that can be asked.
pub struct Client {
    http: reqwest::Client,
    server: Url,
    token: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may go better in a while.
    #[error("{sentence}")]
    Passing {
        sentence: String,
        /// What the server said of it, if it did.
        problem: Option<wire::Problem>,
        retry_after: Option<Duration>,
    },
    /// Asking again will not help.
    #[error("{0}")]
    Lasting(String),
    /// The server refused, and says why.
    #[error("{}", refused(.0))]
    Refused(wire::Problem),
}

fn refused(problem: &wire::Problem) -> String {
    let wire::Problem {
        detail,
        kind,
        request_id,
        ..
    } = problem;
    format!("{detail} ({kind}, request {request_id})")
}

impl Failure {
    /// What the server said of it, as it said it.
    pub fn problem(&self) -> Option<&wire::Problem> {
        match self {
            Self::Passing { problem, .. } => problem.as_ref(),
            Self::Refused(problem) => Some(problem),
            Self::Lasting(_) => None,
        }
    }
}

impl Client {
    /// Reads address and token.
    pub fn new(options: &ServerOptions) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            // A redirect would answer for an address that nobody configured, or lose the token on the way.
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .build()
            .context("could not set up TLS")?;
        let token = token(options)?;
        Ok(Self {
            http,
            server: options.server.clone(),
            token,
        })
    }

    /// A request to a path below the server's address.
    pub fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        let url = self.server.join(path).context("that is no address")?;
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }
}

/// Sends, and reads the answer or the refusal.
pub async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    if status.is_redirection() {
        let location = response.headers().get("location");
        let location = location.and_then(|value| value.to_str().ok());
        return Err(Failure::Lasting(format!(
            "the server sends us elsewhere ({status} to {}): set COUNTERSIGN_SERVER to its final address",
            location.unwrap_or("nowhere")
        )));
    }
    let body = response.bytes().await.map_err(unreachable)?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| {
            Failure::Lasting(format!(
                "the server's answer is not one of Countersign's ({error}); is COUNTERSIGN_SERVER right, and this program as new as the server?"
            ))
        });
    }
    Err(refusal(status, retry_after, &body))
}

/// Sends until there is an answer for good, at most a few times. What is sent is the same each time, and counts once.
pub async fn insist<T: DeserializeOwned>(
    request: impl Fn() -> anyhow::Result<RequestBuilder>,
) -> anyhow::Result<T> {
    for attempt in 1.. {
        match answer(request()?.timeout(PATIENCE)).await {
            Ok(answer) => return Ok(answer),
            Err(failure @ Failure::Passing { retry_after, .. }) if attempt < ATTEMPTS => {
                let pause = retry_after
                    .unwrap_or(Duration::from_secs(1 << attempt.min(4)))
                    .min(Duration::from_secs(60));
                warn(format_args!(
                    "{failure}; trying again in {} s",
                    pause.as_secs()
                ));
                tokio::time::sleep(pause).await;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    bail!("gave up")
}

fn refusal(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Failure {
    let problem = serde_json::from_slice::<wire::Problem>(body).ok();
    let passing = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        );
    match (passing, problem) {
        (true, problem) => Failure::Passing {
            sentence: problem
                .as_ref()
                .map_or_else(|| format!("the server answered {status}"), refused),
            problem,
            retry_after,
        },
        (false, Some(problem)) => Failure::Refused(problem),
        (false, None) => Failure::Lasting(format!(
            "the server answered {status} in words that are not Countersign's; is COUNTERSIGN_SERVER right?"
        )),
    }
}

fn unreachable(error: reqwest::Error) -> Failure {
    let server = error.url().map(|url| url.origin().ascii_serialization());
    let server = server.unwrap_or_else(|| "the server".to_owned());
    // The last cause says what happened; those before it only say where in the program.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Failure::Passing {
        sentence: format!("could not reach {server}: {cause}"),
        problem: None,
        retry_after: None,
    }
}

/// The token, from the file if one is named. CI passes unset secrets as empty text, so empty is missing.
fn token(options: &ServerOptions) -> anyhow::Result<String> {
    let named = std::env::var_os("COUNTERSIGN_TOKEN_FILE").filter(|path| !path.is_empty());
    let text = match options.token_file.clone().or(named.map(PathBuf::from)) {
        Some(path) => std::fs::read_to_string(&path)
            .with_context(|| format!("could not read the token from {}", path.display()))?,
        None => std::env::var("COUNTERSIGN_TOKEN").unwrap_or_default(),
    };
    let token = text.trim();
    if token.is_empty() {
        bail!(
            "there is no token: put one into COUNTERSIGN_TOKEN, or its file into --token-file (`countersign token create` makes one)"
        );
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("the token has characters that no token has: was it cut or quoted on its way?");
    }
    Ok(token.to_owned())
}
