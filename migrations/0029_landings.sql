-- The commit that ships: what a revision became on its target, so that a gate that is asked about it knows what was signed off.

create table landing (
    repository_id uuid not null,
    sha text not null,
    revision_id uuid not null,
    change_id uuid not null,
    tip text not null,
    kind text not null check (kind in ('merge', 'squash', 'rebase')),
    evidence text not null check (evidence in ('tree', 'host')),
    token_id uuid not null references token,
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, sha, revision_id),
    foreign key (repository_id, revision_id) references revision,
    foreign key (repository_id, change_id) references change
);
comment on table landing is 'A commit of a target that a revision became. Whether it may pass is what its revision''s verdict says each time; nothing here is a permission.';
comment on column landing.tip is 'The last commit of it: sha itself, but for the commits below the last one of a rebase, which pass only together with that.';
comment on column landing.evidence is 'tree: whoever submitted it compared the trees in a checkout. host: a code host says so.';

create trigger landing_is_a_record before update or delete on landing for each row execute function refuse_rewriting();
create trigger landing_is_kept before truncate on landing for each statement execute function refuse_rewriting();
