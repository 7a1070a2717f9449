//! Records what was submitted: the change, its revision, and everything found in it.

use crate::{
    Error, Tx, carries,
    carries::Proved,
    cases,
    error::known,
    events, ids, labels,
    landings::{self, Landing},
    lines, patches,
    patches::Packed,
    repositories, reverts,
    reverts::Undoes,
    rows, standings, updates,
};
use domain::{
    arrival::{Arrival, KnownRevision, Submitted, arrive},
    case::Case,
    change::{ChangeState, Disputed},
    commit::Commit,
    contributor::Contributor,
    digest::{Covered, Digest, PatchHash},
    host::{Bot, Host},
    ids::{ChangeId, PersonId, RepositoryId, RevisionId, TokenId},
    landing::Claim,
    names::{ChangeKey, CommitSha, RepositoryName},
    provenance::{Mark, Written},
};
use serde_json::json;
use std::collections::HashSet;
use time::Duration;

/// A submission whose every part has been parsed.
#[derive(Debug)]
pub struct Submission {
    pub repository: RepositoryName,
    pub key: ChangeKey,
    pub title: String,
    pub url: Option<String>,
    /// Who opened the change, as shown.
    pub author_name: String,
    pub author_login: Option<String>,
    pub state: ChangeState,
    pub draft: bool,
    pub revision: Submitted,
    pub commits: Vec<Commit>,
    pub patch: Packed,
    pub marks: Vec<Mark>,
    pub labels: Vec<String>,
    /// The bot that made it, where a code host says so itself; nobody else can.
    pub bot: Option<Bot>,
    /// Which lines a machine wrote.
    pub written: Vec<Written>,
    /// Each with the commit that names them, if one does.
    pub contributors: Vec<(Option<CommitSha>, Contributor)>,
    /// What it became on its target, if it says so.
    pub landed: Option<Claim>,
    pub source: Source,
}

/// Whose word it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Whoever has this token.
    Token(TokenId),
    /// The code host, which we asked.
    Host {
        host: Host,
        /// Why it did not give all of the patch; then none is recorded.
        incomplete: Option<String>,
    },
}

impl Source {
    pub(crate) fn token(&self) -> Option<TokenId> {
        match self {
            Self::Token(token) => Some(*token),
            Self::Host { .. } => None,
        }
    }

