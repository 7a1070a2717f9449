//! What `submit` reads out of a git checkout, so that neither the machine nor the change can bend it.
//!
//! Names of revisions are looked up in the checkout. All that is submitted is then read through a repository of our own, which
//! is empty but for the checkout's objects: no configuration, no `info/attributes`, no grafts, no `.gitmodules`, no index and
//! no files of the change are there to be obeyed. The flags say the same once more, for what git reads elsewhere. And what
//! lies under an id is hashed again: whoever may write to the checkout may also write other bytes there.

use super::objects;
use crate::api::wire;
use anyhow::{Context, anyhow, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::{
    commit::{Commit, Signature},
    names::CommitSha,
    text,
};
use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};
use tempfile::TempDir;

/// The first git that can be told to read attributes from nowhere (`--attr-source`).
const GIT_WANTED: (u32, u32) = (2, 41);

/// Every flag that decides what a patch looks like, so that the same two trees give the same bytes anywhere.
const DIFF: &[&str] = &[
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--binary",
    "--full-index",
    "-U3",
    "--inter-hunk-context=0",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "-M50%",
    "-l1000",
    "--submodule=short",
    // `.gitmodules` can say `ignore = all`, and a submodule would move unseen.
    "--ignore-submodules=none",
    "--no-relative",
    "-O/dev/null",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// A git checkout on this machine.
pub struct Checkout {
    /// None: the current directory, and whatever GIT_DIR says.
    dir: Option<PathBuf>,
    /// A repository without settings that sees the checkout's objects.
    bare: TempDir,
    objects: PathBuf,
    empty_tree: &'static str,
    shallow: bool,
}

impl Checkout {
    /// Finds the checkout at `dir`, or where we are.
    pub fn open(dir: Option<&Path>) -> anyhow::Result<Self> {
        new_enough_git()?;
        let asked = |arguments: &[&str]| line_of(in_checkout(dir).arg("rev-parse").args(arguments));
        let objects = asked(&["--path-format=absolute", "--git-path", "objects"])
            .context("this is no git checkout; run it inside one, or name it with --repo-dir")?;
        refuse_grafts(&asked(&["--path-format=absolute", "--git-common-dir"])?)?;
        let format = asked(&["--show-object-format"])?;
        let shallow = asked(&["--path-format=absolute", "--git-path", "shallow"])?;
        let shallow = std::fs::read(shallow).ok().filter(|file| !file.is_empty());
        Ok(Self {
            dir: dir.map(Path::to_owned),
            bare: bare_repository(&format, shallow.as_deref())
                .context("could not write a temporary directory")?,
            objects: objects.into(),
            empty_tree: empty_tree(&format)?,
            shallow: shallow.is_some(),
        })
    }

    /// The full id of the commit that `revision` names.
    pub fn commit(&self, revision: &str) -> anyhow::Result<CommitSha> {
        self.means_one_thing(revision)?;
        let found = line_of(
            in_checkout(self.dir.as_deref())
                .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
                .arg(format!("{revision}^{{commit}}")),
        );
        let sha = found.map_err(|_| self.no_commit(revision))?;
        CommitSha::parse(sha).context("git's answer")
    }

    fn no_commit(&self, revision: &str) -> anyhow::Error {
        // Git also finds none where something else lies under its id.
        let mut git = in_checkout(self.dir.as_deref());
        let named = git.args([
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            revision,
        ]);
        let there = line_of(named)
            .and_then(|id| output_of(self.git().args(["cat-file", "-e", &id])).map(|_| id));
        let overwritten = there
            .ok()
            .and_then(|id| self.verify(format!("{id}\n").as_bytes()).err());
        if let Some(overwritten) = overwritten {
            return overwritten;
        }
        if self.shallow {
            return anyhow!("there is no commit {revision:?} in this shallow clone; {FETCH_MORE}");
        }
        anyhow!(
            "there is no commit {revision:?} in this checkout; fetch it first (`git fetch origin {}`), or name it as git knows it here (`origin/main`, say)",
            text::visible(revision)
        )
    }

    /// Refuses a name that git could take for more than one thing. Of a tag and a branch it silently takes the tag, and
    /// anybody who may push can push a tag `origin/main` that hides commits of theirs from the review.
    fn means_one_thing(&self, revision: &str) -> anyhow::Result<()> {
        let end = revision.find(['^', '~', ':']).or(revision.find("@{"));
        let name = &revision[..end.unwrap_or(revision.len())];
        if name.is_empty() || name == "HEAD" || name == "@" {
            return Ok(());
        }
        self.lies_beside_the_refs(name)?;
        // As gitrevisions(7) looks them up.
        let places = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
        let mut could_be: Vec<String> = places.map(|place| format!("{place}{name}")).into();
        could_be.push(format!("refs/remotes/{name}/HEAD"));
        let mut meant = self.refs(&could_be)?;
        meant.retain(|found| could_be.contains(found));
        if is_short_id(name) && !meant.is_empty() {
            meant.push(format!("commit {name}"));
        }
        if meant.len() > 1 {
            bail!(
                "{name:?} has more than one meaning in this checkout: {}. Say which: a full name such as `refs/remotes/origin/main`, or a full commit id",
                meant.join(", ")
            );
        }
        Ok(())
    }

    /// Refuses a name that a file beside the refs bears: git takes `.git/origin/main` for `origin/main`, and no command
    /// lists it. `FETCH_HEAD` and its like are git's own.
    fn lies_beside_the_refs(&self, name: &str) -> anyhow::Result<()> {
        let of_git = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
        if name.starts_with("refs/") || name.bytes().all(of_git) {
            return Ok(());
        }
        let mut git = in_checkout(self.dir.as_deref());
        let asked = git.args(["rev-parse", "--path-format=absolute", "--git-path", name]);
        if is_ref_file(Path::new(&line_of(asked)?)) {
            bail!(
                "{name:?} is a file of that name in the git directory, and no branch or tag: somebody put it there, and git would take it for one. Remove it, or say a full name such as `refs/remotes/origin/main`"
            );
        }
        Ok(())
    }

    /// Refs that point at `commit`, with their full names.
    pub fn refs_at(&self, commit: &CommitSha) -> anyhow::Result<Vec<String>> {
        self.refs(&[format!("--points-at={commit}")])
    }

    fn refs(&self, which: &[String]) -> anyhow::Result<Vec<String>> {
        let mut git = in_checkout(self.dir.as_deref());
        let output = output_of(
            git.args(["for-each-ref", "--format=%(refname)"])
                .args(which),
        )?;
        Ok(String::from_utf8_lossy(&output)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// The commit where `head` left `base`. Of several, as where both merged the same third branch, the one that git takes.
    pub fn merge_base(&self, base: &CommitSha, head: &CommitSha) -> anyhow::Result<CommitSha> {
        Ok(self.merge_bases(base, head)?.0)
    }

    /// The same where there is one only: git merges from all of several, and shows the patch from one of them, so that a merge
    /// can undo what no patch shows.
    pub fn only_merge_base(&self, base: &CommitSha, head: &CommitSha) -> anyhow::Result<CommitSha> {
        let (found, others) = self.merge_bases(base, head)?;
        if others.is_empty() {
            return Ok(found);
        }
        bail!(
            "head {head} left its target at more than one commit ({found}, {}), since both merged the same work, and the patch from any one of them \
             would not show all that merging the change does: merge the target into the branch, or rebase it, and submit that",
            others.join(", ")
        )
    }

    /// The one that git takes, and the others.
    fn merge_bases(
        &self,
        base: &CommitSha,
        head: &CommitSha,
    ) -> anyhow::Result<(CommitSha, Vec<String>)> {
        let found = line_of(
            self.git()
                .args(["merge-base", "--all", base.as_str(), head.as_str()]),
        );
        match found {
            Ok(all) => {
                let mut all = all.lines().map(str::to_owned);
                let sha =
                    CommitSha::parse(all.next().unwrap_or_default()).context("git's answer")?;
                self.reaches(&sha, base, head)?;
                self.verify_history(Some(&sha), base, head)?;
                Ok((sha, all.collect()))
            }
            Err(_) if self.shallow => bail!(
                "this clone is shallow and does not reach the commit where the change left its target; {FETCH_MORE}"
            ),
            Err(_) => {
                self.verify_history(None, base, head)?;
                bail!(
                    "base {base} and head {head} have no common history, so there is no change between them; is --base the branch that the change goes to?"
                )
            }
        }
    }

    /// Refuses a history of other commits than their ids say. With another parent in one of them another merge base would be found.
    fn verify_history(
        &self,
        merge_base: Option<&CommitSha>,
        base: &CommitSha,
        head: &CommitSha,
    ) -> anyhow::Result<()> {
        let mut git = self.git();
        git.args(["rev-list", base.as_str(), head.as_str()]);
        let Some(merge_base) = merge_base else {
            return self.verify(&output_of(&mut git)?);
        };
        let mut commits = output_of(git.arg(format!("^{merge_base}")))?;
        commits.extend_from_slice(format!("{merge_base}\n").as_bytes());
        self.verify(&commits)
    }

    /// Refuses trees and files that the patch is made of, if they are others than their ids say.
    fn verify_contents(&self, merge_base: &CommitSha, head: &CommitSha) -> anyhow::Result<()> {
        let listed = output_of(
            self.git()
                .args(["diff-tree", "-r", "-t", "-z", "--raw", "--no-renames"])
                .args(["--no-abbrev", "--ignore-submodules=none"])
                .args([merge_base.as_str(), head.as_str(), "--"]),
        )?;
        let roots = output_of(
            self.git()
                .args(["log", "--no-walk", "--format=%T", "--end-of-options"])
                .args([merge_base.as_str(), head.as_str()]),
        )?;
        self.verify(&[roots, changed(&listed)].concat())
    }

    /// Refuses the first of these objects, named one a line, that does not hash to its id.
    fn verify(&self, names: &[u8]) -> anyhow::Result<()> {
        let list = file_of(names)?;
        let mut objects = Running::start(
            self.git()
                .args(["cat-file", "--batch"])
                .stdin(list)
                .stdout(Stdio::piped()),
        )?;
        let verified = objects::verify(objects.stdout()?);
        // Git stops writing when nobody reads on, and complains of that; what was found first counts.
        let finished = objects.finish();
        verified.and(finished)
    }

    /// Refuses a history that was cut off between the merge base and the two ends: a nearer merge base could hide behind the cut.
    fn reaches(
        &self,
        merge_base: &CommitSha,
        base: &CommitSha,
        head: &CommitSha,
    ) -> anyhow::Result<()> {
        if !self.shallow {
            return Ok(());
        }
        let walked = output_of(
            self.git()
                .args(["rev-list", base.as_str(), head.as_str()])
                .arg(format!("^{merge_base}")),
        )?;
        let cut = std::fs::read_to_string(self.bare.path().join("shallow"))
            .context("could not read which commits are cut off")?;
        let cut: HashSet<&str> = cut.lines().collect();
        if String::from_utf8_lossy(&walked)
            .lines()
            .any(|sha| cut.contains(sha))
        {
            bail!("this clone is shallow, and its history ends inside the change; {FETCH_MORE}");
        }
        Ok(())
    }

    /// The commits that `head` adds to `merge_base`, oldest first, as git recorded them.
    pub fn commits(
        &self,
        merge_base: &CommitSha,
        head: &CommitSha,
    ) -> anyhow::Result<Vec<wire::Commit>> {
        let mut git = self.git();
        git.args(["rev-list", "--topo-order", "--reverse", head.as_str()]);
        self.listed(git.arg(format!("^{merge_base}")))
    }

    /// The commits whose ids `list` writes, in its order.
    fn listed(&self, list: &mut Command) -> anyhow::Result<Vec<wire::Commit>> {
        let mut list = Running::start(list.stdout(Stdio::piped()))?;
        let names = list.stdout()?;
        let objects = output_of(self.git().args(["cat-file", "--batch"]).stdin(names))?;
        list.finish()?;
        batch(&objects, "commit")?
            .into_iter()
            .map(|(sha, object)| commit(sha, object))
            .collect()
    }

    /// Calls `each` with every commit that `to` has and `from` has not, the latest first.
    pub fn history(
        &self,
        from: Option<&CommitSha>,
        to: &CommitSha,
        mut each: impl FnMut(Commit) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut git = self.git();
        git.args(["rev-list", "--topo-order", to.as_str()]);
        git.args(from.map(|from| format!("^{from}")));
        let mut list = Running::start(git.stdout(Stdio::piped()))?;
        let mut cat = Running::start(
            self.git()
                .args(["cat-file", "--batch"])
                .stdin(list.stdout()?)
                .stdout(Stdio::piped()),
        )?;
        let mut batch = BufReader::with_capacity(1 << 20, cat.stdout()?);
        let mut object = Vec::new();
        while let Some(sha) = next_of_batch(&mut batch, &mut object)? {
            each(plain(&commit(&sha, &object)?)?)?;
        }
        list.finish()?;
        cat.finish()
    }

    /// The commit and those that its branch took before it, the last one first: at most so many.
    pub fn first_parents(&self, tip: &CommitSha, most: usize) -> anyhow::Result<Vec<wire::Commit>> {
        let mut git = self.git();
        git.args(["rev-list", "--first-parent", &format!("--max-count={most}")]);
        git.arg(tip.as_str());
        self.verify(&output_of(&mut git)?)?;
        self.listed(&mut git)
    }

    /// How many commits of its own, merges left out, `head` has that `tip` has not.
    pub fn count_missing(&self, tip: &CommitSha, head: &CommitSha) -> anyhow::Result<usize> {
        let mut git = self.git();
        git.args(["rev-list", "--count", "--no-merges", head.as_str()]);
        let count = line_of(git.arg(format!("^{tip}")))?;
        count.parse().context("git counts in numbers")
    }

    /// The tree of what `head` adds to `base`, merged onto `onto`, as git alone makes it; none where they conflict. What it writes
    /// goes into our own repository, and no attribute of the change or the machine says how files are merged.
    pub fn merged_tree(
        &self,
        base: &CommitSha,
        onto: &CommitSha,
        head: &CommitSha,
    ) -> anyhow::Result<Option<String>> {
        self.verify_contents(base, onto)?;
        self.verify_contents(base, head)?;
        let mut git = self.git();
        git.env("GIT_OBJECT_DIRECTORY", self.bare.path().join("objects"))
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &self.objects)
            .arg(format!("--attr-source={}", self.empty_tree))
            .args(["-c", "core.attributesFile=/dev/null"])
            .args(["merge-tree", "--write-tree", "--no-messages"])
            .arg(format!("--merge-base={base}"))
            .args([onto.as_str(), head.as_str()]);
        let output = git.output().context("git could not be run")?;
        let tree = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        match output.status.code() {
            Some(0) => Ok(Some(tree)),
            // One is a conflict; everything else, that it could not.
            Some(1) => Ok(None),
            _ => bail!(
                "git could not merge {head} onto {onto} to compare: {}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            ),
        }
    }

    /// The ids of the commits that `head` has and `previous` has not, the latest first, and each line of history in one piece.
    pub fn since(&self, previous: &CommitSha, head: &CommitSha) -> anyhow::Result<Vec<CommitSha>> {
        self.reaches(previous, previous, head)?;
        self.verify_history(Some(previous), previous, head)?;
        let listed = output_of(
            self.git()
                .args(["rev-list", "--topo-order", head.as_str()])
                .arg(format!("^{previous}")),
        )?;
        let listed = String::from_utf8_lossy(&listed);
        let sha = |line: &str| CommitSha::parse(line).context("git's answer");
        listed.lines().map(sha).collect()
    }

    /// What git-ai noted beside the commits that are `wanted`, with their ids, in any order; no more than `most` bytes in all.
    pub fn notes(
        &self,
        wanted: impl Fn(&str) -> bool,
        most: usize,
    ) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut git = in_checkout(self.dir.as_deref());
        let named = git.args(["rev-parse", "--verify", "--quiet", "refs/notes/ai^{tree}"]);
        let Ok(tree) = line_of(named) else {
            return Ok(Vec::new());
        };
        let listed = output_of(self.git().args(["ls-tree", "-r", "-l", "-z", &tree]))?;
        let mut left = most;
        let mut noted = Vec::new();
        let mut ids = String::new();
        for (commit, id, size) in listed.split(|&byte| byte == 0).filter_map(note) {
            // What is too large is left out, as what is too much.
            if size <= left && wanted(&commit) {
                left -= size;
                ids.push_str(&id);
                ids.push('\n');
                noted.push(commit);
            }
        }
        let objects = self.objects(ids.as_bytes())?;
        let texts = batch(&objects, "blob")?
            .into_iter()
            .map(|(_, text)| text.to_vec());
        Ok(noted.into_iter().zip(texts).collect())
    }

    /// A file as it is in a commit; none where it is not, or larger than `most` bytes.
    pub fn file(
        &self,
        commit: &CommitSha,
        path: &str,
        most: usize,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        let name = format!("{commit}:{path}");
        let size = line_of(self.git().args(["cat-file", "-s", &name]));
        let fits = size
            .ok()
            .and_then(|size| size.parse().ok())
            .is_some_and(|size: usize| size <= most);
        if !fits {
            return Ok(None);
        }
        // A folder of that name is no file.
        Ok(output_of(self.git().args(["cat-file", "blob", &name])).ok())
    }

    /// What git writes of these objects, named one a line.
    fn objects(&self, names: &[u8]) -> anyhow::Result<Vec<u8>> {
        let list = file_of(names)?;
        output_of(self.git().args(["cat-file", "--batch"]).stdin(list))
    }

    /// Everything that differs between `merge_base` and `head`, packed with zstd while git writes it.
    pub fn patch(&self, merge_base: &CommitSha, head: &CommitSha) -> anyhow::Result<Vec<u8>> {
        self.fetch_what_a_partial_clone_lacks(merge_base, head)?;
        self.verify_contents(merge_base, head)?;
        let mut diff = Running::start(
            self.diff(self.git(), merge_base, head)
                .stdout(Stdio::piped()),
        )?;
        let mut patch = diff.stdout()?;
        let packed =
            zstd::encode_all(&mut patch as &mut dyn Read, 3).context("could not pack the patch")?;
        diff.finish()?;
        Ok(packed)
    }

    fn diff(&self, mut git: Command, merge_base: &CommitSha, head: &CommitSha) -> Command {
        git.arg(format!("--attr-source={}", self.empty_tree))
            .args([
                "-c",
                "core.attributesFile=/dev/null",
                "-c",
                "diff.suppressBlankEmpty=false",
            ])
            .args(DIFF)
            .args([merge_base.as_str(), head.as_str(), "--"]);
        git
    }

    /// Our own repository has no remote to fetch a missing blob from; the checkout does so when it is asked for the same.
    fn fetch_what_a_partial_clone_lacks(
        &self,
        merge_base: &CommitSha,
        head: &CommitSha,
    ) -> anyhow::Result<()> {
        let mut checkout = in_checkout(self.dir.as_deref());
        let promisor = checkout.args(["config", "--get-regexp", r"^remote\..*\.promisor$"]);
        if output_of(promisor).is_err() {
            return Ok(());
        }
        let mut diff = self.diff(in_checkout(self.dir.as_deref()), merge_base, head);
        Running::start(diff.stdout(Stdio::null()))?.finish()
    }

    /// Git in our own repository, with nothing from the machine but its objects.
    fn git(&self) -> Command {
        let mut git = Command::new("git");
        // A cache beside the objects that anybody on the machine could have written: it can leave commits out.
        git.args(["-c", "core.commitGraph=false"]);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                git.env_remove(name);
            }
        }
        git.env("GIT_DIR", self.bare.path())
            .env("GIT_OBJECT_DIRECTORY", &self.objects)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .current_dir(self.bare.path());
        quiet(&mut git);
        git
    }
}

