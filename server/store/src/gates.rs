//! What a gate reads: one statement for the token, the revisions with these heads, and their standing.

use crate::{
    Db, Error,
    cases::{self, AsOf, Which},
    error::known,
    modes, people,
    policies::{self, Pointer},
    rows,
    tokens::{self, TokenHash},
};
use domain::{
    change::ChangeState,
    gate::{self, Found, Moment},
    ids::{ChangeId, RevisionId},
    names::{Branch, CommitSha, RepositoryName},
    policy::{Policy, Terms},
    standing::{FORM, Standing},
    token::Token,
};
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};
use time::Duration;

/// What is known of some commits, of what their repository demands, and of the token that asks.
#[derive(Debug)]
pub struct Asked {
    pub token: Token,
    pub terms: Terms,
    /// Which transactions the database had committed when it was asked.
    pub snapshot: String,
    /// By head; a commit that nobody told of has no entry.
    pub found: HashMap<CommitSha, Vec<Found>>,
}

/// The token's hash, where, which heads, and going where.
type Question<'a> = (
    &'a TokenHash,
    &'a RepositoryName,
    &'a [CommitSha],
    Option<&'a Branch>,
);

/// A revision whose standing is missing or was made from other people or another policy than today's.
struct Stale {
    head: CommitSha,
    change: ChangeId,
    revision: RevisionId,
    state: ChangeState,
    target: Branch,
    current: bool,
}

/// The token of this hash, what that repository demands, and the revisions with these heads there (going to `target`, if
/// given). None if there is no such token. Nothing is remembered between questions, and no code host is asked.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn ask(
    db: &Db,
    token: &TokenHash,
    repository: &RepositoryName,
    commits: &[CommitSha],
    target: Option<&Branch>,
    claims_max_age: Duration,
) -> Result<Option<Asked>, Error> {
    let question = (token, repository, commits, target);
    let mut conn = db.pool().acquire().await?;
    let looked = look(&mut conn, question).await?;
    drop(conn);
    match looked {
        Some((_, stale)) if !stale.is_empty() => look_whole(db, question, claims_max_age).await,
        looked => Ok(looked.map(|(asked, _)| asked)),
    }
}

/// The one statement: what is fresh, and what is not.
async fn look(
    conn: &mut PgConnection,
    (token, repository, commits, target): Question<'_>,
) -> Result<Option<(Asked, Vec<Stale>)>, Error> {
    let heads: Vec<String> = commits.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        r#"select t.id, t.name, t.scopes, t.repositories, t.created_at, t.expires_at, t.revoked_at, t.last_used_at,
                  (select pg_current_snapshot()::text) as "snapshot!", repository.policy as "policy?", repository.policy_version as "policy_version?",
                  repository.policy_hash as "policy_hash?", repository.observe_until,
                  f.revision_id as "revision_id?", f.change_id as "change_id?", f.head as "head?", f.target as "target?",
                  f.state as "state?", f.current as "current?", f.facts as "facts?", f.fresh as "fresh?"
           from token t
           left join repository on repository.folded = $2
           left join lateral (
               select r.id as revision_id, r.change_id, r.head, r.target, c.state, c.head_revision = r.id as current, s.facts,
                      coalesce(s.policy = repository.policy and s.policy_version = repository.policy_version
                               and s.people_version = (select version from people_version) and s.form = $5, false) as fresh
               from revision r
               join change_state c on c.repository_id = r.repository_id and c.change_id = r.change_id and c.until_version is null
               left join standing s on s.repository_id = r.repository_id and s.revision_id = r.id
               where r.repository_id = repository.id and r.head = any($3) and ($4::text is null or r.target = $4)
           ) f on true
           where t.hash = $1"#,
        token.as_slice(),
        repository.folded(),
        &heads,
        target.map(Branch::as_str),
        FORM,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut all = None;
    for row in rows {
        let (asked, stale) = match &mut all {
            Some(all) => all,
            none => {
                let pointer = match (row.policy, row.policy_version, row.policy_hash) {
                    (Some(policy), Some(version), Some(hash)) => Some(Pointer {
                        policy,
                        version,
                        hash,
                    }),
                    _ => None,
                };
                let asked = Asked {
                    token: tokens::Row {
                        id: row.id,
                        name: row.name,
                        scopes: row.scopes,
                        repositories: row.repositories,
                        created_at: row.created_at,
                        expires_at: row.expires_at,
                        revoked_at: row.revoked_at,
                        last_used_at: row.last_used_at,
                    }
                    .into_token()?,
                    terms: Terms {
                        policy: policy(conn, pointer.as_ref()).await?,
                        observe_until: row.observe_until,
                    },
                    snapshot: row.snapshot,
                    found: HashMap::new(),
                };
                none.insert((asked, Vec::new()))
            }
        };
        let (Some(revision), Some(change), Some(head), Some(target), Some(state), Some(current)) = (
            row.revision_id,
            row.change_id,
            row.head,
            row.target,
            row.state,
            row.current,
        ) else {
            continue;
        };
        let one = Stale {
            head: rows::head(head)?,
            change: ChangeId(change),
            revision: RevisionId(revision),
            state: rows::state(&state)?,
            target: rows::target(target)?,
            current,
        };
        match (row.fresh, row.facts) {
            // What this version cannot read is as good as not there.
            (Some(true), Some(facts)) => match serde_json::from_value(facts) {
                Ok(standing) => one.found(asked, standing),
                Err(_) => stale.push(one),
            },
            _ => stale.push(one),
        }
    }
    Ok(all)
}

