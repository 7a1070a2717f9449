//! The two roles: what the application may do, which is less than what its owner may.

use crate::Error;
use sqlx::{AssertSqlSafe, PgConnection};

/// Tables that the application reads and adds to, and nothing else.
const RECORDS: &[&str] = &[
    "decision",
    "event",
    "log_leaf",
    "revision",
    "commit",
    "contributor",
    "change_label",
    "made_by_bot",
    "mark",
    "machine_lines",
    "patch",
    "patch_file",
    "patch_dispute",
    "patch_ruling",
    "carry",
    "revert",
    "landing",
    "deployment",
    "deployed_commit",
    "deployed_change",
    "sign_in",
    "people_change",
    "policy_version",
    "policy_ruling",
];

/// Tables of which single columns may change, with those columns.
const AMENDED: &[(&str, &str)] = &[
    ("people_version", "version"),
    ("person", "name"),
    ("person_fact", "until_version"),
    ("account", "until_version"),
    ("stand_in", "until_version, ended_by, ended_at"),
    ("change", "version, revisions, decisions"),
    ("change_state", "until_version, confirmed_at"),
    ("token", "revoked_at, last_used_at"),
    (
        "repository",
        "policy, policy_version, policy_hash, observe_until, read_by",
    ),
    ("policy_in_force", "until_xid, until_at"),
    ("repository_mode", "until_xid, until_at"),
    ("repository_readers", "until_version"),
    (
        "session",
        "person_id, data, last_seen_at, expires_at, revoked_at",
    ),
    ("delivery", "state, attempts, due_at, worked_at, error"),
    (
        "host_change",
        "asks, answered, begun, recorded, due_at, taken_until, attempts, error, confirmed_at, change_id, etag",
    ),
    (
        "host_groups",
        "asks, answered, due_at, taken_until, attempts, error",
    ),
    (
        "host_remarks",
        "asks, answered, due_at, taken_until, attempts, error, remarks, looked_at",
    ),
    ("delivery_refused", "times"),
    (
        "host_check",
        "asks, answered, due_at, taken_until, attempts, error, said, said_at",
    ),
    (
        "reconciliation",
        "asked_at, began_at, done_at, open, found, found_ever, error",
    ),
];

/// Tables, amended too, of which rows may go: they are no record, and say of people what nobody needs for ever.
const FORGOTTEN: &[&str] = &["session", "delivery", "delivery_refused"];

/// Tables that hold only what can be made again, or what counts for nothing.
const PROJECTIONS: &[&str] = &["standing", "queue", "policy_draft"];

/// Gives `role`, which must exist, exactly what the application needs. Run as the owner after every migration.
///
/// # Errors
/// The connection's role does not own the schema.
pub async fn grant(owner: &mut PgConnection, role: &str) -> Result<(), Error> {
    let role = quoted(role);
    let mut statements = vec![
        format!("revoke all on all tables in schema public from {role}"),
        format!("grant usage on schema public to {role}"),
        format!("grant select on _sqlx_migrations to {role}"),
    ];
    statements.extend(
        RECORDS
            .iter()
            .map(|table| format!("grant select, insert on {table} to {role}")),
    );
    statements.extend(AMENDED.iter().map(|(table, columns)| {
        format!("grant select, insert, update ({columns}) on {table} to {role}")
    }));
    statements.extend(
        FORGOTTEN
            .iter()
            .map(|table| format!("grant delete on {table} to {role}")),
    );
    statements.extend(
        PROJECTIONS
            .iter()
            .map(|table| format!("grant select, insert, update, delete on {table} to {role}")),
    );
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *owner)
            .await?;
    }
    Ok(())
}

/// Makes `role` if it is not there, able to log in with `password` if one is given.
///
/// # Errors
/// The owner may not make roles: an administrator has to.
pub async fn ensure(
    owner: &mut PgConnection,
    role: &str,
    password: Option<&str>,
) -> Result<(), Error> {
    let there = sqlx::query_scalar!(
        "select exists (select from pg_roles where rolname = $1) as \"there!\"",
        role
    )
    .fetch_one(&mut *owner)
    .await?;
    if there {
        return Ok(());
    }
    let password = password
        .map(|text| format!(" password {}", literal(text)))
        .unwrap_or_default();
    let made = sqlx::query(AssertSqlSafe(format!(
        "create role {} login{password}",
        quoted(role)
    )))
    .execute(&mut *owner)
    .await;
    match made {
        // Somebody else made it at the same moment.
        Err(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("42710" | "23505")) =>
        {
            Ok(())
        }
        other => other.map(|_| ()).map_err(Error::from),
    }
}

/// Why the connected role may not run the application: it could rewrite records. Empty means it may.
///
/// # Errors
/// The database cannot be asked.
pub async fn too_much(conn: &mut PgConnection) -> Result<Vec<String>, Error> {
    let superuser = sqlx::query_scalar!(
        "select rolsuper as \"is!\" from pg_roles where rolname = current_user"
    )
    .fetch_one(&mut *conn)
    .await?;
    if superuser {
        return Ok(vec!["is a superuser".to_owned()]);
    }
    let records: Vec<String> = RECORDS.iter().map(|&table| table.to_owned()).collect();
    let reasons = sqlx::query_scalar!(
        r#"select format('may %s %s', lower(privilege), name) as "reason!"
           from unnest($1::text[]) as name, unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as privilege
           where case privilege when 'UPDATE' then has_any_column_privilege(current_user, name, privilege)
                 else has_table_privilege(current_user, name, privilege) end
           union all
           select format('owns %s', tablename) from pg_tables
           where schemaname = 'public' and pg_has_role(current_user, tableowner, 'member') and tablename = any($1)
           order by 1"#,
        &records,
    )
    .fetch_all(conn)
    .await?;
    Ok(reasons)
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