/// Refuses a checkout whose history is told otherwise than its commits tell it. What is submitted ignores grafts; names of
/// revisions, such as `HEAD~2`, would not.
fn refuse_grafts(git_dir: &str) -> anyhow::Result<()> {
    if std::env::var_os("GIT_GRAFT_FILE").is_some_and(|file| !file.is_empty()) {
        bail!(
            "GIT_GRAFT_FILE is set, which makes git tell another history than the commits do; unset it"
        );
    }
    let file = Path::new(git_dir).join("info/grafts");
    if std::fs::metadata(&file).is_ok_and(|file| file.len() > 0) {
        bail!(
            "{} makes git tell another history than the commits do; remove it",
            file.display()
        );
    }
    Ok(())
}

/// Whether git would read this file as a ref: it names another one, or a commit.
fn is_ref_file(file: &Path) -> bool {
    let mut begin = Vec::new();
    let read = File::open(file).and_then(|file| file.take(40).read_to_end(&mut begin));
    read.is_ok()
        && (begin.starts_with(b"ref:")
            || (begin.len() == 40 && begin.iter().all(u8::is_ascii_hexdigit)))
}

/// The ids of what `diff-tree --raw -z` lists, on both sides, one a line; commits of submodules are no objects of this
/// checkout.
fn changed(listed: &[u8]) -> Vec<u8> {
    let mut ids = Vec::new();
    // Each entry is followed by the file's name, which may look like one.
    for entry in listed.split(|&byte| byte == 0).step_by(2) {
        let entry = entry.strip_prefix(b":").unwrap_or_default();
        let parts: Vec<&[u8]> = entry.split(|&byte| byte == b' ').collect();
        if let [old_mode, new_mode, old, new, ..] = parts[..] {
            for (mode, id) in [(old_mode, old), (new_mode, new)] {
                if mode != b"160000" && mode != b"000000" {
                    ids.extend_from_slice(id);
                    ids.push(b'\n');
                }
            }
        }
    }
    ids
}

