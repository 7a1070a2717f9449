//! A server that signs people in at a provider of its own, and browsers with their cookies.

use super::provider::{CLIENT_ID, CLIENT_SECRET, Provider};
use crate::support::{as_the_application, make_role};
use domain::{ids::PersonId, people::Person};
use reqwest::{
    StatusCode,
    cookie::{CookieStore, Jar},
    header::{HeaderMap, LOCATION},
};
use server::{serve, settings::Settings, state::Server};
use sqlx::PgPool;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use store::{Clock, Db, people};
use time::{Duration, macros::datetime};
use url::Url;

/// When every test begins.
pub const BEGINNING: domain::Timestamp = datetime!(2026-11-20 12:00 UTC);

/// A server, its database and its provider.
pub struct Site {
    pub owner: PgPool,
    pub db: Db,
    pub provider: Provider,
    pub url: Url,
    clock: Arc<Mutex<domain::Timestamp>>,
}

impl Site {
    pub async fn new(owner: PgPool) -> Self {
        Self::with(owner, &[]).await
    }

    /// With some settings of its own.
    pub async fn with(owner: PgPool, own: &[(&str, &str)]) -> Self {
        make_role(&owner).await;
        let clock = Arc::new(Mutex::new(BEGINNING));
        let pool = as_the_application(&owner, 5);
        let db = Db::new(pool, Clock::Set(clock.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let provider = Provider::start(BEGINNING).await;
        let settings = settings(&url, &provider, own);
        let server = Server::new(db.clone(), settings).unwrap();
        let router = serve::router(server)
            .unwrap()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            owner,
            db,
            provider,
            url,
            clock,
        }
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        *self.clock.lock().unwrap() += duration;
    }

    /// A browser without any cookie.
    pub fn browser(&self) -> Browser {
        let jar = Arc::new(Jar::default());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .cookie_provider(jar.clone())
            .timeout(std::time::Duration::from_secs(20))
            .build()
            .unwrap();
        Browser {
            url: self.url.clone(),
            jar,
            http,
        }
    }

    /// A browser in which somebody signed in.
    pub async fn signed_in(&self, login: &str) -> Browser {
        self.provider.person(super::provider::person(login));
        let browser = self.browser();
        assert_eq!(browser.sign_in("/").await, "/");
        browser
    }

    /// Everybody who ever signed in.
    pub async fn everybody(&self) -> Vec<Person> {
        let mut tx = self.db.read().await.unwrap();
        let ids = people::all(tx.conn()).await.unwrap();
        people::load_all(tx.conn(), &ids).await.unwrap()
    }

    /// The one person who ever signed in.
    pub async fn only_person(&self) -> Person {
        let mut everybody = self.everybody().await;
        assert_eq!(everybody.len(), 1, "{everybody:?}");
        everybody.remove(0)
    }

    pub async fn deactivate(&self, person: PersonId) {
        let mut tx = self.db.begin().await.unwrap();
        people::deactivate(&mut tx, person).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn settings(url: &Url, provider: &Provider, own: &[(&str, &str)]) -> Settings {
    let common = [
        ("DATABASE_URL", "postgres://not-used/"),
        ("COUNTERSIGN_URL", url.as_str()),
        ("COUNTERSIGN_OIDC_ISSUER", &provider.issuer),
        ("COUNTERSIGN_OIDC_CLIENT_ID", CLIENT_ID),
        ("COUNTERSIGN_OIDC_CLIENT_SECRET", CLIENT_SECRET),
        (
            "COUNTERSIGN_LEVEL_GROUPS",
            "junior=eng-junior,mid=eng-mid,senior=eng-senior",
        ),
        ("COUNTERSIGN_TEAM_GROUPS", "payments=team-payments"),
        ("COUNTERSIGN_ADMIN_GROUPS", "countersign-admins"),
    ];
    Settings::read(|name| {
        let mut all = own.iter().chain(&common);
        all.find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    })
    .unwrap()
}

/// A browser: it keeps cookies, follows no redirect by itself, and says where its forms stand.
pub struct Browser {
    url: Url,
    jar: Arc<Jar>,
    http: reqwest::Client,
}

/// What a browser got.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
}

impl Browser {
    /// Goes the whole way to the provider and back, and says where it ended: a path of ours.
    pub async fn sign_in(&self, next: &str) -> String {
        let back = self.back_from_provider(next).await;
        self.get(&back).await.local_path(&self.url)
    }

    /// Goes to the provider and says the address that this sends it back to.
    pub async fn back_from_provider(&self, next: &str) -> String {
        let start = self.start(next).await;
        self.get(&start.location()).await.location()
    }

    /// Begins to sign in.
    pub async fn start(&self, next: &str) -> Page {
        let mut start = self.url.join("/auth/start").unwrap();
        start.query_pairs_mut().append_pair("next", next);
        self.get(start.as_str()).await
    }

    /// Opens an address, of ours or of anybody.
    pub async fn get(&self, address: &str) -> Page {
        let url = self.url.join(address).unwrap();
        Page::of(self.http.get(url).header("accept", "text/html")).await
    }

    /// Sends a form of one of our pages.
    pub async fn post(&self, path: &str) -> Page {
        self.post_from(&self.url.origin().ascii_serialization(), path)
            .await
    }

    /// Sends a form of some page.
    pub async fn post_from(&self, origin: &str, path: &str) -> Page {
        let url = self.url.join(path).unwrap();
        let request = self
            .http
            .post(url)
            .header("accept", "text/html")
            .header("origin", origin);
        Page::of(request.header("referer", format!("{origin}/changes/1?file=2"))).await
    }

    /// Whether a page that is for people who are signed in opens.
    pub async fn is_signed_in(&self) -> bool {
        let page = self.get("/decisions").await;
        match page.status {
            StatusCode::OK => true,
            StatusCode::SEE_OTHER => false,
            status => panic!("{status}: {page:?}"),
        }
    }

    /// The value of the session's cookie.
    pub fn session(&self) -> Option<String> {
        let cookies = self.jar.cookies(&self.url)?;
        let cookies = cookies.to_str().unwrap().to_owned();
        let pair = cookies
            .split("; ")
            .find_map(|pair| pair.strip_prefix("countersign="));
        pair.map(str::to_owned)
    }

    /// For requests that no form makes.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Has somebody put a cookie into it.
    pub fn set_cookie(&self, cookie: &str) {
        self.jar.add_cookie_str(cookie, &self.url);
    }
}

impl Page {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
        }
    }

    /// Where it leads.
    pub fn location(&self) -> String {
        let location = self.headers.get(LOCATION);
        let location = location.unwrap_or_else(|| panic!("leads nowhere: {self:?}"));
        location.to_str().unwrap().to_owned()
    }

    fn local_path(&self, site: &Url) -> String {
        let url = site.join(&self.location()).unwrap();
        assert_eq!(url.origin(), site.origin(), "it leads away");
        url[url::Position::BeforePath..].to_owned()
    }
}
