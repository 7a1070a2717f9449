//! `countersign token`: what opens the REST interface for machines.

use crate::{
    auth::secret::TokenSecret,
    settings::{Database, duration, environment},
};
use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use domain::token::{Pattern, Scope, Token, TokenState};
use secrecy::ExposeSecret;
use store::{Db, tokens::NewToken};
use time::Duration;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum Options {
    /// Make one. It is printed once, and kept only as a hash.
    Create {
        /// What people call it, such as `ci`.
        #[arg(long)]
        name: String,
        /// What it may do: submit, gate, read, incidents, policy, admin.
        #[arg(long, required = true, value_delimiter = ',', value_parser = scope)]
        scope: Vec<Scope>,
        /// Which repositories it is for: `acme/payments`, or `acme/*`. There is no pattern for all.
        #[arg(long, required = true, value_delimiter = ',', value_parser = pattern)]
        repository: Vec<Pattern>,
        /// How long it lasts.
        #[arg(long, default_value = "90d", value_parser = lifetime)]
        expires: Duration,
    },
    /// Show all, without their secrets.
    List,
    /// End one, from the next request on.
    Revoke {
        /// Its id or its name.
        token: String,
    },
}

/// Does it.
///
/// # Errors
/// A sentence that says what to do.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let db = connect().await?;
    match options {
        Options::Create {
            name,
            scope,
            repository,
            expires,
        } => create(&db, &name, &scope, &repository, expires).await,
        Options::List => list(&db).await,
        Options::Revoke { token } => revoke(&db, &token).await,
    }
}

/// Connects as the application, which is all that these commands need.
pub(super) async fn connect() -> anyhow::Result<Db> {
    let settings = Database::read(environment)?;
    Db::connect(settings.url.expose_secret(), 2)
        .await
        .context("could not reach the database of DATABASE_URL")
}

async fn create(
    db: &Db,
    name: &str,
    scopes: &[Scope],
    repositories: &[Pattern],
    expires: Duration,
) -> anyhow::Result<()> {
    if !(1..=100).contains(&name.len()) {
        bail!("a token's name has 1 to 100 characters");
    }
    let secret = TokenSecret::new()?;
    let mut tx = db.begin().await?;
    let token = NewToken {
        name,
        hash: secret.hash(),
        scopes,
        repositories,
        expires_at: tx.now() + expires,
    };
    let id = store::tokens::create(&mut tx, &token).await?;
    tx.commit().await?;
    // Alone on stdout, so that a script can take it; what is said about it goes beside.
    println!("{}", secret.expose());
    eprintln!(
        "Token `{name}` ({id}) lasts until {}. It is shown this once: keep it where your pipeline keeps secrets.",
        day(token.expires_at)
    );
    Ok(())
}

async fn list(db: &Db) -> anyhow::Result<()> {
    let mut tx = db.read().await?;
    let tokens = store::tokens::all(tx.conn()).await?;
    if tokens.is_empty() {
        eprintln!("There are no tokens. `countersign token create` makes one.");
    }
    for token in tokens {
        println!("{}", line(&token, token.state(tx.now())));
    }
    Ok(())
}

async fn revoke(db: &Db, meant: &str) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let now = tx.now();
    let mut named: Vec<Token> = store::tokens::all(tx.conn())
        .await?
        .into_iter()
        .filter(|token| {
            token.id.to_string() == meant
                || token.name == meant && token.state(now) == TokenState::Active
        })
        .collect();
    let token = named.pop().ok_or_else(|| {
        anyhow!(
            "there is no token `{meant}` that could be revoked; `countersign token list` shows all"
        )
    })?;
    if !named.is_empty() {
        bail!(
            "several tokens are called `{meant}`: revoke each by its id; `countersign token list` shows them"
        );
    }
    let ended = store::tokens::revoke(&mut tx, token.id).await?;
    tx.commit().await?;
    let said = if ended {
        "is revoked"
    } else {
        "was revoked already"
    };
    println!("Token `{}` ({}) {said}.", token.name, token.id);
    Ok(())
}

fn line(token: &Token, state: TokenState) -> String {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let repositories: Vec<String> = token.repositories.iter().map(ToString::to_string).collect();
    let state = match state {
        TokenState::Active => format!("until {}", day(token.expires_at)),
        TokenState::Expired => format!("expired {}", day(token.expires_at)),
        TokenState::Revoked => "revoked".to_owned(),
    };
    let used = token
        .last_used_at
        .map_or("never used".to_owned(), |at| format!("used {}", day(at)));
    format!(
        "{}  {}  {}  {}  {state}  {used}",
        token.id,
        token.name,
        scopes.join(","),
        repositories.join(",")
    )
}

/// The day of a moment, which is what people ask of a token.
fn day(at: domain::Timestamp) -> String {
    at.date().to_string()
}

fn scope(word: &str) -> Result<Scope, String> {
    Scope::parse(word)
        .ok_or_else(|| "scopes are submit, gate, read, incidents, policy and admin".to_owned())
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|error| {
        format!("the name {error}; write owner/name, or owner/* for all of one owner")
    })
}

fn lifetime(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "write a number and a unit, such as 90d".to_owned())
}
