-- GitLab does not say which tree a commit has.
alter table commit alter column tree drop not null;
comment on column commit.tree is 'None where the code host does not say.';
