-- The tenants. Everything else belongs to one, and says so in `clinic_id`.
--
-- References between a clinic's rows always carry the clinic (`foreign key (clinic_id, patient_id)`), so that no row
-- can point through the wall, whatever the program does.

create table clinics (
    id uuid primary key,
    name text not null,
    -- IANA name: working hours are wall-clock times, and only the zone knows what they are on a day of change.
    time_zone text not null,
    -- For the patient who cannot come in.
    phone text not null,
    -- How long before the start and after the end a patient may say "I'm here".
    arrive_early_minutes integer not null default 30,
    arrive_late_minutes integer not null default 15,
    constraint clinics_name_length check (char_length(name) between 1 and 200),
    constraint clinics_arrive_early_range check (arrive_early_minutes between 0 and 1440),
    constraint clinics_arrive_late_range check (arrive_late_minutes between 0 and 1440)
);

alter table clinics enable row level security;
alter table clinics force row level security;
create policy own_clinic on clinics to bedside_app using (id = current_clinic()) with check (id = current_clinic());
create policy doors on clinics for select to current_user using (true);
grant select, insert, update on clinics to bedside_app;

-- Door: the services that work for every clinic take them one by one.
create function find_clinics() returns table (clinic_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select id from clinics order by id
$$;
revoke all on function find_clinics() from public;
grant execute on function find_clinics() to bedside_app;
