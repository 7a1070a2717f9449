//! The real server as a process that may be killed, and what everybody knows of it.

use super::cluster::{Cluster, free_port};
use reqwest::Client;
use std::{
    collections::BTreeMap,
    fs,
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// What GitHub signs its deliveries with.
pub const HOOK_SECRET: &str = "a-secret-of-github";

/// The process, and how to start it again.
pub struct Site {
    process: Child,
    environment: Vec<(&'static str, String)>,
    dir: TempDir,
    pub door: Door,
}

/// Where it is reached, whichever process answers there.
#[derive(Clone)]
pub struct Door {
    pub http: Client,
    pub url: String,
}

impl Site {
    /// Migrates the cluster's database and serves it.
    pub async fn start(cluster: &Cluster) -> Self {
        let url = format!("http://127.0.0.1:{}", free_port());
        let environment = vec![
            ("DATABASE_URL", cluster.address("app")),
            ("COUNTERSIGN_OWNER_URL", cluster.address("postgres")),
            ("COUNTERSIGN_URL", url.clone()),
            (
                "COUNTERSIGN_LISTEN",
                url.trim_start_matches("http://").to_owned(),
            ),
            ("COUNTERSIGN_LIMIT_DECIDE", "100000".to_owned()),
            ("COUNTERSIGN_LIMIT_SUBMIT", "100000".to_owned()),
            ("COUNTERSIGN_OIDC_ISSUER", "http://127.0.0.1:9".to_owned()),
            ("COUNTERSIGN_OIDC_CLIENT_ID", "countersign".to_owned()),
            ("COUNTERSIGN_OIDC_CLIENT_SECRET", "not-used".to_owned()),
            ("COUNTERSIGN_LEVEL_GROUPS", "senior=eng-senior".to_owned()),
            ("COUNTERSIGN_GITHUB_HOOK_SECRET", HOOK_SECRET.to_owned()),
            ("COUNTERSIGN_GITHUB_REPOSITORIES", "hosted/*".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        let dir = tempfile::tempdir().unwrap();
        let migrated = countersign(&environment, "migrate").output().await.unwrap();
        assert!(
            migrated.status.success(),
            "{}",
            String::from_utf8_lossy(&migrated.stderr)
        );
        // Without a provider for TLS there is no client, even for plain http.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .timeout(Duration::from_secs(15))
            .build()
            .unwrap();
        let mut site = Self {
            process: serve(&environment, &dir),
            environment,
            dir,
            door: Door { http, url },
        };
        site.is_ready().await;
        site
    }

    /// Kills it and starts it again.
    pub async fn crashes(&mut self) {
        self.process.kill().await.unwrap();
        self.process = serve(&self.environment, &self.dir);
    }

    /// Returns when it does its work, as its own `/readyz` says.
    pub async fn is_ready(&mut self) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.door.http.get(self.door.at("/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(Instant::now() < until, "it is not ready:\n{}", self.log());
            // It does not start without a database, and whoever runs it starts it again.
            if self.process.try_wait().unwrap().is_some() {
                self.process = serve(&self.environment, &self.dir);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it logged: each error once, with how often it was there.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        let mut errors = BTreeMap::<&str, usize>::new();
        for (_, error) in text.lines().filter_map(|line| line.split_once(" ERROR ")) {
            *errors.entry(error).or_default() += 1;
        }
        let lines = errors
            .iter()
            .map(|(error, times)| format!("{times} times: {error}\n"));
        lines.collect()
    }
}

impl Door {
    /// An address of the server.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

fn serve(environment: &[(&'static str, String)], dir: &TempDir) -> Child {
    let log = fs::File::options()
        .append(true)
        .create(true)
        .open(dir.path().join("log"))
        .unwrap();
    let mut command = countersign(environment, "serve");
    command
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// A call of the binary with these settings and nothing else of this machine's.
fn countersign(environment: &[(&'static str, String)], subcommand: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command
        .arg(subcommand)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for (name, value) in environment {
        command.env(name, value);
    }
    command
}
