-- Approvals carry over to a revision that is provably the change that was approved: which one that is, and by which proof.

create table carry (
    repository_id uuid not null,
    change_id uuid not null,
    from_revision uuid not null,
    to_revision uuid not null check (to_revision <> from_revision),
    proof text not null check (proof in ('blobs', 'tree', 'patch')),
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, to_revision, from_revision, proof),
    foreign key (repository_id, change_id) references change,
    foreign key (repository_id, from_revision) references revision,
    foreign key (repository_id, to_revision) references revision
);
comment on table carry is 'Two revisions of one change to one target, proved to be the same by the patches that are stored of both. Every proof that holds is here; which of them lets approvals carry over is for the policy to say, each time.';

create trigger carry_is_a_record before update or delete on carry for each row execute function refuse_rewriting();
create trigger carry_is_kept before truncate on carry for each statement execute function refuse_rewriting();
