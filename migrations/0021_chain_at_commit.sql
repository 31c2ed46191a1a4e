-- The end of a clinic's chain is taken when a transaction commits, and by nothing before.
--
-- Whoever writes an event into the chain keeps the whole clinic waiting until the transaction ends. So a transaction notes its
-- events here, in any order with its other work, and a trigger that is put off to the commit writes them into the chain. The notes
-- are gone before anybody else could see them, and need not outlast a crash: hence `unlogged`.

create unlogged table audit_notes (
    clinic_id uuid not null,
    id bigint generated always as identity primary key,
    actor_kind text not null,
    actor_id uuid,
    actor_role text,
    action text not null,
    appointment_id uuid,
    patient_id uuid,
    encounter_id uuid,
    detail jsonb not null
);
call wall_off('audit_notes');
grant select, insert, delete on audit_notes to bedside_app;

create function write_audit_event() returns trigger
    language plpgsql
as $$
begin
    insert into audit_events (clinic_id, actor_kind, actor_id, actor_role, action, appointment_id, patient_id, encounter_id, detail)
    values (new.clinic_id, new.actor_kind, new.actor_id, new.actor_role, new.action, new.appointment_id, new.patient_id,
            new.encounter_id, new.detail);
    delete from audit_notes where id = new.id;
    return null;
end
$$;
create constraint trigger audit_notes_at_commit after insert on audit_notes
    deferrable initially deferred for each row execute function write_audit_event();

-- What programs are told is numbered under the same lock, and so at the same time: after the audit event that was noted before it.
create unlogged table event_notes (
    clinic_id uuid not null,
    id bigint generated always as identity primary key,
    type text not null,
    appointment_id uuid,
    data jsonb not null
);
call wall_off('event_notes');
grant select, insert, delete on event_notes to bedside_app;

create function write_event() returns trigger
    language plpgsql
as $$
begin
    with event as (
        insert into events (clinic_id, type, appointment_id, data)
        values (new.clinic_id, new.type, new.appointment_id, new.data)
        returning clinic_id, number
    )
    insert into webhook_deliveries (clinic_id, webhook_id, event_number)
    select w.clinic_id, w.id, event.number
    from event
    join webhooks w on w.clinic_id = event.clinic_id and w.disabled_at is null;
    delete from event_notes where id = new.id;
    return null;
end
$$;
create constraint trigger event_notes_at_commit after insert on event_notes
    deferrable initially deferred for each row execute function write_event();