    pub(crate) fn host(&self) -> Option<(Host, Option<&str>)> {
        match self {
            Self::Token(_) => None,
            Self::Host { host, incomplete } => Some((*host, incomplete.as_deref())),
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub repository: RepositoryId,
    pub change: ChangeId,
    pub revision: RevisionId,
    pub number: i32,
    pub digest: Digest,
    pub new: bool,
    pub current: bool,
    /// Another patch is stored for this target, merge base and head. The dispute is recorded: commit, then refuse.
    pub differs: bool,
}

/// Records a submission with what was `proved` of it ([`carries::prove`]) and what it `undoes` ([`reverts::prove`]), and the
/// standing that follows from it, under the lock of its change.
///
/// # Errors
/// The database refused; nothing of it is recorded then.
pub async fn record(
    tx: &mut Tx,
    submission: &Submission,
    proved: &[Proved],
    undoes: &[Undoes],
    claims_max_age: Duration,
) -> Result<Outcome, Error> {
    let repository = repositories::ensure(tx, &submission.repository).await?;
    let change = lock(tx, repository, &submission.key).await?;
    let known = known_revisions(tx, repository, change.id).await?;
    let is_behind = is_behind(tx, repository, change.id, &submission.revision.head).await?;
    let outcome = match arrive(&known, &submission.revision, is_behind) {
        Arrival::New { current } => {
            not_crowded(tx, repository, &submission.revision.head).await?;
            new_revision(tx, repository, &change, submission, current).await?
        }
        Arrival::Known {
            revision,
            becomes_current,
        } => {
            let current = becomes_current || known.iter().any(|r| r.id == revision && r.current);
            existing(tx, repository, &change, revision, current, false).await?
        }
        // What the host gave is the truth, whoever tells of another patch; also when it itself lists the same lines otherwise.
        Arrival::Differs { revision } if is_the_hosts(tx, repository, revision).await? => {
            let becomes_current = submission.revision.make_current;
            let current = becomes_current || known.iter().any(|r| r.id == revision && r.current);
            existing(tx, repository, &change, revision, current, false).await?
        }
        Arrival::Differs { revision } => {
            dispute(tx, repository, revision, submission).await?;
            let current = known.iter().any(|r| r.id == revision && r.current);
            existing(tx, repository, &change, revision, current, true).await?
        }
    };
    // Whatever was told is added, also by a refused or repeated submission: a union that never shrinks.
    let theirs = counting(tx, repository, &outcome, submission).await?;
    contributors(tx, &outcome, &theirs).await?;
    labels::record(tx, &outcome, &submission.labels, &submission.source).await?;
    if let Some(bot) = submission.bot.as_ref().filter(|_| !outcome.differs) {
        labels::record_bot(tx, &outcome, bot).await?;
    }
    if !outcome.differs {
        marks(tx, &outcome, &submission.marks).await?;
        lines::record(tx, &outcome, &submission.written).await?;
    }
    let landed = submission.landed.as_ref().filter(|_| !outcome.differs);
    if let Some(claim) = landed {
        let landing = Landing::claimed(&outcome, claim, submission.source.token());
        landings::record(tx, &landing).await?;
    }
    carries::record(tx, &outcome, proved).await?;
    reverts::record(tx, &outcome, undoes, claims_max_age).await?;
    if submission.source.host().is_some() || !is_followed(tx, &change).await? {
        state(tx, &change, &outcome, submission).await?;
    }
    standings::renew(tx, outcome.change, claims_max_age).await?;
    Ok(outcome)
}

/// Whether the patch of a revision is what a code host gave.
async fn is_the_hosts(
    tx: &mut Tx,
    repository: RepositoryId,
    revision: RevisionId,
) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select host is not null as "is!" from revision where repository_id = $1 and id = $2"#,
        repository.0,
        revision.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whether a code host tells what state the change is in; then nobody else does.
async fn is_followed(tx: &mut Tx, change: &Locked) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from host_change where change_id = $1) as "is!""#,
        change.id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The contributors but for those whom only a merge names that provably adds nothing of its own. A patch that differs from
/// the stored one proves nothing.
async fn counting<'a>(
    tx: &mut Tx,
    repository: RepositoryId,
    outcome: &Outcome,
    submission: &'a Submission,
) -> Result<Vec<&'a Contributor>, Error> {
    let updates = if outcome.differs {
        HashSet::new()
    } else {
        let known = known_revisions(tx, repository, outcome.change).await?;
        updates::add_nothing(tx.conn(), repository, &known, &submission.commits).await?
    };
    let counts =
        |commit: &Option<CommitSha>| !commit.as_ref().is_some_and(|sha| updates.contains(sha));
    let all = submission.contributors.iter();
    Ok(all
        .filter(|(commit, _)| counts(commit))
        .map(|(_, who)| who)
        .collect())
}

/// A change under its row lock, with the counters that number what is added.
struct Locked {
    id: ChangeId,
    version: i32,
    revisions: i32,
}

