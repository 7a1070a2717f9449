//! Pipelines: clients with a token.

use super::{TestServer, changes::Change};
use domain::{
    ids::TokenId,
    names::{CommitSha, RepositoryName},
};
use reqwest::{
    Client, RequestBuilder, StatusCode,
    multipart::{Form, Part},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;
use store::gates::Asking;

/// A client with a token.
#[derive(Clone)]
pub struct Machine {
    pub t: TestServer,
    pub secret: String,
    pub id: TokenId,
    pub http: Client,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Machine {
    #[expect(
        clippy::disallowed_methods,
        reason = "a client of a test talks to 127.0.0.1 only"
    )]
    pub fn new(t: TestServer, secret: String, id: TokenId) -> Self {
        // Without a provider for TLS there is no client, even for plain http.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            t,
            secret,
            id,
            http: Client::new(),
        }
    }

    /// The same token at another server.
    pub fn at(&self, t: &TestServer) -> Self {
        Self {
            t: t.clone(),
            ..self.clone()
        }
    }

    /// The question about a commit, as the gate's desk is asked it.
    pub fn asking(&self, commit: &str) -> Asking {
        Asking {
            token: Sha256::digest(self.secret.as_bytes()).into(),
            repository: RepositoryName::parse("acme/payments").unwrap(),
            commit: CommitSha::parse(commit).unwrap(),
            target: None,
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.http.get(self.t.at(path))).await
    }

    /// The first decisions of the stream, once it shows so many: a transaction of anybody in the cluster holds it back.
    pub async fn streamed(&self, count: usize) -> Value {
        for _ in 0..600 {
            let reply = self.get("/api/v1/decisions").await;
            let decisions = &reply.json["decisions"];
            if decisions.as_array().is_some_and(|all| all.len() >= count) {
                return decisions.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the stream never showed {count} decisions");
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.http.post(self.t.at(path)).json(&body)).await
    }

    /// Asks the gate about a commit of `acme/payments`.
    pub async fn gate(&self, commit: &str) -> Reply {
        self.get(&format!(
            "/api/v1/gate?repository=acme/payments&commit={commit}"
        ))
        .await
    }

    /// Submits a change, which must be taken.
    pub async fn submit(&self, change: &Change) -> Reply {
        let reply = self.try_to_submit(change).await;
        assert!(reply.status.is_success(), "{reply:?}");
        reply
    }

    /// Submits a change and says what came back.
    pub async fn try_to_submit(&self, change: &Change) -> Reply {
        let json = Part::text(change.json().to_string())
            .mime_str("application/json")
            .unwrap();
        let patch = Part::bytes(change.patch.clone());
        self.put(Form::new().part("change", json).part("patch", patch))
            .await
    }

    pub async fn put(&self, form: Form) -> Reply {
        self.send(self.http.put(self.t.at("/api/v1/changes")).multipart(form))
            .await
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let request = request.bearer_auth(&self.secret).build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        assert_documented(method.as_str(), &path, status.as_u16());
        let text = response.text().await.unwrap();
        Reply {
            status,
            headers,
            json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }
}

impl Reply {
    /// `allow`, `verdict` and the codes of the reasons of an answer of the gate.
    pub fn answer(&self) -> (bool, &str, Vec<&str>) {
        let codes = self.json["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reason| reason["code"].as_str().unwrap());
        (
            self.json["allow"].as_bool().unwrap(),
            self.json["verdict"].as_str().unwrap(),
            codes.collect(),
        )
    }

    /// The status and the kind of a problem, which must be a whole document.
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.json["status"], self.status.as_u16());
        assert_eq!(
            self.json["request_id"],
            self.headers["x-request-id"].to_str().unwrap()
        );
        assert!(
            self.json["detail"]
                .as_str()
                .is_some_and(|detail| detail.ends_with('.')),
            "{self:?}"
        );
        (
            self.status.as_u16(),
            self.json["type"]
                .as_str()
                .unwrap()
                .strip_prefix("/problems/")
                .unwrap(),
        )
    }
}

/// Whatever a test makes the API answer is in its document, or the document is wrong. Addresses that it does not have are
/// nobody's promise, nor is it promised that something goes wrong inside.
pub fn assert_documented(method: &str, path: &str, status: u16) {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::to_value(server::api::routes().1).unwrap());
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let Some((_, operations)) = paths.iter().find(|(route, _)| leads_to(route, path)) else {
        return;
    };
    let responses = &operations[method.to_lowercase()]["responses"];
    assert!(
        status == 500 || responses.is_null() || responses.get(status.to_string()).is_some(),
        "{method} {path} answered {status}, which /openapi.json does not name"
    );
}

fn leads_to(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len()
        && route
            .iter()
            .zip(path)
            .all(|(part, given)| part.starts_with('{') || *part == given)
}
