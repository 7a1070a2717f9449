//! `countersign migrate`: the schema, and the role that `serve` connects as. The only command that needs the owner.

use crate::settings::{Owner, environment};
use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use sqlx::{Connection, PgConnection};
use url::Url;

/// Below this, `INSERT … ON CONFLICT` is broken under SERIALIZABLE, and pruning by partition may miss rows.
const POSTGRES_WANTED: u32 = 150_020;

/// Runs the embedded migrations and grants the application's role what it needs, and nothing more.
pub async fn run() -> anyhow::Result<()> {
    let settings = Owner::read(environment)?;
    let (role, password) = application_role(settings.application.expose_secret())?;
    let mut owner = PgConnection::connect(settings.url.expose_secret())
        .await
        .context("could not connect to COUNTERSIGN_OWNER_URL")?;
    warn_of_old_postgres(&owner);
    store::MIGRATOR
        .run(&mut owner)
        .await
        .context("could not bring the schema up to date")?;
    store::roles::ensure(&mut owner, &role, password.as_deref())
        .await
        .with_context(|| {
            format!(
                "could not make the role {role}: make it by hand, or let the owner create roles"
            )
        })?;
    store::roles::grant(&mut owner, &role)
        .await
        .with_context(|| format!("could not grant {role} what it needs"))?;
    owner.close().await.context("the database went away")?;
    println!("The schema is current; the application connects as {role}.");
    Ok(())
}

/// The role that `serve` will connect as, and its password if the address has one.
fn application_role(url: &str) -> anyhow::Result<(String, Option<String>)> {
    // The parser's own message is left out: it may repeat parts of an address that holds a password.
    let Ok(url) = Url::parse(url) else {
        bail!("DATABASE_URL is not written as postgres://role:password@host/database");
    };
    let from_query = |wanted: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
    };
    let role = match url.username() {
        "" => from_query("user"),
        name => Some(decoded(name)?),
    };
    let password = match url.password() {
        None => from_query("password"),
        Some(text) => Some(decoded(text)?),
    };
    let Some(role) = role else {
        bail!("DATABASE_URL names no role: write it as postgres://role:password@host/database");
    };
    Ok((role, password))
}

fn decoded(part: &str) -> anyhow::Result<String> {
    // A form's decoding is percent-decoding, but for `+`.
    let pair = format!("x={}", part.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(pair.as_bytes()).next();
    decoded
        .map(|(_, value)| value.into_owned())
        .context("DATABASE_URL cannot be read")
}

fn warn_of_old_postgres(connection: &PgConnection) {
    if let Some(version) = connection
        .server_version_num()
        .filter(|v| *v < POSTGRES_WANTED)
    {
        eprintln!(
            "countersign: this PostgreSQL is {}.{}; 15.20 or newer mends faults that can lose rows. Please update it.",
            version / 10_000,
            version % 10_000
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_read_from_the_address_of_the_database() {
        let role = |url| application_role(url).unwrap();
        assert_eq!(
            role("postgres://app@localhost/db"),
            ("app".to_owned(), None)
        );
        assert_eq!(
            role("postgres://a%40b:p+%2Fw@localhost/db"),
            ("a@b".to_owned(), Some("p+/w".to_owned()))
        );
        assert_eq!(
            role("postgres:///db?host=/run/pg&user=app"),
            ("app".to_owned(), None)
        );
        assert!(application_role("postgres://localhost/db").is_err());
        assert!(application_role("localhost").is_err());
    }
}
