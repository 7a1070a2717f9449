//! A Postgres of our own, which may be killed, and is gone when the test is over.

use sqlx::{Connection as _, PgConnection};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A cluster with one database, `countersign`.
pub struct Cluster {
    // Dropped in this order: the processes before their files.
    postmaster: Postmaster,
    dir: TempDir,
    port: u16,
    programs: PathBuf,
    settings: &'static [&'static str],
}

impl Cluster {
    /// Makes one and starts it with these settings and those that each has.
    pub async fn start(settings: &'static [&'static str]) -> Self {
        let programs = programs();
        let dir = tempfile::tempdir().unwrap();
        if let Some((user, group)) = somebody_ordinary() {
            chown(dir.path(), Some(user), Some(group)).unwrap();
        }
        let data = dir.path().join("data");
        let made = ordinarily(&programs.join("initdb"))
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "initdb failed: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let port = free_port();
        let mut cluster = Self {
            postmaster: Postmaster::start(&programs, dir.path(), port, settings),
            dir,
            port,
            programs,
            settings,
        };
        cluster.answers().await;
        let mut owner = PgConnection::connect(&cluster.url("postgres", "postgres"))
            .await
            .unwrap();
        sqlx::query("create database countersign")
            .execute(&mut owner)
            .await
            .unwrap();
        cluster
    }

    /// The address of its database `countersign` for a role.
    pub fn address(&self, role: &str) -> String {
        self.url(role, "countersign")
    }

    /// Kills all of it at once, as a machine that loses power would, and starts it again.
    pub async fn loses_power(&mut self) {
        self.postmaster.kill();
        self.restarts();
        self.answers().await;
    }

    /// Kills one process that serves the application. Postgres then ends all others and recovers by itself.
    pub async fn loses_a_backend(&mut self) {
        let Some(backend) = self.postmaster.backends().pop() else {
            return;
        };
        kill(&[backend]);
        // Not before the old ones are gone does an answer mean that it has recovered.
        let gone = Instant::now() + PATIENCE;
        while Path::new(&format!("/proc/{backend}")).exists() && Instant::now() < gone {
            tokio::task::yield_now().await;
        }
        self.answers().await;
    }

    async fn answers(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let asked = PgConnection::connect(&self.url("postgres", "postgres")).await;
            let error = match asked {
                Ok(connection) => return connection.close().await.unwrap_or_default(),
                Err(error) => error,
            };
            let log = self.dir.path().join("log");
            assert!(
                Instant::now() < until,
                "Postgres does not answer: {error}\n{}",
                end_of(&log)
            );
            // What is left of the one before may still hold its memory for a moment.
            if self.postmaster.is_over() {
                self.restarts();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn restarts(&mut self) {
        self.postmaster =
            Postmaster::start(&self.programs, self.dir.path(), self.port, self.settings);
    }

    fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }
}

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running postmaster; killed with all its children when dropped.
struct Postmaster(Child);

impl Postmaster {
    fn start(programs: &Path, dir: &Path, port: u16, settings: &[&str]) -> Self {
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(dir.join("log"))
            .unwrap();
        let mut command = ordinarily(&programs.join("postgres"));
        command
            .arg("-D")
            .arg(dir.join("data"))
            .args(["-p", &port.to_string()]);
        for setting in SETTINGS.iter().chain(settings) {
            command.args(["-c", setting]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Self(child.unwrap())
    }

    /// Kills it and every child that it has.
    fn kill(&mut self) {
        let mut all = self.children();
        all.insert(0, self.0.id());
        kill(&all);
        self.0.wait().unwrap();
    }

    fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// The processes that serve the application.
    fn backends(&self) -> Vec<u32> {
        let serves = |pid: &u32| {
            let title = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&title).starts_with("postgres: app ")
        };
        self.children().into_iter().filter(serves).collect()
    }

    fn children(&self) -> Vec<u32> {
        let parent = self.0.id().to_string();
        let pids = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        let is_child = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The name, in parentheses, may hold anything; then come the state and the parent.
            let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
            after.split(' ').nth(1) == Some(&parent)
        };
        pids.filter(is_child).collect()
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if !self.is_over() {
            self.kill();
        }
    }
}

/// What each has.
const SETTINGS: [&str; 2] = ["listen_addresses=127.0.0.1", "unix_socket_directories="];

/// `kill -9`.
fn kill(pids: &[u32]) {
    // Some may be gone already, which is as good.
    let _ = Command::new("kill")
        .arg("-9")
        .args(pids.iter().map(u32::to_string))
        .stderr(Stdio::null())
        .status();
}

/// The newest Postgres that is installed.
fn programs() -> PathBuf {
    let by_version = |dir: &PathBuf| {
        let version = dir
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    };
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = std::env::split_paths(&path).chain(debian).collect();
    all.retain(|dir| dir.join("initdb").exists() && dir.join("postgres").exists());
    all.into_iter().max_by_key(by_version).expect(
        "initdb and postgres in PATH or /usr/lib/postgresql/*/bin: install PostgreSQL 15 or newer",
    )
}

/// A program run as somebody whom Postgres accepts: it refuses root.
fn ordinarily(program: &Path) -> Command {
    if somebody_ordinary().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    // Otherwise it would ask for our own directory, which is not for everybody to see.
    command
        .arg(program)
        .current_dir("/")
        .env("HOME", "/nonexistent");
    command
}

/// The ids of the user `postgres`, if we are root.
fn somebody_ordinary() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user = users
        .lines()
        .find_map(|line| line.strip_prefix("postgres:"));
    let user = user.expect("a user `postgres`, as Postgres does not run as root");
    let mut ids = user.split(':').skip(1).map_while(|id| id.parse().ok());
    Some((ids.next()?, ids.next()?))
}

/// A port that nobody uses.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// The last lines of a log.
fn end_of(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
