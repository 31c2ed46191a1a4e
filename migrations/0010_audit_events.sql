-- The history that cannot be quietly changed.
--
-- Every event is written in the transaction of what it tells. The trigger numbers and dates it and chains it to the one
-- before (SHA-256 over the previous digest and everything the row says), so that a changed, removed or inserted row breaks the chain.
-- Who rewrites the whole chain from some point on changes its newest digest: note that one elsewhere from time to time.
--
-- The head of each clinic's chain is locked until the transaction ends. Events are therefore written last in a transaction.

create table audit_events (
    clinic_id uuid not null references clinics,
    sequence bigint not null,
    at timestamptz not null,
    actor_kind text not null,
    actor_id uuid,
    actor_role text,
    action text not null,
    appointment_id uuid,
    patient_id uuid,
    encounter_id uuid,
    detail jsonb not null default '{}',
    previous_digest bytea not null,
    digest bytea not null,
    primary key (clinic_id, sequence),
    constraint audit_events_actor_kind check (actor_kind in ('account', 'patient', 'service')),
    constraint audit_events_detail_size check (pg_column_size(detail) <= 4096)
);
create index audit_events_by_appointment on audit_events (clinic_id, appointment_id) where appointment_id is not null;
create index audit_events_by_patient on audit_events (clinic_id, patient_id) where patient_id is not null;
call wall_off('audit_events');
create policy doors on audit_events for select to current_user using (true);
grant select, insert on audit_events to bedside_app;

create table audit_heads (
    clinic_id uuid primary key references clinics,
    sequence bigint not null,
    digest bytea not null
);
alter table audit_heads enable row level security;
alter table audit_heads force row level security;
create policy doors on audit_heads to current_user using (true) with check (true);

-- What the digest of an event covers. A JSON array keeps the fields apart, so that none can flow into the next.
create function audit_digest(event audit_events) returns bytea
    language sql immutable set search_path = pg_catalog, public, pg_temp
as $$
    select sha256(
        event.previous_digest
        || convert_to(
            jsonb_build_array(
                event.clinic_id,
                event.sequence,
                (extract(epoch from event.at) * 1000000)::bigint,
                event.actor_kind,
                event.actor_id,
                event.actor_role,
                event.action,
                event.appointment_id,
                event.patient_id,
                event.encounter_id,
                event.detail
            )::text,
            'UTF8'
        )
    )
$$;

-- Runs as the owner: the head is out of the reach of the role that writes events.
create function chain_audit_event() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    head audit_heads;
begin
    if new.clinic_id is distinct from current_clinic() then
        raise exception 'an audit event belongs to the clinic on whose behalf the transaction acts';
    end if;
    insert into audit_heads (clinic_id, sequence, digest)
    values (new.clinic_id, 0, '\x')
    on conflict (clinic_id) do nothing;
    select * into head from audit_heads h where h.clinic_id = new.clinic_id for update;

    new.sequence := head.sequence + 1;
    new.at := clock_timestamp();
    new.previous_digest := head.digest;
    new.digest := audit_digest(new);

    update audit_heads h set sequence = new.sequence, digest = new.digest where h.clinic_id = new.clinic_id;
    return new;
end
$$;
create trigger audit_events_chain before insert on audit_events
    for each row execute function chain_audit_event();

create function refuse_change() returns trigger
    language plpgsql
as $$
begin
    raise exception 'the audit trail is only ever added to';
end
$$;
create trigger audit_events_append_only before update or delete or truncate on audit_events
    for each statement execute function refuse_change();

-- Door: recomputes the chain of the transaction's clinic, and compares its end with the head.
-- `broken_at` is the first number at which something is wrong, null when the chain is whole.
create function verify_audit_events() returns table (events bigint, newest_digest bytea, broken_at bigint)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    with chain as (
        select
            e.sequence,
            e.digest,
            e.digest = audit_digest(e)
                and e.previous_digest = coalesce(lag(e.digest) over (order by e.sequence), '\x')
                and e.sequence = coalesce(lag(e.sequence) over (order by e.sequence), 0) + 1 as is_whole
        from audit_events e
        where e.clinic_id = current_clinic()
    ),
    newest as (
        select sequence, digest from chain order by sequence desc limit 1
    ),
    head as (
        select h.sequence, h.digest from audit_heads h where h.clinic_id = current_clinic()
    )
    select
        (select count(*) from chain),
        (select digest from newest),
        coalesce(
            (select min(sequence) from chain where not is_whole),
            case
                when (select sequence from newest) is distinct from (select sequence from head)
                    or (select digest from newest) is distinct from (select digest from head)
                then least(coalesce((select sequence from newest), 0), coalesce((select sequence from head), 0)) + 1
            end
        )
$$;
revoke all on function verify_audit_events() from public;
grant execute on function verify_audit_events() to bedside_app;
