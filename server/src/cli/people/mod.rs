//! `countersign people`: takes over what a directory says of people, after it has shown what that would change.

mod file;

use super::token::connect;
use crate::settings::environment;
use anyhow::{Context, bail};
use clap::Subcommand;
use domain::text::{one_line, visible};
use file::Row;
use std::{
    fs::File,
    io::{BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};
use store::{
    Db,
    people::{self, Difference, Fact, Listed, Plan},
};

/// What can be done with many people at once.
#[derive(Debug, Subcommand)]
pub enum Options {
    /// Read people from a CSV file, show what it would change, and apply it when told to.
    ///
    /// The first line names the columns: `subject` and `name` are needed; `issuer` (else the configured provider), `level`
    /// (junior, mid, senior or nothing), `teams`, `addresses` and `logins` may be there. Lists are parted by `;` or blanks. A
    /// column that is missing leaves what it is about alone; an empty cell withdraws what an earlier import said. People who
    /// are not in the file are left alone. One wrong row, and nothing is applied.
    Import {
        file: PathBuf,
        /// Apply what the file changes without asking.
        #[arg(long)]
        apply: bool,
    },
}

/// How many names are listed where there may be very many.
const MOST_NAMES: usize = 10;

/// Does it.
///
/// # Errors
/// A sentence that says what to do.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let Options::Import { file, apply } = options;
    let rows = read(&file)?;
    let listed: Vec<Listed> = rows.iter().map(|row| row.listed.clone()).collect();
    let db = connect().await?;
    let plan = compare(&db, &listed).await?;
    refuse_clashes(&rows, &plan)?;
    print!("{}", shown(&listed, &plan));
    if plan.differences.is_empty() {
        println!("There is nothing to do.");
        return Ok(());
    }
    if !apply && !agreed()? {
        println!("Nothing was applied. `--apply` applies it.");
        return Ok(());
    }
    make_so(&db, &listed, &plan).await?;
    println!("Applied.");
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    let opened = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let issuer = environment("COUNTERSIGN_OIDC_ISSUER").filter(|issuer| !issuer.is_empty());
    file::read(opened, issuer.as_deref()).map_err(|faults| {
        anyhow::anyhow!(
            "nothing was applied, for {} is not as it must be:\n{faults}",
            path.display()
        )
    })
}

async fn compare(db: &Db, listed: &[Listed]) -> anyhow::Result<Plan> {
    let mut tx = db.read().await?;
    Ok(people::compare(tx.conn(), listed).await?)
}

async fn make_so(db: &Db, listed: &[Listed], plan: &Plan) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    if !people::apply(&mut tx, listed, plan).await? {
        bail!("nothing was applied: people changed in the meantime; run it again to see how");
    }
    Ok(tx.commit().await?)
}

/// One address of two people would give the commits of one the level of the other.
fn refuse_clashes(rows: &[Row], plan: &Plan) -> anyhow::Result<()> {
    if plan.clashes.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = plan
        .clashes
        .iter()
        .map(|clash| {
            let row = &rows[clash.place];
            let (theirs, owner) = (plain(&row.listed.name), plain(&clash.owner));
            format!(
                "  line {}: {} is given to {theirs}, and is {owner}'s here",
                row.line, clash.key.0
            )
        })
        .collect();
    bail!(
        "nothing was applied: an account is one person's. `countersign person unlink` withdraws what is wrong here:\n{}",
        lines.join("\n")
    )
}

/// What would change, a line a person.
fn shown(listed: &[Listed], plan: &Plan) -> String {
    let width = plan
        .differences
        .iter()
        .map(|one| who(listed, one).chars().count())
        .max();
    let mut out = String::new();
    for one in &plan.differences {
        let word = if one.person.is_none() {
            "new    "
        } else {
            "changes"
        };
        let who = who(listed, one);
        let width = width.unwrap_or_default();
        out += format!("{word}  {who:width$}  {}\n", changes(one)).as_str();
    }
    out += &format!("{} as they were.\n", counted(plan.same));
    if !plan.not_listed.is_empty() {
        let names: Vec<String> = plan
            .not_listed
            .iter()
            .take(MOST_NAMES)
            .map(|name| plain(name))
            .collect();
        let more = if plan.not_listed.len() > MOST_NAMES {
            ", …"
        } else {
            ""
        };
        out += &format!(
            "{} here and not in the file, left alone: {}{more}\n",
            counted(plan.not_listed.len()),
            names.join(", ")
        );
    }
    out
}

fn who(listed: &[Listed], one: &Difference) -> String {
    let listed = &listed[one.place];
    format!("{} ({})", plain(&listed.name), plain(&listed.subject))
}

fn changes(one: &Difference) -> String {
    let said = |sign: &'static str| {
        move |fact: &Fact| format!("{sign}{} {}", fact.kind, plain(&fact.value))
    };
    let renamed = one
        .renamed_from
        .iter()
        .map(|name| format!("was called {}", plain(name)));
    let all: Vec<String> = renamed
        .chain(one.end.iter().map(said("−")))
        .chain(one.begin.iter().map(said("+")))
        .collect();
    all.join(", ")
}

fn counted(people: usize) -> String {
    match people {
        1 => "1 person".to_owned(),
        n => format!("{n} people"),
    }
}

/// A terminal does what the characters say that nobody sees.
fn plain(text: &str) -> String {
    one_line(&visible(text), 80).into_owned()
}

/// Asks, where there is somebody to ask.
fn agreed() -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(false);
    }
    print!("Apply this? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
