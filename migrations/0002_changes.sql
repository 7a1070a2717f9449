-- What was proposed: repositories, changes, revisions, their patches, and the marks and contributors found in them.
-- repository_id leads every key of the big tables, so that the schema can be distributed or partitioned later.

create table repository (
    id uuid primary key,
    name text not null,
    folded text not null,
    created_at timestamptz not null,
    constraint repository_name unique (folded)
);
comment on column repository.folded is 'The name in lower case: two names that differ in case only are one repository.';

create table change (
    repository_id uuid not null references repository,
    id uuid not null,
    key text not null,
    version int not null default 0,
    revisions int not null default 0,
    decisions int not null default 0,
    created_at timestamptz not null,
    primary key (repository_id, id),
    constraint change_key unique (repository_id, key)
);
comment on table change is 'The row that a transaction locks before it adds a state, a revision or a decision; the counters give their numbers.';
create index change_id on change (id);

create table change_state (
    repository_id uuid not null,
    change_id uuid not null,
    from_version int not null,
    until_version int check (until_version > from_version),
    state text not null check (state in ('open', 'merged', 'closed')),
    draft boolean not null,
    title text not null,
    url text,
    author_name text not null,
    author_login text,
    head_revision uuid not null,
    at timestamptz not null,
    primary key (repository_id, change_id, from_version),
    foreign key (repository_id, change_id) references change
);
create unique index change_state_now on change_state (repository_id, change_id) where until_version is null;

create table patch (
    hash bytea primary key check (length(hash) = 32),
    bytes bigint not null,
    files int not null
);
create table patch_file (
    patch_hash bytea not null references patch,
    ordinal int not null,
    status text not null check (status in ('added', 'deleted', 'modified', 'renamed', 'copied')),
    similarity int,
    old_name bytea,
    new_name bytea,
    old_mode text,
    new_mode text,
    old_blob text,
    new_blob text,
    "binary" boolean not null,
    added int not null,
    removed int not null,
    bytes int not null,
    body bytea not null,
    primary key (patch_hash, ordinal)
);
comment on table patch_file is 'A patch by file; the bodies, unpacked and put one after the other, are the patch, and hash to patch_hash.';
comment on column patch_file.body is 'zstd';
comment on column patch_file.new_name is 'Bytes: git does not ask names to be UTF-8.';

create table revision (
    repository_id uuid not null,
    id uuid not null,
    change_id uuid not null,
    number int not null,
    target text not null,
    merge_base text not null,
    head text not null,
    digest bytea not null check (length(digest) = 32),
    patch_hash bytea not null references patch,
    patch_bytes bigint not null,
    files int not null,
    added int not null,
    removed int not null,
    people_version bigint not null,
    arrived_at timestamptz not null,
    token_id uuid references token,
    primary key (repository_id, id),
    foreign key (repository_id, change_id) references change,
    constraint revision_number unique (repository_id, change_id, number),
    constraint revision_state unique (repository_id, change_id, target, merge_base, head)
);
comment on column revision.people_version is 'The levels of its contributors are those of this version: as they were when it arrived.';
create index revision_head on revision (repository_id, head);

create table commit (
    repository_id uuid not null,
    revision_id uuid not null,
    ordinal int not null,
    sha text not null,
    tree text not null,
    parents text[] not null,
    author_name text not null,
    author_email text not null,
    authored_at timestamptz,
    committer_name text not null,
    committer_email text not null,
    message bytea not null,
    primary key (repository_id, revision_id, ordinal),
    foreign key (repository_id, revision_id) references revision
);

create table contributor (
    repository_id uuid not null,
    change_id uuid not null,
    role text not null check (role in ('change_author', 'author', 'committer', 'co_author', 'uploader')),
    name text not null,
    email text not null,
    login text not null default '',
    keys text[] not null,
    revision_id uuid not null,
    at timestamptz not null,
    primary key (repository_id, change_id, role, name, email, login),
    foreign key (repository_id, change_id) references change
);
comment on table contributor is 'The union over all submissions of a change; rows are only added, so a rebase by somebody else frees nobody.';

create table mark (
    repository_id uuid not null,
    revision_id uuid not null,
    ordinal int not null,
    tool text not null,
    model text,
    strength text not null check (strength in ('hinted', 'marked', 'declared')),
    place text not null check (place in ('author', 'committer', 'trailer', 'message', 'submission')),
    commit_sha text,
    line int,
    text text not null,
    at timestamptz not null,
    primary key (repository_id, revision_id, ordinal),
    foreign key (repository_id, revision_id) references revision
);

create table patch_dispute (
    repository_id uuid not null,
    revision_id uuid not null,
    patch_hash bytea not null check (length(patch_hash) = 32),
    token_id uuid references token,
    at timestamptz not null,
    primary key (repository_id, revision_id, patch_hash),
    foreign key (repository_id, revision_id) references revision
);
comment on table patch_dispute is 'Somebody submitted another patch for the same target, merge base and head. Until an admin rules, the revision is undecidable.';

create table patch_ruling (
    repository_id uuid not null,
    revision_id uuid not null,
    patch_hash bytea not null,
    person_id uuid not null references person,
    stored_is_true boolean not null,
    at timestamptz not null,
    primary key (repository_id, revision_id, patch_hash),
    foreign key (repository_id, revision_id, patch_hash) references patch_dispute
);
comment on column patch_ruling.stored_is_true is 'False: the stored patch is wrong, and this revision stays undecidable for good; a new commit is the way on.';
