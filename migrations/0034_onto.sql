-- The commit of the target that a revision was added to: an answer about what it became says nothing of it, and names it.

alter table landing add column onto text;
comment on column landing.onto is 'The target''s commit just before, which the answer does not speak for. Null where it was told before that was kept.';
