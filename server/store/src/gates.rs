//! What a gate reads: one statement for the token, the revisions with these heads, and their standing.

use crate::{
    Db, Error,
    cases::{self, Which},
    error::known,
    policies::{self, Pointer},
    rows,
    tokens::{self, TokenHash},
};
use domain::{
    change::ChangeState,
    gate::Found,
    ids::{ChangeId, RevisionId},
    names::{Branch, CommitSha, RepositoryName},
    policy::{Policy, Terms},
    standing::{FORM, Standing},
    token::Token,
};
use std::{collections::HashMap, sync::Arc};
use time::Duration;

/// What is known of some commits, of what their repository demands, and of the token that asks.
#[derive(Debug)]
pub struct Asked {
    pub token: Token,
    pub terms: Terms,
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
    loop {
        let Some((mut asked, pointer, stale)) =
            look(db, token, repository, commits, target).await?
        else {
            return Ok(None);
        };
        // A policy that came into force in between judges all of it: what was fresh a moment ago is not.
        if reload(db, &mut asked, &pointer, stale, claims_max_age).await? {
            return Ok(Some(asked));
        }
    }
}

/// The one statement: what is fresh, and what is not.
async fn look(
    db: &Db,
    token: &TokenHash,
    repository: &RepositoryName,
    commits: &[CommitSha],
    target: Option<&Branch>,
) -> Result<Option<(Asked, Option<Pointer>, Vec<Stale>)>, Error> {
    let heads: Vec<String> = commits.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        r#"select t.id, t.name, t.scopes, t.repositories, t.created_at, t.expires_at, t.revoked_at, t.last_used_at,
                  repository.policy as "policy?", repository.policy_version as "policy_version?",
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
    .fetch_all(db.pool())
    .await?;
    let mut all = None;
    for row in rows {
        let (asked, _, stale) = match &mut all {
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
                        policy: policy(db, pointer.as_ref()).await?,
                        observe_until: row.observe_until,
                    },
                    found: HashMap::new(),
                };
                none.insert((asked, pointer, Vec::new()))
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
async fn policy(db: &Db, pointer: Option<&Pointer>) -> Result<Arc<Policy>, Error> {
    if let Some(policy) = pointer.and_then(policies::known) {
        return Ok(policy);
    }
    let mut conn = db.pool().acquire().await?;
    match pointer {
        Some(pointer) => policies::read(&mut conn, pointer).await,
        None => policies::default_now(&mut conn).await,
    }
}

/// Loads the full case where the standing cannot be trusted to be today's. False if another policy is in force by now.
async fn reload(
    db: &Db,
    asked: &mut Asked,
    pointer: &Option<Pointer>,
    stale: Vec<Stale>,
    claims_max_age: Duration,
) -> Result<bool, Error> {
    if stale.is_empty() {
        return Ok(true);
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
        if pointer.as_ref().map(Pointer::name) != Some((&case.policy.id, case.policy.version)) {
            return Ok(false);
        }
        // The case was loaded after the statement: what it says of the change is newer, and goes with what it says of the rest.
        one.state = case.change.state;
        one.current = case.change.head == one.revision;
        one.found(asked, case.standing());
    }
    Ok(true)
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
