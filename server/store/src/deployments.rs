//! Deployments: judged in the transaction that records them, and read where somebody would go back or owes a review.

use crate::{
    Db, Error, Tx,
    cases::{self, AsOf, Which},
    error::known,
    events, ids, landings, people,
    policies::{self, Pointer},
    readers, repositories, rows,
};
use domain::{
    Timestamp,
    deployment::{Deployed, Judged, Sanction, Shipped, Then, judge},
    gate::Found,
    ids::{ChangeId, RepositoryId, RevisionId, TokenId},
    names::{ChangeKey, CommitSha, Environment, RepositoryName},
    policy::{Mode, Policy, Terms},
    readers::Reader,
    standing::FORM,
    verdict::Word,
};
use serde_json::json;
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};
use time::Duration;
use uuid::Uuid;

/// What somebody reports.
#[derive(Debug, Clone)]
pub struct Report {
    pub repository: RepositoryName,
    pub environment: Environment,
    /// When it happened, as they say.
    pub told_at: Option<Timestamp>,
    /// What runs there now, then everything else that came with it; each once.
    pub commits: Vec<CommitSha>,
    /// What makes a report that is sent again the one already recorded.
    pub key: String,
    pub token: TokenId,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    New(Deployment),
    /// It was sent again.
    Known(Deployment),
    /// Another one was recorded under this key.
    Differs,
}

/// A deployment as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub id: Uuid,
    pub environment: Environment,
    pub told_at: Option<Timestamp>,
    pub at: Timestamp,
    pub enforced: bool,
    pub policy: String,
    pub policy_version: i32,
    pub commits: Vec<Commit>,
}

/// One commit of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub sha: CommitSha,
    pub sanction: Sanction,
    pub verdict: Word,
    pub review_by: Option<Timestamp>,
    pub changes: Vec<Part>,
}

/// A change that the commit belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub change: ChangeId,
    pub key: ChangeKey,
    /// The number of the revision.
    pub revision: i32,
}

/// Records a report with what the rules make of each of its commits now, and its events. The changes are locked meanwhile:
/// a decision comes before all of it or after all of it.
///
/// # Errors
/// The database refused; nothing of it is recorded then.
pub async fn record(
    tx: &mut Tx,
    report: &Report,
    claims_max_age: Duration,
) -> Result<Outcome, Error> {
    let repository = repositories::ensure(tx, &report.repository).await?;
    let (terms, pointer) = held_terms(tx, repository).await?;
    let id = ids::new();
    if !insert(tx, repository, id, report, &terms).await? {
        return again(tx, repository, report).await;
    }
    let shipped = shipped(
        tx,
        repository,
        report,
        &terms.policy,
        &pointer,
        claims_max_age,
    )
    .await?;
    let judged = judge(shipped.commits, &terms.policy, tx.now());
    commits(tx, repository, id, &report.environment, &judged).await?;
    changes(tx, repository, id, &judged, &shipped.decisions).await?;
    told(tx, repository, id, report, &judged).await?;
    let recorded = by_id(tx.conn(), repository, id).await?;
    Ok(Outcome::New(recorded))
}

/// What the repository demands, which nobody changes before this transaction has ended.
async fn held_terms(tx: &mut Tx, repository: RepositoryId) -> Result<(Terms, Pointer), Error> {
    let row = sqlx::query!(
        "select policy, policy_version, policy_hash, observe_until from repository where id = $1 for share",
        repository.0,
    )
    .fetch_one(tx.conn())
    .await?;
    let pointer = Pointer {
        policy: row.policy,
        version: row.policy_version,
        hash: row.policy_hash,
    };
    let terms = Terms {
        policy: policies::read(tx.conn(), &pointer).await?,
        observe_until: row.observe_until,
    };
    Ok((terms, pointer))
}

