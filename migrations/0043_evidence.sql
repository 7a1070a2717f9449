-- A policy may ask for more than a code host's word, and proof may come after it: one row for each evidence, never rewritten.

alter table landing drop constraint landing_pkey;
alter table landing add primary key (repository_id, sha, revision_id, evidence);
