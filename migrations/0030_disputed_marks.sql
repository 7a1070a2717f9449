-- A mark can be disputed, and it is decided whether it is wrong.

alter table decision drop constraint decision_kind_check;
alter table decision add constraint decision_kind_check
    check (kind in ('approve', 'reject', 'withdraw', 'override', 'set_aside', 'human', 'dispute_mark', 'mark_wrong', 'mark_stands'));
alter table decision add column mark int;
comment on column decision.mark is 'The number of the mark of the revision that it is about.';
alter table decision add constraint decision_about_a_mark_names_it
    check ((kind in ('dispute_mark', 'mark_wrong', 'mark_stands')) = (mark is not null) and (mark is null or length(reason) > 0));
alter table decision add constraint decision_mark_is_there
    foreign key (repository_id, revision_id, mark) references mark (repository_id, revision_id, ordinal);
