//! Code hosts: what they send, and with which signature.

use super::{GITEA_SECRET, GITLAB_SECRET, HOOK_SECRETS, TestServer, machines::Reply};
use reqwest::{Client, RequestBuilder};
use ring::hmac;
use serde_json::Value;
use std::fmt::Write as _;

/// One delivery, which a test may change before it is sent.
#[derive(Clone)]
pub struct Delivery {
    pub host: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Delivery {
    /// As GitHub would send it, signed with the newer secret.
    pub fn github(id: &str, event: &str, body: &str) -> Self {
        let signature = signature(HOOK_SECRETS[1], body);
        Self::new("github", body)
            .with("x-github-event", event)
            .with("x-github-delivery", id)
            .with("x-hub-signature-256", &signature)
    }

    /// As a GitLab with an old token would send it.
    pub fn gitlab(id: &str, event: &str, body: &str) -> Self {
        Self::new("gitlab", body)
            .with("x-gitlab-event", event)
            .with("idempotency-key", id)
            .with("x-gitlab-token", GITLAB_SECRET)
    }

    /// As Gitea would send it: its signature is bare.
    pub fn gitea(id: &str, event: &str, body: &str) -> Self {
        let signature = signature(GITEA_SECRET, body);
        Self::new("gitea", body)
            .with("x-gitea-event", event)
            .with("x-gitea-delivery", id)
            .with("x-gitea-signature", signature.trim_start_matches("sha256="))
    }

    fn new(host: &'static str, body: &str) -> Self {
        let delivery = Self {
            host,
            headers: vec![],
            body: body.as_bytes().to_vec(),
        };
        delivery.with("content-type", "application/json")
    }

    /// The same with this header, and no other of that name.
    pub fn with(self, name: &str, value: &str) -> Self {
        let mut changed = self.without(name);
        changed.headers.push((name.to_owned(), value.to_owned()));
        changed
    }

    /// The same without that header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// The request that sends it to the server at this address.
    pub fn request(&self, http: &Client, url: &str) -> RequestBuilder {
        let mut request = http.post(url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }
}

/// As GitHub writes it.
pub fn signature(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in hmac::sign(&key, body.as_bytes()).as_ref() {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

impl TestServer {
    /// Sends a delivery, and says what came back.
    pub async fn delivers(&self, delivery: &Delivery) -> Reply {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().build().unwrap();
        let path = format!("/hooks/{}", delivery.host);
        let response = delivery
            .request(&http, &self.at(&path))
            .send()
            .await
            .unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        super::machines::assert_documented("POST", &path, status.as_u16());
        let text = response.text().await.unwrap();
        Reply {
            status,
            headers,
            json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    /// Works on deliveries until none is due.
    pub async fn works_on_deliveries(&self) {
        while server::jobs::deliveries::batch(&self.server).await.unwrap() > 0 {}
    }
}
