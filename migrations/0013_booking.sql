-- More of a booking: its type, interpreters, rooms and devices, holds, series, the overbooking lane, and requests that are sent twice.

-- The owner is behind the wall, too, and fills in with it down, which is put up again after the references were checked.
alter table visit_types no force row level security;
alter table practitioner_visit_types no force row level security;
alter table practitioners no force row level security;
alter table appointments no force row level security;

-- Every clinic begins with one type of visit, and what was booked before has it.
insert into visit_types (clinic_id, id, name, minutes)
select id, gen_random_uuid(), 'Consultation', 30 from clinics;
insert into practitioner_visit_types (clinic_id, practitioner_id, visit_type_id)
select p.clinic_id, p.id, t.id from practitioners p join visit_types t on t.clinic_id = p.clinic_id;

create table series (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    patient_id uuid not null,
    practitioner_id uuid not null,
    visit_type_id uuid not null,
    -- RFC 5545, DAILY, WEEKLY or MONTHLY only.
    recurrence text not null,
    wall_time timestamp not null,
    time_zone text not null,
    booked_at timestamptz not null,
    constraint series_in_clinic unique (clinic_id, id),
    constraint series_patient_fkey foreign key (clinic_id, patient_id) references patients (clinic_id, id),
    constraint series_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint series_visit_type_fkey foreign key (clinic_id, visit_type_id) references visit_types (clinic_id, id),
    constraint series_recurrence_length check (char_length(recurrence) between 1 and 200)
);
call wall_off('series');
grant select, insert, update on series to bedside_app;

alter table appointments
    add column visit_type_id uuid,
    -- The zone in which `wall_time` was agreed on.
    add column time_zone text,
    -- Grows with each change of time and with cancellation: SEQUENCE of the invitation, and the version of messages.
    add column sequence integer not null default 0,
    -- Grows with every change of the row: the ETag.
    add column version bigint not null default 1,
    -- 0 is the practitioner's own time. More is beside it, on purpose.
    add column lane smallint not null default 0,
    add column overbook_reason text,
    add column series_id uuid,
    -- Where it came from.
    add column source text not null default 'desk',
    -- The patient said that they will come.
    add column confirmed_at timestamptz,
    -- The reason of the last change of time.
    add column reschedule_reason text,
    add column cancelled_by text,
    -- For 'noshow': who was not there.
    add column absent text,
    -- A person decided the outcome: the passing of time no longer does.
    add column outcome_reason text;
update appointments a
    set visit_type_id = (select t.id from visit_types t where t.clinic_id = a.clinic_id limit 1),
        time_zone = (select c.time_zone from clinics c where c.id = a.clinic_id),
        cancelled_by = case when state = 'cancelled' then 'clinic' end,
        absent = case when state = 'noshow' then 'patient' end;
alter table appointments
    alter column visit_type_id set not null,
    alter column time_zone set not null,
    add constraint appointments_visit_type_fkey foreign key (clinic_id, visit_type_id) references visit_types (clinic_id, id),
    add constraint appointments_series_fkey foreign key (clinic_id, series_id) references series (clinic_id, id),
    add constraint appointments_overbooked check ((lane > 0) = (overbook_reason is not null) and lane between 0 and 9),
    add constraint appointments_overbook_reason_length check (char_length(overbook_reason) between 1 and 500),
    add constraint appointments_reschedule_reason_length check (char_length(reschedule_reason) <= 500),
    add constraint appointments_outcome_reason_length check (char_length(outcome_reason) between 1 and 500),
    add constraint appointments_source check (source in ('desk', 'self', 'api', 'walk_in', 'series', 'waitlist')),
    add constraint appointments_cancelled_by check ((state = 'cancelled') = (cancelled_by is not null) and cancelled_by in ('clinic', 'patient')),
    add constraint appointments_absent check ((state = 'noshow') = (absent is not null) and absent in ('patient', 'practitioner', 'both'));
alter table visit_types force row level security;
alter table practitioner_visit_types force row level security;
alter table practitioners force row level security;
alter table appointments force row level security;
create index appointments_by_series on appointments (clinic_id, series_id) where series_id is not null;
create index appointments_by_practitioner on appointments (clinic_id, practitioner_id, starts_at);

create function count_version() returns trigger
    language plpgsql
as $$
begin
    new.version := old.version + 1;
    return new;
end
$$;
create trigger appointments_version before update on appointments for each row execute function count_version();

-- A time kept for somebody who is still filling in a form. It ends by the database's clock, whoever's clock is wrong.
create table holds (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    practitioner_id uuid not null,
    visit_type_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    expires_at timestamptz not null,
    -- For whom, when that is known already: a waitlist's offer.
    patient_id uuid,
    constraint holds_in_clinic unique (clinic_id, id),
    constraint holds_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint holds_visit_type_fkey foreign key (clinic_id, visit_type_id) references visit_types (clinic_id, id),
    constraint holds_patient_fkey foreign key (clinic_id, patient_id) references patients (clinic_id, id),
    constraint holds_length check (starts_at < ends_at)
);
create index holds_by_expiry on holds (clinic_id, expires_at);
call wall_off('holds');
grant select, insert, update, delete on holds to bedside_app;

-- A reservation is an appointment's or a hold's. A hold's goes with it; an appointment's is never deleted.
alter table reservations
    drop constraint reservations_pkey,
    drop constraint reservations_resource_kind,
    drop constraint reservations_no_overlap,
    alter column appointment_id drop not null,
    add column hold_id uuid,
    add column lane smallint not null default 0,
    add constraint reservations_owner check (num_nonnulls(appointment_id, hold_id) = 1),
    add constraint reservations_hold_fkey foreign key (clinic_id, hold_id) references holds (clinic_id, id) on delete cascade,
    add constraint reservations_resource_kind check (resource_kind in ('practitioner', 'patient', 'interpreter', 'room', 'device')),
    -- Only a practitioner can be booked twice on purpose.
    add constraint reservations_lane check (lane = 0 or (lane between 1 and 9 and resource_kind = 'practitioner')),
    add constraint reservations_no_overlap exclude using gist (
        clinic_id with =,
        resource_kind with =,
        resource_id with =,
        lane with =,
        during with &&
    ) where (active);
create index reservations_by_appointment on reservations (clinic_id, appointment_id) where appointment_id is not null;
create index reservations_by_hold on reservations (hold_id) where hold_id is not null;
grant delete on reservations to bedside_app;
create policy holds_only on reservations as restrictive for delete to bedside_app using (hold_id is not null);

-- A request that is sent twice is done once (draft-ietf-httpapi-idempotency-key-header). Written in the transaction of what it did.
create table idempotency_keys (
    clinic_id uuid not null references clinics,
    -- The account or token that sent it.
    actor_id uuid not null,
    key text not null,
    -- SHA-256 of what was asked for.
    request_digest bytea not null,
    -- What came of it: the id of what was made.
    result_id uuid not null,
    used_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (clinic_id, actor_id, key),
    constraint idempotency_keys_key_length check (char_length(key) between 1 and 255)
);
create index idempotency_keys_by_age on idempotency_keys (clinic_id, used_at);
call wall_off('idempotency_keys');
grant select, insert, delete on idempotency_keys to bedside_app;
