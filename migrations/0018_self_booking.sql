-- Patients who book themselves: the clinic's public address, and what is kept between choosing a time and confirming it.
--
-- Nobody is looked up before the link in the message was opened and confirmed: until then a row here is what somebody typed.

-- The clinic's name in its public address; without one it has no public page.
alter table clinics
    add column slug text,
    add constraint clinics_slug_form check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(slug) <= 80),
    add constraint clinics_slug_key unique (slug);

-- Clinics of the same name are told apart by a number. The owner is behind the wall, too, and fills in with it down.
alter table clinics no force row level security;
with named as (
    select id, trim(both '-' from left(regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'), 70)) as slug from clinics
),
numbered as (
    select id, slug, row_number() over (partition by slug order by id) as place from named where slug <> ''
)
update clinics c
    set slug = n.slug || case when n.place = 1 then '' else '-' || n.place end
    from numbered n
    where n.id = c.id
        and (n.place = 1 or not exists (select from numbered o where o.slug = n.slug || '-' || n.place));

alter table clinics force row level security;

-- Door: whoever opens the public page belongs to no clinic.
create function find_clinic(slug text) returns table (clinic_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select c.id from clinics c where c.slug = find_clinic.slug
$$;
revoke all on function find_clinic(text) from public;
grant execute on function find_clinic(text) to bedside_app;

-- Somebody chose a time, said who they are, was sent a link, and confirmed; or went away before. Deleted a day after it began:
-- the appointment, if one came of it, says where it came from.
create table self_bookings (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    visit_type_id uuid not null,
    practitioner_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- Gone when the time is no longer kept.
    hold_id uuid,
    -- Until when the hold that was taken last lasts, or lasted.
    kept_until timestamptz not null,
    -- As typed; null until the person has said who they are.
    name text,
    birth_date date,
    email text,
    phone text,
    language text,
    time_zone text,
    begun_at timestamptz not null,
    -- How many messages were asked for. Only the link of the newest is good: it went to the address that stands here.
    link_version smallint not null default 0,
    appointment_id uuid,
    constraint self_bookings_in_clinic unique (clinic_id, id),
    constraint self_bookings_visit_type_fkey foreign key (clinic_id, visit_type_id) references visit_types (clinic_id, id),
    constraint self_bookings_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint self_bookings_hold_fkey foreign key (hold_id) references holds (id) on delete set null,
    constraint self_bookings_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id),
    constraint self_bookings_length check (starts_at < ends_at),
    constraint self_bookings_person check (
        num_nonnulls(name, birth_date, email, phone) = 0
        or (num_nonnulls(name, birth_date) = 2 and num_nonnulls(email, phone) > 0)
    ),
    constraint self_bookings_link_version check (link_version = 0 or (link_version > 0 and name is not null)),
    constraint self_bookings_confirmed check (appointment_id is null or link_version > 0),
    constraint self_bookings_name_length check (char_length(name) between 1 and 200),
    constraint self_bookings_phone_length check (char_length(phone) <= 40),
    constraint self_bookings_email_length check (char_length(email) <= 254),
    constraint self_bookings_language_length check (char_length(language) between 2 and 35),
    constraint self_bookings_time_zone_length check (char_length(time_zone) <= 64)
);
create index self_bookings_by_age on self_bookings (clinic_id, begun_at);
call wall_off('self_bookings');
create policy doors on self_bookings for select to current_user using (true);
grant select, insert, update, delete on self_bookings to bedside_app;

-- Door: the link in the message names a row before the clinic is known. The link's own signature was checked before.
create function find_self_booking(self_booking_id uuid, link_version smallint) returns table (clinic_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select b.clinic_id
    from self_bookings b
    where b.id = find_self_booking.self_booking_id and b.link_version = find_self_booking.link_version
$$;
revoke all on function find_self_booking(uuid, smallint) from public;
grant execute on function find_self_booking(uuid, smallint) to bedside_app;

-- How often times were held and messages asked for, by the SHA-256 of whatever is limited: where somebody comes from, the
-- address that is written to, the clinic. Rows older than a day are purged by the scheduler.
create table self_booking_attempts (
    clinic_id uuid not null references clinics,
    id bigint generated always as identity primary key,
    subject bytea not null,
    at timestamptz not null,
    constraint self_booking_attempts_subject_length check (octet_length(subject) = 32)
);
create index self_booking_attempts_by_subject on self_booking_attempts (clinic_id, subject, at);
create index self_booking_attempts_by_age on self_booking_attempts (clinic_id, at);
call wall_off('self_booking_attempts');
grant select, insert, delete on self_booking_attempts to bedside_app;
