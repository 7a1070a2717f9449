//! Loads a [`Case`]: everything that bears on one revision of one change.

use crate::{
    Error, carries,
    error::known,
    labels,
    people::stand_ins,
    policies::{self, Pointer},
    readers, reverts, rows,
};
use domain::{
    Timestamp,
    case::{Case, DisputedMark, Known, Reviewer, Tie},
    change::{Change, Dispute, Patch, Revision},
    commit::{Commit, Signature},
    contributor::{Contributor, Key, Role, Stranger},
    decision::{Decision, Kind, Reason, Recorded},
    digest::{Digest, PatchHash},
    gate::Moment,
    ids::{ChangeId, DecisionId, FormKey, PersonId, RepositoryId, RevisionId},
    names::CommitSha,
    people::{self, Granted, Level, Source, held},
    policy::Policy,
    provenance::{Mark, Place, Provenance, Strength, Tool},
    readers::{Reader, Readers},
    standing::Turn,
};
use sqlx::PgConnection;
use std::collections::HashMap;
use time::Duration;
use uuid::Uuid;

/// Which revision of a change is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Current,
    This(RevisionId),
    Number(i32),
}

/// As of when a case is loaded.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AsOf<'a> {
    /// None of these is now.
    pub moment: Option<&'a Moment>,
    /// The version of the facts about people that held in the moment's snapshot.
    pub people: Option<i64>,
}

impl AsOf<'_> {
    pub fn snapshot(&self) -> Option<&str> {
        self.moment.map(Moment::snapshot)
    }
}

/// The case of a change, or none if there is no such change or revision, or not for this reader to see.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn read(
    conn: &mut PgConnection,
    reader: &Reader,
    change: ChangeId,
    which: Which,
    claims_max_age: Duration,
) -> Result<Option<Case>, Error> {
    let now = AsOf::default();
    find(conn, Some(reader), change, which, claims_max_age, now).await
}

/// The same for what this crate makes of it itself, and shows to nobody.
pub(crate) async fn load(
    conn: &mut PgConnection,
    change: ChangeId,
    which: Which,
    claims_max_age: Duration,
) -> Result<Option<Case>, Error> {
    find(conn, None, change, which, claims_max_age, AsOf::default()).await
}

/// The same as it was. Names are those of now: they are only shown, and nobody keeps what people were called.
pub(crate) async fn load_as_of(
    conn: &mut PgConnection,
    change: ChangeId,
    which: Which,
    claims_max_age: Duration,
    as_of: AsOf<'_>,
) -> Result<Option<Case>, Error> {
    find(conn, None, change, which, claims_max_age, as_of).await
}

async fn find(
    conn: &mut PgConnection,
    reader: Option<&Reader>,
    change: ChangeId,
    which: Which,
    claims_max_age: Duration,
    as_of: AsOf<'_>,
) -> Result<Option<Case>, Error> {
    let Some(found) = change_and_revision(conn, reader, change, which, as_of).await? else {
        return Ok(None);
    };
    let Current {
        change,
        revision,
        people_then,
        people_now,
        pointer,
        readers,
    } = found;
    let pointer = match as_of.snapshot() {
        None => pointer,
        Some(snapshot) => policies::held_in(conn, &change.repository_name, snapshot).await?,
    };
    let policy = policies::read(conn, &pointer).await?;
    let marked = marked(conn, &change, revision.id, as_of).await?;
    let paths = if policy.document.reads_paths() {
        paths(conn, change.repository, revision.id).await?
    } else {
        Vec::new()
    };
    let labels = labels::of(conn, &change, as_of).await?;
    let bot = labels::bot(conn, &change, revision.id, as_of).await?;
    let (drafted, rebased) = turns(conn, &change, &policy, as_of).await?;
    let oldest_debt = match as_of.moment {
        None => oldest_debt(conn, change.repository, &policy).await?,
        // It says who may decide next, and nobody does in the past.
        Some(_) => None,
    };
    Ok(Some(Case {
        provenance: Provenance::of(marked.strengths),
        tools: marked.tools,
        marks: marked.last,
        disputed: marked.disputed,
        paths,
        labels,
        bot,
        contributors: contributors(conn, &change, &revision, people_then, claims_max_age, as_of)
            .await?,
        decisions: decisions_as_of(conn, change.repository, change.id, as_of).await?,
        reviewers: reviewers(conn, change.repository, as_of).await?,
        readers,
        stand_ins: stand_ins::holding(conn, &change.repository_name, as_of).await?,
        carries: carries::to(conn, change.repository, revision.id, as_of).await?,
        undoes: reverts::of(conn, change.repository, revision.id, as_of).await?,
        policy: (*policy).clone(),
        drafted,
        rebased,
        oldest_debt,
        people_version: people_now,
        change,
        revision,
        claims_max_age,
    }))
}

