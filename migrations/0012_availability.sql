-- When practitioners see patients: weekly rules with a time of validity, and what opens or closes besides.
--
-- What was agreed on is the clock on the wall of a zone; the instants beside it follow from the zone's rules as they were known
-- when they were computed. When the rules change, `bedside recompute-times` computes the future ones again.

alter table schedules
    add column time_zone text,
    -- Both days are included; null is open.
    add column valid_from date,
    add column valid_to date,
    -- Every so many weeks, counted from the week of `valid_from`.
    add column every_weeks smallint not null default 1,
    add constraint schedules_valid check (valid_from <= valid_to),
    add constraint schedules_every_weeks check (every_weeks = 1 or (every_weeks between 2 and 12 and valid_from is not null));
-- The owner is behind the wall, too, and fills in with it down.
alter table schedules no force row level security;
update schedules s set time_zone = c.time_zone from clinics c where c.id = s.clinic_id;
alter table schedules force row level security;
alter table schedules alter column time_zone set not null;

-- Leave, holidays of the clinic, and hours given besides the weekly ones.
create table schedule_exceptions (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    -- Null: the whole clinic.
    practitioner_id uuid,
    kind text not null,
    reason text not null,
    time_zone text not null,
    wall_from timestamp not null,
    wall_to timestamp not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- Of hours given besides: every how many minutes a visit may begin.
    slot_minutes smallint,
    added_at timestamptz not null,
    constraint schedule_exceptions_in_clinic unique (clinic_id, id),
    constraint schedule_exceptions_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint schedule_exceptions_kind check (
        (kind = 'closed' and slot_minutes is null)
        or (kind = 'open' and practitioner_id is not null and slot_minutes between 5 and 480)
    ),
    constraint schedule_exceptions_reason_length check (char_length(reason) between 1 and 200),
    constraint schedule_exceptions_wall check (wall_from < wall_to),
    constraint schedule_exceptions_length check (starts_at < ends_at)
);
create index schedule_exceptions_during on schedule_exceptions using gist (clinic_id, tstzrange(starts_at, ends_at));
call wall_off('schedule_exceptions');
grant select, insert, update, delete on schedule_exceptions to bedside_app;
