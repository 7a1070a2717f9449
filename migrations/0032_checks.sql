-- What code hosts are told of the heads of changes: kept with the facts that it follows from, so that no process that dies loses it.

create table host_check (
    repository_id uuid not null references repository,
    head text not null,
    asks bigint not null default 1,
    answered bigint not null default 0,
    due_at timestamptz,
    taken_until timestamptz,
    attempts int not null default 0,
    error text,
    said text,
    said_at timestamptz,
    primary key (repository_id, head)
);
comment on table host_check is 'A head of a change that a code host showed, and whether its verdict may be another than the host was told: due_at. Never read by a gate.';
comment on column host_check.asks is 'How many reasons there were to say it anew. What happens while it is being said is one more.';
comment on column host_check.said is 'What the host was told last, word for word: it is told only what is another.';
comment on column host_check.taken_until is 'Whoever says it has until then; afterwards somebody else does.';
create index host_check_due on host_check (due_at) where due_at is not null;
