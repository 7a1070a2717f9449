//! Makes the demo's repositories with real git, always with the same commits.

use super::week::{Change, Commit, Edit, Script, Week};
use anyhow::{Context, bail};
use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

/// A checkout, and when the demo's week ends there.
pub struct Repository {
    pub dir: PathBuf,
    end: i64,
}

impl Repository {
    /// The repository in `dir`, made with what it holds at first if it is not there.
    pub fn open(dir: PathBuf, end: i64, script: &Script) -> anyhow::Result<Self> {
        let repository = Self { dir, end };
        if repository
            .git(&["rev-parse", "--quiet", "--verify", "main"])
            .is_ok()
        {
            return Ok(repository);
        }
        // What an interrupted run left.
        if repository.dir.exists() {
            fs::remove_dir_all(&repository.dir)?;
        }
        fs::create_dir_all(&repository.dir)?;
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        for file in &script.files {
            repository.write(&file.file, &file.text)?;
        }
        let month_ago = repository.end - 30 * 86_400;
        let grace = ("Grace Abernathy", "grace@halden.example");
        repository.record("Begin", grace, grace, month_ago)?;
        Ok(repository)
    }

    /// Begins the branch of a change, afresh if an earlier run left it unfinished.
    pub fn branch(&self, change: &Change, target: &str) -> anyhow::Result<()> {
        self.git(&[
            "switch",
            "--quiet",
            "--force-create",
            &change.branch(),
            target,
        ])
    }

    /// Makes one commit of a change.
    pub fn commit(&self, week: &Week, change: &Change, at: usize) -> anyhow::Result<()> {
        let commit = change.commits.get(at).context("there is no such commit")?;
        for edit in &commit.edits {
            self.edit(edit)?;
        }
        let author = week.person(commit.by.as_deref().unwrap_or(&change.author))?;
        // What a bot pushes, its host commits.
        let committer = if author.0.ends_with("[bot]") {
            ("GitHub", "noreply@github.com")
        } else {
            author
        };
        let minutes = i64::try_from(at)? * 23;
        let when = self.end - change.seconds_ago() + minutes * 60;
        self.record(&message(commit), author, committer, when)
    }

    fn edit(&self, edit: &Edit) -> anyhow::Result<()> {
        match edit {
            Edit::Replace { file, old, new } => {
                let text = fs::read_to_string(self.path(file))?;
                if !text.contains(old) {
                    bail!("{file} has no such text: {old}");
                }
                self.write(file, &text.replacen(old, new, 1))
            }
            Edit::Write { file, text } => self.write(file, text),
            Edit::Append { file, append } => {
                self.write(file, &(fs::read_to_string(self.path(file))? + append))
            }
            Edit::Rename { file, rename } => {
                self.make_room(rename)?;
                Ok(fs::rename(self.path(file), self.path(rename))?)
            }
            Edit::Delete { delete } => Ok(fs::remove_file(self.path(delete))?),
            Edit::Executable { executable } => {
                let mode = fs::Permissions::from_mode(0o755);
                Ok(fs::set_permissions(self.path(executable), mode)?)
            }
            Edit::Link { file, link } => {
                self.make_room(file)?;
                Ok(symlink(link, self.path(file))?)
            }
            Edit::Submodule {
                file,
                submodule,
                at,
            } => self.submodule(file, submodule, at),
            Edit::Binary { file, bytes } => {
                self.make_room(file)?;
                Ok(fs::write(self.path(file), Dice(7).bytes(*bytes))?)
            }
            Edit::Table { file, lines } => self.write(file, &table(*lines)),
        }
    }

    /// Records a submodule without cloning it: an entry in the index, and a directory that is empty until somebody asks.
    fn submodule(&self, file: &str, url: &str, at: &str) -> anyhow::Result<()> {
        self.write(
            ".gitmodules",
            &format!("[submodule \"{file}\"]\n\tpath = {file}\n\turl = {url}\n"),
        )?;
        fs::create_dir_all(self.path(file))?;
        self.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{at},{file}"),
        ])
    }

    fn record(
        &self,
        message: &str,
        author: (&str, &str),
        committer: (&str, &str),
        when: i64,
    ) -> anyhow::Result<()> {
        self.git(&["add", "--all"])?;
        let date = format!("{when} +0100");
        let mut git = self.command();
        git.args([
            "commit",
            "--quiet",
            "--no-verify",
            "--cleanup=verbatim",
            "-m",
            message,
        ])
        .env("GIT_AUTHOR_NAME", author.0)
        .env("GIT_AUTHOR_EMAIL", author.1)
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_NAME", committer.0)
        .env("GIT_COMMITTER_EMAIL", committer.1)
        .env("GIT_COMMITTER_DATE", &date);
        run(&mut git)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    fn make_room(&self, file: &str) -> anyhow::Result<()> {
        let path = self.path(file);
        let parent = path.parent().unwrap_or(Path::new("/"));
        Ok(fs::create_dir_all(parent)?)
    }

    fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        self.make_room(file)?;
        Ok(fs::write(self.path(file), text)?)
    }

    fn git<S: AsRef<OsStr>>(&self, arguments: &[S]) -> anyhow::Result<()> {
        run(self.command().args(arguments))
    }

    /// Git without the settings of whoever runs the demo: the commits would differ.
    fn command(&self) -> Command {
        let mut git = Command::new("git");
        git.current_dir(&self.dir)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env(
                "GIT_CEILING_DIRECTORIES",
                self.dir.parent().unwrap_or(Path::new("/")),
            )
            .env("LC_ALL", "C");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            git.env_remove(name);
        }
        git
    }
}

fn run(git: &mut Command) -> anyhow::Result<()> {
    let output = git.output().context("could not start git")?;
    if output.status.success() {
        return Ok(());
    }
    bail!(
        "git says: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    )
}

fn message(commit: &Commit) -> String {
    let text = commit.message.trim();
    match commit.tool {
        None => format!("{text}\n"),
        Some(tool) => format!("{text}\n\n{}\n", tool.trailer()),
    }
}

/// A table as a generator would write it, always the same.
fn table(lines: u32) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const COUNTRIES: &[&str] = &["DE", "FR", "PL", "SE", "ES", "IT", "NL", "AT", "FI", "IE"];
    let mut dice = Dice(2026);
    let mut text = "// Code generated by tools/banks. DO NOT EDIT.\n\npackage banks\n\nvar reachable = map[string]Bank{\n".to_owned();
    for _ in 0..lines.saturating_sub(6) {
        let mut letters =
            |count| -> String { (0..count).map(|_| char::from(dice.pick(LETTERS))).collect() };
        let (bank, place) = (letters(4), letters(2));
        let country = dice.pick(COUNTRIES);
        let days = dice.below(3);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "\t\"{bank}{country}{place}\": {{Instant: {}, Days: {days}}},",
            days == 0
        );
    }
    text + "}\n"
}

/// Chance that falls the same way each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = self.below(from.len() as u64);
        from[usize::try_from(index).unwrap_or(0)]
    }

    fn bytes(&mut self, count: u32) -> Vec<u8> {
        (0..count)
            .map(|_| u8::try_from(self.below(256)).unwrap_or(0))
            .collect()
    }
}
