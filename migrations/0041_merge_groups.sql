-- Merge queues: what a code host would merge next it tries first, on a commit of its own that is made of several changes.

create table host_groups (
    folded text primary key,
    repository text not null,
    asks bigint not null default 1,
    answered bigint not null default 0,
    due_at timestamptz,
    taken_until timestamptz,
    attempts integer not null default 0,
    error text
);
create index host_groups_due on host_groups (due_at) where due_at is not null;
comment on table host_groups is 'The merge groups of a repository at its host, and whether there is reason to look at them: asks > answered. However many reasons there are, it is one look.';
comment on column host_groups.due_at is 'When to look next; null where there is no reason to, or it was given up.';
comment on column host_groups.taken_until is 'Whoever looks has until then; afterwards somebody else does.';

alter table landing drop constraint landing_kind_check;
alter table landing add constraint landing_kind_check check (kind in ('merge', 'squash', 'rebase', 'merge_group'));
create index landing_in_group on landing (repository_id, change_id) where kind = 'merge_group';
