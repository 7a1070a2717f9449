//! A code host that is none: the REST APIs of GitHub, GitLab and Gitea over real bare git repositories, as far as Countersign asks them. It
//! pages, calls states by tags, counts what it is asked, and has moods, as the real ones do. Only tests use it, and so what goes
//! wrong here panics.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod git;
mod gitea;
mod gitlab;
mod rest;
mod said;

pub use git::Repository;

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

/// The token that it lets in.
pub const TOKEN: &str = "a-token-of-the-fake-host";

/// A code host. Cheap to clone.
#[derive(Clone)]
pub struct FakeHost {
    /// Where GitHub's API is.
    pub url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    repositories: BTreeMap<String, Repository>,
    pulls: BTreeMap<(String, u64), Pull>,
    moods: VecDeque<Mood>,
    /// Every question, and the status it was answered with.
    asked: Vec<(String, u16)>,
    /// What it was told of commits.
    told: Vec<(String, Value)>,
    /// The commits that wait, at GitLab.
    waits: BTreeSet<String>,
    /// What an app said of itself last.
    said: String,
    /// Commits whose signature it vouches for.
    signed: BTreeSet<String>,
    /// Who else changed a branch than whoever opened its pull request.
    hands: BTreeMap<String, (String, u64)>,
    remaining: u64,
    largest_diff: usize,
    largest_tree: usize,
    /// After how many bytes it breaks off a patch, as if that were all.
    breaks_off: usize,
}

/// A pull request: what nobody can read out of git.
#[derive(Debug, Clone, Default)]
pub struct Pull {
    pub title: String,
    /// The login and the number of whoever opened it.
    pub user: Option<(String, u64)>,
    pub target: String,
    pub head: String,
    pub state: String,
    pub merged: bool,
    /// The last commit that it became.
    pub became: Option<String>,
    /// Where its target was when it was last pushed to; where it is now, if none is said.
    pub base: Option<String>,
    pub draft: bool,
    pub body: Option<String>,
    pub labels: Vec<String>,
    /// What people said of it, the first first.
    pub said: Vec<Said>,
}

/// A review or a comment.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub by: String,
    /// Of a review, as GitHub calls it.
    pub state: Option<&'static str>,
    pub text: String,
    /// Whether it stands beside a line.
    pub inline: bool,
}

/// How it answers next.
#[derive(Debug, Clone)]
pub enum Mood {
    /// With this status and nothing else.
    Status(u16),
    /// It wants not to be asked for so many seconds.
    RetryAfter(u64),
    /// No questions are left until that moment, in seconds since 1970.
    NoneLeft(i64),
    /// As always.
    Well,
}

impl FakeHost {
    /// One without repositories.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::new(Mutex::new(State {
                repositories: BTreeMap::new(),
                pulls: BTreeMap::new(),
                moods: VecDeque::new(),
                asked: vec![],
                told: vec![],
                waits: BTreeSet::new(),
                said: String::new(),
                signed: BTreeSet::new(),
                hands: BTreeMap::new(),
                remaining: 5_000,
                largest_diff: 3_000_000,
                largest_tree: 100_000,
                breaks_off: usize::MAX,
            })),
        };
        let routes = rest::routes(host.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        host
    }

    /// Where GitLab's API is, of the same repositories.
    #[must_use]
    pub fn gitlab(&self) -> String {
        format!("{}{}", self.url, gitlab::AT)
    }

    /// Where Gitea's API is, of the same repositories.
    #[must_use]
    pub fn gitea(&self) -> String {
        format!("{}{}", self.url, gitea::AT)
    }

    /// A new repository with one commit on `main`.
    pub fn repository(&self, name: &str) -> Repository {
        let repository = Repository::new();
        let mut state = self.state();
        state
            .repositories
            .insert(name.to_owned(), repository.clone());
        repository
    }

    /// Opens a pull request by `octocat`, or changes it.
    pub fn pull(&self, repository: &str, number: u64, change: impl FnOnce(&mut Pull)) {
        let mut state = self.state();
        let pull = state.pulls.entry((repository.to_owned(), number));
        change(pull.or_insert_with(|| Pull {
            title: "Retry settlement".to_owned(),
            user: Some(("octocat".to_owned(), 583_231)),
            target: "main".to_owned(),
            head: "topic".to_owned(),
            state: "open".to_owned(),
            merged: false,
            became: None,
            base: None,
            draft: false,
            body: None,
            labels: vec![],
            said: vec![],
        }));
    }

    /// Merges a pull request as somebody does who presses the button or pushes: `merge` says what becomes of the target. What it was
    /// compared with stays as it was.
    pub fn merge(&self, repository: &str, number: u64, merge: impl FnOnce(&Repository, &Pull)) {
        let (git, mut pull) = {
            let state = self.state();
            let pull = state.pulls[&(repository.to_owned(), number)].clone();
            (state.repositories[repository].clone(), pull)
        };
        pull.base = pull.base.or(git.tip(&pull.target));
        merge(&git, &pull);
        pull.became = git.tip(&pull.target);
        (pull.state, pull.merged) = ("closed".to_owned(), true);
        self.pull(repository, number, |shown| *shown = pull);
    }

    /// Vouches for the signature of a commit.
    pub fn signs(&self, commit: &str) {
        self.state().signed.insert(commit.to_owned());
    }

    /// Has somebody have changed a branch, too.
    pub fn has_a_hand_in(&self, branch: &str, (login, id): (&str, u64)) {
        let hands = &mut self.state().hands;
        hands.insert(branch.to_owned(), (login.to_owned(), id));
    }

    /// How it answers the next questions, one after the other.
    pub fn will(&self, moods: &[Mood]) {
        self.state().moods.extend(moods.iter().cloned());
    }

    /// From which sizes on it gives no patch, and lists no tree to its end.
    pub fn gives_at_most(&self, diff: usize, tree: usize) {
        let mut state = self.state();
        (state.largest_diff, state.largest_tree) = (diff, tree);
    }

    /// After how many bytes it breaks off a patch, as if that were all.
    pub fn breaks_off(&self, after: usize) {
        self.state().breaks_off = after;
    }

    /// What it was asked since this was asked last: `200 /repos/…`, without queries.
    #[must_use]
    pub fn was_asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut self.state().asked);
        let line = |(path, status): (String, u16)| format!("{status} {path}");
        asked.into_iter().map(line).collect()
    }

    /// The commit statuses and check runs that it was told since this was asked last, each with its commit.
    #[must_use]
    pub fn was_told(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.state().told)
    }

    /// What an app said of itself last, as it was signed.
    #[must_use]
    pub fn was_said(&self) -> String {
        self.state().said.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}
