-- A policy may ask for people of a role: what somebody was when they decided is part of what they decided.

alter table decision add column roles text[] not null default '{}';
comment on column decision.roles is 'As they were when the decision was taken. Nothing asked for a role when the rows without any were written.';
