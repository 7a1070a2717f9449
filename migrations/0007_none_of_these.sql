-- What somebody said with an approval of a change that has contributors whom nobody knows.

alter table decision add column none_of_these_is_me boolean not null default false;
comment on column decision.none_of_these_is_me is
    'True: when it was taken, some contributors were nobody we knew, and whoever decided said that none of them is them.';
