-- A change that provably only undoes an allowed one needs nothing, where the policy lets it: which one that is.

create table revert (
    repository_id uuid not null,
    revision_id uuid not null,
    undone_revision uuid not null check (undone_revision <> revision_id),
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, revision_id, undone_revision),
    foreign key (repository_id, revision_id) references revision,
    foreign key (repository_id, undone_revision) references revision
);
comment on table revert is 'The patch of a revision exchanges the sides of another one''s, which was merged and allowed by approval or by need of none when this one arrived. Whether that makes it not_required is for the policy to say, each time.';

create trigger revert_is_a_record before update or delete on revert for each row execute function refuse_rewriting();
create trigger revert_is_kept before truncate on revert for each statement execute function refuse_rewriting();

-- What undoes a patch is found by one of its files, with the blobs exchanged.
create index patch_file_blobs on patch_file (coalesce(new_blob, ''), coalesce(old_blob, ''));
create index revision_patch on revision (patch_hash);
