//! Decisions: recorded once, read as a stream, never changed.

use crate::{
    Error, Tx,
    cases::{self, DecisionRow, Which},
    events, ids, people, readers, repositories, rows, standings,
};
use domain::{
    Timestamp,
    case::Case,
    decision::{Decision, Recorded},
    ids::{ChangeId, DecisionId, FormKey, PersonId},
    names::{ChangeKey, CommitSha, RepositoryName},
    people::{Person, Role},
    readers::Reader,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use time::Duration;
use uuid::Uuid;

/// A change that nobody else decides about until the transaction ends, and whoever does.
#[derive(Debug)]
pub struct Locked {
    pub case: Case,
    /// The number that its next decision gets.
    pub seq: i32,
    pub person: Person,
}

/// The case of a change under its lock. None if there is no such change, or not for this person to see: then nobody waits for
/// them either.
///
/// Whoever decides is locked too: a deactivation is seen here or waits until the decision is recorded, and two forms with
/// one key come one after another, also where they are about two changes.
///
/// # Errors
/// The database refused.
pub async fn locked_case(
    tx: &mut Tx,
    change: ChangeId,
    person: PersonId,
    claims_max_age: Duration,
) -> Result<Option<Locked>, Error> {
    let Some(before) = people::load(tx.conn(), person).await? else {
        return Ok(None);
    };
    let Some(decided) = lock(tx, change, &reader(&before, tx, claims_max_age)).await? else {
        return Ok(None);
    };
    let Some(person) = people::locked(tx, person).await? else {
        return Ok(None);
    };
    people::stand_ins::hold(tx, person.id).await?;
    // What was known before the locks may have changed while we waited for them.
    let reader = reader(&person, tx, claims_max_age);
    let case = cases::read(tx.conn(), &reader, change, Which::Current, claims_max_age).await?;
    Ok(case.map(|case| Locked {
        case,
        seq: decided + 1,
        person,
    }))
}

fn reader(person: &Person, tx: &Tx, claims_max_age: Duration) -> Reader {
    let (now, max_age) = (tx.now(), claims_max_age);
    Reader::person(&person.teams(now, max_age), &person.roles(now, max_age))
}

/// Locks a change that this reader may see, and says how many decisions it has.
async fn lock(tx: &mut Tx, change: ChangeId, reader: &Reader) -> Result<Option<i32>, Error> {
    let named = readers::named(reader);
    Ok(sqlx::query_scalar!(
        "select c.decisions from change c join repository r on r.id = c.repository_id
         where c.id = $1 and may_read(r.read_by, r.folded, $2, $3) for update of c",
        change.0,
        reader.teams(),
        named.as_deref(),
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The decision that this person already took with this form, if the form is resent.
///
/// # Errors
/// The database refused.
pub async fn by_form(
    conn: &mut PgConnection,
    person: PersonId,
    form_key: FormKey,
) -> Result<Option<Recorded>, Error> {
    let row = sqlx::query_as!(
        DecisionRow,
        r#"select d.id, d.repository_id, d.change_id, d.revision_id, d.digest, d.seq, d.person_id, d.form_key, d.kind, d.reason,
                  d.incident, d.none_of_these_is_me, d.strangers, d.people_version, d.about_seq, d.mark, d.since_revision, d.level, d.teams, d.roles, d.policy,
                  d.policy_version, d.at, p.name, r.number,
                  d.stands_in_for, y.name as "principal?"
           from decision d join person p on p.id = d.person_id left join person y on y.id = d.stands_in_for
           join revision r on r.repository_id = d.repository_id and r.id = d.revision_id
           where d.person_id = $1 and d.form_key = $2"#,
        person.0,
        form_key.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(DecisionRow::recorded).transpose()
}

/// Records a decision with its event, its log leaf and the standing that follows from it.
///
/// # Errors
/// The database refused; nothing of it is recorded then.
pub async fn record(
    tx: &mut Tx,
    decision: &Decision,
    claims_max_age: Duration,
) -> Result<DecisionId, Error> {
    let id = DecisionId(ids::new());
    insert(tx, id, decision).await?;
    sqlx::query!(
        "update change set decisions = $3 where repository_id = $1 and id = $2",
        decision.repository.0,
        decision.change.0,
        decision.seq,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into log_leaf (repository_id, decision_id, hash) values ($1, $2, $3)",
        decision.repository.0,
        id.0,
        &leaf_hash(id, decision)[..],
    )
    .execute(tx.conn())
    .await?;
    let data = json!({ "change": decision.change, "kind": decision.kind, "seq": decision.seq });
    events::record(
        tx,
        Some(decision.repository),
        "decision.recorded",
        id.0,
        data,
    )
    .await?;
    standings::renew(tx, decision.change, claims_max_age).await?;
    Ok(id)
}

async fn insert(tx: &mut Tx, id: DecisionId, decision: &Decision) -> Result<(), Error> {
    sqlx::query!(
        "insert into decision (repository_id, id, change_id, revision_id, digest, seq, person_id, form_key, kind, reason, incident,
                               about_seq, level, teams, roles, policy, policy_version, at, none_of_these_is_me, strangers, people_version,
                               stands_in_for, since_revision, mark)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
        decision.repository.0,
        id.0,
        decision.change.0,
        decision.revision.0,
        decision.digest.bytes(),
        decision.seq,
        decision.person.0,
        decision.form_key.0,
        decision.kind.as_str(),
        decision.reason.as_str(),
        decision.incident,
        decision.about,
        decision.level.map(domain::people::Level::as_str),
        &decision.teams,
        &words(&decision.roles),
        decision.policy,
        decision.policy_version,
        decision.at,
        decision.none_of_these_is_me,
        serde_json::to_value(&decision.strangers)?,
        decision.people_version,
        decision.stands_in_for.map(|person| person.0),
        decision.since,
        decision.mark,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn words(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

/// RFC 6962, section 2.1: SHA-256 over a zero byte and the leaf, which is the decision as JSON with its keys in order.
/// What came later stands in it only where it says something: so a leaf that was written before is found the same way.
fn leaf_hash(id: DecisionId, decision: &Decision) -> [u8; 32] {
    let mut leaf = json!({
        "at": decision.at.unix_timestamp_nanos() / 1000, "change": decision.change, "digest": decision.digest, "id": id,
        "incident": decision.incident, "kind": decision.kind, "level": decision.level, "person": decision.person,
        "policy": decision.policy, "policy_version": decision.policy_version, "reason": decision.reason,
        "repository": decision.repository, "revision": decision.revision, "seq": decision.seq, "teams": decision.teams,
    });
    if !decision.roles.is_empty() {
        leaf["roles"] = json!(decision.roles);
    }
    if decision.none_of_these_is_me {
        leaf["none_of_these_is_me"] = json!(true);
    }
    if !decision.strangers.is_empty() {
        leaf["strangers"] = json!(decision.strangers);
    }
    if decision.people_version > 0 {
        leaf["people_version"] = json!(decision.people_version);
    }
    if let Some(about) = decision.about {
        leaf["about"] = json!(about);
    }
    if let Some(mark) = decision.mark {
        leaf["mark"] = json!(mark);
    }
    if let Some(principal) = decision.stands_in_for {
        leaf["stands_in_for"] = json!(principal);
    }
    if let Some(since) = decision.since {
        leaf["since"] = json!(since);
    }
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(leaf.to_string());
    hash.finalize().into()
}

/// A decision with what is listed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub recorded: Recorded,
    pub repository: RepositoryName,
    pub key: ChangeKey,
    pub title: String,
    pub head: CommitSha,
    /// Until when gates only observe its repository, as was said last.
    pub observe_until: Option<Timestamp>,
    /// Its place in the stream.
    pub cursor: Cursor,
}

/// A place in the stream of decisions: ids and times are not in commit order, so who reads on from one of those loses rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub xid: u64,
    pub id: Uuid,
}

/// Decisions after `after`, oldest first, that this reader may see, at most `most`. What an open
/// transaction may still put before them is not yet shown, so nothing is ever put before a cursor. `tx` has to see one moment
/// ([`Db::read`](crate::Db::read)): a repository that is entered between two statements must not be passed over for good.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn after(
    tx: &mut Tx,
    reader: &Reader,
    after: Option<Cursor>,
    most: i64,
) -> Result<Vec<Listed>, Error> {
    let (xid, id) = after.map_or((0, Uuid::nil()), |cursor| (cursor.xid, cursor.id));
    let repositories = repositories::readable(tx.conn(), reader).await?;
    let ids = sqlx::query_scalar!(
        "select id from decision
         where xid < pg_snapshot_xmin(pg_current_snapshot()) and (xid, id) > ($1::text::xid8, $2) and repository_id = any($3)
         order by xid, id limit $4",
        xid.to_string(),
        id,
        &repositories,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut listed = by_ids(tx.conn(), &ids).await?;
    listed.sort_by_key(|one| (one.cursor.xid, one.cursor.id));
    Ok(listed)
}

/// Which decisions a person wants to see; all fields that are set must match.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub kind: Option<domain::decision::Kind>,
    pub person: Option<PersonId>,
    pub repository: Option<RepositoryName>,
    /// Only those before this moment and id: the last of the page before.
    pub before: Option<(Timestamp, Uuid)>,
}

/// The latest decisions that this reader may see, newest first, at most `most`.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn latest(
    conn: &mut PgConnection,
    reader: &Reader,
    filter: &Filter,
    most: i64,
) -> Result<Vec<Listed>, Error> {
    let (at, id) = filter.before.unzip();
    // A subquery and no join, or Postgres may read the whole record and sort it.
    let named = readers::named(reader);
    let ids = sqlx::query_scalar!(
        r#"select d.id from decision d
           where (select may_read(r.read_by, r.folded, $7, $8) from repository r where r.id = d.repository_id)
             and ($1::text is null or d.kind = $1) and ($2::uuid is null or d.person_id = $2)
             and ($3::text is null or d.repository_id = (select id from repository where folded = $3))
             and (d.at, d.id) < (coalesce($4::timestamptz, 'infinity'), coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
           order by d.at desc, d.id desc limit $6"#,
        filter.kind.map(domain::decision::Kind::as_str),
        filter.person.map(|person| person.0),
        filter.repository.as_ref().map(RepositoryName::folded),
        at,
        id,
        most,
        reader.teams(),
        named.as_deref(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut listed = by_ids(conn, &ids).await?;
    listed.sort_by_key(|one| std::cmp::Reverse((one.recorded.decision.at, one.recorded.id)));
    Ok(listed)
}

/// The one loader of listed decisions; finders give it ids.
async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query!(
        r#"select d.id, d.repository_id, d.change_id, d.revision_id, d.digest, d.seq, d.person_id, d.form_key, d.kind, d.reason,
                  d.incident, d.none_of_these_is_me, d.strangers, d.people_version, d.about_seq, d.mark, d.since_revision, d.level, d.teams, d.roles, d.policy,
                  d.policy_version, d.at, d.xid::text as "xid!", p.name, d.stands_in_for, y.name as "principal?", r.number, r.head, repository.name as repository,
                  repository.observe_until, c.key, s.title
           from decision d join person p on p.id = d.person_id left join person y on y.id = d.stands_in_for
           join revision r on r.repository_id = d.repository_id and r.id = d.revision_id
           join repository on repository.id = d.repository_id
           join change c on c.repository_id = d.repository_id and c.id = d.change_id
           join change_state s on s.repository_id = d.repository_id and s.change_id = d.change_id and s.until_version is null
           where d.id = any($1)"#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let cursor = Cursor {
                xid: crate::error::known(row.xid.parse().ok(), "decision", "xid")?,
                id: row.id,
            };
            let recorded = DecisionRow {
                id: row.id,
                repository_id: row.repository_id,
                change_id: row.change_id,
                revision_id: row.revision_id,
                digest: row.digest,
                seq: row.seq,
                person_id: row.person_id,
                form_key: row.form_key,
                kind: row.kind,
                reason: row.reason,
                incident: row.incident,
                none_of_these_is_me: row.none_of_these_is_me,
                strangers: row.strangers,
                people_version: row.people_version,
                about_seq: row.about_seq,
                since_revision: row.since_revision,
                mark: row.mark,
                level: row.level,
                teams: row.teams,
                roles: row.roles,
                policy: row.policy,
                policy_version: row.policy_version,
                at: row.at,
                name: row.name,
                stands_in_for: row.stands_in_for,
                principal: row.principal,
                number: row.number,
            }
            .recorded()?;
            Ok(Listed {
                recorded,
                repository: rows::repository(row.repository)?,
                key: rows::key(row.key)?,
                title: row.title,
                head: rows::head(row.head)?,
                observe_until: row.observe_until,
                cursor,
            })
        })
        .collect()
}
