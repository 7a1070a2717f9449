//! The two roles: what the application may do with each table, in full.

use crate::support::TestServer;
use server::jobs;
use sqlx::{PgPool, Row};
use time::Duration;

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_application_may_add_to_the_record_and_never_rewrite_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let rows = sqlx::query(
        "select c.relname, string_agg(distinct lower(a.privilege_type), ' ' order by lower(a.privilege_type)) as granted,
                (select string_agg(attname, ' ' order by attname) from pg_attribute
                 where attrelid = c.oid and attnum > 0 and has_column_privilege('countersign_it', c.oid, attname, 'update')) as columns
         from pg_class c cross join lateral aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
         where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and r.rolname = 'countersign_it'
         group by c.oid, c.relname order by c.relname",
    )
    .fetch_all(&t.owner)
    .await
    .unwrap();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let columns: Option<String> = row.get("columns");
            let updates = columns
                .map(|columns| format!("; updates {columns}"))
                .unwrap_or_default();
            format!(
                "{}: {}{updates}",
                row.get::<String, _>("relname"),
                row.get::<String, _>("granted")
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    _sqlx_migrations: select
    account: insert select; updates until_version
    carry: insert select
    change: insert select; updates decisions revisions version
    change_label: insert select
    change_state: insert select; updates confirmed_at until_version
    commit: insert select
    contributor: insert select
    decision: insert select
    delivery: delete insert select; updates attempts due_at error state worked_at
    delivery_refused: delete insert select; updates times
    deployed_change: insert select
    deployed_commit: insert select
    deployment: insert select
    event: insert select
    host_change: insert select; updates answered asks attempts begun change_id confirmed_at due_at error etag recorded taken_until
    host_check: insert select; updates answered asks attempts due_at error said said_at taken_until
    host_groups: insert select; updates answered asks attempts due_at error taken_until
    host_remarks: insert select; updates answered asks attempts due_at error looked_at remarks taken_until
    landing: insert select
    log_leaf: insert select
    machine_lines: insert select
    made_by_bot: insert select
    mark: insert select
    patch: insert select
    patch_dispute: insert select
    patch_file: insert select
    patch_ruling: insert select
    people_change: insert select
    people_version: insert select; updates version
    person: insert select; updates name
    person_fact: insert select; updates until_version
    policy_draft: delete insert select update; updates at person_id repository_id text
    policy_in_force: insert select; updates until_at until_xid
    policy_ruling: insert select
    policy_version: insert select
    queue: delete insert select update; updates change_id repository_id revision_id since verdict
    reconciliation: insert select; updates asked_at began_at done_at error found found_ever open
    repository: insert select; updates observe_until policy policy_hash policy_version read_by
    repository_mode: insert select; updates until_at until_xid
    repository_readers: insert select; updates until_version
    revert: insert select
    revision: insert select
    session: delete insert select; updates data expires_at last_seen_at person_id revoked_at
    sign_in: insert select
    stand_in: insert select; updates ended_at ended_by until_version
    standing: delete insert select update; updates change_id ends_at facts form head people_version policy policy_version repository_id revision_id target
    token: insert select; updates last_used_at revoked_at
    ");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn not_even_the_owner_rewrites_a_record(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    ci.submit(&crate::support::changes::change()).await;
    for statement in [
        "update revision set head = head",
        "delete from event",
        "truncate patch cascade",
        "truncate carry",
        "truncate revert",
        "truncate landing",
        "truncate change_label",
        "truncate made_by_bot",
        "update mark set tool = 'x'",
    ] {
        let refused = sqlx::query(statement).execute(&t.owner).await.unwrap_err();
        assert!(
            refused.to_string().contains("these rows are a record"),
            "{statement}: {refused}"
        );
        let forbidden = sqlx::query(statement)
            .execute(t.db.pool())
            .await
            .unwrap_err();
        assert!(
            forbidden.to_string().contains("permission denied"),
            "{statement}: {forbidden}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_role_that_could_rewrite_records_is_told_from_one_that_cannot(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let mut app = t.db.pool().acquire().await.unwrap();
    assert_eq!(
        store::roles::too_much(&mut app).await.unwrap(),
        Vec::<String>::new()
    );
    sqlx::query("grant update on decision to countersign_it")
        .execute(&t.owner)
        .await
        .unwrap();
    assert_eq!(
        store::roles::too_much(&mut app).await.unwrap(),
        ["may update decision"]
    );
    sqlx::query("revoke update on decision from countersign_it")
        .execute(&t.owner)
        .await
        .unwrap();
    sqlx::query("grant update (reason) on decision to countersign_it")
        .execute(&t.owner)
        .await
        .unwrap();
    assert_eq!(
        store::roles::too_much(&mut app).await.unwrap(),
        ["may update decision"],
        "one column is enough"
    );
    let mut owner = t.owner.acquire().await.unwrap();
    assert_eq!(
        store::roles::too_much(&mut owner).await.unwrap(),
        ["is a superuser"]
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_application_deletes_sessions_that_were_over_thirty_days_ago(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.senior("ben").await;
    t.pass(Duration::days(31));
    assert_eq!(jobs::sessions::batch(&t.server).await.unwrap(), 0);
    t.pass(Duration::SECOND);
    assert_eq!(jobs::sessions::batch(&t.server).await.unwrap(), 1);
    assert_eq!(t.count("session").await, 0);
}
