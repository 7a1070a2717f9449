-- What was found at code hosts that no delivery had told.

create table reconciliation (
    host text not null check (host in ('github', 'gitlab', 'gitea')),
    repository text not null,
    folded text not null,
    asked_at timestamptz not null,
    began_at timestamptz,
    done_at timestamptz,
    open int not null default 0,
    found int not null default 0,
    found_ever bigint not null default 0,
    error text,
    primary key (host, folded)
);
comment on table reconciliation is 'The last walk over the open changes of a repository at its host.';
comment on column reconciliation.asked_at is 'When somebody asked for one by hand. It is due where that is after it began.';
comment on column reconciliation.found is 'How many changes were another than we knew, or that we did not know.';
