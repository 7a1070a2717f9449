-- Whatever a gate's verdict reads says which transaction wrote it, so that an answer can be given again as of the snapshot that it
-- was judged on. What was there before this migration says none (null), and is in every snapshot: no answer named one until now.

do $$
declare
    name text;
begin
    foreach name in array array['revision', 'change_state', 'contributor', 'mark', 'patch_dispute', 'patch_ruling', 'person', 'sign_in'] loop
        -- In two steps: a column that comes with such a default would have the whole table written anew.
        execute format('alter table %I add column xid xid8', name);
        execute format('alter table %I alter column xid set default pg_current_xact_id()', name);
        execute format('comment on column %I.xid is %L', name, 'Which transaction wrote it; null: before such were noted, so it is in every snapshot.');
    end loop;
end
$$;

create table people_change (
    version bigint primary key,
    xid xid8 not null default pg_current_xact_id()
);
comment on table people_change is
    'Which transaction made each version of the facts about people. Versions are in commit order, so the highest that a snapshot has says all that held in it.';
insert into people_change (version, xid) select version, '0' from people_version;
comment on column people_change.xid is '0: before such were noted, so it is in every snapshot.';

create trigger people_change_is_a_record before update or delete on people_change for each row execute function refuse_rewriting();
create trigger people_change_is_kept before truncate on people_change for each statement execute function refuse_rewriting();

-- Both are inlined: what is asked as of now pays for the test of a null.
create function was_there(wrote xid8, snapshot pg_snapshot) returns boolean language sql immutable parallel safe
    return snapshot is null or wrote is null or pg_visible_in_snapshot(wrote, snapshot);
comment on function was_there is 'Whether what a transaction wrote is there in a snapshot; null is now.';

create function held_at(from_version bigint, until_version bigint, version bigint) returns boolean language sql immutable parallel safe
    return case when version is null then until_version is null
                else from_version <= version and (until_version is null or until_version > version) end;
comment on function held_at is 'Whether a fact about people holds at a version; null is now.';
