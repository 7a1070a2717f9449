//! Who stands in for whom. A row holds until somebody ends it, one of the two is deactivated, or its last day is over, which is
//! asked each time and written down by nobody.

use super::{load, lock_all, next_version};
use crate::{
    Error, Tx,
    cases::{AsOf, levels},
    events, ids,
};
use domain::{
    Timestamp,
    ids::{PersonId, StandInId},
    names::RepositoryName,
    people::{Person, held},
    stand_in::{Granted, Listed, Pair, StandIn},
    token::Pattern,
};
use serde_json::json;
use sqlx::PgConnection;

/// Two people, locked, and in what either of them has a part now.
#[derive(Debug)]
pub struct Both {
    pub person: Person,
    pub principal: Person,
    pub held: Vec<Pair>,
}

/// Locks both: what is known of them, and for whom they stand in, stays so until the transaction ends. None where one of them
/// is not there.
///
/// # Errors
/// The database refused.
pub async fn lock(
    tx: &mut Tx,
    person: PersonId,
    principal: PersonId,
) -> Result<Option<Both>, Error> {
    lock_all(tx, &[person, principal]).await?;
    let now = tx.now();
    let rows = sqlx::query!(
        "select person_id, principal_id from stand_in
         where until_version is null and until_at > $3 and (person_id in ($1, $2) or principal_id in ($1, $2))",
        person.0,
        principal.0,
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    let held = rows.into_iter().map(|row| Pair {
        person: PersonId(row.person_id),
        principal: PersonId(row.principal_id),
    });
    let held = held.collect();
    let (Some(person), Some(principal)) = (
        load(tx.conn(), person).await?,
        load(tx.conn(), principal).await?,
    ) else {
        return Ok(None);
    };
    Ok(Some(Both {
        person,
        principal,
        held,
    }))
}

/// Lets one stand in for the other, as the rules granted it.
///
/// # Errors
/// The database refused.
pub async fn begin(
    tx: &mut Tx,
    pair: Pair,
    granted: &Granted,
    by: PersonId,
    reason: &str,
) -> Result<StandInId, Error> {
    let (id, now) = (StandInId(ids::new()), tx.now());
    let version = next_version(tx).await?;
    forget_over(tx, version).await?;
    let repositories: Vec<String> = granted
        .repositories
        .iter()
        .map(Pattern::to_string)
        .collect();
    sqlx::query!(
        "insert into stand_in (id, person_id, principal_id, repositories, until_at, reason, by_id, at, from_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id.0,
        pair.person.0,
        pair.principal.0,
        &repositories,
        granted.until,
        reason,
        by.0,
        now,
        version,
    )
    .execute(tx.conn())
    .await?;
    let data = json!({
        "version": version, "person": pair.person, "principal": pair.principal, "repositories": repositories,
        "until": granted.until.unix_timestamp(), "by": by, "reason": reason,
    });
    events::record(tx, None, "stand_in.begun", id.0, data).await?;
    Ok(id)
}

/// Closes what is over, so that what has to be looked through stays short.
async fn forget_over(tx: &mut Tx, version: i64) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "update stand_in set until_version = $1, ended_at = $2
         where until_version is null and until_at <= $2 and from_version < $1",
        version,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The two of one that holds. None if there is none, or it has ended.
///
/// # Errors
/// The database cannot be asked.
pub async fn pair(conn: &mut PgConnection, id: StandInId) -> Result<Option<Pair>, Error> {
    let row = sqlx::query!(
        "select person_id, principal_id from stand_in where id = $1 and until_version is null",
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Pair {
        person: PersonId(row.person_id),
        principal: PersonId(row.principal_id),
    }))
}

/// Ends one from the next transaction on. What was decided until then stands.
///
/// # Errors
/// The database refused.
pub async fn end(tx: &mut Tx, id: StandInId, by: PersonId) -> Result<(), Error> {
    let version = next_version(tx).await?;
    let now = tx.now();
    let ended = sqlx::query!(
        "update stand_in set until_version = $2, ended_at = $3, ended_by = $4 where id = $1 and until_version is null",
        id.0,
        version,
        now,
        by.0,
    )
    .execute(tx.conn())
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(());
    }
    let data = json!({ "version": version, "by": by });
    events::record(tx, None, "stand_in.ended", id.0, data).await
}

