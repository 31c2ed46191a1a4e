-- Who was where, and when: what a missed visit is decided from.
--
-- An interval begins when somebody is seen and grows while they are seen again within two minutes; after that a new one begins. The
-- patient's waiting room says so every few seconds, signaling for everybody who is connected to the consultation.

create table presences (
    clinic_id uuid not null references clinics,
    id uuid primary key default gen_random_uuid(),
    appointment_id uuid not null,
    who text not null,
    place text not null,
    began_at timestamptz not null,
    last_seen_at timestamptz not null,
    constraint presences_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id),
    constraint presences_who check (who in ('patient', 'practitioner')),
    constraint presences_place check (place in ('waiting_room', 'consultation')),
    constraint presences_order check (began_at <= last_seen_at)
);
create index presences_by_appointment on presences (clinic_id, appointment_id, who, place, last_seen_at);

-- Who waits while this is installed has waited since they came.
alter table seats no force row level security;
insert into presences (clinic_id, appointment_id, who, place, began_at, last_seen_at)
select clinic_id, appointment_id, 'patient', 'waiting_room', arrived_at, greatest(arrived_at, last_seen_at) from seats;
alter table seats force row level security;

call wall_off('presences');
grant select, insert, update on presences to bedside_app;
