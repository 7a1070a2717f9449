//! Runs the binary as a pipeline does, against a server that this test plays.

use axum::Router;
use std::{ffi::OsStr, net::SocketAddr, path::Path};
use tokio::{net::TcpListener, process::Command};

/// What a pipeline sees of a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A call of `countersign`, with nothing of this machine's environment that could bend it.
pub fn countersign<S: AsRef<OsStr>>(dir: &Path, arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(arguments).current_dir(dir);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["GIT_", "GITHUB_", "CI_", "COUNTERSIGN_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(name.as_ref());
        }
    }
    command
        .env("HOME", "/nonexistent")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("COUNTERSIGN_TOKEN", "token-of-a-test")
        .kill_on_drop(true);
    command
}

/// The arguments of a question to the gate about a commit of `acme/payments`.
pub fn gate_of<'a>(server: &'a str, commit: &'a str) -> [&'a str; 7] {
    let repository = "acme/payments";
    [
        "gate",
        "--server",
        server,
        "--repository",
        repository,
        "--commit",
        commit,
    ]
}

/// Runs it to its end.
pub async fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().await.unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Serves these routes until the test ends; the address of the server.
pub async fn play(routes: Router) -> String {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

/// An address where nobody listens.
pub async fn nowhere() -> String {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