/// Ends all in which somebody has a part who was deactivated: to be activated again does not bring them back.
pub(super) async fn end_of(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    let held = sqlx::query_scalar!(
        "select id from stand_in where until_version is null and (person_id = $1 or principal_id = $1) for update",
        person.0,
    )
    .fetch_all(tx.conn())
    .await?;
    if held.is_empty() {
        return Ok(());
    }
    let (version, now) = (next_version(tx).await?, tx.now());
    sqlx::query!(
        "update stand_in set until_version = $2, ended_at = $3 where id = any($1)",
        &held,
        version,
        now,
    )
    .execute(tx.conn())
    .await?;
    for id in held {
        let data = json!({ "version": version, "deactivated": person });
        events::record(tx, None, "stand_in.ended", id, data).await?;
    }
    Ok(())
}

/// Keeps what somebody may do in the place of others as it is until the transaction ends.
///
/// # Errors
/// The database refused.
pub(crate) async fn hold(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    sqlx::query!(
        "select from stand_in where person_id = $1 and until_version is null order by id for share",
        person.0,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// In whose place somebody may be, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub stand_in: StandIn,
    pub repositories: Vec<Pattern>,
}

/// In whose place this person may be. Also where the time is over: only whoever asks knows what time it is.
///
/// # Errors
/// The database cannot be asked, or holds a word that this version does not know.
pub async fn places(conn: &mut PgConnection, person: PersonId) -> Result<Vec<Place>, Error> {
    found(conn, Some(person), None, AsOf::default()).await
}

/// The same of everybody, in a repository.
pub(crate) async fn holding(
    conn: &mut PgConnection,
    repository: &RepositoryName,
    as_of: AsOf<'_>,
) -> Result<Vec<StandIn>, Error> {
    let places = found(conn, None, Some(repository), as_of).await?;
    Ok(places.into_iter().map(|place| place.stand_in).collect())
}

async fn found(
    conn: &mut PgConnection,
    person: Option<PersonId>,
    repository: Option<&RepositoryName>,
    as_of: AsOf<'_>,
) -> Result<Vec<Place>, Error> {
    let rows = sqlx::query!(
        r#"select s.person_id, s.principal_id, s.until_at, s.repositories, p.name,
                  array(select f.source || ' ' || f.value from person_fact f
                        where f.person_id = p.id and f.kind = 'level' and held_at(f.from_version, f.until_version, $3)) as "levels!",
                  array(select distinct f.value from person_fact f
                        where f.person_id = p.id and f.kind = 'team' and held_at(f.from_version, f.until_version, $3) order by f.value) as "teams!"
           from stand_in s join person p on p.id = s.principal_id
           where held_at(s.from_version, s.until_version, $3) and ($1::uuid is null or s.person_id = $1)
             and ($2::text is null or exists (
                 select from unnest(s.repositories) r where r = $2 or (r like '%/*' and starts_with($2, left(r, -1)))))
             and not exists (select from person_fact i where i.person_id in (s.person_id, s.principal_id)
                             and i.kind = 'inactive' and held_at(i.from_version, i.until_version, $3))
           order by s.person_id, s.principal_id, s.until_at desc, s.id"#,
        person.map(|person| person.0),
        repository.map(RepositoryName::folded),
        as_of.people,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let patterns = row.repositories.iter();
            Ok(Place {
                stand_in: StandIn {
                    person: PersonId(row.person_id),
                    principal: PersonId(row.principal_id),
                    name: row.name,
                    level: held(&levels(&row.levels)?, true).granted(),
                    teams: row.teams,
                    until: row.until_at,
                },
                repositories: patterns
                    .filter_map(|one| Pattern::parse(one).ok())
                    .collect(),
            })
        })
        .collect()
}

/// Those that hold now in which this person has a part, or (none) all, those that end first before others, at most `most`.
///
/// # Errors
/// The database cannot be asked.
pub async fn listed(
    conn: &mut PgConnection,
    of: Option<PersonId>,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query!(
        r#"select s.id, s.person_id, s.principal_id, x.name as person_name, y.name as principal_name, s.repositories,
                  s.until_at, s.reason, b.name as by, s.at
           from stand_in s join person x on x.id = s.person_id join person y on y.id = s.principal_id
           join person b on b.id = s.by_id
           where s.until_version is null and s.until_at > $2 and ($1::uuid is null or $1 in (s.person_id, s.principal_id))
           order by s.until_at, s.id limit $3"#,
        of.map(|person| person.0),
        now,
        most,
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().map(|row| Listed {
        id: StandInId(row.id),
        pair: Pair {
            person: PersonId(row.person_id),
            principal: PersonId(row.principal_id),
        },
        person_name: row.person_name,
        principal_name: row.principal_name,
        repositories: row.repositories,
        until: row.until_at,
        reason: row.reason,
        by: row.by,
        at: row.at,
    });
    Ok(rows.collect())
}
