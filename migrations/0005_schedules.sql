-- When a practitioner sees patients: weekly rules in the clinic's wall-clock time.
--
-- A rule says what the sign on the door says ("Mondays from nine to five, half an hour each"). The instants follow from the clinic's
-- zone on the day in question, so a visit at 09:30 stays at 09:30 when the clocks change.

create table schedules (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    practitioner_id uuid not null,
    -- ISO 8601: Monday is 1, Sunday is 7.
    weekday smallint not null,
    -- Minutes after the day's midnight on the clock on the wall; 1440 is the midnight that ends the day.
    from_minute smallint not null,
    to_minute smallint not null,
    slot_minutes smallint not null,
    constraint schedules_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint schedules_weekday_range check (weekday between 1 and 7),
    constraint schedules_hours check (0 <= from_minute and from_minute < to_minute and to_minute <= 1440),
    constraint schedules_slot_range check (slot_minutes between 5 and 480)
);
create index schedules_by_practitioner on schedules (clinic_id, practitioner_id, weekday);
call wall_off('schedules');
grant select, insert, update, delete on schedules to bedside_app;
