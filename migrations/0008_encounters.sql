-- Encounters: the consultation as it happens, who takes part, how they get in, and what they write.

create table encounters (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    appointment_id uuid not null,
    state text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    -- The media meeting. The relay knows this id only, and it says nothing.
    room_id uuid not null,
    -- Fencing: each placement of the room on a relay has a higher number, and a relay refuses a lower one.
    room_epoch bigint not null default 0,
    constraint encounters_in_clinic unique (clinic_id, id),
    -- An appointment is admitted once, whatever races.
    constraint encounters_once unique (appointment_id),
    constraint encounters_room_key unique (room_id),
    constraint encounters_appointment_fkey foreign key (clinic_id, appointment_id) references appointments (clinic_id, id),
    constraint encounters_state check (state in ('in_progress', 'finished')),
    constraint encounters_finished check ((state = 'finished') = (finished_at is not null))
);
call wall_off('encounters');
grant select, insert, update on encounters to bedside_app;

create table participants (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    encounter_id uuid not null,
    role text not null,
    practitioner_id uuid,
    patient_id uuid,
    -- How often this participant entered: a later connection replaces an earlier one.
    connection bigint not null default 0,
    constraint participants_in_clinic unique (clinic_id, id),
    constraint participants_once unique (encounter_id, role),
    constraint participants_encounter_fkey foreign key (clinic_id, encounter_id) references encounters (clinic_id, id),
    constraint participants_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint participants_patient_fkey foreign key (clinic_id, patient_id) references patients (clinic_id, id),
    constraint participants_role check (
        (role = 'practitioner' and practitioner_id is not null and patient_id is null)
        or (role = 'patient' and patient_id is not null and practitioner_id is null)
    )
);
call wall_off('participants');
grant select, insert, update on participants to bedside_app;

-- Each join token's id, so that it opens once. The token itself is signed and kept nowhere.
create table join_tokens (
    id uuid primary key,
    clinic_id uuid not null references clinics,
    participant_id uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint join_tokens_participant_fkey foreign key (clinic_id, participant_id) references participants (clinic_id, id)
);
create index join_tokens_by_expiry on join_tokens (expires_at);
call wall_off('join_tokens');
grant select, insert, update, delete on join_tokens to bedside_app;

-- What was written in the consultation, in the order in which it was kept.
create table chat_messages (
    clinic_id uuid not null references clinics,
    encounter_id uuid not null,
    -- Chosen by the writer's page, so that writing again after a lost socket writes once.
    id uuid not null,
    position bigint generated always as identity,
    participant_id uuid not null,
    text text not null,
    written_at timestamptz not null,
    constraint chat_messages_once primary key (encounter_id, id),
    constraint chat_messages_encounter_fkey foreign key (clinic_id, encounter_id) references encounters (clinic_id, id),
    constraint chat_messages_participant_fkey foreign key (clinic_id, participant_id) references participants (clinic_id, id),
    constraint chat_messages_text_length check (char_length(text) between 1 and 2000)
);
create index chat_messages_in_order on chat_messages (encounter_id, position);
call wall_off('chat_messages');
grant select, insert on chat_messages to bedside_app;
