-- What each repository demands: every version of its policy, which of them held when, and whether gates enforce it.

create table policy_version (
    policy text not null check (length(policy) between 1 and 200),
    version int not null check (version > 0),
    repository_id uuid references repository,
    text text check (octet_length(text) <= 65536),
    hash bytea not null check (length(hash) = 32),
    source text not null check (source in ('configuration', 'page', 'api')),
    person_id uuid references person,
    token_id uuid references token,
    note text not null check (length(note) <= 400),
    base text not null,
    base_version int not null,
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (policy, version),
    constraint policy_of_a_repository check ((policy = 'default') = (repository_id is null)),
    constraint policy_by_somebody check (num_nonnulls(person_id, token_id) = case source when 'configuration' then 0 else 1 end)
);
comment on table policy_version is 'Every version that was ever written, in force or only proposed. Never updated, never deleted.';
comment on column policy_version.policy is '`default`, or the folded name of the repository that it is for.';
comment on column policy_version.text is 'TOML. Null: back to the default.';
comment on column policy_version.hash is 'SHA-256 of the text. A text that does not hash to it is not used.';
comment on column policy_version.base is 'What was in force when it was written. A proposal is about exactly that one: another meanwhile, and it lapses.';

create table policy_in_force (
    policy text not null,
    version int not null,
    from_xid xid8 not null default pg_current_xact_id(),
    from_at timestamptz not null,
    until_xid xid8,
    until_at timestamptz,
    primary key (policy, version),
    foreign key (policy, version) references policy_version,
    check ((until_xid is null) = (until_at is null))
);
comment on table policy_in_force is
    'Which version held when. A repository without a row that holds, or whose text is null, has what held as the default at that moment.';
create unique index policy_in_force_now on policy_in_force (policy) where until_xid is null;

create table policy_ruling (
    policy text not null,
    version int not null,
    person_id uuid not null references person,
    confirmed boolean not null,
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (policy, version),
    foreign key (policy, version) references policy_version
);
comment on table policy_ruling is 'What an admin made of a proposal that lowers what is needed.';

create table policy_draft (
    repository_id uuid not null references repository,
    person_id uuid not null references person,
    text text not null check (octet_length(text) <= 65536),
    at timestamptz not null,
    primary key (repository_id, person_id)
);
comment on table policy_draft is 'What an admin writes at, one for each repository. Counts for nothing, and may be emptied at any time.';

create table repository_mode (
    repository_id uuid not null references repository,
    mode text not null check (mode in ('enforce', 'observe')),
    ends_at timestamptz,
    person_id uuid not null references person,
    reason text not null check (length(reason) between 1 and 400),
    from_xid xid8 not null default pg_current_xact_id(),
    from_at timestamptz not null,
    until_xid xid8,
    until_at timestamptz,
    primary key (repository_id, from_xid),
    check ((mode = 'observe') = (ends_at is not null)),
    check ((until_xid is null) = (until_at is null))
);
comment on table repository_mode is 'Nothing that holds is `enforce`. What observes ends by itself at ends_at: that is computed from the time, never by a job.';
create unique index repository_mode_now on repository_mode (repository_id) where until_xid is null;

insert into policy_version (policy, version, text, hash, source, note, base, base_version, at)
select 'default', 1, text, sha256(convert_to(text, 'UTF8')), 'configuration', 'What Countersign comes with.', 'default', 1, now()
from (values (
$$# The rule that holds with nothing written, closed: a change that a machine took part in, or may have, by someone below
# senior or by nobody we know, needs one senior who is not a contributor.

version = 1

[[rule]]
name = "assisted-below-senior"
when = { provenance = ["assisted", "unknown"], level = ["nobody", "junior", "mid"] }
require = [{ approvals = 1, level = "senior" }]

# All that follows may be left out: it says what holds anyway.

[approvals]
expire_on = []                  # also "draft" and "new_base"; and expire_after = "30 days"
carry_over = ["blobs", "tree"]  # also "patch"

[veto]
set_aside_by = { level = "senior" }
set_aside_after = "1 working day"

[override]
by = [{ level = "senior" }]
lasts = "24 hours"
review_within = "3 days"
refused_while_overdue = false

[going_back]
redeploy_for = "90 days"
revert = true

[human]
believed = [{ level = "senior" }]
$$)) as shipped (text);
insert into policy_in_force (policy, version, from_at) select policy, version, at from policy_version;

alter table repository
    add policy text not null default 'default',
    add policy_version int not null default 1,
    add policy_hash bytea check (length(policy_hash) = 32),
    add observe_until timestamptz;
update repository set policy_hash = (select hash from policy_version);
alter table repository alter policy_hash set not null;
-- A new policy is measured by what arrived lately.
create index revision_arrived on revision (repository_id, arrived_at desc, id desc);
comment on column repository.policy is
    'With policy_version and policy_hash what is in force now, for the gate''s one statement. What held before is in policy_in_force.';
comment on column repository.observe_until is 'Until then gates answer yes and say what they would have answered. What held before is in repository_mode.';

create trigger policy_version_is_a_record before update or delete on policy_version for each row execute function refuse_rewriting();
create trigger policy_version_is_kept before truncate on policy_version for each statement execute function refuse_rewriting();
create trigger policy_ruling_is_a_record before update or delete on policy_ruling for each row execute function refuse_rewriting();
create trigger policy_ruling_is_kept before truncate on policy_ruling for each statement execute function refuse_rewriting();