/// False if there is a deployment with this key.
async fn insert(
    tx: &mut Tx,
    repository: RepositoryId,
    id: Uuid,
    report: &Report,
    terms: &Terms,
) -> Result<bool, Error> {
    let now = tx.now();
    let new = sqlx::query!(
        "insert into deployment (repository_id, id, environment, key, told_at, enforced, policy, policy_version, token_id, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (repository_id, key) do nothing",
        repository.0,
        id,
        report.environment.as_str(),
        report.key,
        report.told_at,
        terms.mode(now) == Mode::Enforce,
        terms.policy.id,
        terms.policy.version,
        report.token.0,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(new.rows_affected() > 0)
}

/// The deployment that was recorded under this key, if it is the same.
async fn again(tx: &mut Tx, repository: RepositoryId, report: &Report) -> Result<Outcome, Error> {
    let id = sqlx::query_scalar!(
        "select id from deployment where repository_id = $1 and key = $2",
        repository.0,
        report.key,
    )
    .fetch_one(tx.conn())
    .await?;
    let known = by_id(tx.conn(), repository, id).await?;
    let commits = known.commits.iter().map(|commit| &commit.sha);
    let same = known.environment.folded() == report.environment.folded()
        && known.told_at == report.told_at
        && commits.eq(&report.commits);
    Ok(if same {
        Outcome::Known(known)
    } else {
        Outcome::Differs
    })
}

/// All that the rules read of the commits of a report.
struct Facts {
    commits: Vec<Shipped>,
    /// How many decisions each change has that one of them belongs to.
    decisions: HashMap<ChangeId, i32>,
}

async fn shipped(
    tx: &mut Tx,
    repository: RepositoryId,
    report: &Report,
    policy: &Arc<Policy>,
    pointer: &Pointer,
    claims_max_age: Duration,
) -> Result<Facts, Error> {
    let shas: Vec<String> = report.commits.iter().map(ToString::to_string).collect();
    let decisions = lock(tx, repository, &shas).await?;
    let mut found = heads(tx, repository, &shas, pointer, claims_max_age).await?;
    let mut within = landings::above(tx.conn(), &report.repository, &report.commits, None).await?;
    let (commits, now) = (&report.commits, AsOf::default());
    let mut sources =
        landings::sources(tx.conn(), &report.repository, commits, claims_max_age, now).await?;
    let asked = Before {
        repository: &report.repository,
        commits: &report.commits,
        environment: &report.environment,
        after: tx.now() - policy.document.back.redeploy_for,
        snapshot: None,
    };
    let mut before = before(tx.conn(), &asked).await?;
    let commit = |commit: &CommitSha| Shipped {
        commit: commit.clone(),
        found: found.remove(commit).unwrap_or_default(),
        sources: sources.remove(commit).unwrap_or_default(),
        within: within.remove(commit).unwrap_or_default(),
        before: before.remove(commit),
    };
    Ok(Facts {
        commits: report.commits.iter().map(commit).collect(),
        decisions,
    })
}

/// Locks the changes that have these commits, in the order of their ids, and says how many decisions each has.
async fn lock(
    tx: &mut Tx,
    repository: RepositoryId,
    shas: &[String],
) -> Result<HashMap<ChangeId, i32>, Error> {
    let rows = sqlx::query!(
        "select id, decisions from change where repository_id = $1 and id in (
             select change_id from revision where repository_id = $1 and head = any($2)
             union
             select r.change_id from commit c join revision r on r.repository_id = c.repository_id and r.id = c.revision_id
             where c.repository_id = $1 and c.sha = any($2)
             union
             select change_id from landing where repository_id = $1 and sha = any($2))
         order by id for share",
        repository.0,
        shas,
    )
    .fetch_all(tx.conn())
    .await?;
    let counted = rows
        .into_iter()
        .map(|row| (ChangeId(row.id), row.decisions));
    Ok(counted.collect())
}

/// The revisions with these heads, each with its standing: the stored one where it is today's, else one made from the case.
async fn heads(
    tx: &mut Tx,
    repository: RepositoryId,
    shas: &[String],
    pointer: &Pointer,
    claims_max_age: Duration,
) -> Result<HashMap<CommitSha, Vec<Found>>, Error> {
    // Read before the facts, as everywhere: if people change in between, the stamp is old and the case is loaded.
    let people_version = people::version(tx.conn()).await?;
    let rows = sqlx::query!(
        r#"select r.id, r.change_id, r.head, r.target, c.state, c.confirmed_at, c.head_revision = r.id as "current!", s.facts as "facts?"
           from revision r
           join change_state c on c.repository_id = r.repository_id and c.change_id = r.change_id and c.until_version is null
           left join standing s on s.repository_id = r.repository_id and s.revision_id = r.id and s.policy = $3
                and s.policy_version = $4 and s.people_version = $5 and s.form = $6
           where r.repository_id = $1 and r.head = any($2)"#,
        repository.0,
        shas,
        pointer.policy,
        pointer.version,
        people_version,
        FORM,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut heads: HashMap<CommitSha, Vec<Found>> = HashMap::new();
    for row in rows {
        let (change, revision) = (ChangeId(row.change_id), RevisionId(row.id));
        let stored = row
            .facts
            .and_then(|facts| serde_json::from_value(facts).ok());
        let standing = match stored {
            Some(standing) => standing,
            None => {
                let which = Which::This(revision);
                let case = cases::load(tx.conn(), change, which, claims_max_age).await?;
                known(case, "revision", "change_id")?.standing()
            }
        };
        let head = rows::head(row.head)?;
        heads.entry(head.clone()).or_default().push(Found {
            change,
            revision,
            state: rows::state(&row.state)?,
            target: rows::target(row.target)?,
            head,
            current: row.current,
            confirmed: rows::confirmed(row.confirmed_at),
            standing,
        });
    }
    Ok(heads)
}

/// What is asked of the deployments before: when commits were last allowed and deployed somewhere.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    pub repository: &'a RepositoryName,
    pub commits: &'a [CommitSha],
    pub environment: &'a Environment,
    /// Since when the policy still cares.
    pub after: Timestamp,
    /// Only what the database had committed in this snapshot: what stands in an answer is from one moment.
    pub snapshot: Option<&'a str>,
}

