//! `countersign person`: what an operator says of people by hand. It holds from the next transaction on, whatever sessions are
//! open, and goes before what their sign-in says.

use super::token::connect;
use anyhow::{anyhow, bail};
use clap::Subcommand;
use domain::{
    contributor::{self, Key},
    ids::PersonId,
    people::{Account, Granted, Level, Link, Person, Source},
};
use store::{Db, Tx, people};

/// What can be said of somebody. WHO is an id, the provider's subject, a name, an e-mail address or a login.
#[derive(Debug, Subcommand)]
pub enum Options {
    /// Set somebody's level, which then goes before their claims; `none` takes back what was set.
    Level {
        who: String,
        #[arg(value_parser = level)]
        level: LevelOrNone,
    },
    /// Let somebody in again.
    Activate { who: String },
    /// Bar somebody from everything, and end their sessions.
    Deactivate { who: String },
    /// Say with proof that an address or a login is somebody's: then their level counts for its commits.
    Link {
        who: String,
        /// An e-mail address, or a login at the code host.
        account: String,
    },
    /// Withdraw that an address or a login is somebody's, whoever said so. What their next sign-in or import says holds again;
    /// approvals that the link had ended do not.
    Unlink {
        who: String,
        /// An e-mail address, or a login at the code host.
        account: String,
    },
    /// Show somebody, or everybody.
    Show { who: Option<String> },
}

/// A level, or that there shall be none.
#[derive(Debug, Clone, Copy)]
pub struct LevelOrNone(Option<Level>);

/// Does it.
///
/// # Errors
/// A sentence that says what to do.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let db = connect().await?;
    let mut tx = db.begin().await?;
    let person = match options {
        Options::Show { who: None } => return show_all(&db).await,
        Options::Show { who: Some(who) } => find(&mut tx, &who).await?,
        Options::Level { who, level } => {
            let person = find(&mut tx, &who).await?;
            people::set_level(&mut tx, person, level.0).await?;
            person
        }
        Options::Activate { who } => {
            let person = find(&mut tx, &who).await?;
            people::activate(&mut tx, person).await?;
            person
        }
        Options::Deactivate { who } => {
            let person = find(&mut tx, &who).await?;
            people::deactivate(&mut tx, person).await?;
            person
        }
        Options::Link { who, account } => {
            let person = find(&mut tx, &who).await?;
            for key in keys(&account) {
                people::link(&mut tx, person, &key).await?;
            }
            person
        }
        Options::Unlink { who, account } => {
            let person = find(&mut tx, &who).await?;
            let mut ended = false;
            for key in keys(&account) {
                ended |= people::unlink(&mut tx, person, &key).await?;
            }
            if !ended {
                bail!(
                    "`{account}` is not linked to `{who}`; `countersign person show {who}` says what is"
                );
            }
            person
        }
    };
    let loaded = people::load(tx.conn(), person).await?;
    tx.commit().await?;
    if let Some(person) = loaded {
        println!("{}", described(&person));
    }
    Ok(())
}

async fn show_all(db: &Db) -> anyhow::Result<()> {
    let mut tx = db.read().await?;
    let ids = people::all(tx.conn()).await?;
    let mut everybody = people::load_all(tx.conn(), &ids).await?;
    everybody.sort_by(|a, b| a.name.cmp(&b.name));
    for person in everybody {
        println!("{}", described(&person));
    }
    Ok(())
}

async fn find(tx: &mut Tx, who: &str) -> anyhow::Result<PersonId> {
    let found = people::meant_by(tx.conn(), who, &keys(who)).await?;
    match found.as_slice() {
        [person] => Ok(*person),
        [] => Err(anyhow!(
            "nobody here is known as `{who}`: people are known once they have signed in or were imported"
        )),
        several => {
            let several = people::load_all(tx.conn(), several).await?;
            let lines: Vec<String> = several
                .iter()
                .map(|p| format!("  {}  {}", p.id, p.name))
                .collect();
            bail!(
                "`{who}` may mean several people; name one by id:\n{}",
                lines.join("\n")
            )
        }
    }
}

fn keys(account: &str) -> Vec<Key> {
    if account.contains('@') {
        contributor::keys(account, None)
    } else {
        contributor::keys("", Some(account))
    }
}

fn described(person: &Person) -> String {
    let mut facts = vec![];
    facts.extend(
        person
            .levels
            .iter()
            .map(|level| fact(level, level.value.as_str())),
    );
    facts.extend(person.teams.iter().map(|team| fact(team, &team.value)));
    facts.extend(
        person
            .roles
            .iter()
            .map(|role| fact(role, role.value.as_str())),
    );
    facts.extend(person.accounts.iter().map(account));
    let activity = if person.active {
        "active"
    } else {
        "deactivated"
    };
    let seen = person
        .signed_in
        .map_or("never signed in".to_owned(), |sign_in| {
            format!(
                "signed in {}, groups {}",
                sign_in.at.date(),
                sign_in.groups.as_str()
            )
        });
    format!(
        "{}  {}  {activity}  {seen}  {}",
        person.id,
        person.name,
        facts.join(" ")
    )
}

fn account(account: &Account) -> String {
    let said = |link: &Link| format!("{} {}", link.source.words(), link.at.date());
    let links: Vec<String> = account.links.iter().map(said).collect();
    let proof = if account.proved { "proved" } else { "unproved" };
    format!("{} ({proof}; {})", account.key.0, links.join(", "))
}

fn fact<T>(granted: &Granted<T>, value: &str) -> String {
    match granted.source {
        Source::Claims => value.to_owned(),
        source => format!("{value} ({})", source.words()),
    }
}

fn level(word: &str) -> Result<LevelOrNone, String> {
    match (word, Level::parse(word)) {
        ("none", _) => Ok(LevelOrNone(None)),
        (_, Some(level)) => Ok(LevelOrNone(Some(level))),
        (_, None) => Err("levels are junior, mid, senior and none".to_owned()),
    }
}
