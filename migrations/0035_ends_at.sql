-- When an approval grows too old though nothing happens, so that a job brings the change back into the queue.

alter table standing add column ends_at timestamptz;
comment on column standing.ends_at is 'When the first approval in it grows too old: then it is made anew, and the queue with it. Gates ask the rules and never read this.';
-- What is stored does not know it yet, and is made anew.
update standing set form = 0;
