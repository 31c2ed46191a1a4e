-- The waiting room: a seat per appointment, and the browsers that may sit on it.
--
-- The seat belongs to the visit, not to a socket: whoever loads the page again, or goes on by another phone, still has it.

create table seats (
    clinic_id uuid not null references clinics,
    appointment_id uuid primary key,
    arrived_at timestamptz not null,
    -- When a page of the patient last said that it is there.
    last_seen_at timestamptz not null,
    -- The patient pressed "Leave"; arriving again takes the seat again, at its old place.
    left_at timestamptz,
    -- What the device check found.
    readiness text not null default 'not_checked',
    constraint seats_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id),
    constraint seats_readiness check (
        readiness in ('not_checked', 'camera_and_microphone', 'microphone_only', 'camera_only', 'nothing', 'no_webrtc')
    )
);
call wall_off('seats');
grant select, insert, update on seats to bedside_app;

-- The cookie of a patient's browser, good for one appointment. Only its SHA-256 is here.
create table visit_sessions (
    token_hash bytea primary key,
    clinic_id uuid not null references clinics,
    appointment_id uuid not null,
    patient_id uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint visit_sessions_token_hash_length check (octet_length(token_hash) = 32),
    constraint visit_sessions_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id),
    constraint visit_sessions_patient_fkey foreign key (clinic_id, patient_id) references patients (clinic_id, id)
);
create index visit_sessions_by_appointment on visit_sessions (clinic_id, appointment_id);
create index visit_sessions_by_expiry on visit_sessions (expires_at);
call wall_off('visit_sessions');
create policy doors on visit_sessions for select to current_user using (true);
grant select, insert, delete on visit_sessions to bedside_app;

-- Door: the cookie comes before the clinic is known.
create function find_visit_session(token_hash bytea)
    returns table (clinic_id uuid, appointment_id uuid, patient_id uuid, expires_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select v.clinic_id, v.appointment_id, v.patient_id, v.expires_at
    from visit_sessions v
    where v.token_hash = find_visit_session.token_hash
$$;
revoke all on function find_visit_session(bytea) from public;
grant execute on function find_visit_session(bytea) to bedside_app;