/// Whether git could read this name as the beginning of a commit's id.
fn is_short_id(name: &str) -> bool {
    (4..40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

const FETCH_MORE: &str = "fetch the rest first: `git fetch --unshallow`, or in CI `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` for GitLab";

/// Git where the user is, with the user's settings: only for questions that those cannot bend, and that need them (`safe.directory`).
fn in_checkout(dir: Option<&Path>) -> Command {
    let mut git = Command::new("git");
    git.args(["-c", "core.commitGraph=false"]);
    if let Some(dir) = dir {
        git.arg("-C").arg(dir);
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_COMMON_DIR",
            "GIT_OBJECT_DIRECTORY",
        ] {
            git.env_remove(name);
        }
    }
    git.env_remove("GIT_EXTERNAL_DIFF")
        .env_remove("GIT_DIFF_OPTS");
    quiet(&mut git);
    git
}

fn quiet(git: &mut Command) {
    git.env("LC_ALL", "C")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_GRAFT_FILE", "/dev/null")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_PAGER", "cat")
        .stdin(Stdio::null());
}

fn new_enough_git() -> anyhow::Result<()> {
    let text = line_of(Command::new("git").arg("--version"))?;
    match version(&text) {
        Some(found) if found >= GIT_WANTED => Ok(()),
        _ => bail!(
            "this is {text:?}, but reading a change safely needs git {}.{} or newer: install that, or run this step in an image that has it",
            GIT_WANTED.0,
            GIT_WANTED.1
        ),
    }
}

