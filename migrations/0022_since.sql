-- Who approved an earlier revision may read only what changed since: the approval says that it was made on that basis.

alter table decision add column since_revision int;
comment on column decision.since_revision is
    'Of an approval by somebody who was shown only what changed since a revision of the same change that they had approved: its number.';
alter table decision add constraint decision_since_is_of_an_approval check (since_revision is null or kind = 'approve');
alter table decision add constraint decision_since_is_a_revision
    foreign key (repository_id, change_id, since_revision) references revision (repository_id, change_id, number);