/// The first thing that is read of a case.
struct Current {
    change: Change,
    revision: Revision,
    /// What all facts about people added up to when the revision arrived, and do now.
    people_then: i64,
    people_now: i64,
    pointer: Pointer,
    readers: Readers,
}

async fn change_and_revision(
    conn: &mut PgConnection,
    reader: Option<&Reader>,
    change: ChangeId,
    which: Which,
    as_of: AsOf<'_>,
) -> Result<Option<Current>, Error> {
    let (this, number) = match which {
        Which::Current => (None, None),
        Which::This(id) => (Some(id.0), None),
        Which::Number(number) => (None, Some(number)),
    };
    let named = reader.and_then(readers::named);
    let row = sqlx::query!(
        r#"select c.id, c.repository_id, repository.name as repository, c.key, c.created_at, s.state, s.draft, s.title, s.url,
                  s.author_name, s.head_revision, s.confirmed_at, r.id as revision_id, r.number, r.target, r.merge_base, r.head, r.digest, r.files,
                  r.added, r.removed, r.people_version, r.arrived_at,
                  coalesce($7, (select version from people_version)) as "people_version_now!", repository.policy, repository.policy_version,
                  repository.policy_hash,
                  case when $7::bigint is null then repository.read_by
                       else (select h.teams from repository_readers h where h.repository_id = repository.id
                             and held_at(h.from_version, h.until_version, $7)) end as read_by,
                  exists (select from patch_dispute d where d.repository_id = r.repository_id and d.revision_id = r.id
                          and was_there(d.xid, $6::text::pg_snapshot)
                          and not exists (select from patch_ruling p where p.repository_id = d.repository_id
                                          and p.revision_id = d.revision_id and p.patch_hash = d.patch_hash
                                          and was_there(p.xid, $6::text::pg_snapshot))) as "disputed!",
                  exists (select from patch_ruling p where p.repository_id = r.repository_id and p.revision_id = r.id
                          and not p.stored_is_true and was_there(p.xid, $6::text::pg_snapshot)) as "wrong!",
                  r.incomplete is not null as "incomplete!"
           from change c
           join repository on repository.id = c.repository_id
           join change_state s on s.repository_id = c.repository_id and s.change_id = c.id
                and s.from_version = (select max(v.from_version) from change_state v where v.repository_id = c.repository_id
                                      and v.change_id = c.id and was_there(v.xid, $6::text::pg_snapshot))
           join revision r on r.repository_id = c.repository_id and r.change_id = c.id
                and case when $2::uuid is not null then r.id = $2 when $3::int is not null then r.number = $3 else r.id = s.head_revision end
           where c.id = $1 and may_read(repository.read_by, repository.folded, $4, $5)"#,
        change.0,
        this,
        number,
        reader.and_then(Reader::teams),
        named.as_deref(),
        as_of.snapshot(),
        as_of.people,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let patch = match (row.incomplete, row.wrong, row.disputed) {
        (true, ..) => Patch::Incomplete,
        (false, true, _) => Patch::Wrong,
        (false, false, true) => Patch::Disputed,
        (false, false, false) => Patch::Whole,
    };
    let (mut change, revision) = (rows::change!(row), rows::revision!(row, patch));
    if let Some(moment) = as_of.moment {
        change.confirmed = change.confirmed.as_of(moment.at());
    }
    let pointer = Pointer {
        policy: row.policy,
        version: row.policy_version,
        hash: row.policy_hash,
    };
    Ok(Some(Current {
        change,
        revision,
        people_then: row.people_version,
        people_now: row.people_version_now,
        pointer,
        readers: Readers::of(row.read_by),
    }))
}

/// The marks of a revision, as far as a case reads them.
#[derive(Default)]
struct Marked {
    /// Of those that nobody ever disputed; likewise the tools of what proves something.
    strengths: Vec<Strength>,
    tools: Vec<Tool>,
    disputed: Vec<DisputedMark>,
    /// The number of the last one.
    last: i32,
}

async fn marked(
    conn: &mut PgConnection,
    change: &Change,
    revision: RevisionId,
    as_of: AsOf<'_>,
) -> Result<Marked, Error> {
    // There may be very many that say the same; only those that somebody disputed are looked at one by one.
    let rows = sqlx::query!(
        r#"select m.strength, m.tool, max(m.ordinal) as "last!", d.mark as "disputed?"
           from mark m
           left join (select distinct mark from decision where repository_id = $1 and change_id = $4 and revision_id = $2
                      and mark is not null and was_there(xid, $3::text::pg_snapshot)) d on d.mark = m.ordinal
           where m.repository_id = $1 and m.revision_id = $2 and was_there(m.xid, $3::text::pg_snapshot)
           group by m.strength, m.tool, d.mark order by m.tool"#,
        change.repository.0,
        revision.0,
        as_of.snapshot(),
        change.id.0,
    )
    .fetch_all(conn)
    .await?;
    let mut marked = Marked::default();
    for row in rows {
        let strength = known(Strength::parse(&row.strength), "mark", "strength")?;
        let tool = known(Tool::parse(&row.tool), "mark", "tool")?;
        marked.last = marked.last.max(row.last);
        if let Some(number) = row.disputed {
            marked.disputed.push(DisputedMark {
                number,
                tool,
                strength,
            });
            continue;
        }
        marked.strengths.push(strength);
        if strength >= Strength::Marked && !marked.tools.contains(&tool) {
            marked.tools.push(tool);
        }
    }
    Ok(marked)
}

/// The same case under another policy, with all that this one reads.
///
/// # Errors
/// The database cannot be asked, or holds what this version does not understand.
pub(crate) async fn under(
    conn: &mut PgConnection,
    case: &Case,
    policy: &Policy,
) -> Result<Case, Error> {
    let (repository, revision) = (case.change.repository, case.revision.id);
    let paths = if policy.document.reads_paths() && !case.policy.document.reads_paths() {
        paths(conn, repository, revision).await?
    } else {
        case.paths.clone()
    };
    let (drafted, rebased) = turns(conn, &case.change, policy, AsOf::default()).await?;
    Ok(Case {
        paths,
        drafted,
        rebased,
        oldest_debt: oldest_debt(conn, repository, policy).await?,
        policy: policy.clone(),
        ..case.clone()
    })
}

/// The old and the new names of all files of a revision.
async fn paths(
    conn: &mut PgConnection,
    repository: RepositoryId,
    revision: RevisionId,
) -> Result<Vec<Vec<u8>>, Error> {
    let names = sqlx::query_scalar!(
        r#"select distinct n.name as "name!" from revision r
           join patch_file f on f.patch_hash = r.patch_hash
           cross join lateral (values (f.old_name), (f.new_name)) n (name)
           where r.repository_id = $1 and r.id = $2 and n.name is not null"#,
        repository.0,
        revision.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// When the change last went back to draft, and when its merge base last moved, as far as the policy minds.
async fn turns(
    conn: &mut PgConnection,
    change: &Change,
    policy: &Policy,
    as_of: AsOf<'_>,
) -> Result<(Option<Turn>, Option<Turn>), Error> {
    let terms = &policy.document.approvals;
    if !(terms.expire_on_draft || terms.expire_on_new_base) {
        return Ok((None, None));
    }
    let rows = sqlx::query!(
        r#"select decisions, at, draft and not was_draft as "drafted!", merge_base <> was_base as "rebased!"
           from (select s.from_version, s.decisions, s.at, s.draft, r.merge_base, lag(s.draft) over states as was_draft,
                        lag(r.merge_base) over states as was_base
                 from change_state s join revision r on r.repository_id = s.repository_id and r.id = s.head_revision
                 where s.repository_id = $1 and s.change_id = $2 and was_there(s.xid, $3::text::pg_snapshot)
                 window states as (order by s.from_version)) states
           where was_base is not null order by from_version"#,
        change.repository.0,
        change.id.0,
        as_of.snapshot(),
    )
    .fetch_all(conn)
    .await?;
    let (mut drafted, mut rebased) = (None, None);
    for row in rows {
        let turn = Turn {
            after: row.decisions,
            at: row.at,
        };
        drafted = if row.drafted { Some(turn) } else { drafted };
        rebased = if row.rebased { Some(turn) } else { rebased };
    }
    Ok((drafted, rebased))
}

/// When the oldest override of a repository was taken whose review is still owed, if the policy minds. The review is what
/// `domain::verdict::Debt` says: an approval or a rejection of that revision or a later one, afterwards, by somebody else who
/// had no hand in it.
async fn oldest_debt(
    conn: &mut PgConnection,
    repository: RepositoryId,
    policy: &Policy,
) -> Result<Option<Timestamp>, Error> {
    if !policy.document.glass.refused_while_overdue {
        return Ok(None);
    }
    let at = sqlx::query_scalar!(
        r#"select min(o.at) from decision o
           join revision overridden on overridden.repository_id = o.repository_id and overridden.id = o.revision_id
           where o.repository_id = $1 and o.kind = 'override' and not exists (
               select from decision p
               join revision r on r.repository_id = p.repository_id and r.id = p.revision_id and r.number >= overridden.number
               where p.repository_id = o.repository_id and p.change_id = o.change_id and p.seq > o.seq
                 and o.person_id not in (p.person_id, coalesce(p.stands_in_for, p.person_id)) and p.kind in ('approve', 'reject')
                 and not exists (select from decision w where w.repository_id = p.repository_id and w.change_id = p.change_id
                                 and w.person_id = p.person_id and w.kind = 'withdraw' and w.seq > p.seq)
                 and not exists (select from contributor c join account a on a.key = any(c.keys)
                                     and (a.until_version is null or a.until_version > p.people_version)
                                 where c.repository_id = p.repository_id and c.change_id = p.change_id
                                   and a.person_id in (p.person_id, coalesce(p.stands_in_for, p.person_id))))"#,
        repository.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(at)
}

async fn contributors(
    conn: &mut PgConnection,
    change: &Change,
    revision: &Revision,
    people_version: i64,
    claims_max_age: Duration,
    as_of: AsOf<'_>,
) -> Result<Vec<Known>, Error> {
    let rows = sqlx::query!(
        "select role, name, email, login, keys from contributor
         where repository_id = $1 and change_id = $2 and was_there(xid, $3::text::pg_snapshot) order by role, name, email, login",
        change.repository.0,
        change.id.0,
        as_of.snapshot(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let keys: Vec<String> = rows
        .iter()
        .flat_map(|row| row.keys.iter().cloned())
        .collect();
    let ties = ties(
        conn,
        &keys,
        people_version,
        revision.arrived_at,
        claims_max_age,
        as_of,
    )
    .await?;
    rows.into_iter()
        .map(|row| {
            let mut theirs: Vec<Tie> = row
                .keys
                .iter()
                .flat_map(|key| ties.get(key).into_iter().flatten().cloned())
                .collect();
            theirs.sort_by_key(|tie| (tie.person, !tie.proved, tie.own_word, tie.until));
            theirs.dedup();
            let contributor = Contributor {
                role: known(Role::parse(&row.role), "contributor", "role")?,
                who: Signature {
                    name: row.name,
                    email: row.email,
                },
                login: Some(row.login).filter(|login| !login.is_empty()),
                keys: row.keys.into_iter().map(Key).collect(),
            };
            Ok(Known {
                contributor,
                ties: theirs,
            })
        })
        .collect()
}

/// For each key the people to whom it leads or ever led: whom it bars, and whose level it proved when the revision arrived.
async fn ties(
    conn: &mut PgConnection,
    keys: &[String],
    version: i64,
    arrived_at: Timestamp,
    claims_max_age: Duration,
    as_of: AsOf<'_>,
) -> Result<HashMap<String, Vec<Tie>>, Error> {
    let rows = sqlx::query!(
        r#"select a.key, a.person_id, p.name, a.source,
                  case when held_at(a.from_version, a.until_version, $5) then null else a.until_version end as until_version,
                  a.proved and a.from_version <= $2 and (a.until_version is null or a.until_version > $2) as "proved!",
                  array(select f.source || ' ' || f.value from person_fact f where f.person_id = p.id and f.kind = 'level'
                        and f.from_version <= $2 and (f.until_version is null or f.until_version > $2)) as "levels!",
                  (select max(i.at) from sign_in i where i.person_id = p.id and i.at <= $3 and was_there(i.xid, $4::text::pg_snapshot)) as signed_in_at
           from account a join person p on p.id = a.person_id
           where a.key = any($1) and ($5::bigint is null or a.from_version <= $5)"#,
        keys,
        version,
        arrived_at,
        as_of.snapshot(),
        as_of.people,
    )
    .fetch_all(conn)
    .await?;
    let mut ties: HashMap<String, Vec<Tie>> = HashMap::new();
    for row in rows {
        let fresh = row
            .signed_in_at
            .is_some_and(|at| arrived_at - at <= claims_max_age);
        let held = held(&levels(&row.levels)?, fresh).granted();
        let level = held.filter(|_| row.proved);
        let tie = Tie {
            person: PersonId(row.person_id),
            name: row.name,
            proved: row.proved,
            level,
            own_word: row.source == Source::Person.as_str(),
            until: row.until_version,
        };
        ties.entry(row.key).or_default().push(tie);
    }
    Ok(ties)
}

/// All revisions of a change, the first first.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn revisions(
    conn: &mut PgConnection,
    repository: RepositoryId,
    change: ChangeId,
) -> Result<Vec<Revision>, Error> {
    let rows = sqlx::query!(
        r#"select id as revision_id, number, target, merge_base, head, digest, files, added, removed, arrived_at,
                  incomplete is not null as "incomplete!"
           from revision where repository_id = $1 and change_id = $2 order by number"#,
        repository.0,
        change.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    let others = other_patches(conn, repository, change).await?;
    rows.into_iter()
        .map(|row| {
            let patch = match row.incomplete {
                true => Patch::Incomplete,
                false => patch_of(RevisionId(row.revision_id), &others),
            };
            Ok(rows::revision!(row, patch))
        })
        .collect()
}

/// The disputes of a change, over all its revisions, about which no admin has said anything yet; the oldest first.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn disputes(
    conn: &mut PgConnection,
    repository: RepositoryId,
    change: ChangeId,
) -> Result<Vec<Dispute>, Error> {
    let others = other_patches(conn, repository, change).await?;
    let open = others.iter().filter(|other| other.stored_is_true.is_none());
    Ok(open.map(|other| other.dispute).collect())
}

/// A patch beside the stored one, and what an admin said of it.
struct OtherPatch {
    dispute: Dispute,
    stored_is_true: Option<bool>,
}

async fn other_patches(
    conn: &mut PgConnection,
    repository: RepositoryId,
    change: ChangeId,
) -> Result<Vec<OtherPatch>, Error> {
    let rows = sqlx::query!(
        r#"select d.revision_id, d.patch_hash, d.at, p.stored_is_true as "stored_is_true?"
           from revision r
           join patch_dispute d on d.repository_id = r.repository_id and d.revision_id = r.id
           left join patch_ruling p on p.repository_id = d.repository_id and p.revision_id = d.revision_id and p.patch_hash = d.patch_hash
           where r.repository_id = $1 and r.change_id = $2 order by d.at, d.patch_hash"#,
        repository.0,
        change.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let hash = <[u8; 32]>::try_from(row.patch_hash).ok();
            let dispute = Dispute {
                revision: RevisionId(row.revision_id),
                patch: PatchHash(known(hash, "patch_dispute", "patch_hash")?),
                at: row.at,
            };
            Ok(OtherPatch {
                dispute,
                stored_is_true: row.stored_is_true,
            })
        })
        .collect()
}

fn patch_of(revision: RevisionId, others: &[OtherPatch]) -> Patch {
    let others = others
        .iter()
        .filter(|other| other.dispute.revision == revision);
    let said: Vec<Option<bool>> = others.map(|other| other.stored_is_true).collect();
    if said.contains(&Some(false)) {
        Patch::Wrong
    } else if said.contains(&None) {
        Patch::Disputed
    } else {
        Patch::Whole
    }
}

/// The marks found in a revision, in the order in which they were told.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn marks(
    conn: &mut PgConnection,
    repository: RepositoryId,
    revision: RevisionId,
) -> Result<Vec<Mark>, Error> {
    let rows = sqlx::query!(
        "select tool, model, strength, place, commit_sha, line, text from mark where repository_id = $1 and revision_id = $2 order by ordinal",
        repository.0,
        revision.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let commit = row
                .commit_sha
                .map(|sha| known(CommitSha::parse(sha).ok(), "mark", "commit_sha"))
                .transpose()?;
            Ok(Mark {
                tool: known(Tool::parse(&row.tool), "mark", "tool")?,
                model: row.model,
                place: known(
                    Place::from_parts(
                        &row.place,
                        commit,
                        row.line.and_then(|line| u32::try_from(line).ok()),
                    ),
                    "mark",
                    "place",
                )?,
                strength: known(Strength::parse(&row.strength), "mark", "strength")?,
                text: row.text,
            })
        })
        .collect()
}

/// The commits that a revision adds to its target, oldest first.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn commits(
    conn: &mut PgConnection,
    repository: RepositoryId,
    revision: RevisionId,
) -> Result<Vec<Commit>, Error> {
    let rows = sqlx::query!(
        "select sha, tree, parents, author_name, author_email, authored_at, committer_name, committer_email, message
         from commit where repository_id = $1 and revision_id = $2 order by ordinal",
        repository.0,
        revision.0,
    )
    .fetch_all(conn)
    .await?;
    let sha = |text: String, column| known(CommitSha::parse(text).ok(), "commit", column);
    rows.into_iter()
        .map(|row| {
            Ok(Commit {
                sha: sha(row.sha, "sha")?,
                tree: row.tree.map(|tree| sha(tree, "tree")).transpose()?,
                parents: row
                    .parents
                    .into_iter()
                    .map(|parent| sha(parent, "parents"))
                    .collect::<Result<_, _>>()?,
                author: Signature {
                    name: row.author_name,
                    email: row.author_email,
                },
                authored_at: row.authored_at,
                committer: Signature {
                    name: row.committer_name,
                    email: row.committer_email,
                },
                message: row.message,
            })
        })
        .collect()
}

/// Every decision of a change, in the order of `seq`.
///
/// # Errors
/// The database refused, or holds what this version does not understand.
pub async fn decisions(
    conn: &mut PgConnection,
    repository: RepositoryId,
    change: ChangeId,
) -> Result<Vec<Recorded>, Error> {
    decisions_as_of(conn, repository, change, AsOf::default()).await
}

async fn decisions_as_of(
    conn: &mut PgConnection,
    repository: RepositoryId,
    change: ChangeId,
    as_of: AsOf<'_>,
) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query_as!(
        DecisionRow,
        r#"select d.id, d.repository_id, d.change_id, d.revision_id, d.digest, d.seq, d.person_id, d.form_key, d.kind, d.reason,
                  d.incident, d.none_of_these_is_me, d.strangers, d.people_version, d.about_seq, d.mark, d.since_revision, d.level, d.teams, d.roles, d.policy, d.policy_version, d.at, p.name, r.number,
                  d.stands_in_for, y.name as "principal?"
           from decision d join person p on p.id = d.person_id left join person y on y.id = d.stands_in_for
           join revision r on r.repository_id = d.repository_id and r.id = d.revision_id
           where d.repository_id = $1 and d.change_id = $2 and was_there(d.xid, $3::text::pg_snapshot) order by d.seq"#,
        repository.0,
        change.0,
        as_of.snapshot(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(DecisionRow::recorded).collect()
}

/// One row of `decision`, with what is shown of it.
pub(crate) struct DecisionRow {
    pub id: Uuid,
    pub repository_id: Uuid,
    pub change_id: Uuid,
    pub revision_id: Uuid,
    pub digest: Vec<u8>,
    pub seq: i32,
    pub person_id: Uuid,
    pub form_key: Uuid,
    pub kind: String,
    pub reason: String,
    pub incident: Option<String>,
    pub none_of_these_is_me: bool,
    pub strangers: serde_json::Value,
    pub people_version: i64,
    pub about_seq: Option<i32>,
    pub mark: Option<i32>,
    pub since_revision: Option<i32>,
    pub level: Option<String>,
    pub teams: Vec<String>,
    pub roles: Vec<String>,
    pub policy: String,
    pub policy_version: i32,
    pub at: Timestamp,
    pub name: String,
    pub stands_in_for: Option<Uuid>,
    pub principal: Option<String>,
    pub number: i32,
}

impl DecisionRow {
    pub(crate) fn recorded(self) -> Result<Recorded, Error> {
        let level = self
            .level
            .map(|word| known(Level::parse(&word), "decision", "level"))
            .transpose()?;
        let strangers = serde_json::from_value::<Vec<Stranger>>(self.strangers);
        let decision = Decision {
            repository: RepositoryId(self.repository_id),
            change: ChangeId(self.change_id),
            revision: RevisionId(self.revision_id),
            digest: known(Digest::from_bytes(&self.digest), "decision", "digest")?,
            seq: self.seq,
            person: PersonId(self.person_id),
            form_key: FormKey(self.form_key),
            kind: known(Kind::parse(&self.kind), "decision", "kind")?,
            reason: known(Reason::parse(&self.reason).ok(), "decision", "reason")?,
            incident: self.incident,
            none_of_these_is_me: self.none_of_these_is_me,
            strangers: known(strangers.ok(), "decision", "strangers")?,
            about: self.about_seq,
            mark: self.mark,
            stands_in_for: self.stands_in_for.map(PersonId),
            since: self.since_revision,
            level,
            teams: self.teams,
            roles: roles(&self.roles)?,
            policy: self.policy,
            policy_version: self.policy_version,
            people_version: self.people_version,
            at: self.at,
        };
        Ok(Recorded {
            id: DecisionId(self.id),
            name: self.name,
            principal: self.principal,
            revision_number: self.number,
            decision,
        })
    }
}

/// All active people, whatever the age of their claims. The load only orders names, so it is as of the database's clock; and
/// whoever reads the names must not see from their order what goes on in a repository that is not for everybody.
async fn reviewers(
    conn: &mut PgConnection,
    repository: RepositoryId,
    as_of: AsOf<'_>,
) -> Result<Vec<Reviewer>, Error> {
    let rows = sqlx::query!(
        r#"select p.id, p.name,
                  array(select f.source || ' ' || f.value from person_fact f
                        where f.person_id = p.id and f.kind = 'level' and held_at(f.from_version, f.until_version, $2)) as "levels!",
                  array(select distinct f.value from person_fact f
                        where f.person_id = p.id and f.kind = 'team' and held_at(f.from_version, f.until_version, $2) order by f.value) as "teams!",
                  array(select distinct f.value from person_fact f
                        where f.person_id = p.id and f.kind = 'role' and held_at(f.from_version, f.until_version, $2) order by f.value) as "roles!",
                  (select count(*) from decision d
                   where d.person_id = p.id and d.at > coalesce($3, now()) - interval '7 days' and was_there(d.xid, $1::text::pg_snapshot)
                     and (d.repository_id = $4 or d.repository_id not in (select r.id from repository r where r.read_by is not null))) as "load!"
           from person p
           where was_there(p.xid, $1::text::pg_snapshot)
             and not exists (select from person_fact i where i.person_id = p.id and i.kind = 'inactive'
                             and held_at(i.from_version, i.until_version, $2))
           order by p.name, p.id"#,
        as_of.snapshot(),
        as_of.people,
        as_of.moment.map(Moment::at),
        repository.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Reviewer {
                id: PersonId(row.id),
                name: row.name,
                level: held(&levels(&row.levels)?, true).granted(),
                teams: row.teams,
                roles: roles(&row.roles)?,
                load: u32::try_from(row.load).unwrap_or(u32::MAX),
            })
        })
        .collect()
}

fn roles(words: &[String]) -> Result<Vec<people::Role>, Error> {
    words
        .iter()
        .map(|word| known(people::Role::parse(word), "role", "value"))
        .collect()
}

/// Reads `source level` pairs.
pub(crate) fn levels(words: &[String]) -> Result<Vec<Granted<Level>>, Error> {
    let read = |words: &String| {
        let (source, level) = words.split_once(' ')?;
        Some(Granted {
            value: Level::parse(level)?,
            source: Source::parse(source)?,
        })
    };
    words
        .iter()
        .map(|words| known(read(words), "person_fact", "value"))
        .collect()
}