/// `git version 2.39.5 (Apple Git-154)` is 2.39.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(' ').nth(2)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn bare_repository(format: &str, shallow: Option<&[u8]>) -> std::io::Result<TempDir> {
    let dir = tempfile::Builder::new().prefix("countersign-").tempdir()?;
    let config = format!(
        "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = {format}\n"
    );
    for name in ["refs", "objects"] {
        std::fs::create_dir(dir.path().join(name))?;
    }
    std::fs::write(dir.path().join("HEAD"), "ref: refs/heads/none\n")?;
    std::fs::write(dir.path().join("config"), config)?;
    if let Some(commits) = shallow {
        std::fs::write(dir.path().join("shallow"), commits)?;
    }
    Ok(dir)
}

fn empty_tree(format: &str) -> anyhow::Result<&'static str> {
    match format {
        "sha1" => Ok("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
        "sha256" => Ok("6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),
        other => {
            bail!("this checkout names its objects by {other:?}, which this version does not know")
        }
    }
}

/// A file that git can read from its beginning: through a pipe both ends could wait for each other.
fn file_of(bytes: &[u8]) -> anyhow::Result<File> {
    let mut file = tempfile::tempfile().context("could not write a temporary file")?;
    file.write_all(bytes)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .context("could not write a temporary file")?;
    Ok(file)
}

/// What `ls-tree -l` says of one note: the commit, which the path spells, and the id and the size of its text.
fn note(entry: &[u8]) -> Option<(String, String, usize)> {
    let (told, path) = std::str::from_utf8(entry).ok()?.split_once('\t')?;
    let mut told = told.split(' ').filter(|part| !part.is_empty());
    let (_, kind, id, size) = (told.next()?, told.next()?, told.next()?, told.next()?);
    let commit = path.replace('/', "");
    (kind == "blob").then_some(())?;
    Some((commit, id.to_owned(), size.parse().ok()?))
}

/// Splits what `cat-file --batch` writes: a line `<id> commit <size>`, that many bytes, and a line end, for each.
fn batch<'a>(mut rest: &'a [u8], kind: &str) -> anyhow::Result<Vec<(&'a str, &'a [u8])>> {
    let mut objects = Vec::new();
    while !rest.is_empty() {
        let object = one_of_batch(rest, kind)
            .context("git wrote objects in a way that this version cannot read")?;
        objects.push((object.0, object.1));
        rest = object.2;
    }
    Ok(objects)
}