async fn lock(tx: &mut Tx, repository: RepositoryId, key: &ChangeKey) -> Result<Locked, Error> {
    let now = tx.now();
    sqlx::query!(
        "insert into change (repository_id, id, key, created_at) values ($1, $2, $3, $4) on conflict (repository_id, key) do nothing",
        repository.0,
        ids::new(),
        key.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    let row = sqlx::query!(
        "select id, version, revisions from change where repository_id = $1 and key = $2 for update",
        repository.0,
        key.as_str(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Locked {
        id: ChangeId(row.id),
        version: row.version,
        revisions: row.revisions,
    })
}

async fn known_revisions(
    tx: &mut Tx,
    repository: RepositoryId,
    change: ChangeId,
) -> Result<Vec<KnownRevision>, Error> {
    let rows = sqlx::query!(
        r#"select r.id, r.target, r.merge_base, r.head, r.patch_hash, s.head_revision = r.id as "current!"
           from revision r
           join change_state s on s.repository_id = r.repository_id and s.change_id = r.change_id and s.until_version is null
           where r.repository_id = $1 and r.change_id = $2 order by r.number"#,
        repository.0,
        change.0,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(KnownRevision {
                id: RevisionId(row.id),
                target: rows::target(row.target)?,
                merge_base: rows::merge_base(row.merge_base)?,
                head: rows::head(row.head)?,
                patch: PatchHash(known(
                    row.patch_hash.try_into().ok(),
                    "revision",
                    "patch_hash",
                )?),
                current: row.current,
            })
        })
        .collect()
}

/// Whether the current revision of a change has this head among its commits.
async fn is_behind(
    tx: &mut Tx,
    repository: RepositoryId,
    change: ChangeId,
    head: &CommitSha,
) -> Result<bool, Error> {
    let behind = sqlx::query_scalar!(
        r#"select exists (
               select from change_state s join commit c on c.repository_id = s.repository_id and c.revision_id = s.head_revision
               where s.repository_id = $1 and s.change_id = $2 and s.until_version is null and c.sha = $3
           ) as "behind!""#,
        repository.0,
        change.0,
        head.as_str(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(behind)
}

/// The most revisions of a repository that may have one head. An answer about it speaks for all of them, so without a bound one
/// commit under a thousand keys would cost every gate that is asked about it.
const MOST_OF_A_HEAD: i64 = 100;

async fn not_crowded(tx: &mut Tx, repository: RepositoryId, head: &CommitSha) -> Result<(), Error> {
    let there = sqlx::query_scalar!(
        r#"select count(*) as "there!" from revision where repository_id = $1 and head = $2"#,
        repository.0,
        head.as_str(),
    )
    .fetch_one(tx.conn())
    .await?;
    if there < MOST_OF_A_HEAD {
        Ok(())
    } else {
        Err(Error::Crowded(MOST_OF_A_HEAD))
    }
}

async fn new_revision(
    tx: &mut Tx,
    repository: RepositoryId,
    change: &Locked,
    submission: &Submission,
    current: bool,
) -> Result<Outcome, Error> {
    let Submitted {
        target,
        merge_base,
        head,
        patch,
        ..
    } = &submission.revision;
    patches::store(tx, &submission.patch).await?;
    let digest = Digest::of(Covered {
        repository,
        key: &submission.key,
        target,
        merge_base,
        head,
        patch: *patch,
    });
    let id = RevisionId(ids::new());
    let number = change.revisions + 1;
    let host = submission.source.host();
    let now = tx.now();
    sqlx::query!(
        "insert into revision (repository_id, id, change_id, number, target, merge_base, head, digest, patch_hash, patch_bytes,
                               files, added, removed, people_version, arrived_at, token_id, host, incomplete)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, people_version.version, $14, $15, $16, $17 from people_version",
        repository.0,
        id.0,
        change.id.0,
        number,
        target.as_str(),
        merge_base.as_str(),
        head.as_str(),
        digest.bytes(),
        &patch.0[..],
        i64::try_from(submission.patch.bytes).unwrap_or(i64::MAX),
        submission.patch.files(),
        submission.patch.added(),
        submission.patch.removed(),
        now,
        submission.source.token().map(|token| token.0),
        host.map(|(host, _)| host.as_str()),
        host.and_then(|(_, incomplete)| incomplete),
    )
    .execute(tx.conn())
    .await?;
    commits(tx, repository, id, &submission.commits).await?;
    let data = json!({ "change": change.id, "number": number, "digest": digest, "token": submission.source.token(), "host": host.map(|(host, _)| host) });
    events::record(tx, Some(repository), "revision.arrived", id.0, data).await?;
    Ok(Outcome {
        repository,
        change: change.id,
        revision: id,
        number,
        digest,
        new: true,
        current,
        differs: false,
    })
}

async fn existing(
    tx: &mut Tx,
    repository: RepositoryId,
    change: &Locked,
    revision: RevisionId,
    current: bool,
    differs: bool,
) -> Result<Outcome, Error> {
    let row = sqlx::query!(
        "select number, digest from revision where repository_id = $1 and id = $2",
        repository.0,
        revision.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Outcome {
        repository,
        change: change.id,
        revision,
        number: row.number,
        digest: rows::digest(&row.digest)?,
        new: false,
        current,
        differs,
    })
}

async fn dispute(
    tx: &mut Tx,
    repository: RepositoryId,
    revision: RevisionId,
    submission: &Submission,
) -> Result<(), Error> {
    let now = tx.now();
    let new = sqlx::query!(
        "insert into patch_dispute (repository_id, revision_id, patch_hash, token_id, at) values ($1, $2, $3, $4, $5) on conflict do nothing",
        repository.0,
        revision.0,
        &submission.revision.patch.0[..],
        submission.source.token().map(|token| token.0),
        now,
    )
    .execute(tx.conn())
    .await?;
    if new.rows_affected() > 0 {
        events::record(
            tx,
            Some(repository),
            "patch.disputed",
            revision.0,
            json!({ "token": submission.source.token() }),
        )
        .await?;
    }
    Ok(())
}

/// Records what an admin said of the patches that are disputed for a revision: the stored one is true, or wrong for good.
///
/// # Errors
/// The database refused.
pub async fn settle(
    tx: &mut Tx,
    case: &Case,
    revision: RevisionId,
    ruling: &Ruling<'_>,
) -> Result<(), Error> {
    let now = tx.now();
    let hashes: Vec<Vec<u8>> = ruling.about.patches().map(|hash| hash.0.to_vec()).collect();
    sqlx::query!(
        "insert into patch_ruling (repository_id, revision_id, patch_hash, person_id, stored_is_true, at)
         select $1, $2, hash, $3, $4, $5 from unnest($6::bytea[]) as disputed (hash)",
        case.change.repository.0,
        revision.0,
        ruling.by.0,
        ruling.stored_is_true,
        now,
        &hashes,
    )
    .execute(tx.conn())
    .await?;
    let data = json!({ "person": ruling.by, "stored_is_true": ruling.stored_is_true, "patches": ruling.about });
    events::record(
        tx,
        Some(case.change.repository),
        "patch.settled",
        revision.0,
        data,
    )
    .await?;
    standings::renew(tx, case.change.id, case.claims_max_age).await
}

/// What an admin said of the patches that they were shown.
#[derive(Debug, Clone, Copy)]
pub struct Ruling<'a> {
    pub by: PersonId,
    pub about: &'a Disputed,
    pub stored_is_true: bool,
}