/// When commits were last allowed and deployed somewhere. For a gate that says no, and is asked where the commit would be
/// deployed: four index probes for each commit.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn allowed_before(
    db: &Db,
    asked: &Before<'_>,
) -> Result<HashMap<CommitSha, Deployed>, Error> {
    let mut conn = db.pool().acquire().await?;
    before(&mut conn, asked).await
}

async fn before(
    conn: &mut PgConnection,
    asked: &Before<'_>,
) -> Result<HashMap<CommitSha, Deployed>, Error> {
    let shas: Vec<String> = asked.commits.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        r#"select d.sha, d.at, c.change_id, c.decisions, r.number,
                c.verdict in ('overridden', 'approved', 'not_required') as "allowed!"
         from repository
         cross join unnest($2::text[]) asked (sha)
         cross join lateral (
             select * from deployed_commit d
             where d.repository_id = repository.id and d.sha = asked.sha and d.environment = $3 and d.sanction = 'allowed' and d.at > $4
               and ($5::text is null or pg_visible_in_snapshot(d.xid, $5::text::pg_snapshot))
             order by d.at desc limit 1) d
         join deployed_change c on c.repository_id = d.repository_id and c.deployment_id = d.deployment_id and c.ordinal = d.ordinal
              and c.verdict is not null
         join revision r on r.repository_id = c.repository_id and r.id = c.revision_id
         where repository.folded = $1"#,
        asked.repository.folded(),
        &shas,
        asked.environment.folded(),
        asked.after,
        asked.snapshot,
    )
    .fetch_all(conn)
    .await?;
    let mut found: HashMap<CommitSha, Deployed> = HashMap::new();
    for row in rows {
        let deployed = found.entry(sha(row.sha)?).or_insert_with(|| Deployed {
            environment: asked.environment.clone(),
            at: row.at,
            changes: vec![],
        });
        deployed.changes.push(Then {
            change: ChangeId(row.change_id),
            revision: row.number,
            allowed: row.allowed,
            decisions: row.decisions,
        });
    }
    Ok(found)
}

