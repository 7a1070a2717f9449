//! The last days of a repository, to measure a policy by before it holds.

use super::versions::{Locked, New, Outcome, propose, put_in_force};
use crate::{
    Error, Tx,
    cases::{self, Which},
};
use domain::{
    Timestamp,
    case::Case,
    ids::{ChangeId, RepositoryId, RevisionId},
    policy::{
        Document, Policy, Terms,
        lowering::{DAYS, lowered, weaker_terms},
        trial::{Hindsight, Pace, hindsight},
    },
};
use sqlx::PgConnection;
use std::sync::Arc;
use time::Duration;

/// The most revisions that are looked at. A repository with more is not measured, and whatever is new there counts as
/// lowering.
pub const MOST_REVISIONS: usize = 500;

/// How many reasons are kept of all that were found.
const MOST_REASONS: usize = 10;

/// Revisions of a repository with all that bears on them now.
#[derive(Debug)]
pub struct Past {
    /// The newest first, each under its policy of now.
    pub cases: Vec<Case>,
    /// Whether these are all.
    pub whole: bool,
}

/// What another policy makes of the last days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    pub hindsight: Hindsight,
    /// Whether all revisions of these days were looked at.
    pub whole: bool,
    /// Why it takes another admin: some of the reasons. Empty: it does not.
    pub lowers: Vec<String>,
    /// How long an approval takes here, if that is known.
    pub pace: Option<Pace>,
}

/// The revisions that arrived since then, up to [`MOST_REVISIONS`].
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn past(
    conn: &mut PgConnection,
    repository: RepositoryId,
    since: Timestamp,
    claims_max_age: Duration,
) -> Result<Past, Error> {
    let rows = sqlx::query!(
        "select id, change_id from revision where repository_id = $1 and arrived_at >= $2 order by arrived_at desc, id desc limit $3",
        repository.0,
        since,
        i64::try_from(MOST_REVISIONS + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(&mut *conn)
    .await?;
    let whole = rows.len() <= MOST_REVISIONS;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows.into_iter().take(MOST_REVISIONS) {
        let which = Which::This(RevisionId(row.id));
        found.extend(cases::load(conn, ChangeId(row.change_id), which, claims_max_age).await?);
    }
    Ok(Past {
        cases: found,
        whole,
    })
}

/// The current revision of a change, known by its key, under another policy than its own. None if there is no such change.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn case_under(
    conn: &mut PgConnection,
    repository: RepositoryId,
    key: &str,
    policy: &Policy,
    claims_max_age: Duration,
) -> Result<Option<Case>, Error> {
    let change = sqlx::query_scalar!(
        "select id from change where repository_id = $1 and key = $2",
        repository.0,
        key,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(change) = change else {
        return Ok(None);
    };
    let case = cases::load(conn, ChangeId(change), Which::Current, claims_max_age).await?;
    let Some(case) = case else { return Ok(None) };
    Ok(Some(cases::under(conn, &case, policy).await?))
}

/// Judges the last days by another policy. Whether it takes another admin is always asked of the last [`DAYS`].
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn measure(
    conn: &mut PgConnection,
    repository: RepositoryId,
    terms: &Terms,
    new: &Policy,
    days: i64,
    now: Timestamp,
    claims_max_age: Duration,
) -> Result<Measured, Error> {
    let first = |days| now - Duration::days(days);
    let past = past(conn, repository, first(days.max(DAYS)), claims_max_age).await?;
    let mut pairs = Vec::with_capacity(past.cases.len());
    for case in past.cases {
        let anew = cases::under(conn, &case, new).await?;
        pairs.push((case, anew));
    }
    let of_last = |days| {
        let arrived = |pair: &&(Case, Case)| pair.0.revision.arrived_at >= first(days);
        let of_them = pairs.iter().take_while(arrived).count();
        (&pairs[..of_them], past.whole || of_them < pairs.len())
    };
    let (of_days, whole_days) = of_last(DAYS);
    let mut lowers = weaker(&terms.policy, new, whole_days);
    lowers.extend(
        of_days
            .iter()
            .filter_map(|(old, new)| lowered(old, new, now)),
    );
    lowers.truncate(MOST_REASONS);
    let (asked, whole) = of_last(days);
    Ok(Measured {
        lowers,
        hindsight: hindsight(asked, now),
        whole,
        pace: pace(conn, repository, first(Pace::DAYS)).await?,
    })
}

/// How long approvals and rejections took in a repository since then, as [`Pace::MEANS`] says.
async fn pace(
    conn: &mut PgConnection,
    repository: RepositoryId,
    since: Timestamp,
) -> Result<Option<Pace>, Error> {
    let rows = sqlx::query!(
        r#"select d.at, greatest(r.arrived_at,
                  (select max(b.at) from decision b where b.person_id = d.person_id and b.at < d.at)) as "from!"
           from decision d join revision r on r.repository_id = d.repository_id and r.id = d.revision_id
           where d.repository_id = $1 and d.kind in ('approve', 'reject') and d.at >= $2
           order by d.at desc limit 1000"#,
        repository.0,
        since,
    )
    .fetch_all(conn)
    .await?;
    Ok(Pace::of(
        rows.into_iter().map(|row| row.at - row.from).collect(),
    ))
}

/// Puts a new version in force, or, where it lowers what was needed for anything of the last days, writes it down for
/// another admin to confirm. `document` is what the text says; none goes back to the default.
///
/// # Errors
/// The database refused.
pub async fn set(
    tx: &mut Tx,
    of: &Locked,
    new: &New<'_>,
    document: Option<Document>,
    claims_max_age: Duration,
) -> Result<(Outcome, Measured), Error> {
    if of.says(tx, new.text).await? {
        return Ok((Outcome::Unchanged, Measured::default()));
    }
    let policy = match document {
        Some(document) => Arc::new(Policy::drafted(document)),
        None => of.default(tx).await?,
    };
    let now = tx.now();
    let measured = measure(
        tx.conn(),
        of.id,
        &of.terms,
        &policy,
        DAYS,
        now,
        claims_max_age,
    )
    .await?;
    let outcome = if measured.lowers.is_empty() {
        Outcome::InForce(put_in_force(tx, of, new).await?)
    } else {
        Outcome::Proposed(propose(tx, of, new, &measured.lowers).await?)
    };
    Ok((outcome, measured))
}

/// What is easier whatever is proposed.
fn weaker(old: &Policy, new: &Policy, whole: bool) -> Vec<String> {
    let mut reasons = match old.whole {
        true => weaker_terms(&old.document, &new.document),
        // Nothing can be said of what nobody can read: mending it is measured by the verdicts alone.
        false => vec![],
    };
    if !whole {
        reasons.push(format!(
            "More than {MOST_REVISIONS} revisions arrived in these days, so not all could be looked at."
        ));
    }
    reasons
}
