//! A git repository in a temporary directory, made by real git.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

pub struct Checkout {
    _root: TempDir,
    pub dir: PathBuf,
}

impl Checkout {
    /// A repository whose `main` has some files, and a branch `change` that is checked out.
    pub fn new() -> Self {
        Self::of_format("sha1")
    }

    pub fn of_format(format: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("checkout");
        fs::create_dir(&dir).unwrap();
        let checkout = Self { _root: root, dir };
        checkout.git(&[
            "init",
            "--quiet",
            "--initial-branch=main",
            "--object-format",
            format,
        ]);
        checkout.write(
            "payments/fee.rs",
            "fn fee() {\n    1\n}\n\n\n\n\n\n\n\n\nfn other() {\n    2\n}\n",
        );
        checkout.write("README.md", "# Payments\n");
        checkout.commit("Begin");
        checkout.git(&["switch", "--quiet", "--create", "change"]);
        checkout
    }

    /// Another clone, made with these options, where `main` and `change` are both known as `origin/…`.
    pub fn cloned(&self, options: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("checkout");
        let url = format!("file://{}", self.dir.display());
        self.git(&["config", "uploadpack.allowFilter", "true"]);
        let target = dir.to_str().unwrap();
        let mut arguments = vec!["clone", "--quiet", "--no-single-branch"];
        arguments.extend(options);
        arguments.extend([url.as_str(), target]);
        self.git(&arguments);
        Self { _root: root, dir }
    }

    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        self.write_bytes(file.as_bytes(), text.as_ref());
    }

    /// A file whose name need not be UTF-8.
    pub fn write_bytes(&self, file: &[u8], text: &[u8]) {
        let path = self.dir.join(OsStr::from_bytes(file));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn link(&self, file: &str, to: &str) {
        symlink(to, self.dir.join(file)).unwrap();
    }

    /// Commits everything; the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// What git prints. It must succeed.
    pub fn git<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        String::from_utf8(self.bytes(arguments))
            .unwrap()
            .trim_end()
            .to_owned()
    }

    pub fn bytes<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Vec<u8> {
        let mut command = git(&self.dir);
        let output = command.args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }
}

/// Git with nothing of this machine's settings.
pub fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(dir);
    for (name, _) in std::env::vars_os() {
        if name.as_bytes().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Ana")
        .env("GIT_AUTHOR_EMAIL", "ana@halden.example")
        .env("GIT_AUTHOR_DATE", "1790000000 +0200")
        .env("GIT_COMMITTER_NAME", "Ben")
        .env("GIT_COMMITTER_EMAIL", "ben@halden.example")
        .env("GIT_COMMITTER_DATE", "1790000100 +0200");
    command
}
