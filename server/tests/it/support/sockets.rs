//! Clients that are no good clients: each byte of what they send is theirs to choose, and when.

use super::TestServer;
use reqwest::Method;
use std::{fmt::Write as _, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// How long any of these waits for the server.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub struct Socket(TcpStream);

/// What comes with a request, and how its end is known.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    None,
    /// With its length told before.
    Announced(&'a [u8]),
    /// As one chunk without an end, as if more were to come.
    Chunked(&'a [u8]),
    /// That many bytes are told of, and come later or never.
    Promised(usize),
}

impl Body<'_> {
    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Body::None => "no body",
            Body::Announced(_) => "announced",
            Body::Chunked(_) => "chunked",
            Body::Promised(_) => "promised",
        }
    }
}

impl Socket {
    /// A connection to this server.
    pub async fn open(t: &TestServer) -> Self {
        Self(TcpStream::connect(t.address).await.unwrap())
    }

    /// Sends a request.
    pub async fn ask(
        &mut self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body<'_>,
    ) {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: countersign\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        let (framing, bytes): (String, &[u8]) = match body {
            Body::None => ("\r\n".to_owned(), &[]),
            Body::Announced(bytes) => (format!("content-length: {}\r\n\r\n", bytes.len()), bytes),
            Body::Promised(length) => (format!("content-length: {length}\r\n\r\n"), &[]),
            Body::Chunked(bytes) => (
                format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", bytes.len()),
                bytes,
            ),
        };
        self.send(format!("{head}{framing}").as_bytes()).await;
        self.send(bytes).await;
    }

    /// Sends bytes. A server that has answered already may have stopped reading, which is no failure: its answer says why.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = tokio::time::timeout(PATIENCE, self.0.write_all(bytes))
            .await
            .expect("a server that reads or closes");
    }

    /// Whether an answer is there, or comes within a moment.
    pub async fn has_answered(&self) -> bool {
        let peek = async { self.0.peek(&mut [0]).await };
        tokio::time::timeout(Duration::from_millis(20), peek)
            .await
            .is_ok()
    }

    /// The status of the answer.
    pub async fn status(&mut self) -> u16 {
        let head = self.head().await;
        let status = head.split(' ').nth(1);
        status
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("no answer but {head:?}"))
    }

    /// Everything of the answer up to its body.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") {
                match self.0.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("an answer in time");
        String::from_utf8(head).unwrap()
    }
}
