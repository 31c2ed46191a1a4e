-- Who would come sooner, and who was offered what: a freed time is held for one after the other, in order.

create table waitlist_entries (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    patient_id uuid not null,
    visit_type_id uuid not null,
    -- Null: anybody who offers the type.
    practitioner_id uuid,
    from_date date not null,
    to_date date not null,
    -- Minutes of the clinic's wall clock between which a visit may lie.
    from_minute smallint not null default 0,
    to_minute smallint not null default 1440,
    note text not null default '',
    state text not null,
    added_at timestamptz not null,
    -- The visit that came of it.
    appointment_id uuid,
    constraint waitlist_entries_in_clinic unique (clinic_id, id),
    constraint waitlist_entries_patient_fkey foreign key (clinic_id, patient_id) references patients (clinic_id, id),
    constraint waitlist_entries_visit_type_fkey foreign key (clinic_id, visit_type_id) references visit_types (clinic_id, id),
    constraint waitlist_entries_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint waitlist_entries_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id),
    constraint waitlist_entries_state check (state in ('waiting', 'booked', 'withdrawn', 'expired')),
    constraint waitlist_entries_booked check ((state = 'booked') = (appointment_id is not null)),
    constraint waitlist_entries_dates check (from_date <= to_date),
    constraint waitlist_entries_minutes check (0 <= from_minute and from_minute < to_minute and to_minute <= 1440),
    constraint waitlist_entries_note_length check (char_length(note) <= 500)
);
create index waitlist_entries_in_order on waitlist_entries (clinic_id, added_at, id) where state = 'waiting';
call wall_off('waitlist_entries');
create policy doors on waitlist_entries for select to current_user using (true);
grant select, insert, update on waitlist_entries to bedside_app;

create table waitlist_offers (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    entry_id uuid not null,
    practitioner_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- Gone when the offer is over.
    hold_id uuid,
    state text not null,
    offered_at timestamptz not null,
    expires_at timestamptz not null,
    -- When the message that tells of it was put into the outbox.
    told_at timestamptz,
    constraint waitlist_offers_in_clinic unique (clinic_id, id),
    constraint waitlist_offers_entry_fkey foreign key (clinic_id, entry_id) references waitlist_entries (clinic_id, id),
    constraint waitlist_offers_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint waitlist_offers_hold_fkey foreign key (hold_id) references holds (id) on delete set null,
    constraint waitlist_offers_state check (state in ('open', 'accepted', 'declined', 'expired', 'withdrawn')),
    constraint waitlist_offers_length check (starts_at < ends_at)
);
-- Nobody is offered the same time twice, and nobody has two offers at once.
create unique index waitlist_offers_once on waitlist_offers (entry_id, practitioner_id, starts_at);
create unique index waitlist_offers_one_open on waitlist_offers (entry_id) where state = 'open';
create index waitlist_offers_by_expiry on waitlist_offers (clinic_id, expires_at) where state = 'open';
create index waitlist_offers_by_hold on waitlist_offers (hold_id) where hold_id is not null;
call wall_off('waitlist_offers');
create policy doors on waitlist_offers for select to current_user using (true);
grant select, insert, update on waitlist_offers to bedside_app;

-- Door: the link of an offer names it before the clinic is known. The link's own signature was checked before.
create function find_waitlist_offer(offer_id uuid)
    returns table (clinic_id uuid, patient_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select o.clinic_id, e.patient_id
    from waitlist_offers o
    join waitlist_entries e on e.clinic_id = o.clinic_id and e.id = o.entry_id
    where o.id = find_waitlist_offer.offer_id
$$;
revoke all on function find_waitlist_offer(uuid) from public;
grant execute on function find_waitlist_offer(uuid) to bedside_app;

-- Who put a visit beside another one, as they were called then; and between which languages an interpreter was asked for, so that
-- another one can be found when the visit moves.
alter table appointments
    add column overbooked_by text,
    add column interpreted_between text[],
    add constraint appointments_overbooked_by check (lane = 0 or overbooked_by is not null),
    add constraint appointments_interpreted_between check (cardinality(interpreted_between) = 2);

-- An appointment has at most one of each kind.
create unique index reservations_once on reservations (appointment_id, resource_kind) where appointment_id is not null;

-- Both ends of a reservation as plain columns. Under row-level security the operators of ranges are no use to an index: they are not
-- leakproof, so Postgres looks at the wall first and at every reservation of the resource after it. Those of timestamps are.
alter table reservations
    add column starts_at timestamptz not null generated always as (lower(during)) stored,
    add column ends_at timestamptz not null generated always as (upper(during)) stored,
    -- A search from some time on begins this much earlier, and misses none.
    add constraint reservations_length check (upper(during) - lower(during) <= interval '12 hours');
create index reservations_by_start on reservations (clinic_id, resource_kind, resource_id, starts_at) where active;
