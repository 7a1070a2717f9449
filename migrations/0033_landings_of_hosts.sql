-- A code host that we asked says what a change became: nobody's token does then.

alter table landing alter column token_id drop not null;
alter table landing add constraint landing_is_somebodys_word check (token_id is not null or evidence = 'host');
comment on column landing.evidence is
    'tree: whoever submitted it compared the trees in a checkout. host: a code host says so, and its patch is provably that of the revision.';