/// The policy of a repository's row; of one that nobody told of it is the default.
async fn policy(conn: &mut PgConnection, pointer: Option<&Pointer>) -> Result<Arc<Policy>, Error> {
    match pointer {
        Some(pointer) => policies::read(conn, pointer).await,
        None => policies::default_now(conn).await,
    }
}

/// The same once more, with the full case where the standing cannot be trusted to be today's; all of it as one snapshot has
/// it, or the answer would be about no moment at all.
async fn look_whole(
    db: &Db,
    question: Question<'_>,
    claims_max_age: Duration,
) -> Result<Option<Asked>, Error> {
    let mut tx = db.read().await?;
    let Some((mut asked, stale)) = look(tx.conn(), question).await? else {
        return Ok(None);
    };
    for one in stale {
        let which = Which::This(one.revision);
        let case = cases::load(tx.conn(), one.change, which, claims_max_age).await?;
        let case = known(case, "revision", "change_id")?;
        one.found(&mut asked, case.standing());
    }
    Ok(Some(asked))
}

/// What was known of a commit at a moment of the past, and what its repository demanded then.
#[derive(Debug)]
pub struct Then {
    pub terms: Terms,
    pub found: Vec<Found>,
}

/// What an answer at that moment was judged from. None if this database never was in that moment's snapshot, or is not yet.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn then(
    db: &Db,
    question: &gate::Question,
    moment: &Moment,
    claims_max_age: Duration,
) -> Result<Option<Then>, Error> {
    let mut tx = db.read().await?;
    let (conn, snapshot) = (tx.conn(), moment.snapshot());
    if !is_past(conn, snapshot).await? {
        return Ok(None);
    }
    let pointer = policies::held_in(conn, &question.repository, snapshot).await?;
    let terms = Terms {
        policy: policies::read(conn, &pointer).await?,
        observe_until: modes::held_in(conn, &question.repository, snapshot).await?,
    };
    let as_of = AsOf {
        moment: Some(moment),
        people: Some(people::version_in(conn, snapshot).await?),
    };
    let mut found = Vec::new();
    for (change, revision) in revisions_in(conn, question, snapshot).await? {
        let which = Which::This(revision);
        let case = cases::load_as_of(conn, change, which, claims_max_age, as_of).await?;
        let case = known(case, "revision", "change_id")?;
        found.push(Found {
            change,
            revision,
            state: case.change.state,
            target: case.revision.target.clone(),
            current: case.change.head == revision,
            standing: case.standing(),
        });
    }
    Ok(Some(Then { terms, found }))
}

/// Whether a snapshot has nothing that is yet to come: it would not stay the same.
async fn is_past(conn: &mut PgConnection, snapshot: &str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select pg_snapshot_xmax($1::text::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) as "is!""#,
        snapshot,
    )
    .fetch_one(conn)
    .await?)
}

/// The revisions with this head that were there in a snapshot, each with its change.
async fn revisions_in(
    conn: &mut PgConnection,
    question: &gate::Question,
    snapshot: &str,
) -> Result<Vec<(ChangeId, RevisionId)>, Error> {
    let rows = sqlx::query!(
        "select r.change_id, r.id from repository join revision r on r.repository_id = repository.id
         where repository.folded = $1 and r.head = $2 and ($3::text is null or r.target = $3)
           and was_there(r.xid, $4::text::pg_snapshot)",
        question.repository.folded(),
        question.commit.as_str(),
        question.target.as_ref().map(Branch::as_str),
        snapshot,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (ChangeId(row.change_id), RevisionId(row.id)))
        .collect())
}

impl Stale {
    fn found(self, asked: &mut Asked, standing: Standing) {
        let Self {
            head,
            change,
            revision,
            state,
            target,
            current,
        } = self;
        asked.found.entry(head).or_default().push(Found {
            change,
            revision,
            state,
            target,
            current,
            standing,
        });
    }
}
