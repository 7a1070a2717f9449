//! What a gate reads: a few places in indexes for each question, and as many where there are a million changes as where there are
//! ten thousand.

use crate::support::{
    TestServer,
    changes::{change, sha},
};
use domain::{decision::Kind, standing::FORM};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row as _, raw_sql};

/// The statement that the store sends.
const STATEMENT: &str = include_str!("../../store/src/gate.sql");
/// What `./dev bench` fills its database with.
const SEED: &str = include_str!("../../../.ci/bench/seed.sql");
/// Design, 10. Of a commit that a change became, its revision is one more.
const MOST_PROBES: f64 = 6.0;

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_question_costs_at_most_six_probes_among_ten_thousand_changes(pool: PgPool) {
    asked_among(pool, 10_000).await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_question_costs_at_most_six_probes_among_a_million_changes(pool: PgPool) {
    asked_among(pool, 1_000_000).await;
}

async fn asked_among(pool: PgPool, changes: i32) {
    let t = TestServer::new(pool).await;
    let mut conn = t.owner.acquire().await.unwrap();
    fill(&t, &mut conn, changes).await;
    // Servers ask so often that it is planned once for all questions.
    let prepare = format!("set plan_cache_mode = force_generic_plan; prepare gate as {STATEMENT}");
    raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *conn)
        .await
        .unwrap();
    let known = text(&mut conn, "select head from bench.clone where n = 77").await;
    let became = text(&mut conn, "select max(sha) from landing").await;
    for (commit, most) in [
        (known, MOST_PROBES),
        (sha("unheard"), MOST_PROBES),
        (became, MOST_PROBES + 1.0),
    ] {
        let plan = plan(&mut conn, &commit).await;
        assert_eq!(plan["Actual Rows"].as_f64(), Some(1.0), "{plan:#}");
        assert_reads_little(&plan, most);
    }
}

/// A world of so many changes, each a copy of one of three, and of many tokens and repositories.
async fn fill(t: &TestServer, conn: &mut PgConnection, changes: i32) {
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    for (key, kind) in [
        ("1", None),
        ("2", Some(Kind::Approve)),
        ("3", Some(Kind::Reject)),
    ] {
        let change = change().key(key).pushed(key);
        ci.submit(&change).await;
        if let Some(kind) = kind {
            ben.decides(&change, kind).await.unwrap();
        }
    }
    // Copies keep what the triggers and references ask for, and a million checks of that would take minutes.
    let prepare = format!(
        "set session_replication_role = replica;
         create schema bench;
         create table bench.size as select {changes} as changes;
         create table bench.template as
         select revision_id, case key when '1' then 'waiting' when '2' then 'approved' else 'rejected' end as verdict
         from standing join change on change.id = standing.change_id;
         insert into token (id, name, hash, scopes, repositories, created_at, expires_at)
         select gen_random_uuid(), 'copy', sha256(convert_to(n::text, 'utf8')), scopes, repositories, created_at, expires_at
         from token, generate_series(1, 10000) as n;
         insert into repository (id, name, folded, created_at, policy, policy_version, policy_hash)
         select gen_random_uuid(), 'copy/' || n, 'copy/' || n, created_at, policy, policy_version, policy_hash
         from repository, generate_series(1, 10000) as n;"
    );
    raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *conn)
        .await
        .unwrap();
    raw_sql(SEED).execute(&mut *conn).await.unwrap();
    let landed = "insert into landing (repository_id, sha, revision_id, change_id, tip, kind, evidence, at)
         select repository_id, sha1, revision.id, revision.change_id, sha1, 'squash', 'host', now()
         from revision, left(encode(sha256(convert_to('became ' || head, 'utf8')), 'hex'), 40) as sha1 where number = 1";
    raw_sql(landed).execute(&mut *conn).await.unwrap();
    let tables = "analyze token, repository, change, revision, change_state, standing, landing";
    raw_sql(tables).execute(&mut *conn).await.unwrap();
}

/// How one commit was asked about, as the database says it afterwards.
async fn plan(conn: &mut PgConnection, commit: &str) -> Value {
    let token = text(
        &mut *conn,
        "select hash::text from token where name <> 'copy'",
    )
    .await;
    let asked = format!(
        "explain (analyze, format json) execute gate
             (array['{token}'::bytea], array['acme/payments'], array['{commit}'], array[null], {FORM})"
    );
    let row = raw_sql(AssertSqlSafe(asked))
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    row.get::<Value, _>(0)[0]["Plan"].take()
}

async fn text(conn: &mut PgConnection, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

fn assert_reads_little(plan: &Value, most: f64) {
    let (mut probes, mut scans) = (0.0, vec![]);
    let mut nodes = vec![plan];
    while let Some(node) = nodes.pop() {
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
        match node["Node Type"].as_str().unwrap() {
            "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
                probes += node["Actual Loops"].as_f64().unwrap();
            }
            "Seq Scan" => scans.push(node["Relation Name"].as_str().unwrap()),
            _ => {}
        }
    }
    assert!(probes <= most, "{probes} probes: {plan:#}");
    // It has one row.
    assert_eq!(scans, ["people_version"], "{plan:#}");
}
