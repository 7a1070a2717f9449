//! A bare repository of real git.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};
use tempfile::TempDir;

/// A bare repository. Cheap to clone; gone with the last handle.
#[derive(Debug, Clone)]
pub struct Repository(Arc<TempDir>);

/// What a file of a commit is: its bytes, or none where it goes. A name that ends in `*` is of one that may be run.
pub type File<'a> = (&'a str, Option<&'a [u8]>);

impl Repository {
    pub(crate) fn new() -> Self {
        let repository = Self(Arc::new(tempfile::tempdir().unwrap()));
        repository.git(&["init", "-q", "--bare", "-b", "main"]);
        repository.commit("main", &[("README.md", Some(b"Payments\n"))], "Begin");
        repository
    }

    /// Adds a commit by Ana to a branch, or to a new one that begins where `main` is.
    pub fn commit(&self, branch: &str, files: &[File<'_>], message: &str) -> String {
        let parent = self.tip(branch).or_else(|| self.tip("main"));
        let commit = self.commit_over(parent.as_deref(), files, message);
        self.git(&["update-ref", &format!("refs/heads/{branch}"), &commit]);
        commit
    }

    /// Makes a branch of this commit, wherever it was before.
    pub fn force(&self, branch: &str, commit: &str) {
        self.git(&["update-ref", &format!("refs/heads/{branch}"), commit]);
    }

    /// Has the last commit of a branch say that somebody else wrote and committed it, each by their address.
    pub fn claimed(&self, branch: &str, author: &str, committer: &str) -> String {
        let said = self.git(&["cat-file", "commit", branch]);
        let line = |line: &str| {
            let who = match line.split_once(' ') {
                Some(("author", _)) => author,
                Some(("committer", _)) => committer,
                _ => return line.to_owned(),
            };
            let (role, _) = line.split_once(' ').unwrap();
            format!("{role} {who} <{who}> 1795172400 +0000")
        };
        let (head, message) = said.split_once("\n\n").unwrap();
        let head: Vec<String> = head.lines().map(line).collect();
        let whole = format!("{}\n\n{message}", head.join("\n"));
        let commit = self.with(
            &["hash-object", "-t", "commit", "-w", "--stdin"],
            whole.as_bytes(),
        );
        self.force(branch, &commit);
        commit
    }

    /// A commit over that one, which no branch has.
    pub fn commit_over(&self, parent: Option<&str>, files: &[File<'_>], message: &str) -> String {
        let index = tempfile::tempdir().unwrap();
        let index = index.path().join("index");
        if let Some(parent) = parent {
            self.indexed(&index, &["read-tree", parent], b"");
        }
        for (path, bytes) in files {
            match bytes {
                Some(bytes) => {
                    let blob = self.with(&["hash-object", "-w", "--stdin"], bytes);
                    let (mode, path) = match path.strip_suffix('*') {
                        Some(path) => ("100755", path),
                        None => ("100644", *path),
                    };
                    let entry = format!("{mode},{blob},{path}");
                    self.indexed(
                        &index,
                        &["update-index", "--add", "--cacheinfo", &entry],
                        b"",
                    );
                }
                None => {
                    let gone = format!("0 {}\t{path}\n", "0".repeat(40));
                    self.indexed(&index, &["update-index", "--index-info"], gone.as_bytes());
                }
            }
        }
        let tree = self.indexed(&index, &["write-tree"], b"");
        let mut asked = vec!["commit-tree", tree.as_str()];
        if let Some(parent) = parent {
            asked.extend(["-p", parent]);
        }
        self.with(&asked, message.as_bytes())
    }

    /// Merges one commit into another, as git does by itself.
    pub fn merge(&self, branch: &str, other: &str) -> String {
        let (ours, theirs) = (self.tip(branch).unwrap(), self.tip(other).unwrap());
        let tree = self.git(&["merge-tree", "--write-tree", &ours, &theirs]);
        let asked = ["commit-tree", tree.as_str(), "-p", &ours, "-p", &theirs];
        let merged = self.with(&asked, format!("Merge {other}").as_bytes());
        self.force(branch, &merged);
        merged
    }

    /// The tree that a patch makes of a commit, if git takes the patch.
    #[must_use]
    pub fn applied(&self, commit: &str, patch: &[u8]) -> String {
        let index = tempfile::tempdir().unwrap();
        let index = index.path().join("index");
        self.indexed(&index, &["read-tree", commit], b"");
        self.indexed(&index, &["apply", "--cached", "--allow-empty", "-"], patch);
        self.indexed(&index, &["write-tree"], b"")
    }

    /// The commit that a branch points to.
    #[must_use]
    pub fn tip(&self, branch: &str) -> Option<String> {
        self.resolve(&format!("refs/heads/{branch}"))
    }

    /// The branches whose names begin so, each with the commit that it points to.
    pub(crate) fn branches(&self, start: &str) -> Vec<(String, String)> {
        let listed = self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        let lines = listed.lines().filter(|line| line.starts_with(start));
        let lines = lines.filter_map(|line| line.split_once(' '));
        lines
            .map(|(name, sha)| (name.to_owned(), sha.to_owned()))
            .collect()
    }

    pub(crate) fn resolve(&self, revision: &str) -> Option<String> {
        let asked = ["rev-parse", "--verify", "-q", "--end-of-options", revision];
        let output = self.command(&asked).output().unwrap();
        output.status.success().then(|| text(&output.stdout))
    }

    /// What git says to this.
    pub fn git(&self, arguments: &[&str]) -> String {
        text(&self.bytes(arguments))
    }

    pub(crate) fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {error}");
        output.stdout
    }

    fn with(&self, arguments: &[&str], input: &[u8]) -> String {
        fed(self.command(arguments), input)
    }

    fn indexed(&self, index: &Path, arguments: &[&str], input: &[u8]) -> String {
        let mut command = self.command(arguments);
        command.env("GIT_INDEX_FILE", index);
        fed(command, input)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .env("GIT_DIR", self.0.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::null());
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Ana");
            command.env(format!("GIT_{role}_EMAIL"), "ana@halden.example");
            command.env(format!("GIT_{role}_DATE"), "2026-11-20T11:00:00Z");
        }
        command
    }
}

fn fed(mut command: Command, input: &[u8]) -> String {
    let mut running = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    running.stdin.take().unwrap().write_all(input).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