fn one_of_batch<'a>(text: &'a [u8], kind: &str) -> Option<(&'a str, &'a [u8], &'a [u8])> {
    let end = text.iter().position(|&byte| byte == b'\n')?;
    let (sha, rest) = std::str::from_utf8(&text[..end]).ok()?.split_once(' ')?;
    let size = rest.strip_prefix(kind)?.strip_prefix(' ')?;
    let (object, rest) = text[end + 1..].split_at_checked(size.parse().ok()?)?;
    Some((sha, object, rest.strip_prefix(b"\n")?))
}

/// Reads one object of such a batch into `object`; its id, or none behind the last.
fn next_of_batch(batch: &mut impl BufRead, object: &mut Vec<u8>) -> anyhow::Result<Option<String>> {
    const UNREADABLE: &str = "git wrote commits in a way that this version cannot read";
    let mut head = String::new();
    if batch.read_line(&mut head).context(UNREADABLE)? == 0 {
        return Ok(None);
    }
    let (sha, size) = head.trim_end().split_once(" commit ").context(UNREADABLE)?;
    let size: usize = size.parse().context(UNREADABLE)?;
    object.resize(size + 1, 0);
    batch.read_exact(object).context(UNREADABLE)?;
    object.truncate(size);
    Ok(Some(sha.to_owned()))
}

