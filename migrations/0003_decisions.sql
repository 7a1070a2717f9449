-- What was decided, what everybody else hears of it, and what the gate reads.

create table decision (
    repository_id uuid not null,
    id uuid not null,
    change_id uuid not null,
    revision_id uuid not null,
    digest bytea not null check (length(digest) = 32),
    seq int not null check (seq > 0),
    person_id uuid not null references person,
    form_key uuid not null,
    kind text not null check (kind in ('approve', 'reject', 'withdraw', 'override')),
    reason text not null check (length(reason) <= 4000),
    incident text check (length(incident) between 1 and 100),
    level text check (level in ('junior', 'mid', 'senior')),
    teams text[] not null,
    policy text not null,
    policy_version int not null,
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, id),
    foreign key (repository_id, revision_id) references revision,
    constraint decision_seq unique (repository_id, change_id, seq),
    constraint decision_form unique (person_id, form_key, repository_id),
    constraint decision_reject_has_a_reason check (kind <> 'reject' or length(reason) > 0),
    constraint decision_override_names_its_incident check ((kind = 'override') = (incident is not null) and (kind <> 'override' or length(reason) > 0))
);
comment on table decision is 'One fact by one person about one digest. Never updated, never deleted: no role may, and a trigger says so too.';
comment on column decision.level is 'As it was when the decision was taken; likewise teams.';
comment on column decision.xid is 'With id the order in which readers may take rows: ids are not in commit order.';
create index decision_id on decision (id);
create index decision_stream on decision (xid, id);
create index decision_person on decision (person_id, at desc);

create table event (
    id uuid primary key,
    xid xid8 not null default pg_current_xact_id(),
    repository_id uuid,
    kind text not null,
    subject uuid not null,
    data jsonb not null,
    at timestamptz not null
);
comment on table event is 'Every change of state, written in its own transaction; read below pg_snapshot_xmin in the order (xid, id).';
create index event_stream on event (xid, id);

create table log_leaf (
    repository_id uuid not null,
    decision_id uuid not null,
    hash bytea not null check (length(hash) = 32),
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, decision_id),
    foreign key (repository_id, decision_id) references decision
);
comment on column log_leaf.hash is 'RFC 6962 leaf hash of the decision; its position in the log is given afterwards, by one sequencer.';

create table standing (
    repository_id uuid not null,
    revision_id uuid not null,
    change_id uuid not null,
    head text not null,
    target text not null,
    facts jsonb not null,
    policy text not null,
    policy_version int not null,
    people_version bigint not null,
    form int not null,
    primary key (repository_id, revision_id),
    foreign key (repository_id, revision_id) references revision
);
comment on column standing.form is 'Which code made it (domain::standing::FORM): a row of other code is not trusted.';
comment on table standing is 'All that `verdict` reads except the time, stamped with what it was made from. Rebuilt from facts whenever a stamp is not today''s.';
create index standing_head on standing (repository_id, head);
create index standing_stale on standing (people_version);

create table queue (
    repository_id uuid not null,
    change_id uuid not null,
    revision_id uuid not null,
    verdict text not null,
    since timestamptz not null,
    primary key (repository_id, change_id),
    foreign key (repository_id, change_id) references change
);
comment on table queue is 'A projection: open changes that are not cleared. It may lag; the page asks the rules again, and gate and decisions never read it.';
create index queue_oldest on queue (since, change_id);

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: these rows are a record', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array['decision', 'event', 'log_leaf', 'revision', 'commit', 'contributor', 'mark', 'patch', 'patch_file',
                                'patch_dispute', 'patch_ruling', 'sign_in'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_rewriting()', name || '_is_a_record', name);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_rewriting()', name || '_is_kept', name);
    end loop;
end
$$;
