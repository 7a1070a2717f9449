//! What a directory says of people: compared with what is known, then made so in one transaction.

use super::{lock_all, next_version};
use crate::{Error, Tx, events, ids};
use domain::{
    contributor::Key,
    ids::PersonId,
    people::{Level, Source},
};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// What a directory says of one person. What it says nothing of (none) is left alone; what is empty is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub issuer: String,
    pub subject: String,
    pub name: String,
    pub level: Option<Option<Level>>,
    pub teams: Option<BTreeSet<String>>,
    /// Addresses and logins together: a no-reply address is both.
    pub accounts: Option<BTreeSet<Key>>,
}

/// What an import would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub differences: Vec<Difference>,
    /// How many people are already as the directory says.
    pub same: usize,
    /// Who is known and not in the directory, by name: left alone.
    pub not_listed: Vec<String>,
    /// Accounts that are somebody else's: with one of these nothing is applied.
    pub clashes: Vec<Clash>,
}

/// What an import would change about one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Their place in the list.
    pub place: usize,
    /// None for somebody new.
    pub person: Option<PersonId>,
    /// What they are called now, if that changes. Only of people who have not come yet: later their sign-in names them.
    pub renamed_from: Option<String>,
    pub begin: BTreeSet<Fact>,
    pub end: BTreeSet<Fact>,
}

/// One thing that is said of somebody: `level senior`, `team payments`, `account email:ben@halden.example`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    pub kind: String,
    pub value: String,
}

/// An account in the list that is linked to another person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    pub key: Key,
    /// The place of who has it in the list.
    pub place: usize,
    /// Who has it now.
    pub owner: String,
}

/// Compares a directory with what is known.
///
/// # Errors
/// The database cannot be asked.
pub async fn compare(conn: &mut PgConnection, listed: &[Listed]) -> Result<Plan, Error> {
    let known = known_people(conn, listed).await?;
    let held = held(conn, &known).await?;
    let mut plan = Plan {
        not_listed: not_listed(conn, &known).await?,
        ..Plan::default()
    };
    for (place, one) in listed.iter().enumerate() {
        match difference(place, one, known.get(&place), &held) {
            Some(difference) => plan.differences.push(difference),
            None => plan.same += 1,
        }
    }
    plan.clashes = clashes(conn, listed, &known, &plan.differences).await?;
    Ok(plan)
}

/// Makes it so, if what was shown is still what would change; answers whether it was.
///
/// # Errors
/// The database refused; nothing is changed then.
pub async fn apply(tx: &mut Tx, listed: &[Listed], shown: &Plan) -> Result<bool, Error> {
    let people: Vec<PersonId> = shown
        .differences
        .iter()
        .filter_map(|difference| difference.person)
        .collect();
    lock_all(tx, &people).await?;
    // Whoever links holds this row: nobody does between the comparison and the end.
    let version = next_version(tx).await?;
    if compare(tx.conn(), listed).await? != *shown || !shown.clashes.is_empty() {
        return Ok(false);
    }
    for difference in &shown.differences {
        let person = match difference.person {
            Some(person) => person,
            None => enter(tx, &listed[difference.place]).await?,
        };
        if difference.renamed_from.is_some() {
            rename(tx, person, &listed[difference.place].name).await?;
        }
        write(tx, person, difference, version).await?;
    }
    Ok(true)
}

struct KnownPerson {
    id: PersonId,
    name: String,
    came: bool,
}

/// Those of the list who are known, by their place in it.
async fn known_people(
    conn: &mut PgConnection,
    listed: &[Listed],
) -> Result<HashMap<usize, KnownPerson>, Error> {
    let text = |f: fn(&Listed) -> &str| {
        listed
            .iter()
            .map(|one| f(one).to_owned())
            .collect::<Vec<_>>()
    };
    let rows = sqlx::query!(
        r#"select l.place as "place!", p.id, p.name, exists (select from sign_in i where i.person_id = p.id) as "came!"
           from unnest($1::text[], $2::text[]) with ordinality as l (issuer, subject, place)
           join person p on p.issuer = l.issuer and p.subject = l.subject"#,
        &text(|one| &one.issuer),
        &text(|one| &one.subject),
    )
    .fetch_all(conn)
    .await?;
    let at = |place: i64| usize::try_from(place - 1).unwrap_or(usize::MAX);
    Ok(rows
        .into_iter()
        .map(|row| {
            let known = KnownPerson {
                id: PersonId(row.id),
                name: row.name,
                came: row.came,
            };
            (at(row.place), known)
        })
        .collect())
}

