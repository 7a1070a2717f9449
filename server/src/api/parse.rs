//! From the wire to the domain: every field of a submission is bounded and parsed here, once.

use super::wire;
use crate::problem::{Refusal, was_too_slow};
use axum::extract::rejection::JsonRejection;
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::{
    arrival::Submitted,
    change::ChangeState,
    commit::{Commit, Signature},
    contributor::{self, Contributor, Role},
    digest::PatchHash,
    landing::{Claim, Kind, Landed},
    names::{Branch, ChangeKey, CommitSha, NameError, RepositoryName},
    provenance::{self, Beside, Mark, Note, Provenance, Said, Tool, Trace},
};
use std::collections::{HashMap, HashSet};

/// More commits than this are no change that a person reads.
const MAX_COMMITS: usize = 2_000;
const MAX_MESSAGE: usize = 1_000_000;
const MAX_SHORT: usize = 500;
const MAX_TITLE: usize = 1_000;
const MAX_URL: usize = 2_000;
const MAX_LABELS: usize = 100;
/// The hosts take up to a million characters, of which templates and footers are the beginning and the end.
const MAX_DESCRIPTION: usize = 1_000_000;
const MAX_TRACES: usize = 2_000;
const NAME_ALL: &str = "name all that `git rev-list base..head` lists";

/// What is wrong with a submission: the field, and what about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {what}")]
pub struct Wrong {
    pub field: String,
    pub what: String,
}

/// A submission whose fields are parsed; its patch comes apart.
#[derive(Debug)]
pub struct Parsed {
    pub repository: RepositoryName,
    pub key: ChangeKey,
    pub title: String,
    pub url: Option<String>,
    pub author: Author,
    pub state: ChangeState,
    pub draft: bool,
    pub target: Branch,
    pub merge_base: CommitSha,
    pub head: CommitSha,
    pub make_current: bool,
    pub commits: Vec<Commit>,
    pub said: Option<Said>,
    pub landed: Option<Claim>,
    pub beside: Beside,
}

/// Who opened the change.
#[derive(Debug)]
pub struct Author {
    /// False where the submission says nothing of whoever opened the change, and the name is only a guess.
    pub given: bool,
    pub name: String,
    pub login: Option<String>,
    pub email: Option<String>,
}

/// Parses a submission.
///
/// # Errors
/// [`Wrong`] names the first field that is not as it must be.
pub fn submission(from: wire::Submission) -> Result<Parsed, Wrong> {
    let head = name("head", CommitSha::parse(from.head))?;
    let merge_base = name("base", CommitSha::parse(from.base))?;
    let commits = commits(from.commits)?;
    if !commits.is_empty() {
        connected(&commits, &head, &merge_base)?;
    }
    Ok(Parsed {
        repository: name("repository", RepositoryName::parse(from.repository))?,
        key: name("key", ChangeKey::parse(from.key))?,
        title: text("title", from.title, MAX_TITLE)?,
        url: from.url.map(url).transpose()?,
        author: author(from.author.unwrap_or_default(), commits.last())?,
        state: state(from.state),
        draft: from.draft,
        target: branch("target", from.target)?,
        merge_base,
        make_current: from.current,
        said: from.ai.map(said).transpose()?,
        landed: from
            .merged_as
            .map(|claim| landed(claim, &head))
            .transpose()?,
        beside: Beside {
            branch: from
                .branch
                .map(|name| text("branch", name, MAX_SHORT))
                .transpose()?,
            labels: labels(from.labels)?,
            description: text(
                "description",
                from.description.unwrap_or_default(),
                MAX_DESCRIPTION,
            )?,
            notes: notes(from.notes, &commits)?,
            traces: traces(from.traces, &commits)?,
        },
        commits,
        head,
    })
}

