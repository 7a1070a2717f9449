-- How lately a code host said what is recorded of a change, where gates read it: beside its state, which they read anyway. It is no
-- fact of the record but says how fresh the record is, so it moves on in place.
alter table change_state add column confirmed_at timestamptz;
comment on column change_state.confirmed_at is 'When a code host last said that the change is as this says. Null: none ever did.';
update change_state s set confirmed_at = h.confirmed_at
from host_change h join change c on c.id = h.change_id
where s.repository_id = c.repository_id and s.change_id = c.id and s.until_version is null;
