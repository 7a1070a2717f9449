-- Marks are found beside the commits, too: in the name of the branch, labels, the description, notes of git-ai, and records of Agent Trace.

alter table mark drop constraint mark_place_check;
alter table mark add constraint mark_place_check check (
    place in ('author', 'committer', 'trailer', 'message', 'submission', 'branch', 'label', 'description', 'note', 'trace')
);
comment on column mark.line is 'Of the message, the description or the note, from 1.';