/// What earlier imports said of these people.
async fn held(
    conn: &mut PgConnection,
    known: &HashMap<usize, KnownPerson>,
) -> Result<HashMap<PersonId, BTreeSet<Fact>>, Error> {
    let ids: Vec<Uuid> = known.values().map(|known| known.id.0).collect();
    let rows = sqlx::query!(
        r#"select person_id as "person_id!", kind as "kind!", value as "value!" from person_fact
           where person_id = any($1) and source = 'import' and until_version is null
           union all
           select person_id, 'account', key from account
           where person_id = any($1) and source = 'import' and until_version is null"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut held: HashMap<PersonId, BTreeSet<Fact>> = HashMap::new();
    for row in rows {
        let fact = Fact::new(&row.kind, &row.value);
        held.entry(PersonId(row.person_id))
            .or_default()
            .insert(fact);
    }
    Ok(held)
}

async fn not_listed(
    conn: &mut PgConnection,
    known: &HashMap<usize, KnownPerson>,
) -> Result<Vec<String>, Error> {
    let ids: Vec<Uuid> = known.values().map(|known| known.id.0).collect();
    Ok(sqlx::query_scalar!(
        "select name from person where id <> all($1) order by lower(name), id",
        &ids
    )
    .fetch_all(conn)
    .await?)
}

fn difference(
    place: usize,
    listed: &Listed,
    known: Option<&KnownPerson>,
    held: &HashMap<PersonId, BTreeSet<Fact>>,
) -> Option<Difference> {
    let none = BTreeSet::new();
    let held = known.and_then(|known| held.get(&known.id)).unwrap_or(&none);
    let wanted = wanted(listed);
    let is_said = |fact: &&Fact| match fact.kind.as_str() {
        "level" => listed.level.is_some(),
        "team" => listed.teams.is_some(),
        _ => listed.accounts.is_some(),
    };
    let difference = Difference {
        place,
        person: known.map(|known| known.id),
        renamed_from: known
            .filter(|known| !known.came && known.name != listed.name)
            .map(|known| known.name.clone()),
        begin: wanted.difference(held).cloned().collect(),
        end: held.difference(&wanted).filter(is_said).cloned().collect(),
    };
    let changes = difference.person.is_none()
        || difference.renamed_from.is_some()
        || !(difference.begin.is_empty() && difference.end.is_empty());
    changes.then_some(difference)
}

fn wanted(listed: &Listed) -> BTreeSet<Fact> {
    let level = listed.level.flatten();
    let teams = listed.teams.iter().flatten();
    let accounts = listed.accounts.iter().flatten();
    level
        .map(|level| Fact::new("level", level.as_str()))
        .into_iter()
        .chain(teams.map(|team| Fact::new("team", team)))
        .chain(accounts.map(|key| Fact::new("account", &key.0)))
        .collect()
}

/// Accounts of the list that other people hold, and go on holding. Who only calls one theirs keeps nobody else from it.
async fn clashes(
    conn: &mut PgConnection,
    listed: &[Listed],
    known: &HashMap<usize, KnownPerson>,
    differences: &[Difference],
) -> Result<Vec<Clash>, Error> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, one) in listed.iter().enumerate() {
        places.extend(
            one.accounts
                .iter()
                .flatten()
                .map(|key| (key.0.as_str(), place)),
        );
    }
    let keys: Vec<String> = places.keys().map(|key| (*key).to_owned()).collect();
    let rows = sqlx::query!(
        "select a.key, a.person_id, a.source, p.name from account a join person p on p.id = a.person_id
         where a.key = any($1) and a.source <> 'person' and a.until_version is null order by a.key, p.name, p.id",
        &keys,
    )
    .fetch_all(conn)
    .await?;
    let ends = |person, key: &str| {
        let fact = Fact::new("account", key);
        let of_them = |one: &&Difference| one.person == Some(person) && one.end.contains(&fact);
        differences.iter().any(|one| of_them(&one))
    };
    let mut clashes: Vec<Clash> = Vec::new();
    for row in rows {
        let (Some(&place), person) = (places.get(row.key.as_str()), PersonId(row.person_id)) else {
            continue;
        };
        let is_theirs = known.get(&place).is_some_and(|known| known.id == person);
        let is_handed_on = row.source == Source::Import.as_str() && ends(person, &row.key);
        let clash = Clash {
            key: Key(row.key),
            place,
            owner: row.name,
        };
        if !is_theirs && !is_handed_on && !clashes.contains(&clash) {
            clashes.push(clash);
        }
    }
    Ok(clashes)
}

