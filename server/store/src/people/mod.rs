//! Who there is: people, what was granted to them and by whom, and which addresses tie commits to them.
//!
//! Facts are rows that hold from one version of `people_version` until another. Whoever changes one raises the version
//! first, under its row lock, so versions are in commit order and a standing stamped with today's is right.
//! Locks are taken in one order: a change, the person, the version.

mod directory;
mod import;
mod links;
pub mod stand_ins;

pub use directory::{Stranger, found, strangers};
pub use import::{Clash, Difference, Fact, Listed, Plan, apply, compare};
pub use links::{link, link_by, name_own, unlink, unlink_by};

use crate::{Error, Tx, error::known, events, ids, sessions};
use domain::{
    Timestamp,
    contributor::{self, Key},
    ids::PersonId,
    people::{Account, Granted, Groups, Level, Link, Person, Role, SignIn, Source},
};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// What a provider said about somebody at sign-in, already read by our settings.
#[derive(Debug, Clone)]
pub struct Claims {
    pub issuer: String,
    pub subject: String,
    pub name: String,
    pub email: Option<String>,
    pub login: Option<String>,
    /// Count only where `groups` is [`Groups::Read`]; likewise teams and roles.
    pub levels: Vec<Level>,
    pub teams: Vec<String>,
    pub roles: Vec<Role>,
    pub groups: Groups,
}

/// Records a sign-in: who it is, how old their claims are now, and what these grant from now on.
///
/// What the claims no longer grant ends. Addresses and logins are only ever added: once a provider said that one is
/// theirs it keeps barring them from approving its commits, whatever the provider says later.
///
/// # Errors
/// The database refused.
pub async fn upsert_at_sign_in(tx: &mut Tx, claims: &Claims) -> Result<PersonId, Error> {
    let person = upsert_person(tx, claims).await?;
    let facts = change_facts(tx, person, Source::Claims, None, granted_by(claims)).await?;
    let added = missing_accounts(tx, person, claims).await?;
    if facts.is_some() || !added.is_empty() {
        let version = next_version(tx).await?;
        if let Some(facts) = facts {
            facts.write(tx, version).await?;
        }
        for key in &added {
            open_account(tx, person, key, Source::Claims, false, version).await?;
        }
    }
    let now = tx.now();
    sqlx::query!(
        "insert into sign_in (id, person_id, groups, at) values ($1, $2, $3, $4)",
        ids::new(),
        person.0,
        claims.groups.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    let data = json!({ "groups": claims.groups.as_str() });
    events::record(tx, None, "person.signed_in", person.0, data).await?;
    Ok(person)
}

/// Sets somebody's level by hand, or takes back what was set by hand. Holds from the next transaction on.
///
/// # Errors
/// The database refused.
pub async fn set_level(tx: &mut Tx, person: PersonId, level: Option<Level>) -> Result<(), Error> {
    let wanted = level.map(|level| Fact::new("level", level.as_str()));
    operate(tx, person, "level", wanted.into_iter().collect()).await
}

/// Bars somebody from everything, from the next transaction on, and ends their sessions.
///
/// # Errors
/// The database refused.
pub async fn deactivate(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    let inactive = Fact::new("inactive", "inactive");
    operate(tx, person, "inactive", BTreeSet::from([inactive])).await?;
    stand_ins::end_of(tx, person).await?;
    sessions::revoke_all(tx, person).await
}

/// Takes a deactivation back. Their old sessions stay ended.
///
/// # Errors
/// The database refused.
pub async fn activate(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    operate(tx, person, "inactive", BTreeSet::new()).await?;
    // A sign-in that raced the deactivation may have left one behind.
    sessions::revoke_all(tx, person).await
}

/// One person as they are now.
///
/// # Errors
/// The database cannot be asked, or holds a word that this version does not know.
pub async fn load(conn: &mut PgConnection, person: PersonId) -> Result<Option<Person>, Error> {
    Ok(load_all(conn, &[person]).await?.pop())
}

/// Several people as they are now, in the order of their ids; who is not there is left out.
///
/// # Errors
/// The database cannot be asked, or holds a word that this version does not know.
pub async fn load_all(conn: &mut PgConnection, people: &[PersonId]) -> Result<Vec<Person>, Error> {
    let ids: Vec<Uuid> = people.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select p.id, p.name, s.groups as "groups?", s.at as "at?"
           from person p
           left join lateral (select groups, at from sign_in where person_id = p.id order by at desc limit 1) s on true
           where p.id = any($1) order by p.id"#,
        &ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut loaded = Vec::with_capacity(rows.len());
    for row in rows {
        loaded.push(Person {
            id: PersonId(row.id),
            name: row.name,
            active: true,
            levels: vec![],
            teams: vec![],
            roles: vec![],
            accounts: vec![],
            signed_in: sign_in(row.groups.as_deref(), row.at)?,
        });
    }
    add_facts(conn, &ids, &mut loaded).await?;
    add_accounts(conn, &ids, &mut loaded).await?;
    Ok(loaded)
}

/// Whether somebody may come in now: false for who was deactivated, and for who is not known.
///
/// # Errors
/// The database cannot be asked.
pub async fn is_active(conn: &mut PgConnection, person: PersonId) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from person where id = $1) and not exists
               (select from person_fact where person_id = $1 and kind = 'inactive' and until_version is null) as "is!""#,
        person.0,
    )
    .fetch_one(conn)
    .await?)
}

