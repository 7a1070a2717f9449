//! What a gate reads: one statement for the token, the revisions with these heads, and their standing.

use crate::{
    Db, Error,
    cases::{self, AsOf, Which},
    error::known,
    landings, modes, people,
    policies::{self, Pointer},
    rows,
    tokens::{self, TokenHash},
};
use domain::{
    Timestamp,
    change::{ChangeState, Confirmed},
    gate::{self, Found, Moment},
    ids::{ChangeId, RevisionId},
    landing::{Evidence, Kind, Source},
    names::{Branch, CommitSha, RepositoryName},
    policy::{Policy, Terms},
    standing::{FORM, Standing},
    token::Token,
};
use serde_json::value::RawValue;
use sqlx::{PgConnection, types::Json};
use std::{collections::HashMap, mem, sync::Arc};
use time::Duration;
use uuid::Uuid;

/// One question as a gate is asked it: whose token, where, which head, going where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    pub token: TokenHash,
    pub repository: RepositoryName,
    pub commit: CommitSha,
    pub target: Option<Branch>,
}

/// What is known of a commit, of what its repository demands, and of the token that asks.
#[derive(Debug)]
pub struct Asked {
    pub token: Token,
    pub terms: Terms,
    /// Which transactions the database had committed when it was asked.
    pub snapshot: String,
    /// The revisions with this head.
    pub found: Vec<Found>,
    /// The revisions that became this commit. None of both if nobody told of it.
    pub sources: Vec<Source>,
}

/// A revision whose standing is missing or was made from other people or another policy than today's.
#[derive(Debug)]
struct Stale {
    change: ChangeId,
    revision: RevisionId,
    head: CommitSha,
    state: ChangeState,
    target: Branch,
    current: bool,
    confirmed: Confirmed,
    /// How it became the commit, if that is not its head.
    landed: Option<(Kind, Evidence, Option<CommitSha>)>,
}

/// What one look found for a question.
#[derive(Debug)]
struct Looked {
    asked: Asked,
    stale: Vec<Stale>,
}

/// What the one statement says of a question.
#[derive(Debug)]
pub enum Glance {
    NoToken,
    Fresh(Box<Asked>),
    /// The facts themselves have to be asked: a standing is missing or not today's.
    Stale,
}

/// For each question, in their order: its token, what its repository demands, and the revisions there that have this head or
/// became it (going to `target`, if given), all as one snapshot has it. None where there is no such token. Nothing is remembered between
/// calls, and no code host is asked.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn ask(
    db: &Db,
    questions: &[Asking],
    claims_max_age: Duration,
) -> Result<Vec<Option<Asked>>, Error> {
    let glances = glance(db, questions).await?;
    let known = |glance| match glance {
        Glance::NoToken => Some(None),
        Glance::Fresh(asked) => Some(Some(*asked)),
        Glance::Stale => None,
    };
    match glances.into_iter().map(known).collect() {
        Some(all) => Ok(all),
        None => ask_facts(db, questions, claims_max_age).await,
    }
}

/// How long the one statement may take. It takes milliseconds; a connection whose other end has silently gone says nothing for a
/// quarter of an hour, and a gate that waits for it would not even say no.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The same as far as one statement can say it, which is what a gate costs as a rule.
///
/// # Errors
/// Likewise; also when it takes longer than 5 s.
pub async fn glance(db: &Db, questions: &[Asking]) -> Result<Vec<Glance>, Error> {
    let mut conn = db.pool().acquire().await?;
    let Ok(looked) = tokio::time::timeout(PATIENCE, look(&mut conn, questions)).await else {
        // Whatever is wrong with this connection, nobody else shall wait for it.
        drop(conn.detach());
        return Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into());
    };
    let looked = looked?;
    let glance = |looked: Option<Looked>| match looked {
        None => Glance::NoToken,
        Some(looked) if looked.stale.is_empty() => Glance::Fresh(Box::new(looked.asked)),
        Some(_) => Glance::Stale,
    };
    Ok(looked.into_iter().map(glance).collect())
}

