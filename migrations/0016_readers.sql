-- Who may see a repository: everybody who is signed in, or some teams.

alter table repository add column read_by text[] check (cardinality(read_by) between 1 and 50);
comment on column repository.read_by is
    'The teams that may see it; null: everybody who is signed in. Admins see every one. What held before is in repository_readers.';

create table repository_readers (
    repository_id uuid not null references repository,
    teams text[] check (cardinality(teams) between 1 and 50),
    person_id uuid references person,
    token_id uuid references token,
    reason text not null check (length(reason) between 1 and 400),
    from_version bigint not null,
    until_version bigint check (until_version > from_version),
    at timestamptz not null,
    primary key (repository_id, from_version),
    constraint readers_by_somebody check (num_nonnulls(person_id, token_id) = 1)
);
comment on table repository_readers is
    'Which teams could see a repository when. Nothing that holds is everybody, as before the first row. By people_version, since it says who can be asked.';
create unique index repository_readers_now on repository_readers (repository_id) where until_version is null;

create function may_read(read_by text[], folded text, teams text[], repositories text[]) returns boolean
language sql immutable parallel safe as $$
    select (teams is null or read_by is null or read_by && teams) and (repositories is null or folded like any (repositories))
$$;
comment on function may_read is
    'Whether a reader (domain::readers::Reader) may see a repository. No teams: whichever it is read by. No repositories: whatever it is called. Has to stay one expression without a subquery, so that Postgres writes it out.';
