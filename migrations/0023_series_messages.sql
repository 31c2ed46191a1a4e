-- Visits that were booked, moved or called off together are told of once, with all their dates: a row of the outbox about a series, and
-- which of its visits it tells of, each in the version that it had then. Reminders are each visit's own.

-- Grows with each message about the series: `outbox_series_once` is why nobody is told the same thing twice.
alter table series add column sequence integer not null default 0;

alter table outbox
    add column series_id uuid,
    add constraint outbox_series_fkey foreign key (clinic_id, series_id) references series (clinic_id, id),
    add constraint outbox_series_once unique (series_id, kind, version, channel),
    drop constraint outbox_addressed,
    add constraint outbox_addressed check (
        appointment_id is not null
        or series_id is not null
        or (state = 'waiting') = (recipient is not null and path is not null) and expires_at is not null
    );

create table outbox_visits (
    clinic_id uuid not null references clinics,
    outbox_id uuid not null,
    appointment_id uuid not null,
    -- The appointment's `sequence` when this was planned.
    version integer not null,
    -- It no longer fitted when the message was sent.
    left_out boolean not null default false,
    constraint outbox_visits_pkey primary key (outbox_id, appointment_id),
    constraint outbox_visits_message_fkey foreign key (outbox_id) references outbox (id),
    constraint outbox_visits_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id)
);
create index outbox_visits_by_appointment on outbox_visits (clinic_id, appointment_id);
call wall_off('outbox_visits');
grant select, insert, update (left_out) on outbox_visits to bedside_app;
