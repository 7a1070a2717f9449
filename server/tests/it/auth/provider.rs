//! An OpenID provider that tells the truth until a test makes it lie.

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use domain::Timestamp;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

pub const CLIENT_ID: &str = "countersign";
pub const CLIENT_SECRET: &str = "a secret that only the two of us know";

/// A provider on an address of its own.
#[derive(Clone)]
pub struct Provider {
    pub issuer: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    /// What it says it is.
    discovery: Value,
    /// What signs, and what is published.
    key: Key,
    jwks: Value,
    /// Who signs in next, as claims.
    person: Value,
    now: Timestamp,
    lie: Lie,
    /// Claims that only the user info endpoint tells.
    user_info: Value,
    codes: HashMap<String, Code>,
    /// How many times the keys were asked for.
    pub keys_asked: usize,
    /// What was asked for, the last time.
    scope: String,
    /// How the client proved itself, the last time.
    proof: Option<&'static str>,
    /// What the token endpoint answers instead.
    token_answer: Option<fn() -> Response>,
}

/// Changes an ID token before it is signed.
type Lie = Arc<dyn Fn(&mut IdToken) + Send + Sync>;

/// What was asked for with a code.
struct Code {
    nonce: String,
    challenge: String,
}

/// An ID token that is about to be signed.
pub struct IdToken {
    pub header: Value,
    pub claims: Value,
    pub signed: Signed,
}

/// How an ID token is signed.
pub enum Signed {
    By(Key),
    /// With the client's secret, which is no proof of anything.
    BySecret,
    NotAtAll,
}

/// A key pair.
#[derive(Clone)]
pub enum Key {
    P256 {
        id: String,
        pair: Arc<EcdsaKeyPair>,
    },
    Rsa {
        id: String,
        key: Arc<rsa::RsaPrivateKey>,
    },
}

/// One for all tests: making one takes long. Short, because nobody attacks a test.
static RSA: LazyLock<Arc<rsa::RsaPrivateKey>> =
    LazyLock::new(|| Arc::new(rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap()));

impl Key {
    pub fn p256(id: &str) -> Self {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
                .unwrap();
        Key::P256 {
            id: id.to_owned(),
            pair: Arc::new(pair),
        }
    }

    pub fn rsa(id: &str) -> Self {
        Key::Rsa {
            id: id.to_owned(),
            key: RSA.clone(),
        }
    }

    fn header(&self) -> Value {
        match self {
            Key::P256 { id, .. } => json!({ "alg": "ES256", "typ": "JWT", "kid": id }),
            Key::Rsa { id, .. } => json!({ "alg": "RS256", "typ": "JWT", "kid": id }),
        }
    }

    /// The half that is published.
    pub fn jwk(&self) -> Value {
        use rsa::traits::PublicKeyParts as _;
        match self {
            Key::P256 { id, pair } => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
                        "x": text(&point[1..33]), "y": text(&point[33..65]) })
            }
            Key::Rsa { id, key } => {
                json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
                        "n": text(&key.n().to_bytes_be()), "e": text(&key.e().to_bytes_be()) })
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Key::P256 { pair, .. } => pair
                .sign(&SystemRandom::new(), message)
                .unwrap()
                .as_ref()
                .to_vec(),
            Key::Rsa { key, .. } => key.sign(pkcs1_sha256(), &Sha256::digest(message)).unwrap(),
        }
    }
}

/// What says in a signature that the hash is a SHA-256 (RFC 8017, 9.2).
fn pkcs1_sha256() -> rsa::Pkcs1v15Sign {
    const PREFIX: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    rsa::Pkcs1v15Sign {
        hash_len: Some(32),
        prefix: Box::new(PREFIX),
    }
}

impl Provider {
    /// Starts one whose clock shows `now`.
    pub async fn start(now: Timestamp) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = Key::p256("first");
        let inner = Inner {
            discovery: discovery(&issuer),
            jwks: json!({ "keys": [key.jwk()] }),
            key,
            person: person("ben"),
            now,
            lie: Arc::new(|_| {}),
            user_info: json!({}),
            codes: HashMap::new(),
            keys_asked: 0,
            scope: String::new(),
            proof: None,
            token_answer: None,
        };
        let provider = Self {
            issuer,
            inner: Arc::new(Mutex::new(inner)),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// Who signs in from now on.
    pub fn person(&self, claims: Value) {
        self.inner.lock().unwrap().person = claims;
    }

    /// Changes every ID token from now on.
    pub fn lie(&self, lie: impl Fn(&mut IdToken) + Send + Sync + 'static) {
        self.inner.lock().unwrap().lie = Arc::new(lie);
    }

    /// Says something else of itself.
    pub fn discovery(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.inner.lock().unwrap().discovery);
    }

    /// Publishes these keys.
    pub fn publish(&self, keys: &[Value]) {
        self.inner.lock().unwrap().jwks = json!({ "keys": keys });
    }

    /// Signs with another key, and publishes only that.
    pub fn rotate(&self, key: Key) {
        let mut inner = self.inner.lock().unwrap();
        inner.jwks = json!({ "keys": [key.jwk()] });
        inner.key = key;
    }

