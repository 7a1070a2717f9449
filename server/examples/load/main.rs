//! Puts load on a running Countersign for `./dev bench`: many connections, plain HTTP/1.1, every answer read and checked.
//!
//! `load gate ADDRESS TOKEN QUESTIONS SECONDS CONNECTIONS [RATE]`: asks the gate about commits at random. `QUESTIONS` is a file
//! with `repository commit verdict` on each line; an answer with another verdict counts as wrong.
//! `load submit ADDRESS TOKEN REPOSITORY SECONDS CONNECTIONS`: submits changes of 3 commits, 12 files and 20 kB.
//! `load page ADDRESS COOKIE PATH SECONDS CONNECTIONS`: gets a page.
//! `load deliveries ADDRESS SECRET SECONDS CONNECTIONS`: delivers what GitHub would, of 10 kB, signed with that secret.
//! `load heads ADDRESS SECRET TOKEN HOST SECONDS RATE`: tells of so many new pull requests a second, and asks the gate about each
//! head until it is known. It is itself the GitHub that is asked about them, at the address `HOST`: see [`intake`].
//!
//! Prints one line of JSON. With `RATE`, questions a second, requests begin when their time has come, whether or not earlier
//! ones were answered, and a request's time counts from then: a server that stalls cannot hide it.
#![expect(clippy::print_stdout, reason = "a command line tool answers on stdout")]

mod intake;

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

/// What to send, and how to know that the answer is right.
enum Work {
    Gate {
        token: String,
        questions: Vec<Question>,
    },
    Submit {
        token: String,
        repository: String,
    },
    Page {
        cookie: String,
        path: String,
    },
    Deliveries {
        secret: String,
    },
}

struct Question {
    repository: String,
    commit: String,
    verdict: String,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    micros: Vec<u32>,
    wrong: u64,
    example: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["heads", address, secret, token, host, seconds, rate] = words.as_slice() {
        let began = Instant::now();
        let hooks = intake::Hooks { address, secret };
        let seen = intake::heads(hooks, token, host, seconds.parse()?, rate.parse()?).await?;
        return report(seen, began.elapsed());
    }
    let (work, address, seconds, connections, rate) = match words.as_slice() {
        ["gate", address, token, questions, seconds, connections] => {
            (gate(token, questions)?, address, seconds, connections, None)
        }
        [
            "gate",
            address,
            token,
            questions,
            seconds,
            connections,
            rate,
        ] => (
            gate(token, questions)?,
            address,
            seconds,
            connections,
            Some(rate.parse::<u32>()?),
        ),
        ["submit", address, token, repository, seconds, connections] => {
            let (token, repository) = ((*token).to_owned(), (*repository).to_owned());
            (
                Work::Submit { token, repository },
                address,
                seconds,
                connections,
                None,
            )
        }
        ["page", address, cookie, path, seconds, connections] => {
            let (cookie, path) = ((*cookie).to_owned(), (*path).to_owned());
            (
                Work::Page { cookie, path },
                address,
                seconds,
                connections,
                None,
            )
        }
        ["deliveries", address, secret, seconds, connections] => {
            let secret = (*secret).to_owned();
            (
                Work::Deliveries { secret },
                address,
                seconds,
                connections,
                None,
            )
        }
        _ => bail!("see the first lines of server/examples/load/main.rs for how to call this"),
    };
    let connections: u32 = connections.parse()?;
    let end = Instant::now() + Duration::from_secs(seconds.parse()?);
    let every = rate.map(|rate| Duration::from_secs(1) * connections / rate);
    let began = Instant::now();
    let work = Arc::new(work);
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let first = began + every.unwrap_or_default() * number / connections;
        tasks.spawn(connection(
            work.clone(),
            (*address).to_owned(),
            number,
            first,
            every,
            end,
        ));
    }
    let mut all = Seen::default();
    while let Some(seen) = tasks.join_next().await {
        let seen = seen??;
        all.micros.extend(seen.micros);
        all.wrong += seen.wrong;
        all.example = all.example.or(seen.example);
    }
    report(all, began.elapsed())
}

