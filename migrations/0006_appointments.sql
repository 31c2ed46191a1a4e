-- Appointments, and the reservations that keep two of them from the same time.
--
-- Everything an appointment needs for itself is a resource, and holds one reservation per resource: the practitioner, the
-- patient, later an interpreter, a room, a device. The exclusion constraint has the last word. The program takes an
-- advisory lock per resource, in sorted order, before it inserts: without it overlapping bookings deadlock under load.

create extension if not exists btree_gist;

create table appointments (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    patient_id uuid not null,
    practitioner_id uuid not null,
    state text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- What was agreed on, as the clock on the wall shows it; it outlives a change of the zone's rules.
    wall_time timestamp not null,
    -- Which link opens it: raising the number makes the links given out before worthless.
    link_version smallint not null default 1,
    cancel_reason text,
    booked_at timestamptz not null,
    booked_by uuid,
    constraint appointments_in_clinic unique (clinic_id, id),
    constraint appointments_patient_fkey foreign key (clinic_id, patient_id) references patients (clinic_id, id),
    constraint appointments_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint appointments_state check (state in ('booked', 'arrived', 'fulfilled', 'cancelled', 'noshow')),
    constraint appointments_cancel_reason check ((state = 'cancelled') = (cancel_reason is not null)),
    constraint appointments_cancel_reason_length check (char_length(cancel_reason) <= 500),
    constraint appointments_length check (starts_at < ends_at)
);
create index appointments_by_day on appointments (clinic_id, starts_at);
create index appointments_by_patient on appointments (clinic_id, patient_id);
call wall_off('appointments');
create policy doors on appointments for select to current_user using (true);
grant select, insert, update on appointments to bedside_app;

create table reservations (
    clinic_id uuid not null references clinics,
    appointment_id uuid not null,
    resource_kind text not null,
    resource_id uuid not null,
    during tstzrange not null,
    -- A cancelled or missed appointment keeps its reservations, and they no longer bind.
    active boolean not null default true,
    primary key (appointment_id, resource_kind, resource_id),
    constraint reservations_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id),
    constraint reservations_resource_kind check (resource_kind in ('practitioner', 'patient')),
    constraint reservations_not_empty check (not isempty(during)),
    constraint reservations_no_overlap exclude using gist (
        clinic_id with =,
        resource_kind with =,
        resource_id with =,
        during with &&
    ) where (active)
);
call wall_off('reservations');
grant select, insert, update on reservations to bedside_app;

-- Door: the patient's link names an appointment before the clinic is known. The link's own signature was checked before.
create function find_visit(appointment_id uuid, link_version smallint)
    returns table (clinic_id uuid, patient_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select a.clinic_id, a.patient_id
    from appointments a
    where a.id = find_visit.appointment_id and a.link_version = find_visit.link_version
$$;
revoke all on function find_visit(uuid, smallint) from public;
grant execute on function find_visit(uuid, smallint) to bedside_app;
