//! What revisions became on their targets: recorded with a submission, read for commits that are nobody's head.

use crate::{
    Error, Tx,
    cases::{self, AsOf, Which},
    error::known,
    events, rows,
    submissions::Outcome,
};
use domain::{
    deployment::Within,
    gate::Found,
    ids::{ChangeId, RepositoryId, RevisionId, TokenId},
    landing::{Claim, Evidence, Kind, Source},
    names::{CommitSha, RepositoryName},
};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::HashMap;
use time::Duration;

/// What a revision became.
pub(crate) struct Landing<'a> {
    pub repository: RepositoryId,
    pub change: ChangeId,
    pub revision: RevisionId,
    pub kind: Kind,
    /// The commits that it became, the last one first.
    pub shas: Vec<String>,
    /// The target's commit just before them.
    pub onto: &'a CommitSha,
    /// Of whoever says so: without one it is the code host.
    pub token: Option<TokenId>,
}

impl<'a> Landing<'a> {
    /// What was claimed of the revision that was submitted with it.
    pub fn claimed(outcome: &Outcome, claim: &'a Claim, token: Option<TokenId>) -> Self {
        Self {
            repository: outcome.repository,
            change: outcome.change,
            revision: outcome.revision,
            kind: claim.kind,
            shas: claim
                .commits
                .iter()
                .map(|one| one.sha.to_string())
                .collect(),
            onto: &claim.onto,
            token,
        }
    }
}

/// Records what a revision became. What was said before stays said; the same again changes nothing.
pub(crate) async fn record(tx: &mut Tx, landing: &Landing<'_>) -> Result<(), Error> {
    let Landing {
        kind, shas, token, ..
    } = landing;
    let evidence = match token {
        Some(_) => Evidence::Tree,
        None => Evidence::Host,
    };
    let now = tx.now();
    let new = sqlx::query!(
        "insert into landing (repository_id, sha, revision_id, change_id, tip, kind, evidence, token_id, at, onto)
         select $1, sha, $2, $3, $4, $5, $6, $7, $8, $10 from unnest($9::text[]) as landed (sha) on conflict do nothing",
        landing.repository.0,
        landing.revision.0,
        landing.change.0,
        shas.first(),
        kind.as_str(),
        evidence.as_str(),
        token.map(|token| token.0),
        now,
        shas,
        landing.onto.as_str(),
    )
    .execute(tx.conn())
    .await?;
    if new.rows_affected() == 0 {
        return Ok(());
    }
    let data = json!({ "change": landing.change, "commits": shas, "kind": kind.as_str(),
        "evidence": evidence.as_str(), "token": token });
    events::record(
        tx,
        Some(landing.repository),
        "revision.landed",
        landing.revision.0,
        data,
    )
    .await
}

/// What commits came from that a revision became as a whole, each with its case as it is now or was. Loads each case: a gate
/// reads the standings instead.
pub(crate) async fn sources(
    conn: &mut PgConnection,
    repository: &RepositoryName,
    commits: &[CommitSha],
    claims_max_age: Duration,
    as_of: AsOf<'_>,
) -> Result<HashMap<CommitSha, Vec<Source>>, Error> {
    let shas: Vec<String> = commits.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        "select l.sha, l.change_id, l.revision_id, l.kind, l.evidence, l.onto from repository
         join landing l on l.repository_id = repository.id
         where repository.folded = $1 and l.sha = any($2) and l.tip = l.sha and was_there(l.xid, $3::text::pg_snapshot)
         order by l.change_id, l.revision_id",
        repository.folded(),
        &shas,
        as_of.snapshot(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut sources: HashMap<CommitSha, Vec<Source>> = HashMap::new();
    for row in rows {
        let (change, which) = (
            ChangeId(row.change_id),
            Which::This(RevisionId(row.revision_id)),
        );
        let case = cases::load_as_of(conn, change, which, claims_max_age, as_of).await?;
        let source = Source {
            kind: known(Kind::parse(&row.kind), "landing", "kind")?,
            evidence: known(Evidence::parse(&row.evidence), "landing", "evidence")?,
            onto: row.onto.map(rows::head).transpose()?,
            found: Found::of(&known(case, "landing", "change_id")?),
        };
        sources
            .entry(rows::head(row.sha)?)
            .or_default()
            .push(source);
    }
    Ok(sources)
}

/// The revisions that have these commits below their heads, or became them below the last commit of a rebase; the latest of
/// each change first. As of now, or as a snapshot has it.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub async fn above(
    conn: &mut PgConnection,
    repository: &RepositoryName,
    commits: &[CommitSha],
    snapshot: Option<&str>,
) -> Result<HashMap<CommitSha, Vec<Within>>, Error> {
    let shas: Vec<String> = commits.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        r#"select below.sha as "sha!", r.id, r.change_id, below.top as "top!" from repository
           cross join lateral (
               select c.sha, c.revision_id, own.head as top, own.xid from commit c
               join revision own on own.repository_id = c.repository_id and own.id = c.revision_id
               where c.repository_id = repository.id and c.sha = any($2) and own.head <> c.sha
               union all
               select l.sha, l.revision_id, l.tip, l.xid from landing l
               where l.repository_id = repository.id and l.sha = any($2) and l.tip <> l.sha) below
           join revision r on r.repository_id = repository.id and r.id = below.revision_id
           where repository.folded = $1 and was_there(below.xid, $3::text::pg_snapshot)
           order by r.change_id, r.number desc"#,
        repository.folded(),
        &shas,
        snapshot,
    )
    .fetch_all(conn)
    .await?;
    let mut above: HashMap<CommitSha, Vec<Within>> = HashMap::new();
    for row in rows {
        above.entry(rows::head(row.sha)?).or_default().push(Within {
            change: ChangeId(row.change_id),
            revision: RevisionId(row.id),
            head: rows::head(row.top)?,
        });
    }
    Ok(above)
}
