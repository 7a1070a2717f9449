-- The record is read newest first, page by page, of everything or of one repository.
create index decision_latest on decision (at desc, id desc);
create index decision_latest_of_repository on decision (repository_id, at desc, id desc);