async fn commits(
    tx: &mut Tx,
    repository: RepositoryId,
    revision: RevisionId,
    commits: &[Commit],
) -> Result<(), Error> {
    let text = |f: fn(&Commit) -> String| commits.iter().map(f).collect::<Vec<_>>();
    // Postgres unnests arrays of arrays flat, so each list of parents travels as one text.
    let parents = |commit: &Commit| {
        commit
            .parents
            .iter()
            .map(CommitSha::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    sqlx::query!(
        "insert into commit (repository_id, revision_id, ordinal, sha, tree, parents, author_name, author_email, authored_at,
                             committer_name, committer_email, message)
         select $1, $2, ordinal, sha, tree, coalesce(string_to_array(nullif(parents, ''), ' '), '{}'), author_name, author_email, authored_at,
                committer_name, committer_email, message
         from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::text[], $11::bytea[])
              with ordinality as c (sha, tree, parents, author_name, author_email, authored_at, committer_name, committer_email,
                                    message, ordinal)",
        repository.0,
        revision.0,
        &text(|c| c.sha.to_string()),
        &commits.iter().map(|c| c.tree.as_ref().map(ToString::to_string)).collect::<Vec<_>>() as &[Option<String>],
        &text(parents),
        &text(|c| c.author.name.clone()),
        &text(|c| c.author.email.clone()),
        &commits.iter().map(|c| c.authored_at).collect::<Vec<_>>() as &[Option<domain::Timestamp>],
        &text(|c| c.committer.name.clone()),
        &text(|c| c.committer.email.clone()),
        &commits.iter().map(|c| c.message.clone()).collect::<Vec<_>>(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn contributors(
    tx: &mut Tx,
    outcome: &Outcome,
    contributors: &[&Contributor],
) -> Result<(), Error> {
    let now = tx.now();
    let rows = contributors
        .iter()
        .map(|c| json!({ "role": c.role.as_str(), "name": c.who.name, "email": c.who.email, "login": c.login.as_deref().unwrap_or(""), "keys": c.keys }))
        .collect();
    sqlx::query!(
        "insert into contributor (repository_id, change_id, role, name, email, login, keys, revision_id, at)
         select $1, $2, c.role, c.name, c.email, c.login, c.keys, $3, $4
         from jsonb_to_recordset($5) as c (role text, name text, email text, login text, keys text[])
         on conflict do nothing",
        outcome.repository.0,
        outcome.change.0,
        outcome.revision.0,
        now,
        serde_json::Value::Array(rows),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds the marks that are not there yet, behind those that are: a later submission may raise provenance and never lower it.
async fn marks(tx: &mut Tx, outcome: &Outcome, marks: &[Mark]) -> Result<(), Error> {
    if marks.is_empty() {
        return Ok(());
    }
    let mut there: HashSet<Mark> = cases::marks(tx.conn(), outcome.repository, outcome.revision)
        .await?
        .into_iter()
        .collect();
    let is_new = |mark: &&Mark| there.insert((*mark).clone());
    let new: Vec<&Mark> = marks.iter().filter(is_new).collect();
    let text = |f: fn(&Mark) -> Option<String>| new.iter().map(|mark| f(mark)).collect::<Vec<_>>();
    let now = tx.now();
    sqlx::query!(
        r#"insert into mark (repository_id, revision_id, ordinal, tool, model, strength, place, commit_sha, line, text, at)
           select $1, $2, last + ordinal, tool, model, strength, place, commit_sha, line, text, $3
           from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::text[])
                with ordinality as m (tool, model, strength, place, commit_sha, line, text, ordinal),
                (select coalesce(max(ordinal), 0) as last from mark where repository_id = $1 and revision_id = $2) there"#,
        outcome.repository.0,
        outcome.revision.0,
        now,
        &text(|m| Some(m.tool.id().into_owned())) as &[Option<String>],
        &text(|m| m.model.clone()) as &[Option<String>],
        &text(|m| Some(m.strength.as_str().to_owned())) as &[Option<String>],
        &text(|m| Some(m.place.as_str().to_owned())) as &[Option<String>],
        &text(|m| m.place.commit().map(ToString::to_string)) as &[Option<String>],
        &new.iter().map(|m| m.place.line().and_then(|line| i32::try_from(line).ok())).collect::<Vec<_>>() as &[Option<i32>],
        &text(|m| Some(m.text.clone())) as &[Option<String>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes the change's state where the submission says something new. A late retry of an old head says nothing.
async fn state(
    tx: &mut Tx,
    change: &Locked,
    outcome: &Outcome,
    submission: &Submission,
) -> Result<(), Error> {
    if !outcome.current && change.version > 0 || outcome.differs {
        return count(tx, change, outcome, change.version).await;
    }
    let version = change.version + 1;
    let now = tx.now();
    let same = sqlx::query_scalar!(
        r#"select exists (select from change_state where repository_id = $1 and change_id = $2 and until_version is null
                  and (state, draft, title, author_name, head_revision) = ($3, $4, $5, $6, $7)
                  and url is not distinct from $8 and author_login is not distinct from $9) as "same!""#,
        outcome.repository.0,
        change.id.0,
        submission.state.as_str(),
        submission.draft,
        submission.title,
        submission.author_name,
        outcome.revision.0,
        submission.url,
        submission.author_login,
    )
    .fetch_one(tx.conn())
    .await?;
    if same {
        return count(tx, change, outcome, change.version).await;
    }
    sqlx::query!(
        "update change_state set until_version = $3 where repository_id = $1 and change_id = $2 and until_version is null",
        outcome.repository.0,
        change.id.0,
        version,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into change_state (repository_id, change_id, from_version, state, draft, title, url, author_name, author_login, head_revision, at, confirmed_at, decisions)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                 (select confirmed_at from change_state where repository_id = $1 and change_id = $2 and until_version = $3),
                 (select decisions from change where repository_id = $1 and id = $2))",
        outcome.repository.0,
        change.id.0,
        version,
        submission.state.as_str(),
        submission.draft,
        submission.title,
        submission.url,
        submission.author_name,
        submission.author_login,
        outcome.revision.0,
        now,
    )
    .execute(tx.conn())
    .await?;
    let data =
        json!({ "version": version, "head_revision": outcome.revision, "state": submission.state });
    events::record(
        tx,
        Some(outcome.repository),
        "change.stated",
        change.id.0,
        data,
    )
    .await?;
    count(tx, change, outcome, version).await
}

/// Moves the change's counters on to what was added.
async fn count(tx: &mut Tx, change: &Locked, outcome: &Outcome, version: i32) -> Result<(), Error> {
    let revisions = change.revisions.max(outcome.number);
    if (version, revisions) == (change.version, change.revisions) {
        return Ok(());
    }
    sqlx::query!(
        "update change set version = $3, revisions = $4 where repository_id = $1 and id = $2",
        outcome.repository.0,
        change.id.0,
        version,
        revisions,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