fn landed(from: wire::MergedAs, head: &CommitSha) -> Result<Claim, Wrong> {
    if from.commits.len() > MAX_COMMITS {
        return Err(wrong(
            "merged_as.commits",
            format!("are more than {MAX_COMMITS}"),
        ));
    }
    let claim = Claim {
        kind: match from.kind {
            wire::Merged::Merge => Kind::Merge,
            wire::Merged::Squash => Kind::Squash,
            wire::Merged::Rebase => Kind::Rebase,
        },
        commits: from
            .commits
            .into_iter()
            .map(landed_commit)
            .collect::<Result<_, _>>()?,
        onto: name("merged_as.onto", CommitSha::parse(from.onto))?,
        tree: name("merged_as.tree", CommitSha::parse(from.tree))?,
    };
    match claim.check(head) {
        Ok(()) => Ok(claim),
        Err(what) => Err(wrong("merged_as", what.to_string())),
    }
}

fn landed_commit(from: wire::MergedCommit) -> Result<Landed, Wrong> {
    let sha = |field, text| name(field, CommitSha::parse(text));
    Ok(Landed {
        sha: sha("merged_as.commits.sha", from.sha)?,
        tree: sha("merged_as.commits.tree", from.tree)?,
        parents: from
            .parents
            .into_iter()
            .map(|parent| sha("merged_as.commits.parents", parent))
            .collect::<Result<_, _>>()?,
    })
}

/// Parses a branch. A whole ref would be a second name of it, under which no rule that names the branch applies.
///
/// # Errors
/// [`Wrong`] says what is wrong with it.
pub fn branch(field: &str, from: String) -> Result<Branch, Wrong> {
    if from.starts_with("refs/") {
        let what = "is a whole ref; name the branch alone, without `refs/heads/`";
        return Err(wrong(field, what));
    }
    name(field, Branch::parse(from))
}

/// Refuses commits that cannot be all that a revision adds: what made a commit that is not told of would count for nothing. Merges
/// have parents below the base, too, so only one way down from the head can be asked for.
fn connected(commits: &[Commit], head: &CommitSha, base: &CommitSha) -> Result<(), Wrong> {
    if let Some(sha) = named_twice(commits) {
        return Err(wrong("commits", format!("name {sha} twice")));
    }
    if !commits.iter().any(|commit| commit.sha == *head) {
        return Err(wrong("commits", "do not include the head"));
    }
    if !leads(commits, head, base) {
        let why = format!("do not lead from the head down to the base: {NAME_ALL}");
        return Err(wrong("commits", why));
    }
    Ok(())
}

fn leads(commits: &[Commit], head: &CommitSha, base: &CommitSha) -> bool {
    let mut left: HashMap<&CommitSha, &Commit> =
        commits.iter().map(|commit| (&commit.sha, commit)).collect();
    let mut next = vec![head];
    while let Some(sha) = next.pop() {
        if let Some(commit) = left.remove(sha) {
            next.extend(&commit.parents);
        } else if sha == base {
            return true;
        }
    }
    false
}

fn named_twice(commits: &[Commit]) -> Option<&CommitSha> {
    let mut named = HashSet::with_capacity(commits.len());
    let shas = commits.iter().map(|commit| &commit.sha);
    shas.into_iter().find(|&sha| !named.insert(sha))
}

impl Parsed {
    /// Refuses what names no commits though it adds some. A host says of such a change that it is incomplete; of anybody else it
    /// would be a change that nobody but its author had a hand in.
    ///
    /// # Errors
    /// [`Wrong`] says what to name.
    pub fn names_its_commits(&self) -> Result<(), Wrong> {
        if self.commits.is_empty() && self.head != self.merge_base {
            return Err(wrong("commits", format!("are missing: {NAME_ALL}")));
        }
        Ok(())
    }

    /// What it says of the revision, with the hash of the patch that came with it.
    #[must_use]
    pub fn submitted(&self, patch: PatchHash) -> Submitted {
        Submitted {
            target: self.target.clone(),
            merge_base: self.merge_base.clone(),
            head: self.head.clone(),
            patch,
            make_current: self.make_current,
        }
    }

