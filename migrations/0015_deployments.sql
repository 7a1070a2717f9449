-- What was shipped where, and whether it had been allowed when we were told.

create table deployment (
    repository_id uuid not null references repository,
    id uuid not null,
    environment text not null check (length(environment) between 1 and 100),
    key text not null check (length(key) between 1 and 200),
    told_at timestamptz,
    enforced boolean not null,
    policy text not null,
    policy_version int not null,
    token_id uuid not null references token,
    at timestamptz not null,
    primary key (repository_id, id),
    constraint deployment_key unique (repository_id, key)
);
comment on column deployment.key is 'What makes a report that is sent again the one already recorded.';
comment on column deployment.told_at is 'When it happened, in the words of whoever reported it: shown, and never a reason to allow anything. What counts is at.';
comment on column deployment.enforced is 'False where the repository was only observed: what is unsanctioned then had been let pass by every gate.';

create table deployed_commit (
    repository_id uuid not null,
    deployment_id uuid not null,
    ordinal int not null,
    sha text not null,
    environment text not null,
    sanction text not null check (sanction in ('allowed', 'redeployed', 'part', 'unsanctioned')),
    verdict text not null,
    review_by timestamptz,
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, deployment_id, ordinal),
    foreign key (repository_id, deployment_id) references deployment,
    constraint deployed_commit_owes_a_review check ((sanction = 'unsanctioned') = (review_by is not null))
);
comment on column deployed_commit.ordinal is 'As they were reported: the first is what runs there now.';
comment on column deployed_commit.environment is 'Its name in lower case: two that differ in case only are one environment.';
comment on column deployed_commit.sanction is 'allowed: a gate allowed it. redeployed: only because it had been allowed and deployed there before. part: of a revision whose head is one of the two and was deployed with it. Judged in the transaction that recorded it.';
comment on column deployed_commit.verdict is 'What the gate made of it then, leaving aside that it had been deployed before.';
comment on column deployed_commit.xid is 'So that an answer of a gate can be given again as of its snapshot.';
create index deployed_commit_allowed on deployed_commit (repository_id, sha, environment, at) where sanction = 'allowed';
create index deployed_commit_unsanctioned on deployed_commit (at desc, deployment_id, ordinal) where sanction = 'unsanctioned';

create table deployed_change (
    repository_id uuid not null,
    deployment_id uuid not null,
    ordinal int not null,
    change_id uuid not null,
    revision_id uuid not null,
    verdict text,
    decisions int not null,
    primary key (repository_id, deployment_id, ordinal, change_id),
    foreign key (repository_id, deployment_id, ordinal) references deployed_commit,
    foreign key (repository_id, change_id) references change,
    foreign key (repository_id, revision_id) references revision
);
comment on table deployed_change is 'The changes that a deployed commit belongs to, as was known then.';
comment on column deployed_change.verdict is 'Of that revision then; null where the commit is not its head.';
comment on column deployed_change.decisions is 'How many decisions the change had: what came later has a higher seq, whatever the clocks say.';
create index deployed_change_of on deployed_change (repository_id, change_id);

do $$
declare
    name text;
begin
    foreach name in array array['deployment', 'deployed_commit', 'deployed_change'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_rewriting()', name || '_is_a_record', name);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_rewriting()', name || '_is_kept', name);
    end loop;
end
$$;

-- Which revisions a shipped commit is part of.
create index commit_sha on commit (repository_id, sha);

create function deployment_reviewer(repository uuid, deployment uuid, nth int) returns text language sql stable as $$
    select person.name
    from deployed_commit d
    cross join lateral (
        select change_id, min(number) as number
        from (select change_id, number from revision where repository_id = d.repository_id and head = d.sha
              union
              select r.change_id, r.number from commit c join revision r on r.repository_id = c.repository_id and r.id = c.revision_id
              where c.repository_id = d.repository_id and c.sha = d.sha) has_it
        group by change_id) first
    join decision p on p.repository_id = d.repository_id and p.change_id = first.change_id and p.kind in ('approve', 'reject')
    join revision r on r.repository_id = p.repository_id and r.id = p.revision_id and r.number >= first.number
    join person on person.id = p.person_id
    where d.repository_id = repository and d.deployment_id = deployment and d.ordinal = nth
      and p.seq > coalesce((select t.decisions from deployed_change t where t.repository_id = d.repository_id
                            and t.deployment_id = d.deployment_id and t.ordinal = d.ordinal and t.change_id = p.change_id), 0)
      and not exists (select from decision w where w.repository_id = p.repository_id and w.change_id = p.change_id
                      and w.person_id = p.person_id and w.kind = 'withdraw' and w.seq > p.seq)
      and not exists (select from contributor c join account a on a.key = any(c.keys) and a.until_version is null
                      where c.repository_id = p.repository_id and c.change_id = p.change_id and a.person_id = p.person_id)
    order by p.at, p.id limit 1
$$;
comment on function deployment_reviewer is 'Who has decided since about a revision with that commit or a later one of the change: whoever approves or rejects it and had no hand in it pays what an unsanctioned deployment left owed, as it is with an override. What they withdraw pays nothing.';
