-- What a code host itself told of changes, when we looked.

alter table revision add column host text check (host in ('github', 'gitlab', 'gitea'));
comment on column revision.host is 'The code host that we asked, if its word is what was recorded; else a token submitted it.';
alter table revision add column incomplete text check (incomplete is null or host is not null);
comment on column revision.incomplete is 'Why the host did not give all of the patch. Such a revision has none, and is undecidable.';

alter table host_change add column etag text;
comment on column host_change.etag is 'What the host called the state that is recorded, to be asked whether it is another now.';
create index host_change_of on host_change (change_id);
