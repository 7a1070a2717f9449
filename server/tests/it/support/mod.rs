//! A server of its own for each test, on a database of its own, run as the application's role.

pub mod browsers;
pub mod changes;
pub mod hosts;
pub mod machines;
pub mod people;
pub mod sockets;

use domain::{
    ids::ChangeId,
    token::{Pattern, Scope},
};
use server::{connections, serve, settings::Settings, state::Server};
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, Postgres, Transaction, postgres::PgPoolOptions};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use store::{Clock, Db, tokens};
use time::{Duration, macros::datetime};

/// When every test begins.
pub const BEGINNING: domain::Timestamp = datetime!(2026-11-20 12:00 UTC);

/// The role that the server runs as, in all test databases of a cluster, and its password where the cluster asks for one.
const ROLE: &str = "countersign_it";

/// What GitHub signs its deliveries with in tests: an old secret and the one that replaces it. Gitea is not connected.
pub const HOOK_SECRETS: [&str; 2] = ["an-old-secret-of-github", "another-secret-of-github"];

/// What GitLab sends along in tests.
pub const GITLAB_SECRET: &str = "a-token-of-gitlab";

/// What Gitea signs with in tests that ask it.
pub const GITEA_SECRET: &str = "a-secret-of-gitea";

/// The repositories of which GitHub tells in tests. Other tests submit to `acme/payments`, which no host is asked about.
const HOOKED: &str = "hosted/*,codertocat/*,octo-org/*,electron/*,github/*";

/// How many connections to the database a server has unless told.
const CONNECTIONS: u32 = 8;

/// One server over one database. A second one over the same: [`TestServer::another`].
#[derive(Clone)]
pub struct TestServer {
    /// As the owner, who may look at everything.
    pub owner: PgPool,
    /// As the application.
    pub db: Db,
    pub server: Server,
    pub address: SocketAddr,
    clock: Arc<Mutex<domain::Timestamp>>,
}

impl TestServer {
    /// A server over the migrated, empty database that `#[sqlx::test]` made.
    pub async fn new(owner: PgPool) -> Self {
        make_role(&owner).await;
        Self::over(
            owner,
            Arc::new(Mutex::new(BEGINNING)),
            CONNECTIONS,
            settings,
        )
        .await
    }

    /// Another server, set up otherwise.
    pub async fn with(&self, set: impl FnOnce(&mut Settings)) -> Self {
        let settings = |address| {
            let mut settings = settings(address);
            set(&mut settings);
            settings
        };
        Self::over(
            self.owner.clone(),
            self.clock.clone(),
            CONNECTIONS,
            settings,
        )
        .await
    }

    /// Another server, with these variables beside those of all.
    pub async fn set_up(&self, more: &[(String, String)]) -> Self {
        let settings = |address| settings_and(address, more);
        Self::over(
            self.owner.clone(),
            self.clock.clone(),
            CONNECTIONS,
            settings,
        )
        .await
    }

    /// Another server, with as many connections to the database.
    pub async fn with_connections(&self, connections: u32) -> Self {
        Self::over(
            self.owner.clone(),
            self.clock.clone(),
            connections,
            settings,
        )
        .await
    }

    /// Another server process over the same database and clock, as far as one process can play two.
    pub async fn another(&self) -> Self {
        self.with_connections(CONNECTIONS).await
    }

