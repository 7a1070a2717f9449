-- Somebody stands in for somebody else, for some repositories and some time, and decisions say for whom.

create table stand_in (
    id uuid primary key,
    person_id uuid not null references person,
    principal_id uuid not null references person,
    repositories text[] not null check (cardinality(repositories) between 1 and 50),
    until_at timestamptz not null,
    reason text not null check (length(reason) between 1 and 400),
    by_id uuid not null references person,
    at timestamptz not null,
    from_version bigint not null,
    until_version bigint check (until_version > from_version),
    ended_by uuid references person,
    ended_at timestamptz,
    constraint stand_in_for_another check (person_id <> principal_id),
    constraint stand_in_is_bounded check (until_at > at and until_at <= at + interval '31 days'),
    constraint stand_in_end check ((until_version is null) = (ended_at is null))
);
comment on table stand_in is
    'person_id may approve in the place of principal_id: never by more than either of them could. It ends at until_at by itself, computed when asked, or before by somebody''s word.';
comment on column stand_in.repositories is 'Folded names, or owner/* for all of one owner.';
comment on column stand_in.ended_by is 'Null where it ended because one of the two was deactivated, or was over anyway.';
create index stand_in_now on stand_in (person_id) where until_version is null;
create index stand_in_principal_now on stand_in (principal_id) where until_version is null;

alter table decision
    add column stands_in_for uuid references person,
    add constraint decision_stands_in_by_approving check (stands_in_for is null or (kind = 'approve' and stands_in_for <> person_id));
comment on column decision.stands_in_for is
    'In whose place. Then level is the lower of both, and teams are those of that person: what counted when it was taken.';