    /// Everybody who had a hand in it, as far as the submission says, with the commit that names them. Whom the description
    /// names counts where these marks say that a tool took part.
    #[must_use]
    pub fn contributors(&self, marks: &[Mark]) -> Vec<(Option<CommitSha>, Contributor)> {
        let of_commit = |commit: &Commit| {
            let sha = commit.sha.clone();
            let all = contributor::of_commit(commit).into_iter();
            all.map(move |who| (Some(sha.clone()), who))
        };
        let mut all: Vec<_> = self.commits.iter().flat_map(of_commit).collect();
        all.extend(self.author.contributor().map(|who| (None, who)));
        let assisted = provenance::provenance(marks) == Provenance::Assisted;
        all.extend(contributor::beside(&self.beside, &self.commits, assisted));
        all
    }

    /// All marks that it carries.
    #[must_use]
    pub fn marks(&self) -> Vec<Mark> {
        let mut marks = provenance::marks(&self.commits, self.said.as_ref());
        marks.extend(provenance::beside(&self.beside));
        marks
    }
}

impl Author {
    fn contributor(&self) -> Option<Contributor> {
        let who = Signature {
            name: self.name.clone(),
            email: self.email.clone().unwrap_or_default(),
        };
        // Also one of whom only a name is known: nobody can tell who that is, and so the change is nobody's.
        self.given
            .then(|| Contributor::new(Role::ChangeAuthor, who, self.login.as_deref()))
    }
}

fn author(from: wire::Author, last: Option<&Commit>) -> Result<Author, Wrong> {
    let login = from
        .login
        .map(|login| text("author.login", login, MAX_SHORT))
        .transpose()?;
    let email = from
        .email
        .map(|email| text("author.email", email, MAX_SHORT))
        .transpose()?;
    let name = from
        .name
        .map(|name| text("author.name", name, MAX_SHORT))
        .transpose()?;
    let given = login.is_some() || email.is_some() || name.is_some();
    let committed = || last.map(|commit| commit.author.name.clone());
    let name = name
        .or_else(|| login.clone())
        .or_else(committed)
        .unwrap_or_else(|| "unknown".to_owned());
    Ok(Author {
        given,
        name,
        login,
        email,
    })
}

fn labels(from: Vec<String>) -> Result<Vec<String>, Wrong> {
    if from.len() > MAX_LABELS {
        return Err(wrong("labels", format!("are more than {MAX_LABELS}")));
    }
    from.into_iter()
        .map(|label| text("labels", label, MAX_SHORT))
        .collect()
}

fn notes(from: Vec<wire::Note>, commits: &[Commit]) -> Result<Vec<(CommitSha, Note)>, Wrong> {
    let mut noted = HashSet::new();
    from.into_iter()
        .enumerate()
        .map(|(i, note)| {
            let field = format!("notes[{i}]");
            let commit = name(&format!("{field}.commit"), CommitSha::parse(note.commit))?;
            if !commits.iter().any(|one| one.sha == commit) {
                return Err(wrong(&field, "is about none of the commits"));
            }
            if !noted.insert(commit.clone()) {
                return Err(wrong(&field, "is the second about its commit"));
            }
            let read = Note::parse(&note.text);
            let note =
                read.map_err(|fault| wrong(&field, format!("is no note of git-ai: {fault}")))?;
            Ok((commit, note))
        })
        .collect()
}

fn traces(from: Vec<String>, commits: &[Commit]) -> Result<Vec<Trace>, Wrong> {
    if from.len() > MAX_TRACES {
        return Err(wrong("traces", format!("are more than {MAX_TRACES}")));
    }
    let ids: HashSet<&str> = commits.iter().map(|commit| commit.sha.as_str()).collect();
    from.iter()
        .enumerate()
        .map(|(i, record)| {
            let field = format!("traces[{i}]");
            let trace = Trace::parse(record).map_err(|fault| wrong(&field, fault.to_string()))?;
            if trace
                .revision()
                .is_some_and(|revision| !ids.contains(revision))
            {
                return Err(wrong(&field, "is about none of the commits"));
            }
            Ok(trace)
        })
        .collect()
}

