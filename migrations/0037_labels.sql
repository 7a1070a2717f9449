-- What rules may ask of a change beside its commits: how it is labelled, and whether a bot made all of it.

create table change_label (
    repository_id uuid not null,
    change_id uuid not null,
    label text not null check (length(label) between 1 and 500),
    revision_id uuid not null,
    token_id uuid references token,
    host text check (host in ('github', 'gitlab', 'gitea')),
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, change_id, label),
    foreign key (repository_id, change_id) references change,
    foreign key (repository_id, revision_id) references revision,
    constraint change_label_is_somebodys_word check ((token_id is null) <> (host is null))
);
comment on table change_label is 'The union over all that was told of a change; rows are only added: a label can make a rule apply, and taking it off again must not end that.';
comment on column change_label.label is 'As it was told first.';
comment on column change_label.revision_id is 'With which revision it was told first.';

create table made_by_bot (
    repository_id uuid not null,
    revision_id uuid not null,
    bot text not null check (bot ~ '^(github|gitlab|gitea):[0-9]+$'),
    login text not null,
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, revision_id),
    foreign key (repository_id, revision_id) references revision
);
comment on table made_by_bot is 'Revisions of which the code host itself said that a bot opened the change and made every commit. No submission writes here.';
comment on column made_by_bot.bot is 'The immutable number of its account, as policies name it.';

create trigger change_label_is_a_record before update or delete on change_label for each row execute function refuse_rewriting();
create trigger change_label_is_kept before truncate on change_label for each statement execute function refuse_rewriting();
create trigger made_by_bot_is_a_record before update or delete on made_by_bot for each row execute function refuse_rewriting();
create trigger made_by_bot_is_kept before truncate on made_by_bot for each statement execute function refuse_rewriting();
