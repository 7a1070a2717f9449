//! Standing rows and the queue: what is made from the facts of a change, so that a gate need not load them.

use crate::{
    Error, Tx,
    cases::{self, Which},
    checks, people,
};
use domain::{
    Timestamp,
    case::Case,
    change::ChangeState,
    ids::ChangeId,
    standing,
    verdict::{self, Word},
};
use sqlx::PgConnection;
use time::Duration;

/// Makes the standing of a change's current revision anew and forgets those of its others: a gate that is asked about one
/// of them loads its case. Called in every transaction that changes what a verdict reads, under the change's lock.
///
/// # Errors
/// The database refused.
pub async fn renew(tx: &mut Tx, change: ChangeId, claims_max_age: Duration) -> Result<(), Error> {
    // Read before the facts: if people change in between, the stamp is old and the gate loads the case.
    let people_version = people::version(tx.conn()).await?;
    let Some(case) = cases::load(tx.conn(), change, Which::Current, claims_max_age).await? else {
        return Ok(());
    };
    forget_others(tx, &case).await?;
    if case.policy.whole {
        write(tx, &case, people_version).await?;
    } else {
        forget(tx, &case).await?;
    }
    enqueue(tx, &case).await?;
    checks::due(tx, case.change.repository, change).await
}

async fn forget_others(tx: &mut Tx, case: &Case) -> Result<(), Error> {
    sqlx::query!(
        "delete from standing where repository_id = $1 and revision_id in
             (select id from revision where repository_id = $1 and change_id = $2 and id <> $3)",
        case.change.repository.0,
        case.change.id.0,
        case.revision.id.0,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was made from a policy that nobody can read must not stand here when somebody can.
async fn forget(tx: &mut Tx, case: &Case) -> Result<(), Error> {
    sqlx::query!(
        "delete from standing where repository_id = $1 and revision_id = $2",
        case.change.repository.0,
        case.revision.id.0,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn write(tx: &mut Tx, case: &Case, people_version: i64) -> Result<(), Error> {
    let standing = case.standing();
    sqlx::query!(
        "insert into standing (repository_id, revision_id, change_id, head, target, facts, policy, policy_version, people_version, form, ends_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (repository_id, revision_id) do update set facts = excluded.facts, policy = excluded.policy,
             policy_version = excluded.policy_version, people_version = excluded.people_version, form = excluded.form,
             ends_at = excluded.ends_at",
        case.change.repository.0,
        case.revision.id.0,
        case.change.id.0,
        case.revision.head.as_str(),
        case.revision.target.as_str(),
        serde_json::to_value(&standing)?,
        case.policy.id,
        case.policy.version,
        people_version,
        standing::FORM,
        verdict::ends(&standing, &case.policy, tx.now()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts a change in the queue, or takes it out: what is not closed, and neither approved nor free to go, waits for somebody.
async fn enqueue(tx: &mut Tx, case: &Case) -> Result<(), Error> {
    let word = case.verdict(tx.now()).word();
    let waits = case.change.state != ChangeState::Closed
        && !matches!(word, Word::Approved | Word::NotRequired);
    if !waits {
        sqlx::query!(
            "delete from queue where repository_id = $1 and change_id = $2",
            case.change.repository.0,
            case.change.id.0
        )
        .execute(tx.conn())
        .await?;
        return Ok(());
    }
    sqlx::query!(
        "insert into queue (repository_id, change_id, revision_id, verdict, since) values ($1, $2, $3, $4, $5)
         on conflict (repository_id, change_id) do update set revision_id = excluded.revision_id, verdict = excluded.verdict,
             since = excluded.since",
        case.change.repository.0,
        case.change.id.0,
        case.revision.id.0,
        word.as_str(),
        case.revision.arrived_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Open changes of which a standing was made from other people or another policy than today's, or by other code, or of which an approval
/// grew too old since, some of them. What is not open is seldom asked about, and then its case is loaded.
///
/// # Errors
/// The database refused.
pub async fn stale(
    conn: &mut PgConnection,
    now: Timestamp,
    most: i64,
) -> Result<Vec<ChangeId>, Error> {
    let ids = sqlx::query_scalar!(
        "select s.change_id from standing s
         join repository on repository.id = s.repository_id
         join change_state c on c.repository_id = s.repository_id and c.change_id = s.change_id and c.until_version is null
         where c.state = 'open' and (s.people_version < (select version from people_version) or s.form <> $2 or s.ends_at <= $3
                                     or (s.policy, s.policy_version) <> (repository.policy, repository.policy_version))
         order by s.people_version desc limit $1",
        most,
        standing::FORM,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(ChangeId).collect())
}

/// The same as [`renew`] for who does not hold the change's lock yet.
///
/// # Errors
/// The database refused.
pub async fn renew_locked(
    tx: &mut Tx,
    change: ChangeId,
    claims_max_age: Duration,
) -> Result<(), Error> {
    sqlx::query!("select from change where id = $1 for update", change.0)
        .execute(tx.conn())
        .await?;
    renew(tx, change, claims_max_age).await
}