fn commits(from: Vec<wire::Commit>) -> Result<Vec<Commit>, Wrong> {
    if from.len() > MAX_COMMITS {
        return Err(wrong(
            "commits",
            format!("are more than {MAX_COMMITS}; split the change"),
        ));
    }
    from.into_iter()
        .enumerate()
        .map(|(i, one)| commit(&format!("commits[{i}]"), one))
        .collect()
}

fn commit(field: &str, from: wire::Commit) -> Result<Commit, Wrong> {
    let sha = |part: &str, text: String| name(&format!("{field}.{part}"), CommitSha::parse(text));
    let message = bytes(&format!("{field}.message"), from.message)?;
    if message.len() > MAX_MESSAGE {
        return Err(wrong(
            &format!("{field}.message"),
            format!("is longer than {MAX_MESSAGE} bytes"),
        ));
    }
    Ok(Commit {
        sha: sha("sha", from.sha)?,
        tree: from.tree.map(|tree| sha("tree", tree)).transpose()?,
        parents: from
            .parents
            .into_iter()
            .map(|parent| sha("parents", parent))
            .collect::<Result<_, _>>()?,
        author: signature(&format!("{field}.author"), from.author)?,
        authored_at: from.authored_at,
        committer: signature(&format!("{field}.committer"), from.committer)?,
        message,
    })
}

fn signature(field: &str, from: wire::Signature) -> Result<Signature, Wrong> {
    let lossy = |part: &str, value| {
        let field = format!("{field}.{part}");
        let value = String::from_utf8_lossy(&bytes(&field, value)?).into_owned();
        text(&field, value, MAX_SHORT)
    };
    Ok(Signature {
        name: lossy("name", from.name)?,
        email: lossy("email", from.email)?,
    })
}

fn bytes(field: &str, from: wire::Text) -> Result<Vec<u8>, Wrong> {
    match from {
        wire::Text::Utf8(text) => Ok(text.into_bytes()),
        wire::Text::Bytes { base64 } => BASE64_STANDARD
            .decode(base64)
            .map_err(|_| wrong(field, "is not base64")),
    }
}

/// Text that is shown: bounded, and without NUL, which Postgres cannot store.
fn text(field: &str, text: String, most: usize) -> Result<String, Wrong> {
    if text.chars().count() > most {
        return Err(wrong(field, format!("is longer than {most} characters")));
    }
    Ok(if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    })
}

/// Only http and https: a `javascript:` address must never become a link.
fn url(address: String) -> Result<String, Wrong> {
    let address = text("url", address, MAX_URL)?;
    match url::Url::parse(&address) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {
            Ok(parsed.into())
        }
        _ => Err(wrong("url", "is not an http or https address")),
    }
}

fn said(from: wire::Ai) -> Result<Said, Wrong> {
    let tool = from
        .tool
        .map(|tool| Tool::parse(&tool).ok_or_else(|| wrong("ai.tool", "is not the name of a tool")))
        .transpose()?;
    Ok(Said { tool })
}

fn state(from: wire::State) -> ChangeState {
    match from {
        wire::State::Open => ChangeState::Open,
        wire::State::Merged => ChangeState::Merged,
        wire::State::Closed => ChangeState::Closed,
    }
}

/// What to say of a body that is not the JSON that it must be.
pub fn unreadable(error: JsonRejection) -> Refusal {
    if was_too_slow(&error) {
        return Refusal::too_slow();
    }
    Refusal::rejected(error.status(), "body", &error.body_text())
}

/// Puts the field's name to what is wrong with a name.
pub fn name<T>(field: &str, parsed: Result<T, NameError>) -> Result<T, Wrong> {
    parsed.map_err(|error| wrong(field, error.to_string()))
}

fn wrong(field: &str, what: impl Into<String>) -> Wrong {
    Wrong {
        field: field.to_owned(),
        what: what.into(),
    }
}