async fn enter(tx: &mut Tx, listed: &Listed) -> Result<PersonId, Error> {
    let now = tx.now();
    let id = ids::new();
    sqlx::query!(
        "insert into person (id, issuer, subject, name, created_at) values ($1, $2, $3, $4, $5)",
        id,
        listed.issuer,
        listed.subject,
        listed.name,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(PersonId(id))
}

async fn rename(tx: &mut Tx, person: PersonId, name: &str) -> Result<(), Error> {
    sqlx::query!("update person set name = $2 where id = $1", person.0, name)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Ends and begins what differs for one person, with one event.
async fn write(
    tx: &mut Tx,
    person: PersonId,
    difference: &Difference,
    version: i64,
) -> Result<(), Error> {
    let (ended_accounts, ended) = parted(&difference.end);
    let (accounts, begun) = parted(&difference.begin);
    let now = tx.now();
    sqlx::query!(
        "update person_fact f set until_version = $2
         from unnest($3::text[], $4::text[]) as e (kind, value)
         where f.person_id = $1 and f.source = 'import' and f.kind = e.kind and f.value = e.value and f.until_version is null",
        person.0,
        version,
        &kinds(&ended),
        &values(&ended),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update account set until_version = $2
         where person_id = $1 and source = 'import' and key = any($3) and until_version is null",
        person.0,
        version,
        &values(&ended_accounts),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into person_fact (person_id, kind, value, source, from_version, at)
         select $1, kind, value, 'import', $2, $3 from unnest($4::text[], $5::text[]) as b (kind, value)",
        person.0,
        version,
        now,
        &kinds(&begun),
        &values(&begun),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into account (person_id, key, source, proved, from_version, at)
         select $1, key, 'import', true, $2, $3 from unnest($4::text[]) as key",
        person.0,
        version,
        now,
        &values(&accounts),
    )
    .execute(tx.conn())
    .await?;
    let words = |facts: &[&Fact]| -> Vec<String> {
        let word = |fact: &&Fact| format!("{}:{}", fact.kind, fact.value);
        facts.iter().map(word).collect()
    };
    // Addresses stay in their table: events go to more readers.
    let data = json!({
        "version": version, "source": "import", "begin": words(&begun), "end": words(&ended),
        "linked": accounts.len(), "unlinked": ended_accounts.len(),
    });
    events::record(tx, None, "person.imported", person.0, data).await
}

/// Accounts, and all else.
fn parted(facts: &BTreeSet<Fact>) -> (Vec<&Fact>, Vec<&Fact>) {
    facts.iter().partition(|fact| fact.kind == "account")
}

fn kinds(facts: &[&Fact]) -> Vec<String> {
    facts.iter().map(|fact| fact.kind.clone()).collect()
}

fn values(facts: &[&Fact]) -> Vec<String> {
    facts.iter().map(|fact| fact.value.clone()).collect()
}