/// The one statement: what is fresh, and what is not.
async fn look(conn: &mut PgConnection, questions: &[Asking]) -> Result<Vec<Option<Looked>>, Error> {
    let tokens: Vec<&[u8]> = questions.iter().map(|one| &one.token[..]).collect();
    let repositories: Vec<String> = questions
        .iter()
        .map(|one| one.repository.folded())
        .collect();
    let heads: Vec<&str> = questions.iter().map(|one| one.commit.as_str()).collect();
    let targets: Vec<Option<&str>> = questions
        .iter()
        .map(|one| one.target.as_ref().map(Branch::as_str))
        .collect();
    let rows = sqlx::query_file_as!(
        Row,
        "src/gate.sql",
        &tokens as &[&[u8]],
        &repositories,
        &heads as &[&str],
        &targets as &[Option<&str>],
        FORM,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut all: Vec<Option<Looked>> = questions.iter().map(|_| None).collect();
    for mut row in rows {
        let place = usize::try_from(row.number - 1).ok();
        let place = known(place.and_then(|i| all.get_mut(i)), "question", "number")?;
        let looked = match place {
            Some(looked) => looked,
            none => none.insert(row.looked(conn).await?),
        };
        row.add_to(looked)?;
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

/// The same with the full case where the standing cannot be trusted to be today's; all of it as one snapshot has it, or the
/// answers would be about no moment at all.
///
/// # Errors
/// Likewise.
pub async fn ask_facts(
    db: &Db,
    questions: &[Asking],
    claims_max_age: Duration,
) -> Result<Vec<Option<Asked>>, Error> {
    let mut tx = db.read().await?;
    let mut all = Vec::new();
    let looked = look(tx.conn(), questions).await?;
    for looked in looked {
        let Some(Looked { mut asked, stale }) = looked else {
            all.push(None);
            continue;
        };
        for one in stale {
            let which = Which::This(one.revision);
            let case = cases::load(tx.conn(), one.change, which, claims_max_age).await?;
            let case = known(case, "revision", "change_id")?;
            asked.add(one, case.standing());
        }
        all.push(Some(asked));
    }
    Ok(all)
}

fn going_to(sources: HashMap<CommitSha, Vec<Source>>, target: Option<&Branch>) -> Vec<Source> {
    let goes_there = |source: &Source| target.is_none_or(|target| source.found.target == *target);
    sources.into_values().flatten().filter(goes_there).collect()
}

/// What was known of a commit at a moment of the past, and what its repository demanded then.
#[derive(Debug)]
pub struct Then {
    pub terms: Terms,
    pub found: Vec<Found>,
    pub sources: Vec<Source>,
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
        found.push(Found::of(&case));
    }
    let commit = std::slice::from_ref(&question.commit);
    let sources =
        landings::sources(conn, &question.repository, commit, claims_max_age, as_of).await?;
    Ok(Some(Then {
        terms,
        found,
        sources: going_to(sources, question.target.as_ref()),
    }))
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

/// A row of the one statement.
struct Row {
    number: i64,
    id: Uuid,
    name: String,
    scopes: Vec<String>,
    repositories: Vec<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    snapshot: String,
    head: Option<String>,
    kind: Option<String>,
    evidence: Option<String>,
    onto: Option<String>,
    policy: Option<String>,
    policy_version: Option<i32>,
    policy_hash: Option<Vec<u8>>,
    observe_until: Option<Timestamp>,
    revision: Option<Uuid>,
    change: Option<Uuid>,
    target: Option<String>,
    state: Option<String>,
    current: Option<bool>,
    confirmed_at: Option<Timestamp>,
    facts: Option<Json<Box<RawValue>>>,
    fresh: Option<bool>,
}

impl Row {
    /// What every row of a question says.
    async fn looked(&mut self, conn: &mut PgConnection) -> Result<Looked, Error> {
        let pointer = match (
            self.policy.take(),
            self.policy_version,
            self.policy_hash.take(),
        ) {
            (Some(policy), Some(version), Some(hash)) => Some(Pointer {
                policy,
                version,
                hash,
            }),
            _ => None,
        };
        let token = tokens::Row {
            id: self.id,
            name: mem::take(&mut self.name),
            scopes: mem::take(&mut self.scopes),
            repositories: mem::take(&mut self.repositories),
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
        };
        let asked = Asked {
            token: token.into_token()?,
            terms: Terms {
                policy: policy(conn, pointer.as_ref()).await?,
                observe_until: self.observe_until,
            },
            snapshot: mem::take(&mut self.snapshot),
            found: Vec::new(),
            sources: Vec::new(),
        };
        Ok(Looked {
            asked,
            stale: Vec::new(),
        })
    }

    /// The revision that it names, if it names one.
    fn add_to(self, looked: &mut Looked) -> Result<(), Error> {
        let landed = self.landed()?;
        let (Some(revision), Some(change), Some(head), Some(target), Some(state), Some(current)) = (
            self.revision,
            self.change,
            self.head,
            self.target,
            self.state,
            self.current,
        ) else {
            return Ok(());
        };
        let one = Stale {
            change: ChangeId(change),
            revision: RevisionId(revision),
            head: rows::head(head)?,
            state: rows::state(&state)?,
            target: rows::target(target)?,
            current,
            confirmed: rows::confirmed(self.confirmed_at),
            landed,
        };
        let facts = self.facts.filter(|_| self.fresh == Some(true));
        // What this version cannot read is as good as not there.
        match facts.and_then(|facts| serde_json::from_str(facts.get()).ok()) {
            Some(standing) => looked.asked.add(one, standing),
            None => looked.stale.push(one),
        }
        Ok(())
    }

    /// How the revision became the commit, if that is not its head.
    fn landed(&self) -> Result<Option<(Kind, Evidence, Option<CommitSha>)>, Error> {
        let (Some(kind), Some(evidence)) = (&self.kind, &self.evidence) else {
            return Ok(None);
        };
        let kind = known(Kind::parse(kind), "landing", "kind")?;
        let evidence = known(Evidence::parse(evidence), "landing", "evidence")?;
        let onto = self.onto.clone().map(rows::head).transpose()?;
        Ok(Some((kind, evidence, onto)))
    }
}

impl Asked {
    fn add(&mut self, mut one: Stale, standing: Standing) {
        match one.landed.take() {
            None => self.found.push(one.found(standing)),
            Some((kind, evidence, onto)) => self.sources.push(Source {
                kind,
                evidence,
                onto,
                found: one.found(standing),
            }),
        }
    }
}

impl Stale {
    fn found(self, standing: Standing) -> Found {
        let Self {
            change,
            revision,
            head,
            state,
            target,
            current,
            confirmed,
            landed: _,
        } = self;
        Found {
            change,
            revision,
            state,
            target,
            head,
            current,
            confirmed,
            standing,
        }
    }
}