/// The same without what only travels: text that is not UTF-8 is replaced as the server does it.
fn plain(commit: &wire::Commit) -> anyhow::Result<Commit> {
    let signature = |who: &wire::Signature| {
        let lossy = |text| String::from_utf8_lossy(&bytes(text)).into_owned();
        Signature {
            name: lossy(&who.name),
            email: lossy(&who.email),
        }
    };
    let sha = |id: &String| CommitSha::parse(id.clone()).context("git's answer");
    Ok(Commit {
        sha: sha(&commit.sha)?,
        tree: commit.tree.as_ref().map(sha).transpose()?,
        parents: commit.parents.iter().map(sha).collect::<Result<_, _>>()?,
        author: signature(&commit.author),
        authored_at: commit.authored_at,
        committer: signature(&commit.committer),
        message: bytes(&commit.message),
    })
}

/// What [`text`] made of these bytes.
fn bytes(text: &wire::Text) -> Vec<u8> {
    match text {
        wire::Text::Utf8(text) => text.clone().into_bytes(),
        wire::Text::Bytes { base64 } => BASE64_STANDARD.decode(base64).unwrap_or_default(),
    }
}

/// A commit as git stores it: headers, an empty line, the message.
fn commit(sha: &str, object: &[u8]) -> anyhow::Result<wire::Commit> {
    let (headers, message) = headers_and_message(object);
    let first = |wanted: &str| all(&headers, wanted).next();
    let author = first("author").with_context(|| format!("commit {sha} has no author"))?;
    let committer = first("committer").with_context(|| format!("commit {sha} has no committer"))?;
    let tree = first("tree").with_context(|| format!("commit {sha} has no tree"))?;
    Ok(wire::Commit {
        sha: sha.to_owned(),
        tree: Some(String::from_utf8_lossy(tree).into_owned()),
        parents: all(&headers, "parent")
            .map(|id| String::from_utf8_lossy(id).into_owned())
            .collect(),
        author: signature(author),
        authored_at: moment(author),
        committer: signature(committer),
        message: text(message),
    })
}

