-- Two more things to decide: to set somebody else's rejection aside, and to say that no machine took part.

alter table decision drop constraint decision_kind_check;
alter table decision add constraint decision_kind_check
    check (kind in ('approve', 'reject', 'withdraw', 'override', 'set_aside', 'human'));
alter table decision add column about_seq int;
comment on column decision.about_seq is 'The seq of the rejection that this sets aside.';
alter table decision add constraint decision_set_aside_names_its_rejection
    check ((kind = 'set_aside') = (about_seq is not null) and (kind <> 'set_aside' or (about_seq between 1 and seq - 1 and length(reason) > 0)));

-- Approvals may end when a change goes back to draft or to another base: which came before it, no clock can tell.
alter table change_state add column decisions int not null default 0;
comment on column change_state.decisions is 'How many decisions the change had when this began to hold.';
update change_state s set decisions =
    (select count(*) from decision d where d.repository_id = s.repository_id and d.change_id = s.change_id and d.at <= s.at);
