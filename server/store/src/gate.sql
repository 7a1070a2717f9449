-- What many gates are asked, in one statement: for each question its token, its repository, and the revisions that its commit is the
-- head of or came from, with what was found of them. A question costs six index probes however large the tables are; one more
-- where a change became the commit, and three for each further revision (`gate_probes`).
select q.number as "number!", t.id, t.name, t.scopes, t.repositories, t.created_at, t.expires_at, t.revoked_at, t.last_used_at,
       (select pg_current_snapshot()::text) as "snapshot!", repository.policy as "policy?", repository.policy_version as "policy_version?",
       repository.policy_hash as "policy_hash?", repository.observe_until,
       f.revision_id as "revision?", f.change_id as "change?", f.head as "head?", f.target as "target?",
       f.kind as "kind?", f.evidence as "evidence?", f.onto as "onto?",
       f.state as "state?", f.current as "current?", f.confirmed_at, f.facts as "facts?: Json<Box<RawValue>>", f.fresh as "fresh?"
from unnest($1::bytea[], $2::text[], $3::text[], $4::text[]) with ordinality as q (token, repository, head, target, number)
join token t on t.hash = q.token
left join repository on repository.folded = q.repository
left join lateral (
    select r.id as revision_id, r.change_id, r.head, r.target, r.kind, r.evidence, r.onto,
           c.state, c.head_revision = r.id as current, c.confirmed_at, s.facts,
           coalesce(s.policy = repository.policy and s.policy_version = repository.policy_version
                    and s.people_version = (select version from people_version) and s.form = $5, false) as fresh
    from (select own.id, own.change_id, own.head, own.target, null as kind, null as evidence, null as onto
          from revision own
          where own.repository_id = repository.id and own.head = q.head
          union all
          select source.id, source.change_id, source.head, source.target, l.kind, l.evidence, l.onto
          from landing l
          join revision source on source.repository_id = l.repository_id and source.id = l.revision_id
          where l.repository_id = repository.id and l.sha = q.head and l.tip = q.head) r
    join change_state c on c.repository_id = repository.id and c.change_id = r.change_id and c.until_version is null
    left join standing s on s.repository_id = repository.id and s.revision_id = r.id
    where q.target is null or r.target = q.target
) f on true
