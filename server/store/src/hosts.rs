//! Changes at code hosts: which there is reason to look at, who looks, and what was recorded last.

use crate::{Error, Tx, error::known};
use domain::{
    host::Host,
    names::{ChangeKey, CommitSha, RepositoryName},
};

/// A change at a code host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub host: Host,
    pub repository: RepositoryName,
    pub key: ChangeKey,
}

/// Notes that there is reason to look at a change, now. Many reasons are one look.
///
/// # Errors
/// The database refused.
pub async fn look_at(tx: &mut Tx, change: &Change) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into host_change (host, repository, folded, key, due_at) values ($1, $2, $3, $4, $5)
         on conflict (host, folded, key) do update set asks = host_change.asks + 1, due_at = least(host_change.due_at, excluded.due_at), attempts = 0",
        change.host.as_str(),
        change.repository.as_str(),
        change.repository.folded(),
        change.key.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The open changes of a repository whose head is that commit, as far as we know.
///
/// # Errors
/// The database refused.
pub async fn open_at(
    tx: &mut Tx,
    repository: &RepositoryName,
    head: &CommitSha,
) -> Result<Vec<ChangeKey>, Error> {
    let keys = sqlx::query_scalar!(
        "select c.key from repository p
         join revision r on r.repository_id = p.id and r.head = $2
         join change_state s on s.repository_id = r.repository_id and s.change_id = r.change_id and s.until_version is null
                            and s.head_revision = r.id and s.state = 'open'
         join change c on c.repository_id = r.repository_id and c.id = r.change_id
         where p.folded = $1",
        repository.folded(),
        head.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    keys.into_iter()
        .map(|key| known(ChangeKey::parse(key).ok(), "change", "key"))
        .collect()
}
