//! Who talks to a server: pipelines with a token, and people with a session.

use super::{changes::Change, site::Door};
use domain::{
    ids::PersonId,
    people::{Groups, Level},
    token::{Pattern, Scope},
};
use reqwest::{
    Response, Result,
    multipart::{Form, Part},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{
    Db,
    people::{self, Claims},
    sessions, tokens,
};

impl Door {
    /// Submits a change, as a pipeline does.
    pub async fn submits(&self, secret: &str, change: &Change) -> Result<Response> {
        let json = Part::text(change.json().to_string()).mime_str("application/json")?;
        let patch = Part::bytes(change.patch.clone());
        let form = Form::new().part("change", json).part("patch", patch);
        let request = self.http.put(self.at("/api/v1/changes"));
        request.bearer_auth(secret).multipart(form).send().await
    }

    /// Sends the form of a decision, as the page's own script does.
    pub async fn decides(&self, session: &str, form: &[(&str, String)]) -> Result<Response> {
        let request = self.http.post(self.at("/fn/decide"));
        request
            .header("cookie", format!("countersign={session}"))
            .header("sec-fetch-site", "same-origin")
            .header("accept", "application/json")
            .form(form)
            .send()
            .await
    }
}

/// The secret of a token for `acme/*` that may do everything that a pipeline does.
pub async fn token(db: &Db) -> String {
    let secret = format!("cs_test_{}", store::ids::new());
    let mut tx = db.begin().await.unwrap();
    let new = tokens::NewToken {
        name: "test",
        hash: Sha256::digest(secret.as_bytes()).into(),
        scopes: &[Scope::Submit, Scope::Gate, Scope::Read],
        repositories: &[Pattern::parse("acme/*").unwrap()],
        expires_at: tx.now() + time::Duration::DAY,
    };
    tokens::create(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    secret
}

/// A senior who signs in as the last steps of the company's sign-in do; their address is `<name>@halden.example`.
pub async fn senior(db: &Db, name: &str) -> PersonId {
    let mut tx = db.begin().await.unwrap();
    let claims = Claims {
        issuer: "https://sso.halden.example".to_owned(),
        subject: name.to_owned(),
        name: name.to_owned(),
        email: Some(format!("{name}@halden.example")),
        login: Some(name.to_owned()),
        levels: vec![Level::Senior],
        teams: vec![],
        roles: vec![],
        groups: Groups::Read,
    };
    let person = people::upsert_at_sign_in(&mut tx, &claims).await.unwrap();
    tx.commit().await.unwrap();
    person
}

/// Opens a session for somebody, and says what its cookie holds.
pub async fn session(db: &Db, person: PersonId) -> String {
    let id = tower_sessions::session::Id::default();
    let hash = Sha256::digest(id.0.to_le_bytes()).into();
    let session = sessions::Session {
        person: Some(person),
        data: json!({ "person": person }).to_string().into_bytes(),
        expires_at: db.now() + time::Duration::DAY,
    };
    let mut conn = db.pool().acquire().await.unwrap();
    let opened = sessions::create(&mut conn, &hash, &session, db.now());
    assert!(opened.await.unwrap());
    id.to_string()
}
