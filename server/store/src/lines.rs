//! Which added lines of a revision a machine wrote, as was told with it or found again after a rebase.

use crate::{
    Db, Error, Tx,
    error::known,
    patches,
    submissions::{Outcome, Submission},
};
use domain::{
    ids::{RepositoryId, RevisionId},
    provenance::{self, Source, Tool, Written},
};
use sqlx::PgConnection;
use tokio::task::spawn_blocking;

/// What was said of lines of the current revision of the change that stand in what is submitted, too. Patches are read only where
/// anything was said, off the async threads, and before any lock. What cannot be read is carried nowhere.
///
/// # Errors
/// The database refused, or a body does not unpack to its length.
pub async fn carried(db: &Db, submission: &Submission) -> Result<Vec<Written>, Error> {
    let Some((repository, revision)) = before(db, submission).await? else {
        return Ok(vec![]);
    };
    let (rows, old) = {
        let mut conn = db.pool().acquire().await?;
        let rows = of(&mut conn, repository, revision).await?;
        let old = patches::bodies(&mut conn, repository, revision).await?;
        (rows, old)
    };
    let (new, now) = (
        patches::unpacked(&submission.patch).await?,
        submission.written.clone(),
    );
    let find = move || provenance::carried(&rows, &old.concat(), &new, &now);
    Ok(spawn_blocking(find)
        .await
        .ok()
        .and_then(Result::ok)
        .unwrap_or_default())
}

/// The current revision, if it is another one than what is submitted and anything was said of its lines.
async fn before(
    db: &Db,
    submission: &Submission,
) -> Result<Option<(RepositoryId, RevisionId)>, Error> {
    let submitted = &submission.revision;
    let row = sqlx::query!(
        "select r.repository_id, r.id
         from repository
         join change c on c.repository_id = repository.id and c.key = $2
         join change_state s on s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null
         join revision r on r.repository_id = c.repository_id and r.id = s.head_revision
         where repository.folded = $1 and (r.target, r.merge_base, r.head) <> ($3, $4, $5)
           and exists (select from machine_lines l where l.repository_id = r.repository_id and l.revision_id = r.id)",
        submission.repository.folded(),
        submission.key.as_str(),
        submitted.target.as_str(),
        submitted.merge_base.as_str(),
        submitted.head.as_str(),
    )
    .fetch_optional(db.pool())
    .await?;
    Ok(row.map(|row| (RepositoryId(row.repository_id), RevisionId(row.id))))
}

/// Adds what is not there yet.
pub(crate) async fn record(
    tx: &mut Tx,
    outcome: &Outcome,
    written: &[Written],
) -> Result<(), Error> {
    if written.is_empty() {
        return Ok(());
    }
    let text = |f: fn(&Written) -> Option<String>| written.iter().map(f).collect::<Vec<_>>();
    sqlx::query!(
        "insert into machine_lines (repository_id, revision_id, path, source, session, tool, model, prompter, ranges)
         select $1, $2, path, source, session, tool, model, prompter, ranges::int[]
         from unnest($3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
              as l (path, source, session, tool, model, prompter, ranges)
         on conflict do nothing",
        outcome.repository.0,
        outcome.revision.0,
        &written.iter().map(|row| row.path.clone()).collect::<Vec<_>>(),
        &text(|row| Some(row.source.as_str().to_owned())) as &[Option<String>],
        &text(|row| Some(row.session.clone())) as &[Option<String>],
        &text(|row| Some(row.tool.id().into_owned())) as &[Option<String>],
        &text(|row| row.model.clone()) as &[Option<String>],
        &text(|row| row.prompter.clone()) as &[Option<String>],
        &text(|row| Some(array(&row.ranges))) as &[Option<String>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// As an array of Postgres: it has none of arrays of different lengths.
fn array(ranges: &[(u32, u32)]) -> String {
    let ends: Vec<String> = ranges
        .iter()
        .flat_map(|(from, to)| [from.to_string(), to.to_string()])
        .collect();
    format!("{{{}}}", ends.join(","))
}

/// What was said of the lines of a revision, by file.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn of(
    conn: &mut PgConnection,
    repository: RepositoryId,
    revision: RevisionId,
) -> Result<Vec<Written>, Error> {
    let rows = sqlx::query!(
        "select path, source, session, tool, model, prompter, ranges from machine_lines
         where repository_id = $1 and revision_id = $2 order by path, source, session",
        repository.0,
        revision.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let line = |line: i32| u32::try_from(line).ok();
            let pairs = row.ranges.chunks_exact(2);
            let ranges: Option<_> = pairs
                .map(|pair| Some((line(*pair.first()?)?, line(*pair.last()?)?)))
                .collect();
            Ok(Written {
                path: row.path,
                source: known(Source::parse(&row.source), "machine_lines", "source")?,
                session: row.session,
                tool: known(Tool::parse(&row.tool), "machine_lines", "tool")?,
                model: row.model,
                prompter: row.prompter,
                ranges: known(ranges, "machine_lines", "ranges")?,
            })
        })
        .collect()
}
