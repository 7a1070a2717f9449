//! What the tables hold of one try, read with SQL of the checker's own.

use crate::history::{Asked, History};
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

/// All of it. Times are microseconds since 1970; `at` is when a transaction began, `committed` when it was committed.
#[derive(Debug, Deserialize)]
pub struct Rows {
    /// How many decisions the change says that it has.
    pub decided: i32,
    pub revisions: Vec<Revision>,
    pub states: Vec<State>,
    pub contributors: Vec<Contributor>,
    pub decisions: Vec<Decision>,
    pub policies: Vec<Demand>,
    pub accounts: Vec<Account>,
    pub facts: Vec<Fact>,
}

/// A revision.
#[derive(Debug, Deserialize)]
pub struct Revision {
    pub id: Uuid,
    pub number: i32,
    pub head: String,
    pub target: String,
    pub digest: String,
    /// The hash of its patch, in which the blobs before and after are named.
    pub patch: String,
    pub people_version: i64,
    pub disputed: bool,
    pub at: i64,
    pub committed: i64,
}

/// A state of the change.
#[derive(Debug, Deserialize)]
pub struct State {
    pub version: i32,
    pub state: String,
    pub head: Uuid,
    pub at: i64,
    pub committed: i64,
}

/// Somebody who had a hand in it, and with which revision that was heard of.
#[derive(Debug, Deserialize)]
pub struct Contributor {
    pub role: String,
    pub keys: Vec<String>,
    pub revision: Uuid,
}

/// A decision.
#[derive(Debug, Deserialize)]
pub struct Decision {
    pub seq: i32,
    pub person: Uuid,
    pub form_key: Uuid,
    pub kind: String,
    pub revision: Uuid,
    pub digest: String,
    pub level: Option<String>,
    /// The number of the rejection that it sets aside.
    pub about: Option<i32>,
    pub at: i64,
    pub committed: i64,
}

/// That two approvals were demanded, where one is by default.
#[derive(Debug, Deserialize)]
pub struct Demand {
    pub at: i64,
    pub committed: i64,
}

/// An address or a login of somebody.
#[derive(Debug, Deserialize)]
pub struct Account {
    pub person: Uuid,
    pub key: String,
    pub proved: bool,
    #[serde(flatten)]
    pub held: Held,
}

/// A level of somebody, or that they are inactive.
#[derive(Debug, Deserialize)]
pub struct Fact {
    pub person: Uuid,
    pub kind: String,
    pub value: String,
    pub source: String,
    #[serde(flatten)]
    pub held: Held,
}

/// From when until when something about people holds.
#[derive(Debug, Deserialize)]
pub struct Held {
    pub from_version: i64,
    pub until_version: Option<i64>,
    pub at: i64,
    pub committed: i64,
}

impl Held {
    /// Whether it held at a version.
    pub fn at(&self, version: i64) -> bool {
        self.from_version <= version && self.until_version.is_none_or(|until| version < until)
    }
}

impl Rows {
    /// Reads them.
    pub async fn read(conn: &mut PgConnection, history: &History) -> Self {
        let people: Vec<Uuid> = history.requests.iter().filter_map(person).collect();
        let rows: serde_json::Value = sqlx::query_scalar(ALL)
            .bind(history.change)
            .bind(history.people_version)
            .bind(people)
            .fetch_one(conn)
            .await
            .unwrap();
        serde_json::from_value(rows).unwrap()
    }
}

/// Whom a request is by or about, where it is somebody.
fn person(request: &crate::history::Request) -> Option<Uuid> {
    match request.asked {
        Asked::Decide { person, .. }
        | Asked::Deactivate { person }
        | Asked::Demote { person }
        | Asked::Link { person, .. } => Some(person),
        Asked::Gate { .. } | Asked::Submit { .. } | Asked::Demand { .. } => None,
    }
}

/// `xmin` is the transaction that wrote a row; none of these rows is written twice during a try but a state that another one
/// followed, of which only the latest is asked when it was committed.
const ALL: &str = "
with this as (select repository_id, id, decisions from change where id = $1),
     hand as (select c.role, c.keys, c.revision_id from contributor c join this on c.repository_id = this.repository_id and c.change_id = this.id),
     tie as (select a.*, a.xmin as wrote from account a
             where a.key in (select unnest(keys) from hand) and coalesce(a.until_version, $2 + 1) > $2),
     somebody as (select person_id from tie union select unnest($3::uuid[]))
select jsonb_build_object(
    'decided', (select decisions from this),
    'revisions', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'number', r.number, 'head', r.head, 'target', r.target,
            'digest', encode(r.digest, 'hex'), 'patch', encode(r.patch_hash, 'hex'), 'people_version', r.people_version, 'at', micros(r.arrived_at),
            'committed', micros(pg_xact_commit_timestamp(r.xmin)),
            'disputed', exists (select from patch_dispute d where d.repository_id = r.repository_id and d.revision_id = r.id)) order by r.number), '[]')
        from revision r join this on r.repository_id = this.repository_id and r.change_id = this.id),
    'states', (select coalesce(jsonb_agg(jsonb_build_object('version', s.from_version, 'state', s.state, 'head', s.head_revision,
            'at', micros(s.at), 'committed', micros(pg_xact_commit_timestamp(s.xmin))) order by s.from_version), '[]')
        from change_state s join this on s.repository_id = this.repository_id and s.change_id = this.id),
    'contributors', (select coalesce(jsonb_agg(jsonb_build_object('role', role, 'keys', keys, 'revision', revision_id)), '[]') from hand),
    'decisions', (select coalesce(jsonb_agg(jsonb_build_object('seq', d.seq, 'person', d.person_id, 'form_key', d.form_key, 'kind', d.kind,
            'revision', d.revision_id, 'digest', encode(d.digest, 'hex'), 'level', d.level, 'about', d.about_seq, 'at', micros(d.at),
            'committed', micros(pg_xact_commit_timestamp(d.xid::xid))) order by d.seq), '[]')
        from decision d join this on d.repository_id = this.repository_id and d.change_id = this.id),
    'policies', (select coalesce(jsonb_agg(jsonb_build_object('at', micros(f.from_at), 'committed', micros(pg_xact_commit_timestamp(f.from_xid::xid)))), '[]')
        from policy_in_force f join repository r on r.folded = f.policy join this on this.repository_id = r.id),
    'accounts', (select coalesce(jsonb_agg(jsonb_build_object('person', person_id, 'key', key, 'proved', proved, 'from_version', from_version,
            'until_version', until_version, 'at', micros(at), 'committed', micros(pg_xact_commit_timestamp(wrote)))), '[]') from tie),
    'facts', (select coalesce(jsonb_agg(jsonb_build_object('person', f.person_id, 'kind', f.kind, 'value', f.value, 'source', f.source,
            'from_version', f.from_version, 'until_version', f.until_version, 'at', micros(f.at),
            'committed', micros(pg_xact_commit_timestamp(f.xmin)))), '[]')
        from person_fact f where f.person_id in (select person_id from somebody) and f.kind in ('level', 'inactive')
             and coalesce(f.until_version, $2 + 1) > $2))";
