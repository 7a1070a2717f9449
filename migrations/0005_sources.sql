-- Facts and links may come from a directory, and people may name an account as theirs.

alter table person_fact drop constraint person_fact_source_check;
alter table person_fact add constraint person_fact_source_check check (source in ('claims', 'import', 'operator'));
comment on column person_fact.source is
    'claims: the group claims of a sign-in, which age. import: a directory, read by `countersign people import`. operator: set by hand, which holds until it is taken back and goes before the others.';

alter table account drop constraint account_source_check;
alter table account add constraint account_source_check
    check (source in ('claims', 'import', 'operator', 'person') and (source <> 'person' or not proved));
comment on column account.source is
    'claims: a sign-in told it. import: a directory. operator: an operator or an admin said so. person: their own word, which proves nothing.';

-- For the list of those to whom nobody leads.
create index contributor_recent on contributor (at);