fn headers_and_message(object: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut headers = Vec::new();
    let mut rest = object;
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if line.is_empty() {
            return (headers, rest);
        }
        headers.push(line);
    }
    headers.push(rest);
    (headers, b"")
}

/// The values of the headers called `name`. Lines of a longer value begin with a space, so they are never taken for one.
fn all<'a>(headers: &[&'a [u8]], name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter_map(move |line| line.strip_prefix(name.as_bytes())?.strip_prefix(b" "))
}

/// `Name <address> 1700000000 +0100`, read as git reads it: the address is between the first `<` and the next `>`.
fn signature(line: &[u8]) -> wire::Signature {
    let open = line
        .iter()
        .position(|&byte| byte == b'<')
        .unwrap_or(line.len());
    let (name, rest) = line.split_at(open);
    let address = rest.strip_prefix(b"<").unwrap_or_default();
    let close = address
        .iter()
        .position(|&byte| byte == b'>')
        .unwrap_or(address.len());
    wire::Signature {
        name: text(name.trim_ascii()),
        email: text(address[..close].trim_ascii()),
    }
}

/// None where git itself could not say when, or says a year that RFC 3339 has no room for.
fn moment(line: &[u8]) -> Option<time::OffsetDateTime> {
    let after = line.iter().rposition(|&byte| byte == b'>')?;
    let date = std::str::from_utf8(&line[after + 1..]).ok()?;
    let seconds = date.trim().split(' ').next()?.parse().ok()?;
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .filter(|moment| (0..=9999).contains(&moment.year()))
}

