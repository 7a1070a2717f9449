-- Whoever set an agent to work had a hand in the change, too.

alter table contributor drop constraint contributor_role_check;
alter table contributor add constraint contributor_role_check
    check (role in ('change_author', 'author', 'committer', 'co_author', 'requester', 'uploader'));
