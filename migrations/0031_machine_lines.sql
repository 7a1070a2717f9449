-- What notes and traces say of single lines, by file.

create table machine_lines (
    repository_id uuid not null,
    revision_id uuid not null,
    path bytea not null,
    source text not null check (source in ('note', 'trace', 'carried')),
    session text not null check (length(session) between 1 and 200),
    tool text not null,
    model text,
    prompter text check (length(prompter) <= 500),
    ranges int[] not null check (cardinality(ranges) > 0 and cardinality(ranges) % 2 = 0),
    xid xid8 not null default pg_current_xact_id(),
    primary key (repository_id, revision_id, path, source, session),
    foreign key (repository_id, revision_id) references revision
);
comment on table machine_lines is 'Which added lines of a file a session with a tool wrote, as a note or a trace says. A file without a row is unknown, not human.';
comment on column machine_lines.path is 'The new name of the file, as in patch_file.';
comment on column machine_lines.source is 'Who says so; carried: found again by content, after a rebase, from what was said of the revision before.';
comment on column machine_lines.ranges is 'First and last line, first and last line, …, within the new file; each is an added line of the patch.';

create trigger machine_lines_are_a_record before update or delete on machine_lines for each row execute function refuse_rewriting();
create trigger machine_lines_are_kept before truncate on machine_lines for each statement execute function refuse_rewriting();
