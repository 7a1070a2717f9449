-- As many changes as `bench.size` says, 40 % waiting, 40 % approved, 20 % rejected, each a copy of one in `bench.template`, under a key
-- and a head of its own; and the questions about them, a third, a third, a sixth, and a sixth about commits that nobody told of. For
-- `./dev bench`, and for the test that counts what a gate reads.

begin;

create table bench.clone as
with template as (
    select *, row_number() over (partition by verdict order by revision_id) - 1 as position, count(*) over (partition by verdict) as of_its_kind
    from bench.template
),
wanted as (
    select n, case when n % 5 < 2 then 'waiting' when n % 5 < 4 then 'approved' else 'rejected' end as verdict
    from generate_series(1, (select changes from bench.size)) as n
)
select n, gen_random_uuid() as change_id, gen_random_uuid() as revision_id, left(encode(sha256(convert_to('head ' || n, 'utf8')), 'hex'), 40) as head,
       template.revision_id as template, verdict
from wanted join template using (verdict)
where position = (n / 5) % of_its_kind;

insert into change (repository_id, id, key, version, revisions, decisions, created_at)
select change.repository_id, clone.change_id, 'bench-' || n, change.version, 1, change.decisions, change.created_at
from bench.clone join revision on revision.id = template join change on change.id = revision.change_id;

insert into revision (repository_id, id, change_id, number, target, merge_base, head, digest, patch_hash, patch_bytes, files, added, removed,
                      people_version, arrived_at, token_id)
select repository_id, clone.revision_id, clone.change_id, 1, target, merge_base, clone.head, digest, patch_hash, patch_bytes, files, added, removed,
       people_version, arrived_at - n * interval '1 second', token_id
from bench.clone join revision on revision.id = template;

insert into change_state (repository_id, change_id, from_version, until_version, state, draft, title, url, author_name, author_login, head_revision, at)
select change_state.repository_id, clone.change_id, from_version, null, state, draft, title, url, author_name, author_login, clone.revision_id, at
from bench.clone join revision on revision.id = template
join change_state on change_state.change_id = revision.change_id and until_version is null;

insert into standing (repository_id, revision_id, change_id, head, target, facts, policy, policy_version, people_version, form)
select repository_id, clone.revision_id, clone.change_id, clone.head, target, jsonb_set(facts, '{key}', to_jsonb('bench-' || n)), policy, policy_version,
       people_version, form
from bench.clone join standing on standing.revision_id = template;

insert into queue (repository_id, change_id, revision_id, verdict, since)
select queue.repository_id, clone.change_id, clone.revision_id, queue.verdict, since - n * interval '1 second'
from bench.clone join queue on queue.revision_id = template;

-- A sixth more than there are changes.
create table bench.question as
select repository.name as repository, clone.head, clone.verdict
from bench.clone join revision on revision.id = clone.revision_id join repository on repository.id = revision.repository_id
union all
select 'payments/ledger-core', left(encode(sha256(convert_to('unheard ' || n, 'utf8')), 'hex'), 40), 'unheard'
from generate_series(1, (select changes / 5 from bench.size)) as n;

commit;