fn gate(token: &str, questions: &str) -> anyhow::Result<Work> {
    let lines = std::fs::read_to_string(questions).context("could not read the questions")?;
    let question = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some(Question {
            repository: words.next()?,
            commit: words.next()?,
            verdict: words.next()?,
        })
    };
    let questions: Vec<Question> = lines.lines().filter_map(question).collect();
    ensure!(!questions.is_empty(), "there are no questions");
    let token = token.to_owned();
    Ok(Work::Gate { token, questions })
}

async fn connection(
    work: Arc<Work>,
    address: String,
    number: u32,
    first: Instant,
    every: Option<Duration>,
    end: Instant,
) -> anyhow::Result<Seen> {
    let stream = TcpStream::connect(&address)
        .await
        .context("could not connect")?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut chance = Chance(u64::from(number) * 0x9e37_79b9_7f4a_7c15 + 1);
    let mut seen = Seen::default();
    let (mut due, mut body) = (first, Vec::new());
    for turn in 0_u64.. {
        if due >= end || Instant::now() >= end {
            break;
        }
        let began = match every {
            Some(every) => {
                tokio::time::sleep_until(due).await;
                due += every;
                due - every
            }
            None => Instant::now(),
        };
        let (request, wanted) = work.request(&mut chance, u64::from(number) << 32 | turn);
        stream.get_mut().write_all(&request).await?;
        let status = answer(&mut stream, &mut body).await?;
        seen.micros
            .push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        if !wanted.matches(status, &body) {
            seen.wrong += 1;
            let text = || format!("{status}: {}", String::from_utf8_lossy(&body));
            seen.example = seen.example.or_else(|| Some(text()));
        }
    }
    Ok(seen)
}

/// What a right answer looks like.
struct Wanted {
    status: u16,
    contains: String,
}

impl Wanted {
    fn matches(&self, status: u16, body: &[u8]) -> bool {
        let wanted = self.contains.as_bytes();
        let found = wanted.is_empty() || body.windows(wanted.len()).any(|window| window == wanted);
        status == self.status && found
    }
}

impl Work {
    fn request(&self, chance: &mut Chance, number: u64) -> (Vec<u8>, Wanted) {
        match self {
            Self::Gate { token, questions } => {
                let length = questions.len() as u64;
                let question =
                    &questions[usize::try_from(chance.next() % length).unwrap_or_default()];
                let (repository, commit) = (&question.repository, &question.commit);
                let request = format!(
                    "GET /api/v1/gate?repository={repository}&commit={commit} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
                );
                let contains = format!("\"verdict\":\"{}\"", question.verdict);
                (
                    request.into_bytes(),
                    Wanted {
                        status: 200,
                        contains,
                    },
                )
            }
            Self::Submit { token, repository } => {
                let body = submission(repository, &unique(number));
                let mut request = format!(
                    "PUT /api/v1/changes HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=part\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                )
                .into_bytes();
                request.extend(body);
                (
                    request,
                    Wanted {
                        status: 201,
                        contains: String::new(),
                    },
                )
            }
            Self::Page { cookie, path } => {
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/html\r\nCookie: {cookie}\r\n\r\n"
                );
                (
                    request.into_bytes(),
                    Wanted {
                        status: 200,
                        contains: "</html>".to_owned(),
                    },
                )
            }
            Self::Deliveries { secret } => (
                intake::delivery(
                    secret,
                    "check_run",
                    &unique(number),
                    &intake::told_of_a_check(),
                ),
                Wanted {
                    status: 202,
                    contains: String::new(),
                },
            ),
        }
    }
}

