//! A code host that is asked: what it shows is what is recorded, whatever anybody else says of it.

mod ages;
mod any_order;
mod bots;
mod checks;
mod every;
mod gitea;
mod gitlab;
mod groups;
mod landed;
mod merging;
mod remarks;
mod submitting;

use crate::support::{GITEA_SECRET, TestServer, hosts::Delivery, machines::Machine};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use domain::{host::Host, token::Scope};
use fake_host::{FakeHost, Mood, Repository, TOKEN};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rsa::pkcs1::{EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use secrecy::SecretString;
use serde_json::{Value, json};
use server::{
    forges::github::Credentials,
    jobs::{groups as groups_job, looks, remarks as remarks_job},
    settings::Api,
};
use sqlx::PgPool;
use store::hosts;
use time::Duration;

/// A server that asks a code host, which has one repository.
pub struct World {
    pub kind: Host,
    pub t: TestServer,
    pub host: FakeHost,
    pub repository: Repository,
    pub ci: Machine,
}

pub const NAME: &str = "Hosted/Payments";

impl World {
    /// With GitHub.
    pub async fn new(pool: PgPool) -> Self {
        Self::at(pool, Host::GitHub).await
    }

    /// With that host.
    pub async fn at(pool: PgPool, kind: Host) -> Self {
        let host = FakeHost::start().await;
        let t = TestServer::new(pool).await;
        let set = |name: &str, value: &str| (format!("COUNTERSIGN_{name}"), value.to_owned());
        let settings = match kind {
            Host::GitHub => vec![set("GITHUB_API", &host.url), set("GITHUB_TOKEN", TOKEN)],
            Host::GitLab => vec![
                set("GITLAB_API", &host.gitlab()),
                set("GITLAB_TOKEN", TOKEN),
                set("GITHUB_REPOSITORIES", "elsewhere/*"),
                set("GITLAB_REPOSITORIES", "hosted/*"),
            ],
            Host::Gitea => vec![
                set("GITEA_API", &host.gitea()),
                set("GITEA_TOKEN", TOKEN),
                set("GITEA_HOOK_SECRET", GITEA_SECRET),
                set("GITHUB_REPOSITORIES", "elsewhere/*"),
                set("GITEA_REPOSITORIES", "hosted/*"),
            ],
        };
        let t = t.set_up(&settings).await;
        Self::of(t, host, kind).await
    }

    /// With a GitHub that is asked by an app.
    async fn by(pool: PgPool, credentials: Credentials) -> Self {
        let host = FakeHost::start().await;
        let url = host.url.parse().unwrap();
        let api = Api { url, credentials };
        let t = TestServer::new(pool).await;
        let t = t.with(|settings| settings.hosts.github = Some(api)).await;
        Self::of(t, host, Host::GitHub).await
    }

    async fn of(t: TestServer, host: FakeHost, kind: Host) -> Self {
        let scopes = [Scope::Submit, Scope::Gate, Scope::Read];
        Self {
            kind,
            repository: host.repository(NAME),
            ci: t.machine(&scopes, "hosted/*").await,
            t,
            host,
        }
    }

    /// Has the host tell that something happened to a change, and everybody do their work.
    pub async fn hears_of(&self, id: &str, number: u64) {
        self.is_told(id, number).await;
        self.works().await;
    }

    /// Has the host tell that something happened to a change.
    pub async fn is_told(&self, id: &str, number: u64) {
        let told = match self.kind {
            Host::GitLab => {
                let body = json!({ "object_kind": "merge_request", "project": { "path_with_namespace": NAME }, "object_attributes": { "iid": number } });
                Delivery::gitlab(id, "Merge Request Hook", &body.to_string())
            }
            Host::GitHub => Delivery::github(id, "pull_request", &pull_request(number)),
            Host::Gitea => Delivery::gitea(id, "pull_request", &pull_request(number)),
        };
        assert!(self.t.delivers(&told).await.status.is_success());
    }

    /// Has a pipeline set the policy of the repository.
    pub async fn demands(&self, policy: String) {
        let policies = self.t.machine(&[Scope::Policy], "hosted/*").await;
        let address = format!("/api/v1/repositories/{NAME}/policy");
        let put = policies.http.put(self.t.at(&address)).body(policy);
        let put = policies.send(put.header("content-type", "application/toml"));
        assert_eq!(put.await.json["state"], "in_force");
    }

    pub async fn works(&self) {
        self.looks().await;
        while groups_job::batch(&self.t.server).await.unwrap() > 0 {}
        while remarks_job::batch(&self.t.server).await.unwrap() > 0 {}
    }

    /// Has the host tell that something happened to a change, and nobody look at anything but that.
    pub async fn looks_at(&self, id: &str, number: u64) {
        self.is_told(id, number).await;
        self.looks().await;
    }

    /// Has them look at changes, and at nothing else.
    pub async fn looks(&self) {
        self.t.works_on_deliveries().await;
        while looks::batch(&self.t.server).await.unwrap() > 0 {}
    }

    /// The changes as REST shows them, by their keys.
    pub async fn changes(&self) -> Vec<Value> {
        let list = self.ci.get("/api/v1/changes").await;
        let mut all = list.json["changes"].as_array().unwrap().clone();
        all.sort_by_key(|change| change["key"].to_string());
        all
    }

    async fn gate(&self, commit: &str) -> (bool, String, Vec<String>) {
        let asked = format!("/api/v1/gate?repository={NAME}&commit={commit}");
        let reply = self.ci.get(&asked).await;
        let (allow, verdict, codes) = reply.answer();
        let codes = codes.into_iter().map(str::to_owned).collect();
        (allow, verdict.to_owned(), codes)
    }

    /// The whole patch of the newest revision.
    async fn patch(&self) -> Vec<u8> {
        let bodies: Vec<Vec<u8>> = sqlx::query_scalar(
            "select f.body from revision r join patch_file f on f.patch_hash = r.patch_hash
             where r.number = (select max(number) from revision) order by f.ordinal",
        )
        .fetch_all(&self.t.owner)
        .await
        .unwrap();
        let whole = bodies
            .iter()
            .map(|body| zstd::decode_all(&body[..]).unwrap());
        whole.collect::<Vec<_>>().concat()
    }

    /// Why it was not looked at, and when it is due, in seconds from now.
    async fn waiting(&self) -> (Option<String>, Option<i64>) {
        let row: (Option<String>, Option<time::OffsetDateTime>) =
            sqlx::query_as("select error, due_at from host_change")
                .fetch_one(&self.t.owner)
                .await
                .unwrap();
        (
            row.0,
            row.1.map(|at| (at - self.t.db.now()).whole_seconds()),
        )
    }
}

/// Opens a change to all kinds of files, and has both its states recorded as git would write them. Its last head is the first.
pub async fn is_recorded_as_git_would_write_it(w: &World) -> [String; 2] {
    let before: &[(&str, Option<&[u8]>)] = &[
        ("kept.txt", Some(b"kept\n")),
        ("goes.txt", Some(b"goes\n")),
        (
            "moves.txt",
            Some(b"one\ntwo\nthree\nfour\nfive\nsix\nseven\n"),
        ),
        (
            "stays as it is.txt",
            Some(b"content\nthat\nis\nonly\nmoved\n"),
        ),
        ("script.sh", Some(b"#!/bin/sh\n")),
        ("logo.png", Some(b"\0\x01\x02 a picture")),
        ("empty.txt", Some(b"")),
        ("edited.txt", Some(b"a\nb\nc\n--- not a header\nd\ne\n")),
        ("without an end.txt", Some(b"no line break")),
    ];
    w.repository.commit("main", before, "Fill");
    let picture: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let first = w.repository.commit(
        "topic",
        &[
            ("edited.txt", Some(b"a\nb\nindex 1234567..7654321\n--- not a header\nd\nBinary files a and b differ\n")),
            ("goes.txt", None),
            ("moves.txt", None),
            ("moved/näher.txt", Some("one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n".as_bytes())),
            ("stays as it is.txt", None),
            ("moved \"so\".txt", Some(b"content\nthat\nis\nonly\nmoved\n")),
            ("script.sh*", Some(b"#!/bin/sh\n")),
        ],
        "Move things\n\nCo-Authored-By: Claude <noreply@anthropic.com>",
    );
    let head = w.repository.commit(
        "topic",
        &[
            ("logo.png", Some(&picture)),
            ("other.png", Some(b"\0new")),
            ("empty.txt", None),
            ("nothing.txt", Some(b"")),
            ("without an end.txt", Some(b"still no line break")),
        ],
        "Add a picture",
    );
    w.host.pull(NAME, 7, |_| {});
    w.hears_of("d1", 7).await;

    let base = w.repository.tip("main").unwrap();
    let patch = w.patch().await;
    let tree = w
        .repository
        .git(&["rev-parse", &format!("{head}^{{tree}}")]);
    assert_eq!(
        w.repository.applied(&base, &patch),
        tree,
        "{}",
        String::from_utf8_lossy(&patch)
    );
    // Gitea has git write names as they are.
    let quoted = format!("core.quotePath={}", w.kind != Host::Gitea);
    let by_git = |commit: &str| {
        let whole = ["--binary", "--full-index", "-M50%", &base, commit];
        w.repository
            .git(&[&["-c", &quoted, "diff"][..], &whole].concat())
    };
    // But for how binary files are packed, also byte for byte.
    assert!(by_git(&head).starts_with(&by_git(&first)[..200]));
    w.repository.force("topic", &first);
    w.hears_of("d2", 7).await;
    assert_eq!(
        String::from_utf8(w.patch().await).unwrap().trim_end(),
        by_git(&first)
    );
    [first, head]
}

/// A file of numbered lines, of which two that are far apart are others.
pub fn numbered(first: &str, second: &str) -> String {
    let line = |n: usize| match n {
        2 => format!("{first}\n"),
        50 => format!("{second}\n"),
        n => format!("{n}\n"),
    };
    (0..60).map(line).collect()
}

fn pull_request(number: u64) -> String {
    let body = json!({ "number": number, "pull_request": { "number": number }, "repository": { "full_name": NAME } });
    body.to_string()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_pull_request_is_recorded_as_git_would_write_it(pool: PgPool) {
    let w = World::new(pool).await;
    let [_, head] = is_recorded_as_git_would_write_it(&w).await;
    let changes = w.changes().await;
    assert_eq!(changes.len(), 1);
    let change = &changes[0];
    assert_eq!(
        (
            &change["key"],
            &change["title"],
            &change["state"],
            &change["draft"]
        ),
        (
            &json!("7"),
            &json!("Retry settlement"),
            &json!("open"),
            &json!(false)
        )
    );
    assert_eq!(change["url"], format!("https://github.com/{NAME}/pull/7"));
    // Told of by an AI's trailer, and approved by nobody.
    let (allow, verdict, _) = w.gate(&head).await;
    assert_eq!((allow, verdict.as_str()), (false, "waiting"));

    // Who opened it and whom the host takes the authors for are barred like anybody who had a hand in it.
    let keys: Vec<String> =
        sqlx::query_scalar("select distinct unnest(keys) as key from contributor order by key")
            .fetch_all(&w.t.owner)
            .await
            .unwrap();
    for key in ["login:octocat", "login:ana-hub", "email:ana@halden.example"] {
        assert!(keys.iter().any(|known| known == key), "{key}: {keys:?}");
    }
    let hosts: Vec<Option<String>> = sqlx::query_scalar("select host from revision")
        .fetch_all(&w.t.owner)
        .await
        .unwrap();
    assert_eq!(
        hosts,
        [Some("github".to_owned()), Some("github".to_owned())]
    );
}

pub async fn whatever_happens_to_it_there_is_so_here_after_a_look(w: World) {
    let one = w
        .repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    w.hears_of("opened", 7).await;
    let two = w
        .repository
        .commit("topic", &[("a.txt", Some(b"two\n"))], "Two");
    w.hears_of("pushed", 7).await;
    let shown = async |field: &str| w.changes().await[0][field].clone();
    let current = async |field: &str| w.changes().await[0]["revision"][field].clone();
    assert_eq!(current("head").await, two);
    assert!(w.gate(&one).await.1 == "waiting" && w.gate(&two).await.1 == "waiting");

    // Back by force, and to a branch that is called otherwise.
    w.repository.force("topic", &one);
    w.hears_of("forced", 7).await;
    assert_eq!(current("head").await, one);
    w.repository.commit("release/1.0", &[], "Release");
    w.host
        .pull(NAME, 7, |pull| pull.target = "release/1.0".to_owned());
    w.hears_of("retargeted", 7).await;
    assert_eq!(current("target").await, "release/1.0");

    w.host.pull(NAME, 7, |pull| {
        (pull.draft, pull.title) = (true, "Retry\u{202e} it".to_owned());
    });
    w.hears_of("edited", 7).await;
    assert_eq!(
        (shown("draft").await, shown("title").await),
        (json!(true), json!("Retry\u{202e} it"))
    );
    for (id, state, merged, expected) in [
        ("closed", "closed", false, "closed"),
        ("reopened", "open", false, "open"),
        ("merged", "closed", true, "merged"),
    ] {
        w.host.pull(NAME, 7, |pull| {
            (pull.state, pull.merged) = (state.to_owned(), merged)
        });
        w.hears_of(id, 7).await;
        assert_eq!(shown("state").await, expected);
        let is_closed = w.gate(&one).await.2.contains(&"change_closed".to_owned());
        assert_eq!(is_closed, expected == "closed");
    }
    // Its branches may be gone by then, and who opened it too.
    w.host
        .pull(NAME, 7, |pull| (pull.user, pull.head) = (None, one.clone()));
    w.repository.git(&["update-ref", "-d", "refs/heads/topic"]);
    w.hears_of("deleted", 7).await;
    assert_eq!(w.waiting().await, (None, None));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_reason_that_comes_while_a_look_fails_is_not_forgotten(pool: PgPool) {
    let w = World::new(pool).await;
    w.is_told("d1", 7).await;
    w.t.works_on_deliveries().await;
    let (mut conn, now) = (w.t.db.pool().acquire().await.unwrap(), w.t.db.now());
    let looks = hosts::begin(&mut conn, Host::GitHub, 1, now, Duration::MINUTE);
    let look = looks.await.unwrap().pop().unwrap();
    w.is_told("d2", 7).await;
    w.t.works_on_deliveries().await;
    let failed = hosts::fail(&mut conn, &look, "gone", hosts::Again::Never, now);
    failed.await.unwrap();
    assert_eq!(w.waiting().await, (Some("gone".to_owned()), Some(0)));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nothing_is_asked_twice_that_cannot_have_changed(pool: PgPool) {
    let w = World::new(pool).await;
    let head = w
        .repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    w.looks_at("d1", 7).await;
    assert_eq!(w.host.was_asked().len(), 6);
    w.works().await;
    let _ = w.host.was_asked();
    w.hears_of("d2", 7).await;
    assert_eq!(w.host.was_asked(), [format!("304 /repos/{NAME}/pulls/7")]);
    w.host
        .pull(NAME, 7, |pull| pull.title = "Another".to_owned());
    w.looks_at("d3", 7).await;
    let main = w.repository.tip("main").unwrap();
    assert_eq!(
        w.host.was_asked(),
        [
            format!("200 /repos/{NAME}/pulls/7"),
            format!("200 /repos/{NAME}/git/ref/heads/main"),
            format!("200 /repos/{NAME}/compare/{main}...{head}"),
        ]
    );
    assert_eq!(w.changes().await[0]["title"], "Another");
    assert_eq!(w.t.count("revision").await, 1);
}

pub async fn more_commits_than_fit_on_a_page_are_all_there(w: World) {
    for n in 0..103 {
        w.repository.commit(
            "topic",
            &[("a.txt", Some(format!("{n}\n").as_bytes()))],
            "Again",
        );
    }
    w.host.pull(NAME, 7, |_| {});
    w.hears_of("d1", 7).await;
    assert_eq!(w.t.count("commit").await, 103);
}

pub async fn a_host_that_fails_is_asked_again_and_one_that_wants_silence_gets_it(w: World) {
    let head = w
        .repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    for (n, mood) in [Mood::Status(500), Mood::Status(202), Mood::Status(301)]
        .into_iter()
        .enumerate()
    {
        w.host.will(&[mood]);
        w.hears_of(&format!("d{n}"), 7).await;
        let (error, due) = w.waiting().await;
        assert!(
            error.is_some_and(|why| why.starts_with(&format!("{} answered", w.kind.name()))),
            "{n}"
        );
        assert!((0..=3).contains(&due.unwrap()), "{n}: {due:?}");
        assert_eq!(w.host.was_asked().len(), 1);
    }
    // The second begins some 100 seconds later than the first.
    let reset = w.t.db.now() + Duration::seconds(100) + Duration::minutes(20);
    for (mood, wait) in [
        (Mood::RetryAfter(90), Duration::seconds(90)),
        (
            Mood::NoneLeft(reset.unix_timestamp()),
            Duration::minutes(20),
        ),
    ] {
        let began = w.t.db.now();
        w.host.will(&[mood]);
        w.t.pass(Duration::seconds(4));
        w.hears_of(&format!("at {began}"), 7).await;
        assert_eq!(w.host.was_asked().len(), 1);
        // Not even for a new reason.
        w.hears_of(&format!("after {began}"), 7).await;
        assert!(w.host.was_asked().is_empty());
        w.t.pass(wait - Duration::seconds(10));
        w.works().await;
        assert!(w.host.was_asked().is_empty(), "{wait}");
        w.t.pass(Duration::seconds(12));
    }
    w.works().await;
    assert_eq!(w.waiting().await, (None, None));
    assert_eq!(w.gate(&head).await.1, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_patch_that_the_host_does_not_give_whole_is_undecidable(pool: PgPool) {
    let w = World::new(pool).await;
    let large: String = (0..200).map(|n| format!("line {n}\n")).collect();
    let head = w
        .repository
        .commit("topic", &[("a.txt", Some(large.as_bytes()))], "One");
    let undecidable = (
        false,
        "undecidable".to_owned(),
        vec!["patch_incomplete".to_owned()],
    );
    w.host.pull(NAME, 7, |_| {});
    w.host.gives_at_most(1_000, 100_000);
    w.hears_of("d1", 7).await;
    assert_eq!(w.gate(&head).await, undecidable);

    // A senior cannot wave through what nobody has seen, and can say no to it.
    let ben = w.t.senior("ben").await;
    let id = w.changes().await[0]["id"].as_str().unwrap().to_owned();
    let page = ben.browser.page(&w.t, &format!("/changes/{id}")).await;
    assert!(
        page.contains("The code host did not give all of the patch"),
        "{page}"
    );

    let other = w
        .repository
        .commit("topic", &[("b.txt", Some(b"more\n"))], "Two");
    w.host.gives_at_most(100_000, 2);
    w.hears_of("d2", 7).await;
    assert_eq!(w.gate(&other).await, undecidable);
    let why: Vec<String> = sqlx::query_scalar("select incomplete from revision order by number")
        .fetch_all(&w.t.owner)
        .await
        .unwrap();
    assert_eq!(
        why,
        [
            "The patch is larger than the host gives out.",
            "The repository has more files than the host lists."
        ]
    );
    w.host.gives_at_most(100_000, 100_000);
    let third = w
        .repository
        .commit("topic", &[("b.txt", Some(b"less\n"))], "Three");
    w.hears_of("d3", 7).await;
    assert_eq!(w.gate(&third).await.1, "waiting");
}

pub async fn a_patch_that_breaks_off_between_two_hunks_is_undecidable_until_it_is_whole(w: World) {
    let (old, new) = (numbered("2", "50"), numbered("two", "fifty"));
    w.repository
        .commit("main", &[("a.txt", Some(old.as_bytes()))], "Fill");
    let cut = w
        .repository
        .commit("topic", &[("a.txt", Some(new.as_bytes()))], "Change");
    let ids = match w.kind {
        Host::GitHub | Host::Gitea => "--abbrev",
        Host::GitLab => "--full-index",
    };
    let all = w.repository.git(&["diff", ids, "main", &cut]);
    assert_eq!(all.matches("\n@@ -").count(), 2);
    // Nothing in what is left of it says that there was to be more.
    w.host.breaks_off(all.rfind("@@ -").unwrap());
    w.host.pull(NAME, 7, |_| {});
    w.hears_of("cut", 7).await;
    let (_, verdict, codes) = w.gate(&cut).await;
    assert_eq!((&*verdict, &*codes[0]), ("undecidable", "patch_incomplete"));
    w.host.breaks_off(usize::MAX);
    let whole = w
        .repository
        .commit("topic", &[("b.txt", Some(b"more\n"))], "More");
    w.hears_of("whole", 7).await;
    assert_eq!(w.gate(&whole).await.1, "waiting");
    assert_eq!(
        w.patch().await.iter().filter(|byte| **byte == b'@').count(),
        12
    );
}

pub async fn a_look_that_began_before_the_one_that_is_recorded_is_dropped(w: World) {
    w.repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    w.is_told("d1", 7).await;
    w.t.works_on_deliveries().await;
    let mut conn = w.t.db.pool().acquire().await.unwrap();
    let mut begin = async || {
        let lasts = Duration::minutes(2);
        hosts::begin(&mut conn, w.kind, 10, w.t.db.now(), lasts)
            .await
            .unwrap()
    };
    let slow = begin().await;
    assert!(
        begin().await.is_empty(),
        "nobody else looks at it meanwhile"
    );
    // Whoever looked is dead, or seems so.
    w.t.pass(Duration::minutes(3));
    let next = begin().await;
    for (look, expected) in [(&next[0], true), (&slow[0], false), (&next[0], false)] {
        let mut tx = w.t.db.begin().await.unwrap();
        assert_eq!(
            hosts::claim(&mut tx, look, None).await.unwrap(),
            expected,
            "{look:?}"
        );
        tx.commit().await.unwrap();
    }
    assert!(begin().await.is_empty());

    // What is told of while somebody looks is looked at once more.
    w.is_told("d2", 7).await;
    w.t.works_on_deliveries().await;
    let look = begin().await;
    w.is_told("d3", 7).await;
    w.t.works_on_deliveries().await;
    let mut tx = w.t.db.begin().await.unwrap();
    assert!(hosts::claim(&mut tx, &look[0], None).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(begin().await.len(), 1);
}

/// An app, and its key.
fn an_app() -> (rsa::RsaPrivateKey, Credentials) {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2_048).unwrap();
    let text = BASE64_STANDARD.encode(key.to_pkcs1_der().unwrap().as_bytes());
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{text}\n-----END RSA PRIVATE KEY-----\n");
    let credentials = Credentials::app("4711", &SecretString::from(pem)).unwrap();
    (key, credentials)
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_app_gets_a_token_for_each_owner_and_keeps_it_for_as_long_as_it_holds(pool: PgPool) {
    let (key, credentials) = an_app();
    let w = World::by(pool, credentials).await;
    w.repository
        .commit("topic", &[("a.txt", Some(b"one\n"))], "One");
    w.host.pull(NAME, 7, |_| {});
    w.looks_at("d1", 7).await;
    let asked = w.host.was_asked();
    assert_eq!(asked[0], format!("200 /repos/{NAME}/installation"));
    assert_eq!(asked[1], "201 /app/installations/4711/access_tokens");
    assert_eq!(asked.len(), 8);
    let said = w.host.was_said();
    let (said, signature) = said.rsplit_once('.').unwrap();
    let public = key.to_public_key().to_pkcs1_der().unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(said.as_bytes(), &signature).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD
        .decode(said.split_once('.').unwrap().1)
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let now = w.t.db.now().unix_timestamp();
    assert_eq!(
        claims,
        json!({ "iss": "4711", "iat": now - 60, "exp": now + 540 })
    );
    w.works().await;
    let _ = w.host.was_asked();
    w.t.pass(Duration::minutes(54));
    w.hears_of("d2", 7).await;
    assert_eq!(w.host.was_asked(), [format!("304 /repos/{NAME}/pulls/7")]);
    w.t.pass(Duration::minutes(2));
    w.hears_of("d3", 7).await;
    assert_eq!(w.host.was_asked().len(), 3);
}

pub async fn what_a_pull_request_says_of_itself_raises_what_is_asked_and_never_lowers_it(w: World) {
    let head = w
        .repository
        .commit("human/topic", &[("a.txt", Some(b"one\n"))], "One");
    let tells = async |id: &str, label: &str, body: &str| {
        w.host.pull(NAME, 7, |pull| {
            pull.head = "human/topic".to_owned();
            pull.labels = vec![label.to_owned()];
            pull.body = Some(body.to_owned());
        });
        w.hears_of(id, 7).await;
        let provenance = w.changes().await[0]["provenance"].clone();
        (w.gate(&head).await.1, provenance)
    };
    let waiting = |provenance: &str| ("waiting".to_owned(), json!(provenance));
    let denied = tells("d1", "human", "- [x] No AI was used\n\nWritten by a human").await;
    assert_eq!(denied, waiting("unknown"));
    let ticked = tells("d2", "human", "- [x] I used Copilot to write this").await;
    assert_eq!(ticked, waiting("assisted"));
    let unticked = tells("d3", "human", "- [x] No AI was used").await;
    assert_eq!(unticked, waiting("assisted"), "what was told stays told");
}
