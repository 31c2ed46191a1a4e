-- The demo's mailbox keeps the calendar files of a message: one a visit, each with its name.

-- `calendar` held one file. Nobody writes or reads it any more once every process has this version; then it goes.
alter table mailbox
    add column invitations jsonb not null default '[]';
