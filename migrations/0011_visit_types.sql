-- What may be booked: visit types with their length and rules, and who besides patient and practitioner a visit can need.

create table visit_types (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    name text not null,
    minutes smallint not null,
    -- Kept free around the visit in the practitioner's time, for notes before and after. The patient's time is the visit alone.
    buffer_before_minutes smallint not null default 0,
    buffer_after_minutes smallint not null default 0,
    -- How far ahead a visit must be booked at least, and may be at most.
    min_notice_minutes integer not null default 0,
    horizon_days smallint not null default 365,
    -- Until how long before the start patients may cancel by themselves.
    cancel_notice_minutes integer not null default 0,
    -- Patients may book it on the clinic's public page.
    is_public boolean not null default false,
    retired_at timestamptz,
    constraint visit_types_in_clinic unique (clinic_id, id),
    constraint visit_types_name_length check (char_length(name) between 1 and 100),
    constraint visit_types_minutes_range check (minutes between 5 and 480),
    constraint visit_types_buffers_range check (buffer_before_minutes between 0 and 120 and buffer_after_minutes between 0 and 120),
    constraint visit_types_notice_range check (min_notice_minutes between 0 and 129600 and cancel_notice_minutes between 0 and 43200),
    constraint visit_types_horizon_range check (horizon_days between 1 and 730)
);
-- Two types of one name cannot be told apart by whoever books.
create unique index visit_types_name_key on visit_types (clinic_id, lower(name)) where retired_at is null;
call wall_off('visit_types');
grant select, insert, update on visit_types to bedside_app;

create table practitioner_visit_types (
    clinic_id uuid not null references clinics,
    practitioner_id uuid not null,
    visit_type_id uuid not null,
    primary key (practitioner_id, visit_type_id),
    constraint practitioner_visit_types_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint practitioner_visit_types_visit_type_fkey foreign key (clinic_id, visit_type_id) references visit_types (clinic_id, id)
);
call wall_off('practitioner_visit_types');
grant select, insert, delete on practitioner_visit_types to bedside_app;

-- Languages are BCP 47 tags in lower case: `en`, `pt-br`.
alter table practitioners
    add column languages text[] not null default '{en}',
    add constraint practitioners_languages_count check (cardinality(languages) between 1 and 20);

alter table patients
    add column language text,
    -- Where the patient is; without it the clinic's. IANA name.
    add column time_zone text,
    add constraint patients_language_length check (char_length(language) between 2 and 35),
    add constraint patients_time_zone_length check (char_length(time_zone) <= 64);

-- Interpreters, rooms and devices: reserved with a visit, as people are.
create table resources (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    kind text not null,
    name text not null,
    -- Between which an interpreter translates: any two of them.
    languages text[] not null default '{}',
    retired_at timestamptz,
    constraint resources_in_clinic unique (clinic_id, id),
    constraint resources_kind check (kind in ('interpreter', 'room', 'device')),
    constraint resources_name_length check (char_length(name) between 1 and 100),
    constraint resources_languages check (case when kind = 'interpreter' then cardinality(languages) between 2 and 20 else languages = '{}' end)
);
create index resources_by_kind on resources (clinic_id, kind) where retired_at is null;
call wall_off('resources');
grant select, insert, update on resources to bedside_app;