    /// What the user info endpoint tells beside the subject.
    pub fn user_info(&self, claims: Value) {
        self.inner.lock().unwrap().user_info = claims;
    }

    /// What the token endpoint answers from now on.
    pub fn token_answer(&self, answer: fn() -> Response) {
        self.inner.lock().unwrap().token_answer = Some(answer);
    }

    /// How the client proved itself the last time: `basic` or `post`.
    pub fn proof(&self) -> Option<&'static str> {
        self.inner.lock().unwrap().proof
    }

    /// What was asked for, the last time.
    pub fn scope(&self) -> String {
        self.inner.lock().unwrap().scope.clone()
    }

    /// How often the keys were asked for.
    pub fn keys_asked(&self) -> usize {
        self.inner.lock().unwrap().keys_asked
    }

    /// The key that signs.
    pub fn key(&self) -> Key {
        self.inner.lock().unwrap().key.clone()
    }
}

/// The claims of a senior of `payments`.
pub fn person(login: &str) -> Value {
    json!({ "sub": login, "name": format!("The person {login}"), "preferred_username": login,
            "email": format!("{login}@halden.example"), "email_verified": true, "groups": ["eng-senior", "team-payments"] })
}

fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/end"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    })
}

async fn configuration(State(provider): State<Provider>) -> Json<Value> {
    Json(provider.inner.lock().unwrap().discovery.clone())
}

async fn jwks(State(provider): State<Provider>) -> Json<Value> {
    let mut inner = provider.inner.lock().unwrap();
    inner.keys_asked += 1;
    Json(inner.jwks.clone())
}

/// Signs the person in without asking, and sends the browser back.
async fn authorize(
    State(provider): State<Provider>,
    Query(asked): Query<HashMap<String, String>>,
) -> Redirect {
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["client_id"], CLIENT_ID);
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
    let mut inner = provider.inner.lock().unwrap();
    inner.scope = asked["scope"].clone();
    let code = format!("code-{}", inner.codes.len());
    let wanted = Code {
        nonce: asked["nonce"].clone(),
        challenge: asked["code_challenge"].clone(),
    };
    inner.codes.insert(code.clone(), wanted);
    let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &asked["state"])
        .append_pair("iss", &provider.issuer);
    Redirect::to(back.as_str())
}

/// Gives tokens for a code, once, to the client that proves to be the one that began.
async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mut inner = provider.inner.lock().unwrap();
    if let Some(answer) = inner.token_answer {
        return answer();
    }
    inner.proof = proof(&headers, &form);
    let Some(code) = form.get("code").and_then(|code| inner.codes.remove(code)) else {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_grant" })),
        )
            .into_response();
    };
    let verifier = Sha256::digest(form["code_verifier"].as_bytes());
    if inner.proof.is_none() || text(&verifier) != code.challenge {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_client" })),
        )
            .into_response();
    }
    let id_token = id_token(&inner, &provider.issuer, &code.nonce);
    let answer = json!({ "access_token": "open", "token_type": "Bearer", "expires_in": 60, "id_token": id_token });
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

fn proof(headers: &HeaderMap, form: &HashMap<String, String>) -> Option<&'static str> {
    let secret: String = url::form_urlencoded::byte_serialize(CLIENT_SECRET.as_bytes()).collect();
    let basic = format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{CLIENT_ID}:{secret}"))
    );
    match headers.get(header::AUTHORIZATION) {
        Some(sent) if *sent == HeaderValue::from_str(&basic).unwrap() => Some("basic"),
        None if form
            .get("client_secret")
            .is_some_and(|sent| sent == CLIENT_SECRET) =>
        {
            Some("post")
        }
        _ => None,
    }
}

fn id_token(inner: &Inner, issuer: &str, nonce: &str) -> String {
    let now = inner.now.unix_timestamp();
    let mut claims =
        json!({ "iss": issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 600, "nonce": nonce });
    for (name, value) in inner.person.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let mut token = IdToken {
        header: inner.key.header(),
        claims,
        signed: Signed::By(inner.key.clone()),
    };
    (inner.lie)(&mut token);
    let signed = format!(
        "{}.{}",
        text(token.header.to_string().as_bytes()),
        text(token.claims.to_string().as_bytes())
    );
    let signature = match token.signed {
        Signed::By(key) => key.sign(signed.as_bytes()),
        Signed::BySecret => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
            hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
        }
        Signed::NotAtAll => vec![],
    };
    format!("{signed}.{}", text(&signature))
}

/// The user info, for whoever brings the access token in the header.
async fn me(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    if headers.get(header::AUTHORIZATION) != Some(&HeaderValue::from_static("Bearer open")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let inner = provider.inner.lock().unwrap();
    let mut claims = json!({ "sub": inner.person["sub"] });
    for (name, value) in inner.user_info.as_object().unwrap() {
        claims[name] = value.clone();
    }
    Json(claims).into_response()
}

/// The first half of the hash of an access token, as `at_hash` has it.
pub fn at_hash(access_token: &str) -> String {
    text(&Sha256::digest(access_token.as_bytes())[..16])
}

fn text(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
