//! Changes for lists: one statement for all rows, judged from their standing, with the case loaded only where that is old.

use crate::{
    Error,
    cases::{self, Which},
    policies::{self, Pointer},
    readers, rows,
};
use domain::{
    Timestamp,
    change::{Change, Revision},
    ids::{ChangeId, RevisionId},
    policy::{Mode, Terms},
    provenance::Tool,
    readers::Reader,
    standing::{FORM, Standing},
    verdict::{Verdict, verdict},
};
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};
use time::Duration;
use uuid::Uuid;

/// A change with its current revision, as far as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub change: Change,
    pub revision: Revision,
    pub standing: Standing,
    /// What holds for its repository.
    pub terms: Terms,
    /// The tools that left marks in the current revision, in alphabetical order.
    pub tools: Vec<Tool>,
}

impl Listed {
    /// What policy makes of it now.
    #[must_use]
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        verdict(&self.standing, &self.terms.policy, now)
    }

    /// Whether gates enforce it now.
    #[must_use]
    pub fn mode(&self, now: Timestamp) -> Mode {
        self.terms.mode(now)
    }
}

/// These changes, in this order; those that are not there, or not for this reader to see, are left out.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn by_ids(
    conn: &mut PgConnection,
    reader: &Reader,
    ids: &[ChangeId],
    claims_max_age: Duration,
) -> Result<Vec<Listed>, Error> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let named = readers::named(reader);
    let rows = sqlx::query!(
        r#"select c.id, c.repository_id, repository.name as repository, c.key, c.created_at, s.state, s.draft, s.title, s.url,
                  s.author_name, s.head_revision, s.confirmed_at, r.id as revision_id, r.number, r.target, r.merge_base, r.head, r.digest, r.files,
                  r.added, r.removed, r.arrived_at, st.facts as "facts?",
                  repository.policy, repository.policy_version, repository.policy_hash, repository.observe_until,
                  coalesce(st.policy = repository.policy and st.policy_version = repository.policy_version
                           and st.people_version = (select version from people_version) and st.form = $2, false) as "fresh!",
                  array(select distinct m.tool from mark m where m.repository_id = r.repository_id and m.revision_id = r.id
                        order by m.tool) as "tools!"
           from change c
           join repository on repository.id = c.repository_id
           join change_state s on s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null
           join revision r on r.repository_id = c.repository_id and r.id = s.head_revision
           left join standing st on st.repository_id = r.repository_id and st.revision_id = r.id
           where c.id = any($1) and may_read(repository.read_by, repository.folded, $3, $4)"#,
        &uuids,
        FORM,
        reader.teams(),
        named.as_deref(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let id = ChangeId(row.id);
        let standing: Option<Standing> = match (row.fresh, row.facts) {
            (true, Some(facts)) => serde_json::from_value(facts).ok(),
            _ => None,
        };
        let pointer = Pointer {
            policy: row.policy,
            version: row.policy_version,
            hash: row.policy_hash,
        };
        // What is missing, old, or of another version is made from the facts, and judged by the policy that goes with them.
        let (standing, policy) = match standing {
            Some(standing) => (standing, policies::read(conn, &pointer).await?),
            None => match cases::load(
                conn,
                id,
                Which::This(RevisionId(row.revision_id)),
                claims_max_age,
            )
            .await?
            {
                Some(case) => (case.standing(), Arc::new(case.policy)),
                None => continue,
            },
        };
        let tools = row
            .tools
            .iter()
            .filter_map(|tool| Tool::parse(tool))
            .collect();
        found.insert(
            id,
            Listed {
                change: rows::change!(row),
                revision: rows::revision!(row, standing.patch),
                standing,
                terms: Terms {
                    policy,
                    observe_until: row.observe_until,
                },
                tools,
            },
        );
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}