fn text(bytes: &[u8]) -> wire::Text {
    match std::str::from_utf8(bytes) {
        Ok(text) => wire::Text::Utf8(text.to_owned()),
        Err(_) => wire::Text::Bytes {
            base64: BASE64_STANDARD.encode(bytes),
        },
    }
}

fn line_of(git: &mut Command) -> anyhow::Result<String> {
    let output = output_of(git)?;
    Ok(String::from_utf8_lossy(&output)
        .trim_end_matches('\n')
        .to_owned())
}

fn output_of(git: &mut Command) -> anyhow::Result<Vec<u8>> {
    let mut running = Running::start(git.stdout(Stdio::piped()))?;
    let mut output = Vec::new();
    running
        .stdout()?
        .read_to_end(&mut output)
        .context("could not read what git writes")?;
    running.finish()?;
    Ok(output)
}

/// A git that runs, and a file for what it complains of: a second pipe could fill up while nobody reads it.
struct Running {
    child: Child,
    complaint: File,
}

impl Running {
    fn start(git: &mut Command) -> anyhow::Result<Self> {
        let complaint = tempfile::tempfile().context("could not write a temporary file")?;
        let stderr = complaint
            .try_clone()
            .context("could not write a temporary file")?;
        let child = git
            .stderr(stderr)
            .spawn()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => anyhow::anyhow!("git is not installed here"),
                _ => anyhow::anyhow!("could not start git: {error}"),
            })?;
        Ok(Self { child, complaint })
    }

    fn stdout(&mut self) -> anyhow::Result<ChildStdout> {
        self.child.stdout.take().context("git has no output")
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let status = self.child.wait().context("git did not end")?;
        if status.success() {
            return Ok(());
        }
        let mut complaint = Vec::new();
        self.complaint
            .seek(SeekFrom::Start(0))
            .context("could not read git's complaint")?;
        self.complaint
            .read_to_end(&mut complaint)
            .context("could not read git's complaint")?;
        match String::from_utf8_lossy(&complaint).trim() {
            "" => bail!("git failed ({status})"),
            complaint => bail!("git says: {complaint}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_git_are_read_in_every_dress() {
        assert_eq!(version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version 2.41.0.windows.1"), Some((2, 41)));
        assert_eq!(version("hub"), None);
    }

    #[test]
    fn a_commit_is_read_as_git_stores_it() {
        let object = b"tree t1\nparent p1\nparent p2\nauthor Zo\xeb <zoe@x.example> 1700000000 +0530\ncommitter <> 99999999999999999999 +0000\n\
            gpgsig -----BEGIN\n author Mallory <m@x.example> 0 +0000\n -----END\nencoding ISO-8859-1\n\nGr\xfc\xdfe\n\nbody\n";
        let commit = commit("c1", object).unwrap();
        assert_eq!(commit.tree.as_deref(), Some("t1"));
        assert_eq!(commit.parents, ["p1", "p2"]);
        assert_eq!(
            commit.author.name,
            wire::Text::Bytes {
                base64: "Wm/r".to_owned()
            }
        );
        assert_eq!(
            commit.author.email,
            wire::Text::Utf8("zoe@x.example".to_owned())
        );
        assert_eq!(
            commit.authored_at.map(time::OffsetDateTime::unix_timestamp),
            Some(1_700_000_000)
        );
        assert_eq!(commit.committer.email, wire::Text::Utf8(String::new()));
        assert_eq!(commit.message, text(b"Gr\xfc\xdfe\n\nbody\n"));
    }

    #[test]
    fn both_sides_of_what_changed_are_looked_at_but_for_submodules() {
        let listed = b":100644 100755 aa bb M\0:1 2 ee ff M\0:000000 040000 00 cc A\0dir\0:160000 160000 dd ee M\0lib\0";
        assert_eq!(changed(listed), b"aa\nbb\ncc\n");
        assert_eq!(changed(b""), b"");
    }

    #[test]
    fn commits_come_out_of_a_batch_whole_or_not_at_all() {
        let two = b"aa commit 3\nx\ny\nbb commit 0\n\n";
        assert_eq!(
            batch(two, "commit").unwrap(),
            [("aa", &b"x\ny"[..]), ("bb", &b""[..])]
        );
        assert!(batch(two, "blob").is_err());
        assert!(batch(b"aa commit 30\nx\n", "commit").is_err());
        assert!(batch(b"aa missing\n", "commit").is_err());
    }
}
