//! What a gate reads: one statement for the token, the revisions with these heads, and their standing.

use crate::{
    Db, Error,
    cases::{self, Which},
    error::known,
    rows,
    tokens::{self, TokenHash},
};
use domain::{
    change::ChangeState,
    gate::Found,
    ids::{ChangeId, RevisionId},
    names::{Branch, CommitSha, RepositoryName},
    policy::Policy,
    standing::{FORM, Standing},
    token::Token,
};
use std::collections::HashMap;
use time::Duration;

/// What is known of some commits, and of the token that asks.
#[derive(Debug)]
pub struct Asked {
    pub token: Token,
    /// By head; a commit that nobody told of has no entry.
    pub found: HashMap<CommitSha, Vec<Found>>,
}

/// A revision whose standing is missing or was made from other people or another policy than today's.
struct Stale {
    head: CommitSha,
    change: ChangeId,
    revision: RevisionId,
    state: ChangeState,
    target: Branch,
    current: bool,
}

/// The token of this hash, and the revisions with these heads in that repository (going to `target`, if given). None if
/// there is no such token. Nothing is remembered between questions, and no code host is asked.
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
    let heads: Vec<String> = commits.iter().map(ToString::to_string).collect();
    let policy = Policy::built_in();
    let rows = sqlx::query!(
        r#"select t.id, t.name, t.scopes, t.repositories, t.created_at, t.expires_at, t.revoked_at, t.last_used_at,
                  f.revision_id as "revision_id?", f.change_id as "change_id?", f.head as "head?", f.target as "target?",
                  f.state as "state?", f.current as "current?", f.facts as "facts?", f.fresh as "fresh?"
           from token t
           left join lateral (
               select r.id as revision_id, r.change_id, r.head, r.target, c.state, c.head_revision = r.id as current, s.facts,
                      coalesce(s.policy = $5 and s.policy_version = $6
                               and s.people_version = (select version from people_version) and s.form = $7, false) as fresh
               from repository
               join revision r on r.repository_id = repository.id and r.head = any($3)
               join change_state c on c.repository_id = r.repository_id and c.change_id = r.change_id and c.until_version is null
               left join standing s on s.repository_id = r.repository_id and s.revision_id = r.id
               where repository.folded = $2 and ($4::text is null or r.target = $4)
           ) f on true
           where t.hash = $1"#,
        token.as_slice(),
        repository.folded(),
        &heads,
        target.map(Branch::as_str),
        policy.id,
        policy.version,
        FORM,
    )
    .fetch_all(db.pool())
    .await?;
    let mut asked: Option<Asked> = None;
    let mut stale = Vec::new();
    for row in rows {
        let asked = match &mut asked {
            Some(asked) => asked,
            none => none.insert(Asked {
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
                found: HashMap::new(),
            }),
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
    if let Some(asked) = &mut asked {
        reload(db, asked, stale, claims_max_age).await?;
    }
    Ok(asked)
}

/// Loads the full case where the standing cannot be trusted to be today's.
async fn reload(
    db: &Db,
    asked: &mut Asked,
    stale: Vec<Stale>,
    claims_max_age: Duration,
) -> Result<(), Error> {
    if stale.is_empty() {
        return Ok(());
    }
    let mut tx = db.read().await?;
    for mut one in stale {
        let case = cases::load(
            tx.conn(),
            one.change,
            Which::This(one.revision),
            claims_max_age,
        )
        .await?;
        let case = known(case, "revision", "change_id")?;
        // The case was loaded after the statement: what it says of the change is newer, and goes with what it says of the rest.
        one.state = case.change.state;
        one.current = case.change.head == one.revision;
        one.found(asked, case.standing());
    }
    Ok(())
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