/// Everybody, by name.
///
/// # Errors
/// The database cannot be asked.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<PersonId>, Error> {
    let ids = sqlx::query_scalar!("select id from person order by name, id")
        .fetch_all(conn)
        .await?;
    Ok(ids.into_iter().map(PersonId).collect())
}

/// The people whom an operator may mean: those with this subject, this name in whatever case, or one of these keys. What
/// somebody only calls theirs means nobody: they would be given what is meant for another.
///
/// # Errors
/// The database cannot be asked.
pub async fn meant_by(
    conn: &mut PgConnection,
    text: &str,
    keys: &[Key],
) -> Result<Vec<PersonId>, Error> {
    let keys: Vec<String> = keys.iter().map(|key| key.0.clone()).collect();
    let ids = sqlx::query_scalar!(
        r#"select id as "id!" from person where subject = $1 or lower(name) = lower($1) or id::text = $1
           union select person_id from account where key = any($2) and source <> 'person' and until_version is null
           order by 1"#,
        text,
        &keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PersonId).collect())
}

/// What all facts about people add up to now; standings are stamped with it.
///
/// # Errors
/// The database cannot be asked.
pub async fn version(conn: &mut PgConnection) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!("select version from people_version")
        .fetch_one(conn)
        .await?)
}

/// The version that held in a snapshot.
///
/// # Errors
/// The database cannot be asked.
pub(crate) async fn version_in(conn: &mut PgConnection, snapshot: &str) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(
        "select version from people_change where was_there(xid, $1::text::pg_snapshot) order by version desc limit 1",
        snapshot,
    )
    .fetch_one(conn)
    .await?)
}

