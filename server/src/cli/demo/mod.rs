//! `countersign demo`: a week at Halden, a payments company that does not exist.
//!
//! Nothing is put into the database by hand. Real git repositories are made, their changes are submitted as a pipeline would,
//! and people sign in at the OpenID provider and decide on pages as a browser without scripts would.

mod browser;
mod repository;
mod week;

use super::{
    client::{Client, Failure, ServerOptions},
    person,
    submit::{self, ChangeOptions},
};
use crate::{api::wire, settings::environment};
use anyhow::{Context, bail};
use browser::Browser;
use domain::names::{Branch, ChangeKey, RepositoryName};
use repository::Repository;
use std::{
    collections::{HashMap, HashSet},
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use url::Url;
use week::{Change, Decision, Week};

/// Everybody who can sign in, seniors with their own changes among them.
const LOGINS: &[&str] = &["ana", "mika", "ben", "li", "grace"];

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Run twice, it goes on where it stopped. A token with scope `submit` for payments/*, payouts/*, risk/*, checkout/*, platform/*
and support/* is needed.")]
pub struct Options {
    #[command(flatten)]
    server: ServerOptions,
    /// Address of the OpenID provider where the people of the demo sign in
    #[arg(long, value_name = "URL")]
    provider: Url,
    /// Where the repositories are made and kept
    #[arg(long)]
    dir: PathBuf,
}

/// Makes the week, or what is missing of it.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let week = Week::read()?;
    let diary = Diary::open(&options.dir)?;
    let people = sign_everybody_in(&options).await?;
    link_everybody().await?;
    let mut demo = Demo {
        client: Client::new(&options.server)?,
        people,
        repositories: repositories(&week, &diary)?,
        diary,
        skipped: 0,
    };
    for (repository, change) in week.in_order() {
        demo.play(&week, repository, change)
            .await
            .with_context(|| format!("{} {}", repository, change.key))?;
    }
    let changes = week.in_order().len();
    println!(
        "The demo week is there: {changes} changes in {} repositories.",
        demo.repositories.len()
    );
    if demo.skipped > 0 {
        println!(
            "Left out, as the server has no form for it: {} of the decisions.",
            demo.skipped
        );
    }
    Ok(())
}

async fn sign_everybody_in(options: &Options) -> anyhow::Result<HashMap<String, Browser>> {
    let mut people = HashMap::new();
    for login in LOGINS {
        let browser = Browser::sign_in(options.server.url(), &options.provider, login)
            .await
            .with_context(|| format!("{login} could not sign in"))?;
        people.insert((*login).to_owned(), browser);
    }
    Ok(people)
}

/// Says as an operator whose logins and addresses these are, which no sign-in proves: only then do levels count. Only where the database is at hand.
async fn link_everybody() -> anyhow::Result<()> {
    if environment("DATABASE_URL").is_none() && environment("DATABASE_URL_FILE").is_none() {
        println!("There is no DATABASE_URL, so nobody's commits are known to be theirs.");
        return Ok(());
    }
    for login in LOGINS {
        for account in [(*login).to_owned(), format!("{login}@halden.example")] {
            let who = (*login).to_owned();
            person::run(person::Options::Link { who, account }).await?;
        }
    }
    Ok(())
}

fn repositories(week: &Week, diary: &Diary) -> anyhow::Result<HashMap<String, Repository>> {
    let mut made = HashMap::new();
    for script in &week.repositories {
        let dir = diary.dir.join(script.name.replace('/', "-"));
        let repository = Repository::open(dir, diary.end, script)
            .with_context(|| format!("could not make the repository {}", script.name))?;
        made.insert(script.name.clone(), repository);
    }
    Ok(made)
}

struct Demo {
    client: Client,
    people: HashMap<String, Browser>,
    repositories: HashMap<String, Repository>,
    diary: Diary,
    skipped: usize,
}

impl Demo {
    /// One change, from its first commit to its last decision.
    async fn play(&mut self, week: &Week, name: &str, change: &Change) -> anyhow::Result<()> {
        let whole = format!("{name} {}", change.key);
        if self.diary.has(&whole) {
            return Ok(());
        }
        self.repository(name)?
            .branch(change, &target(week, name, change)?)?;
        for (at, commit) in change.commits.iter().enumerate() {
            self.repository(name)?.commit(week, change, at)?;
            let last = at + 1 == change.commits.len();
            if last || !commit.decisions.is_empty() {
                let submitted = self
                    .submit(week, name, change, last && change.other_patch)
                    .await?;
                let closing = if last {
                    change.decisions.as_slice()
                } else {
                    &[]
                };
                for decision in commit.decisions.iter().chain(closing) {
                    self.decide(&whole, &submitted, decision).await?;
                }
            }
        }
        self.diary.note(&whole)
    }

    fn repository(&self, name: &str) -> anyhow::Result<&Repository> {
        self.repositories
            .get(name)
            .context("there is no such repository")
    }

    async fn submit(
        &self,
        week: &Week,
        name: &str,
        change: &Change,
        other_patch: bool,
    ) -> anyhow::Result<wire::Submitted> {
        let (submission, patch) = submit::read(
            &told(week, name, change)?,
            Some(&self.repository(name)?.dir),
        )?;
        let submitted = submit::send(&self.client, &submission, patch.clone()).await?;
        if other_patch {
            self.contradict(&submission, &patch).await?;
        }
        Ok(submitted)
    }

    /// Submits another patch for the same commits, as a build machine that lies would. The server refuses it and remembers.
    async fn contradict(&self, submission: &wire::Submission, patch: &[u8]) -> anyhow::Result<()> {
        let patch = String::from_utf8(zstd::decode_all(patch)?)?;
        let other = patch.replacen("until the dispute is over", "as soon as we say so", 1);
        if other == patch {
            bail!("the other patch would be the same");
        }
        let packed = zstd::encode_all(other.as_bytes(), 3)?;
        match submit::send(&self.client, submission, packed).await {
            Ok(_) => bail!("the server took two patches for one revision"),
            Err(error) => match error.downcast_ref() {
                Some(Failure::Refused(problem)) if problem.status == 409 => Ok(()),
                _ => Err(error),
            },
        }
    }

    async fn decide(
        &mut self,
        whole: &str,
        submitted: &wire::Submitted,
        decision: &Decision,
    ) -> anyhow::Result<()> {
        let entry = format!("{whole} {} by {}", submitted.number, decision.by);
        if self.diary.has(&entry) {
            return Ok(());
        }
        let browser = self
            .people
            .get(&decision.by)
            .context("somebody decides who cannot sign in")?;
        if browser.decide(submitted.change, decision).await? {
            self.diary.note(&entry)
        } else {
            self.skipped += 1;
            Ok(())
        }
    }
}

/// The branch that a change goes to: in a stack, that of the change below.
fn target(week: &Week, name: &str, change: &Change) -> anyhow::Result<String> {
    match &change.onto {
        None => Ok("main".to_owned()),
        Some(key) => Ok(week.change(name, key)?.branch()),
    }
}

/// What a pipeline would be told to submit.
fn told(week: &Week, name: &str, change: &Change) -> anyhow::Result<ChangeOptions> {
    let target = target(week, name, change)?;
    Ok(ChangeOptions {
        repository: RepositoryName::parse(name)?,
        key: ChangeKey::parse(change.key.as_str())?,
        base: Some(target.clone()),
        head: change.branch(),
        target: Branch::parse(target)?,
        title: Some(change.title.clone()),
        url: Some(format!(
            "https://git.halden.example/{name}/pulls/{}",
            change.key
        )),
        author: Some(change.author.clone()),
        author_name: Some(week.person(&change.author)?.0.to_owned()),
        state: wire::State::Open,
        ai: false,
        tool: change.declare.clone(),
        branch: None,
        label: Vec::new(),
        description: None,
        draft: change.draft,
        current: false,
        merged_as: None,
    })
}

/// What was done already, and when the week ended: a second run makes the same commits and takes no decision twice.
struct Diary {
    dir: PathBuf,
    entries: HashSet<String>,
    end: i64,
}

impl Diary {
    fn open(dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("could not make {}", dir.display()))?;
        let text = fs::read_to_string(dir.join("diary")).unwrap_or_default();
        let end = text.lines().next().and_then(|line| line.parse().ok());
        let end = match end {
            Some(end) => end,
            None => {
                let now = store::Clock::System.now().unix_timestamp();
                fs::write(dir.join("diary"), format!("{now}\n"))?;
                now
            }
        };
        Ok(Self {
            dir: dir.to_owned(),
            entries: text.lines().skip(1).map(str::to_owned).collect(),
            end,
        })
    }

    fn has(&self, entry: &str) -> bool {
        self.entries.contains(entry)
    }

    fn note(&mut self, entry: &str) -> anyhow::Result<()> {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(self.dir.join("diary"))?;
        writeln!(file, "{entry}")?;
        self.entries.insert(entry.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_the_week_can_be_made_and_read_and_is_the_same_each_time() {
        let week = Week::read().unwrap();
        let heads = [heads(&week), heads(&week)];
        assert!(heads[0].len() >= 40);
        assert_eq!(heads[0], heads[1]);
    }

    fn heads(week: &Week) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let diary = Diary {
            dir: dir.path().to_owned(),
            entries: HashSet::new(),
            end: 1_800_000_000,
        };
        let repositories = repositories(week, &diary).unwrap();
        let read = |(name, change): (&str, &Change)| {
            let repository = &repositories[name];
            repository
                .branch(change, &target(week, name, change).unwrap())
                .unwrap();
            for at in 0..change.commits.len() {
                repository.commit(week, change, at).unwrap();
            }
            let (submission, patch) =
                submit::read(&told(week, name, change).unwrap(), Some(&repository.dir)).unwrap();
            assert_eq!(
                submission.commits.len(),
                change.commits.len(),
                "{name} {}",
                change.key
            );
            assert!(!zstd::decode_all(patch.as_slice()).unwrap().is_empty());
            submission.head
        };
        week.in_order().into_iter().map(read).collect()
    }
}
