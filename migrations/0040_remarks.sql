-- What people said of a change at its code host: shown to whoever decides here. Nothing that a verdict is made of reads this.

create table host_remarks (
    host text not null,
    folded text not null,
    key text not null,
    repository text not null,
    asks bigint not null default 1,
    answered bigint not null default 0,
    due_at timestamptz,
    taken_until timestamptz,
    attempts integer not null default 0,
    error text,
    remarks jsonb,
    looked_at timestamptz,
    primary key (host, folded, key)
);
create index host_remarks_due on host_remarks (host, due_at) where due_at is not null;
comment on table host_remarks is 'Reviews and comments of a change at its host, and whether there is reason to look at them: asks > answered. However many reasons there are, it is one look.';
comment on column host_remarks.due_at is 'When to look next; null where there is no reason to, or it was given up.';
comment on column host_remarks.taken_until is 'Whoever looks has until then; afterwards somebody else does.';
comment on column host_remarks.remarks is 'As domain::remark::Remarks writes it: bounded in number and length. Null: nobody has looked yet.';
comment on column host_remarks.looked_at is 'When that was so.';
