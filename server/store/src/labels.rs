//! What is known of a change beside its commits and people: its labels, and the bot that made it.

use crate::{
    Error, Tx,
    cases::AsOf,
    events,
    submissions::{Outcome, Source},
};
use domain::{change::Change, host::Bot, ids::RevisionId};
use serde_json::json;
use sqlx::PgConnection;

/// Adds the labels that are not there yet. None ever goes: who takes one off must not free the change from what it asked for.
pub(crate) async fn record(
    tx: &mut Tx,
    outcome: &Outcome,
    labels: &[String],
    source: &Source,
) -> Result<(), Error> {
    let labels: Vec<String> = labels
        .iter()
        .map(|label| label.trim().to_owned())
        .filter(|label| !label.is_empty())
        .collect();
    if labels.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let host = source.host().map(|(host, _)| host.as_str());
    let new = sqlx::query_scalar!(
        "insert into change_label (repository_id, change_id, label, revision_id, token_id, host, at)
         select $1, $2, label, $3, $4, $5, $6 from unnest($7::text[]) as told (label)
         on conflict do nothing returning label",
        outcome.repository.0,
        outcome.change.0,
        outcome.revision.0,
        source.token().map(|token| token.0),
        host,
        now,
        &labels,
    )
    .fetch_all(tx.conn())
    .await?;
    if new.is_empty() {
        return Ok(());
    }
    let data = json!({ "labels": new, "token": source.token(), "host": host });
    let repository = Some(outcome.repository);
    events::record(tx, repository, "change.labelled", outcome.change.0, data).await
}

/// Records that a bot made a revision, as its host said. What a revision is made of never changes, and so neither does this.
pub(crate) async fn record_bot(tx: &mut Tx, outcome: &Outcome, bot: &Bot) -> Result<(), Error> {
    let now = tx.now();
    let new = sqlx::query!(
        "insert into made_by_bot (repository_id, revision_id, bot, login, at) values ($1, $2, $3, $4, $5) on conflict do nothing",
        outcome.repository.0,
        outcome.revision.0,
        bot.id,
        bot.login,
        now,
    )
    .execute(tx.conn())
    .await?;
    if new.rows_affected() == 0 {
        return Ok(());
    }
    let (repository, data) = (
        Some(outcome.repository),
        json!({ "change": outcome.change, "bot": bot.id }),
    );
    events::record(tx, repository, "revision.by_bot", outcome.revision.0, data).await
}

/// All that a change was ever labelled with.
pub(crate) async fn of(
    conn: &mut PgConnection,
    change: &Change,
    as_of: AsOf<'_>,
) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar!(
        "select label from change_label where repository_id = $1 and change_id = $2 and was_there(xid, $3::text::pg_snapshot) order by label",
        change.repository.0,
        change.id.0,
        as_of.snapshot(),
    )
    .fetch_all(conn)
    .await?)
}

/// The bot that made a revision.
pub(crate) async fn bot(
    conn: &mut PgConnection,
    change: &Change,
    revision: RevisionId,
    as_of: AsOf<'_>,
) -> Result<Option<Bot>, Error> {
    let row = sqlx::query!(
        "select bot, login from made_by_bot where repository_id = $1 and revision_id = $2 and was_there(xid, $3::text::pg_snapshot)",
        change.repository.0,
        revision.0,
        as_of.snapshot(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Bot {
        id: row.bot,
        login: row.login,
    }))
}
