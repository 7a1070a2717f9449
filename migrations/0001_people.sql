-- Who there is, what each may do, and how they get in.
-- A fact that a verdict reads is never overwritten: it has from_version and until_version (null: holds now).

create table people_version (
    one boolean primary key default true check (one),
    version bigint not null
);
comment on table people_version is
    'One row. Raised, under its row lock, by every change of a fact about a person; standings are stamped with it.';
insert into people_version (version) values (1);

create table person (
    id uuid primary key,
    issuer text not null,
    subject text not null,
    name text not null,
    created_at timestamptz not null,
    constraint person_identity unique (issuer, subject)
);
comment on column person.subject is 'Identity is issuer and subject, never an e-mail address.';
comment on column person.name is 'Only shown; no rule reads it. The last sign-in wins.';

create table person_fact (
    person_id uuid not null references person,
    kind text not null check (kind in ('level', 'team', 'role', 'inactive')),
    value text not null check (length(value) between 1 and 200),
    source text not null check (source in ('claims', 'operator')),
    from_version bigint not null,
    until_version bigint check (until_version > from_version),
    at timestamptz not null,
    primary key (person_id, kind, value, source, from_version)
);
comment on column person_fact.source is
    'claims: the group claims of a sign-in, which age. operator: set by hand, which holds until it is taken back and goes before claims.';
create index person_fact_now on person_fact (person_id) where until_version is null;

create table account (
    person_id uuid not null references person,
    key text not null check (length(key) between 3 and 400),
    source text not null check (source in ('claims', 'operator')),
    proved boolean not null,
    from_version bigint not null,
    until_version bigint check (until_version > from_version),
    at timestamptz not null,
    primary key (person_id, key, source, from_version)
);
comment on table account is 'E-mail addresses and logins that tie commits to people, as normalised keys (domain::contributor::Key).';
comment on column account.proved is
    'Only a proved link grants something (a level to a commit); any link, proved or not, bars from approving.';
create index account_key on account (key);
create index account_now on account (person_id) where until_version is null;

create table sign_in (
    id uuid primary key,
    person_id uuid not null references person,
    groups text not null check (groups in ('read', 'missing', 'truncated')),
    at timestamptz not null
);
comment on table sign_in is 'Each sign-in renews the age of the claims; what they granted is in person_fact.';
create index sign_in_latest on sign_in (person_id, at desc);

create table session (
    id_hash bytea primary key check (length(id_hash) = 32),
    person_id uuid references person,
    data bytea not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);
comment on column session.id_hash is 'SHA-256 of the id in the cookie: who reads this table can use no session.';
comment on column session.expires_at is 'Absolute; the idle limit is computed from last_seen_at.';
create index session_person on session (person_id) where revoked_at is null;

create table token (
    id uuid primary key,
    name text not null check (length(name) between 1 and 100),
    hash bytea not null check (length(hash) = 32),
    scopes text[] not null,
    repositories text[] not null check (cardinality(repositories) > 0),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint token_hash unique (hash)
);
comment on column token.hash is 'SHA-256 of the token: 256 random bits need no slow hash.';
comment on column token.repositories is 'Folded names, or owner/* for all of one owner. There is no pattern for everything.';
