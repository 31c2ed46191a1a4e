-- What a desk needs on a full day: more visits at one time than ten, and in whose hands a held time is.

-- Wider than before, so every row that is there keeps to it: nothing need be read.
alter table appointments
    drop constraint appointments_overbooked,
    add constraint appointments_overbooked check ((lane > 0) = (overbook_reason is not null) and lane between 0 and 99) not valid;
alter table reservations
    drop constraint reservations_lane,
    add constraint reservations_lane check (lane = 0 or (lane between 1 and 99 and resource_kind = 'practitioner')) not valid;

-- Nobody for a program, a patient who books online, and an offer of the waitlist.
alter table holds
    add column held_by uuid,
    add constraint holds_held_by_fkey foreign key (clinic_id, held_by) references accounts (clinic_id, id);