async fn commits(
    tx: &mut Tx,
    repository: RepositoryId,
    id: Uuid,
    environment: &Environment,
    judged: &[Judged],
) -> Result<(), Error> {
    let now = tx.now();
    let text = |f: fn(&Judged) -> &str| -> Vec<String> {
        judged.iter().map(|one| f(one).to_owned()).collect()
    };
    let review_by: Vec<Option<Timestamp>> = judged.iter().map(|one| one.review_by).collect();
    sqlx::query!(
        "insert into deployed_commit (repository_id, deployment_id, ordinal, sha, environment, sanction, verdict, review_by, at)
         select $1, $2, ordinal, sha, $3, sanction, verdict, review_by, $4
         from unnest($5::text[], $6::text[], $7::text[], $8::timestamptz[]) with ordinality as c (sha, sanction, verdict, review_by, ordinal)",
        repository.0,
        id,
        environment.folded(),
        now,
        &text(|one| one.commit.as_str()),
        &text(|one| one.sanction.as_str()),
        &text(|one| one.verdict.as_str()),
        &review_by as &[Option<Timestamp>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn changes(
    tx: &mut Tx,
    repository: RepositoryId,
    id: Uuid,
    judged: &[Judged],
    decisions: &HashMap<ChangeId, i32>,
) -> Result<(), Error> {
    let rows = judged.iter().zip(1..).flat_map(|(one, ordinal)| {
        one.changes.iter().map(move |touched| {
            json!({
                "ordinal": ordinal, "change_id": touched.change, "revision_id": touched.revision,
                "verdict": touched.verdict.map(Word::as_str), "decisions": decisions.get(&touched.change).unwrap_or(&0),
            })
        })
    });
    sqlx::query!(
        "insert into deployed_change (repository_id, deployment_id, ordinal, change_id, revision_id, verdict, decisions)
         select $1, $2, ordinal, change_id, revision_id, verdict, decisions
         from jsonb_to_recordset($3) as c (ordinal int, change_id uuid, revision_id uuid, verdict text, decisions int)",
        repository.0,
        id,
        serde_json::Value::Array(rows.collect()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Says to everybody who follows the events what was deployed, and what of it nobody had allowed.
async fn told(
    tx: &mut Tx,
    repository: RepositoryId,
    id: Uuid,
    report: &Report,
    judged: &[Judged],
) -> Result<(), Error> {
    let data = json!({
        "environment": report.environment, "commits": report.commits.len(), "token": report.token,
        "when": report.told_at.map(Timestamp::unix_timestamp),
    });
    events::record(tx, Some(repository), "deployment.recorded", id, data).await?;
    for one in judged {
        if one.sanction == Sanction::Unsanctioned {
            let changes: Vec<ChangeId> = one.changes.iter().map(|touched| touched.change).collect();
            let data = json!({
                "environment": report.environment, "commit": one.commit, "verdict": one.verdict.as_str(), "changes": changes,
            });
            events::record(tx, Some(repository), "deployment.unsanctioned", id, data).await?;
        }
    }
    Ok(())
}

async fn by_id(
    conn: &mut PgConnection,
    repository: RepositoryId,
    id: Uuid,
) -> Result<Deployment, Error> {
    let row = sqlx::query!(
        "select environment, told_at, at, enforced, policy, policy_version from deployment where repository_id = $1 and id = $2",
        repository.0,
        id,
    )
    .fetch_one(&mut *conn)
    .await?;
    let mut parts = parts(conn, repository, id).await?;
    let commits = sqlx::query!(
        "select ordinal, sha, sanction, verdict, review_by from deployed_commit
         where repository_id = $1 and deployment_id = $2 order by ordinal",
        repository.0,
        id,
    )
    .fetch_all(conn)
    .await?;
    let commits = commits.into_iter().map(|row| {
        Ok(Commit {
            sha: sha(row.sha)?,
            sanction: sanction(&row.sanction)?,
            verdict: verdict(&row.verdict)?,
            review_by: row.review_by,
            changes: parts.remove(&row.ordinal).unwrap_or_default(),
        })
    });
    Ok(Deployment {
        id,
        environment: environment(row.environment)?,
        told_at: row.told_at,
        at: row.at,
        enforced: row.enforced,
        policy: row.policy,
        policy_version: row.policy_version,
        commits: commits.collect::<Result<_, Error>>()?,
    })
}

/// The changes of a deployment, by the ordinal of the commit.
async fn parts(
    conn: &mut PgConnection,
    repository: RepositoryId,
    id: Uuid,
) -> Result<HashMap<i32, Vec<Part>>, Error> {
    let rows = sqlx::query!(
        "select d.ordinal, d.change_id, c.key, r.number from deployed_change d
         join change c on c.repository_id = d.repository_id and c.id = d.change_id
         join revision r on r.repository_id = d.repository_id and r.id = d.revision_id
         where d.repository_id = $1 and d.deployment_id = $2 order by d.ordinal, c.key",
        repository.0,
        id,
    )
    .fetch_all(conn)
    .await?;
    let mut parts: HashMap<i32, Vec<Part>> = HashMap::new();
    for row in rows {
        parts.entry(row.ordinal).or_default().push(Part {
            change: ChangeId(row.change_id),
            key: rows::key(row.key)?,
            revision: row.number,
        });
    }
    Ok(parts)
}

/// A commit that was deployed and never allowed, and of which nobody has said anything since who could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsanctioned {
    pub repository: RepositoryName,
    pub environment: Environment,
    pub sha: CommitSha,
    /// What the gate made of it then.
    pub verdict: Word,
    /// One of the changes that it belongs to, with its title; none of a commit that nobody told of.
    pub change: Option<(ChangeId, ChangeKey, String)>,
    pub at: Timestamp,
    pub review_by: Timestamp,
    /// False where the repository was only observed.
    pub enforced: bool,
}

/// What was deployed in the last 90 days without having been allowed and is still owed a review, as far as this reader may
/// see it: the latest first, at most `most`. Whoever decides about a revision with that commit or a later one pays it, as an override's debt is paid.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn unsanctioned(
    conn: &mut PgConnection,
    reader: &Reader,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Unsanctioned>, Error> {
    let named = readers::named(reader);
    let rows = sqlx::query!(
        r#"select repository.name as repository, t.environment, t.enforced, d.sha, d.verdict, d.at, d.review_by as "review_by!",
                  c.id as "change_id?", c.key as "key?", s.title as "title?"
           from (select d.* from deployed_commit d join repository r on r.id = d.repository_id
                 where d.sanction = 'unsanctioned' and d.at > $1 and may_read(r.read_by, r.folded, $4, $5)
                 order by d.at desc, d.deployment_id, d.ordinal limit $3) d
           join repository on repository.id = d.repository_id
           join deployment t on t.repository_id = d.repository_id and t.id = d.deployment_id
           left join lateral (
               select c.id, c.key from deployed_change p join change c on c.repository_id = p.repository_id and c.id = p.change_id
               where p.repository_id = d.repository_id and p.deployment_id = d.deployment_id and p.ordinal = d.ordinal
               order by p.verdict is null, c.created_at desc limit 1) c on true
           left join change_state s on s.repository_id = d.repository_id and s.change_id = c.id and s.until_version is null
           where deployment_reviewer(d.repository_id, d.deployment_id, d.ordinal) is null
           order by d.at desc, d.deployment_id, d.ordinal limit $2"#,
        now - Duration::days(90),
        most,
        LOOKED_THROUGH,
        reader.teams(),
        named.as_deref(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let change = match (row.change_id, row.key, row.title) {
                (Some(id), Some(key), Some(title)) => Some((ChangeId(id), rows::key(key)?, title)),
                _ => None,
            };
            Ok(Unsanctioned {
                repository: rows::repository(row.repository)?,
                environment: environment(row.environment)?,
                sha: sha(row.sha)?,
                verdict: verdict(&row.verdict)?,
                change,
                at: row.at,
                review_by: row.review_by,
                enforced: row.enforced,
            })
        })
        .collect()
}

/// Through how many unsanctioned commits a page looks for those that are still owed a review: the latest.
const LOOKED_THROUGH: i64 = 1_000;

/// A deployment of a commit of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfChange {
    pub environment: Environment,
    pub sha: CommitSha,
    /// The number of the revision.
    pub revision: i32,
    pub sanction: Sanction,
    pub verdict: Word,
    /// When we were told, and when it happened in the words of whoever told.
    pub at: Timestamp,
    pub told_at: Option<Timestamp>,
    /// Who told: the name of a token.
    pub by: String,
    pub enforced: bool,
    /// Where it was never allowed: when its review is due, and who gave it.
    pub review_by: Option<Timestamp>,
    pub reviewed_by: Option<String>,
}

/// The deployments of a change, the latest first, at most `most`. What is only part of something that was allowed is left out.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn of_change(
    conn: &mut PgConnection,
    repository: RepositoryId,
    change: ChangeId,
    most: i64,
) -> Result<Vec<OfChange>, Error> {
    let rows = sqlx::query!(
        r#"select t.environment, t.told_at, t.enforced, token.name as by, d.sha, d.sanction, d.verdict, d.review_by, d.at, r.number,
                  case when d.sanction = 'unsanctioned' then deployment_reviewer(d.repository_id, d.deployment_id, d.ordinal) end as reviewed_by
           from deployed_change p
           join deployed_commit d on d.repository_id = p.repository_id and d.deployment_id = p.deployment_id and d.ordinal = p.ordinal
           join deployment t on t.repository_id = p.repository_id and t.id = p.deployment_id
           join token on token.id = t.token_id
           join revision r on r.repository_id = p.repository_id and r.id = p.revision_id
           where p.repository_id = $1 and p.change_id = $2 and (d.sanction <> 'part' or p.verdict is not null)
           order by d.at desc, d.deployment_id, d.ordinal limit $3"#,
        repository.0,
        change.0,
        most,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(OfChange {
                environment: environment(row.environment)?,
                sha: sha(row.sha)?,
                revision: row.number,
                sanction: sanction(&row.sanction)?,
                verdict: verdict(&row.verdict)?,
                at: row.at,
                told_at: row.told_at,
                by: row.by,
                enforced: row.enforced,
                review_by: row.review_by,
                reviewed_by: row.reviewed_by,
            })
        })
        .collect()
}

fn sha(text: String) -> Result<CommitSha, Error> {
    known(CommitSha::parse(text).ok(), "deployed_commit", "sha")
}

fn environment(name: String) -> Result<Environment, Error> {
    known(Environment::parse(name).ok(), "deployment", "environment")
}

fn sanction(word: &str) -> Result<Sanction, Error> {
    known(Sanction::parse(word), "deployed_commit", "sanction")
}

fn verdict(word: &str) -> Result<Word, Error> {
    known(Word::parse(word), "deployed_commit", "verdict")
}
