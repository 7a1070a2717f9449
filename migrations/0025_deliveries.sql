-- What code hosts told us, as they sent it, and the changes of theirs that there is reason to look at.

create table delivery (
    id uuid primary key,
    host text not null check (host in ('github', 'gitlab', 'gitea')),
    sender_id text not null check (length(sender_id) between 1 and 200),
    event text not null check (length(event) between 1 and 100),
    received_at timestamptz not null,
    body bytea not null,
    state text not null default 'received' check (state in ('received', 'done', 'failed', 'dead')),
    attempts int not null default 0,
    due_at timestamptz,
    worked_at timestamptz,
    error text,
    constraint delivery_once unique (host, sender_id),
    constraint delivery_is_due_until_it_is_over check ((state in ('done', 'dead')) = (due_at is null))
);
comment on table delivery is 'Stored before it is answered, worked on afterwards. Deleted when it has been over for 30 days.';
comment on column delivery.sender_id is 'What the host calls it: the same again is the same delivery.';
comment on column delivery.body is 'Every byte as it was signed. Nothing has read it before it was stored.';
comment on column delivery.state is
    'received: not worked on to its end yet. done: it was, also where it told nothing of interest. failed: it was tried and will be again. dead: given up, until a person says otherwise.';
comment on column delivery.attempts is 'Counted before each attempt, so that one that ends the process counts too.';
create index delivery_due on delivery (due_at) where due_at is not null;
create index delivery_recent on delivery (received_at desc, id desc);

create table delivery_refused (
    host text not null,
    reason text not null,
    day date not null,
    times bigint not null,
    primary key (host, reason, day)
);
comment on table delivery_refused is 'How often what was sent as a delivery was not taken, and why. Each process adds what it counted every few seconds.';

create table host_change (
    host text not null check (host in ('github', 'gitlab', 'gitea')),
    repository text not null,
    folded text not null,
    key text not null,
    asks bigint not null default 1,
    answered bigint not null default 0,
    begun bigint not null default 0,
    recorded bigint not null default 0,
    due_at timestamptz,
    taken_until timestamptz,
    attempts int not null default 0,
    error text,
    confirmed_at timestamptz,
    change_id uuid,
    primary key (host, folded, key)
);
comment on table host_change is 'A change at a code host, and whether there is reason to look at it: asks > answered. However many reasons there are, it is one look.';
comment on column host_change.begun is 'The number of the last look that began. One below recorded is older than what is recorded, and is dropped.';
comment on column host_change.due_at is 'When to look next; null where there is no reason to, or it was given up.';
comment on column host_change.taken_until is 'Whoever looks has until then; afterwards somebody else does.';
comment on column host_change.confirmed_at is 'When the look that is recorded began: the host said so then.';
create index host_change_due on host_change (due_at) where due_at is not null;
