-- What is to be sent, written in the transaction that decided it, and the demo's mailbox.
--
-- A worker takes rows with `for update skip locked`, so any number of schedulers may run. A row leaves this table's care only
-- when it was sent; it is tried again with growing pauses, and after many it stays, marked, for somebody to look at.

create table outbox (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    appointment_id uuid not null,
    recipient text not null,
    subject text not null,
    -- Holds the patient's link, so it is blanked once sent.
    body text not null,
    written_at timestamptz not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    sent_at timestamptz,
    given_up_at timestamptz,
    constraint outbox_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id)
);
create index outbox_due on outbox (clinic_id, next_attempt_at) where sent_at is null and given_up_at is null;
call wall_off('outbox');
grant select, insert, update on outbox to bedside_app;

-- Where mail lands in the demo, to be read on a page.
create table mailbox (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    appointment_id uuid not null,
    recipient text not null,
    subject text not null,
    body text not null,
    delivered_at timestamptz not null,
    constraint mailbox_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id)
);
create index mailbox_newest on mailbox (clinic_id, delivered_at desc);
call wall_off('mailbox');
grant select, insert, delete on mailbox to bedside_app;
