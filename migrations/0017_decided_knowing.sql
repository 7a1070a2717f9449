-- What was known of people when somebody decided: of whom they said that it is not them, and what they were linked to.

alter table decision
    add column strangers jsonb not null default '[]' check (jsonb_typeof(strangers) = 'array'),
    add column people_version bigint not null default 0;
comment on column decision.strangers is
    'The contributors whom nobody knew and of whom it was said that none is them. It says nothing of who is new in a later revision: an approval does not carry over to one with others. Empty in rows from before this column.';
comment on column decision.people_version is
    'A link that held at any later version has ended an approval by its person, for good. Zero in rows from before this column: any link that ever held.';