    /// A transaction of the owner that holds what this statement locks.
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody gives it up while it begins"
    )]
    pub async fn holding(&self, sql: &'static str) -> Transaction<'static, Postgres> {
        let mut tx = self.owner.begin().await.unwrap();
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
        tx
    }

    async fn over(
        owner: PgPool,
        clock: Arc<Mutex<domain::Timestamp>>,
        connections: u32,
        settings: impl FnOnce(SocketAddr) -> Settings,
    ) -> Self {
        let pool = as_the_application(&owner, connections);
        let db = Db::new(pool, Clock::Set(clock.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(db.clone(), settings(address)).unwrap();
        let (routes, patience) = (
            serve::router(server.clone()).unwrap(),
            server.settings.patience,
        );
        tokio::spawn(connections::serve(
            listener,
            routes,
            patience,
            server.stop.clone(),
        ));
        Self {
            owner,
            db,
            server,
            address,
            clock,
        }
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        *self.clock.lock().unwrap() += duration;
    }

    /// An address of this server.
    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The id of a change.
    pub async fn id_of(&self, change: &changes::Change) -> ChangeId {
        let id = sqlx::query_scalar(
            "select c.id from change c join repository r on r.id = c.repository_id where r.folded = lower($1) and c.key = $2",
        );
        let id = id.bind(change.repository()).bind(&change.key);
        ChangeId(id.fetch_one(&self.owner).await.unwrap())
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &'static str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(sql)
            .fetch_one(&self.owner)
            .await
            .unwrap()
    }

    /// Returns when a question waits at this server.
    pub async fn somebody_waits(&self) {
        let waits = async {
            while self.server.watch.waiting() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), waits)
            .await
            .expect("a question that waits");
    }

    /// Returns when `n` connections to this database wait for a lock.
    pub async fn locked_out(&self, n: i64) {
        let wait = async {
            let asked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
            while sqlx::query_scalar::<_, i64>(asked)
                .fetch_one(&self.owner)
                .await
                .unwrap()
                < n
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), wait)
            .await
            .unwrap_or_else(|_| panic!("{n} connections that wait for a lock"));
    }

    /// A client with a token for `acme/*` that may do everything that a pipeline does.
    pub async fn ci(&self) -> machines::Machine {
        self.machine(&[Scope::Submit, Scope::Gate, Scope::Read], "acme/*")
            .await
    }

    /// A client with a token of its own.
    pub async fn machine(&self, scopes: &[Scope], repositories: &str) -> machines::Machine {
        let secret = format!("cs_test_{}", store::ids::new());
        let mut tx = self.db.begin().await.unwrap();
        let new = tokens::NewToken {
            name: "test",
            hash: Sha256::digest(secret.as_bytes()).into(),
            scopes,
            repositories: &[Pattern::parse(repositories).unwrap()],
            expires_at: tx.now() + Duration::days(90),
        };
        let id = tokens::create(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        machines::Machine::new(self.clone(), secret, id)
    }
}

/// Makes the role that servers run as, and lets it do in this database what it may.
pub async fn make_role(owner: &PgPool) {
    let mut conn = owner.acquire().await.unwrap();
    store::roles::ensure(&mut conn, ROLE, Some(ROLE))
        .await
        .unwrap();
    store::roles::grant(&mut conn, ROLE).await.unwrap();
}

/// Connections to the owner's database as that role.
pub fn as_the_application(owner: &PgPool, connections: u32) -> PgPool {
    let options = (*owner.connect_options())
        .clone()
        .username(ROLE)
        .password(ROLE);
    PgPoolOptions::new()
        .max_connections(connections)
        // Kept open, connections hold up the dropping of the test's database for five seconds; and so does one that is opened
        // before anybody wants it.
        .after_release(|_, _| Box::pin(async { Ok(false) }))
        .connect_lazy_with(options)
}

fn settings(address: SocketAddr) -> Settings {
    settings_and(address, &[])
}

fn settings_and(address: SocketAddr, more: &[(String, String)]) -> Settings {
    let url = format!("http://{address}");
    Settings::read(|name| {
        if let Some((_, value)) = more.iter().find(|(known, _)| known == name) {
            return Some(value.clone());
        }
        Some(match name {
            "DATABASE_URL" => "postgres://not-used/".to_owned(),
            "COUNTERSIGN_URL" => url.clone(),
            "COUNTERSIGN_OIDC_ISSUER" => "http://127.0.0.1:9".to_owned(),
            "COUNTERSIGN_OIDC_CLIENT_ID" => "countersign".to_owned(),
            "COUNTERSIGN_OIDC_CLIENT_SECRET" => "not-used".to_owned(),
            "COUNTERSIGN_OIDC_NAME" => "Halden SSO".to_owned(),
            "COUNTERSIGN_LEVEL_GROUPS" => {
                "junior=eng-junior,mid=eng-mid,senior=eng-senior".to_owned()
            }
            "COUNTERSIGN_GITHUB_HOOK_SECRET" => HOOK_SECRETS.join("\n"),
            "COUNTERSIGN_GITHUB_REPOSITORIES" => HOOKED.to_owned(),
            "COUNTERSIGN_GITLAB_HOOK_SECRET" => GITLAB_SECRET.to_owned(),
            "COUNTERSIGN_GITLAB_REPOSITORIES" => "halden/*".to_owned(),
            "COUNTERSIGN_ADMIN_GROUPS" => "countersign-admins".to_owned(),
            _ => return None,
        })
    })
    .unwrap()
}