/// Raises the version under its row lock, which this transaction then holds: changes of facts happen one after another.
pub(crate) async fn next_version(tx: &mut Tx) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(
        "with raised as (update people_version set version = version + 1 returning version)
         insert into people_change (version) select version from raised returning version"
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Finds or makes the person, and locks them: two sign-ins of one person come one after another.
async fn upsert_person(tx: &mut Tx, claims: &Claims) -> Result<PersonId, Error> {
    let now = tx.now();
    let id = sqlx::query_scalar!(
        "insert into person (id, issuer, subject, name, created_at) values ($1, $2, $3, $4, $5)
         on conflict on constraint person_identity do update set name = excluded.name
         returning id",
        ids::new(),
        claims.issuer,
        claims.subject,
        claims.name,
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(PersonId(id))
}

/// Locks several people, always in one order.
async fn lock_all(tx: &mut Tx, people: &[PersonId]) -> Result<(), Error> {
    let ids: Vec<Uuid> = people.iter().map(|id| id.0).collect();
    sqlx::query_scalar!(
        "select id from person where id = any($1) order by id for no key update",
        &ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// Somebody, locked: what is known of them stays so until the transaction ends. None if there is no such person.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn locked(tx: &mut Tx, person: PersonId) -> Result<Option<Person>, Error> {
    lock(tx, person).await?;
    load(tx.conn(), person).await
}

/// Locks somebody: what is known of them stays so until the transaction ends, and what they do comes one after another.
/// Not `for update`, which would also wait for rows that only refer to them.
pub(crate) async fn lock(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    sqlx::query_scalar!(
        "select id from person where id = $1 for no key update",
        person.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

impl Fact {
    fn new(kind: &str, value: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// What the claims grant: nothing unless the groups were there and whole.
fn granted_by(claims: &Claims) -> BTreeSet<Fact> {
    if claims.groups != Groups::Read {
        return BTreeSet::new();
    }
    let levels = claims.levels.iter().map(|l| Fact::new("level", l.as_str()));
    let teams = claims.teams.iter().map(|team| Fact::new("team", team));
    let roles = claims.roles.iter().map(|r| Fact::new("role", r.as_str()));
    levels.chain(teams).chain(roles).collect()
}

/// The facts of one source and person that begin and end.
struct FactChange {
    person: PersonId,
    source: Source,
    begin: BTreeSet<Fact>,
    end: BTreeSet<Fact>,
}

/// What has to change so that `wanted` holds; none if it does already. `kind` limits it to facts of that kind.
async fn change_facts(
    tx: &mut Tx,
    person: PersonId,
    source: Source,
    kind: Option<&str>,
    wanted: BTreeSet<Fact>,
) -> Result<Option<FactChange>, Error> {
    let held: BTreeSet<Fact> = sqlx::query_as!(
        Fact,
        "select kind, value from person_fact
         where person_id = $1 and source = $2 and until_version is null and ($3::text is null or kind = $3)",
        person.0,
        source.as_str(),
        kind,
    )
    .fetch_all(tx.conn())
    .await?
    .into_iter()
    .collect();
    Ok((held != wanted).then(|| FactChange {
        person,
        source,
        begin: wanted.difference(&held).cloned().collect(),
        end: held.difference(&wanted).cloned().collect(),
    }))
}

impl FactChange {
    async fn write(&self, tx: &mut Tx, version: i64) -> Result<(), Error> {
        let now = tx.now();
        for fact in &self.end {
            sqlx::query!(
                "update person_fact set until_version = $1
                 where person_id = $2 and source = $3 and kind = $4 and value = $5 and until_version is null",
                version,
                self.person.0,
                self.source.as_str(),
                fact.kind,
                fact.value,
            )
            .execute(tx.conn())
            .await?;
        }
        for fact in &self.begin {
            sqlx::query!(
                "insert into person_fact (person_id, kind, value, source, from_version, at) values ($1, $2, $3, $4, $5, $6)",
                self.person.0,
                fact.kind,
                fact.value,
                self.source.as_str(),
                version,
                now,
            )
            .execute(tx.conn())
            .await?;
        }
        let words = |facts: &BTreeSet<Fact>| -> Vec<String> {
            let word = |fact: &Fact| format!("{}:{}", fact.kind, fact.value);
            facts.iter().map(word).collect()
        };
        let data = json!({
            "version": version,
            "source": self.source.as_str(),
            "begin": words(&self.begin),
            "end": words(&self.end),
        });
        events::record(tx, None, "person.changed", self.person.0, data).await
    }
}

/// Makes `wanted` all that operators say of this kind about somebody.
async fn operate(
    tx: &mut Tx,
    person: PersonId,
    kind: &str,
    wanted: BTreeSet<Fact>,
) -> Result<(), Error> {
    lock(tx, person).await?;
    let change = change_facts(tx, person, Source::Operator, Some(kind), wanted).await?;
    if let Some(change) = change {
        let version = next_version(tx).await?;
        change.write(tx, version).await?;
    }
    Ok(())
}

/// The keys that the claims carry and that no earlier sign-in had.
async fn missing_accounts(
    tx: &mut Tx,
    person: PersonId,
    claims: &Claims,
) -> Result<BTreeSet<Key>, Error> {
    let held: BTreeSet<Key> = sqlx::query_scalar!(
        "select key from account where person_id = $1 and source = 'claims' and until_version is null",
        person.0
    )
    .fetch_all(tx.conn())
    .await?
    .into_iter()
    .map(Key)
    .collect();
    Ok(keys(claims).difference(&held).cloned().collect())
}

/// All keys that the claims give. A login may be an address too, as with providers that call people by theirs.
fn keys(claims: &Claims) -> BTreeSet<Key> {
    let email = claims.email.as_deref().unwrap_or_default();
    let login = claims.login.as_deref();
    let address = login
        .filter(|login| login.contains('@'))
        .unwrap_or_default();
    contributor::keys(email, login)
        .into_iter()
        .chain(contributor::keys(address, None))
        .filter(|key| LENGTHS.contains(&key.0.len()))
        .collect()
}

/// What a key's column takes. What is longer is no address that a commit could carry.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=400;

async fn open_account(
    tx: &mut Tx,
    person: PersonId,
    key: &Key,
    source: Source,
    proved: bool,
    version: i64,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into account (person_id, key, source, proved, from_version, at) values ($1, $2, $3, $4, $5, $6)",
        person.0,
        key.0,
        source.as_str(),
        proved,
        version,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn sign_in(groups: Option<&str>, at: Option<Timestamp>) -> Result<Option<SignIn>, Error> {
    let Some((groups, at)) = groups.zip(at) else {
        return Ok(None);
    };
    let groups = known(Groups::parse(groups), "sign_in", "groups")?;
    Ok(Some(SignIn { at, groups }))
}

async fn add_facts(
    conn: &mut PgConnection,
    ids: &[Uuid],
    people: &mut [Person],
) -> Result<(), Error> {
    let places = places(people);
    let rows = sqlx::query!(
        "select person_id, kind, value, source from person_fact
         where person_id = any($1) and until_version is null order by kind, value, source",
        ids,
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let Some(person) = places.get(&row.person_id).map(|&at| &mut people[at]) else {
            continue;
        };
        let source = known(Source::parse(&row.source), "person_fact", "source")?;
        match row.kind.as_str() {
            "level" => person.levels.push(Granted {
                value: known(Level::parse(&row.value), "person_fact", "value")?,
                source,
            }),
            "team" => person.teams.push(Granted {
                value: row.value,
                source,
            }),
            "role" => person.roles.push(Granted {
                value: known(Role::parse(&row.value), "person_fact", "value")?,
                source,
            }),
            "inactive" => person.active = false,
            _ => known(None, "person_fact", "kind")?,
        }
    }
    Ok(())
}

async fn add_accounts(
    conn: &mut PgConnection,
    ids: &[Uuid],
    people: &mut [Person],
) -> Result<(), Error> {
    let places = places(people);
    let rows = sqlx::query!(
        "select person_id, key, source, proved, at from account
         where person_id = any($1) and until_version is null order by key, at, source",
        ids,
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let Some(person) = places.get(&row.person_id).map(|&at| &mut people[at]) else {
            continue;
        };
        let link = Link {
            source: known(Source::parse(&row.source), "account", "source")?,
            at: row.at,
        };
        match person.accounts.last_mut() {
            Some(account) if account.key.0 == row.key => {
                account.proved |= row.proved;
                account.links.push(link);
            }
            _ => person.accounts.push(Account {
                key: Key(row.key),
                proved: row.proved,
                links: vec![link],
            }),
        }
    }
    Ok(())
}

fn places(people: &[Person]) -> HashMap<Uuid, usize> {
    let place = |(at, person): (usize, &Person)| (person.id.0, at);
    people.iter().enumerate().map(place).collect()
}