/// 40 hexadecimal digits that no other run and no other request has.
fn unique(number: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(std::process::id().to_le_bytes());
    hash.update(number.to_le_bytes());
    hash.finalize()
        .iter()
        .take(20)
        .fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// A change that nobody has submitted before.
fn submission(repository: &str, unique: &str) -> Vec<u8> {
    let base = "0123456789abcdef0123456789abcdef01234567";
    let [first, second, head] = ["1", "2", "3"].map(|digit| format!("{digit}{}", &unique[1..]));
    let commit = |sha: &str, parent: &str, message: &str| {
        let person = serde_json::json!({ "name": "Ana Sofía Echeverría-Montalbán", "email": "ana@halden.example" });
        serde_json::json!({ "sha": sha, "tree": sha, "parents": [parent], "author": person, "committer": person,
            "authored_at": "2026-11-16T09:30:00Z", "message": message })
    };
    let change = serde_json::json!({
        "repository": repository, "key": head, "title": "Round interest only once", "target": "main", "base": base, "head": head,
        "author": { "login": "ana" },
        "commits": [
            commit(&first, base, "Round interest only once\n\nCo-authored-by: Claude <noreply@anthropic.com>\n"),
            commit(&second, &first, "Test the last day of a month\n"),
            commit(&head, &second, "Say in the log what was rounded\n"),
        ],
    });
    let mut body = format!(
        "--part\r\nContent-Disposition: form-data; name=\"change\"\r\nContent-Type: application/json\r\n\r\n{change}\r\n\
         --part\r\nContent-Disposition: form-data; name=\"patch\"; filename=\"change.patch\"\r\nContent-Type: text/x-diff\r\n\r\n"
    );
    patch(&mut body, &head);
    body.push_str("\r\n--part--\r\n");
    body.into_bytes()
}

/// 12 files of 24 changed lines each.
fn patch(body: &mut String, head: &str) {
    for file in 0..12 {
        let name = format!("src/interest/part_{file:02}.rs");
        let (old, new) = (
            format!("{file:02}{}", "a".repeat(38)),
            format!("{file:02}{}", &head[2..]),
        );
        let _ = write!(
            body,
            "diff --git a/{name} b/{name}\nindex {old}..{new} 100644\n--- a/{name}\n+++ b/{name}\n@@ -1,12 +1,12 @@\n"
        );
        for sign in ['-', '+'] {
            for line in 0..12 {
                let _ = writeln!(
                    body,
                    "{sign}    let amount_{line} = balance.checked_mul(rate)?; // {sign}{head}"
                );
            }
        }
    }
}

/// Reads one response; returns its status, and leaves its body in `body`.
async fn answer(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> anyhow::Result<u16> {
    let (mut line, mut status, mut length, mut chunked) = (String::new(), 0, 0, false);
    loop {
        line.clear();
        ensure!(
            stream.read_line(&mut line).await? > 0,
            "the server closed the connection"
        );
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        if let Some(code) = text.strip_prefix("HTTP/1.1 ") {
            status = code.get(..3).unwrap_or_default().parse()?;
        } else if let Some((name, value)) = text.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse()?,
                "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
                _ => {}
            }
        }
    }
    body.clear();
    if chunked {
        return whole(stream, body).await.map(|()| status);
    }
    body.resize(length, 0);
    stream.read_exact(body).await?;
    Ok(status)
}

/// Reads a body that comes in chunks.
async fn whole(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let (start, length) = (body.len(), usize::from_str_radix(line.trim_end(), 16)?);
        // Each chunk, the last one too, is followed by an empty line.
        body.resize(start + length + 2, 0);
        stream.read_exact(&mut body[start..]).await?;
        body.truncate(start + length);
        if length == 0 {
            return Ok(());
        }
    }
}

fn report(mut seen: Seen, took: Duration) -> anyhow::Result<()> {
    ensure!(!seen.micros.is_empty(), "nothing was answered");
    seen.micros.sort_unstable();
    let at = |share: usize| f64::from(seen.micros[(seen.micros.len() - 1) * share / 1000]) / 1000.0;
    let answers = u32::try_from(seen.micros.len())?;
    println!(
        "{}",
        serde_json::json!({ "answers": answers, "per_second": f64::from(answers) / took.as_secs_f64(), "wrong": seen.wrong,
            "p50_ms": at(500), "p99_ms": at(990), "example": seen.example })
    );
    Ok(())
}

/// Xorshift: which commit is asked about has to be spread, not secret.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
