-- For programs of the clinic: tokens, what happened in order, and webhooks.

create table api_tokens (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    role text not null,
    -- As whom a practitioner's program acts.
    practitioner_id uuid,
    name text not null,
    -- SHA-256; the token itself is shown once and kept nowhere.
    token_hash bytea not null,
    created_at timestamptz not null,
    -- The account that made it; null for those of the demo.
    created_by uuid,
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_tokens_in_clinic unique (clinic_id, id),
    constraint api_tokens_token_key unique (token_hash),
    constraint api_tokens_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id),
    constraint api_tokens_hash_length check (octet_length(token_hash) = 32),
    constraint api_tokens_role check (role in ('receptionist', 'practitioner', 'administrator')),
    constraint api_tokens_practitioner check ((role = 'practitioner') = (practitioner_id is not null)),
    constraint api_tokens_name_length check (char_length(name) between 1 and 100)
);
call wall_off('api_tokens');
create policy doors on api_tokens for select to current_user using (true);
grant select, insert, update on api_tokens to bedside_app;

-- Door: whoever calls is not known yet.
create function find_api_token(token_hash bytea)
    returns table (token_id uuid, clinic_id uuid, role text, practitioner_id uuid, last_used_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.clinic_id, t.role, t.practitioner_id, t.last_used_at
    from api_tokens t
    where t.token_hash = find_api_token.token_hash and t.revoked_at is null
$$;
revoke all on function find_api_token(bytea) from public;
grant execute on function find_api_token(bytea) to bedside_app;

-- What programs are told: ids and states, no names. Written after the audit event, under whose lock the numbers of a clinic are
-- in the order of its commits: who has read up to a number has missed nothing before it.
create table events (
    clinic_id uuid not null references clinics,
    number bigint generated always as identity,
    type text not null,
    appointment_id uuid,
    data jsonb not null,
    occurred_at timestamptz not null default clock_timestamp(),
    constraint events_pkey primary key (clinic_id, number),
    constraint events_data_size check (pg_column_size(data) <= 4096)
);
call wall_off('events');
grant select, insert, delete on events to bedside_app;

create table webhooks (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    url text not null,
    -- Signs what is sent (Standard Webhooks), so it must be readable.
    secret text not null,
    -- An administrator allowed an address within the house.
    may_be_private boolean not null default false,
    created_at timestamptz not null,
    disabled_at timestamptz,
    constraint webhooks_in_clinic unique (clinic_id, id),
    constraint webhooks_url_length check (char_length(url) between 1 and 2000)
);
call wall_off('webhooks');
grant select, insert, update on webhooks to bedside_app;

create table webhook_deliveries (
    clinic_id uuid not null references clinics,
    webhook_id uuid not null,
    event_number bigint not null,
    attempts integer not null default 0,
    -- Not before. While somebody sends it, when another may.
    next_attempt_at timestamptz not null default '-infinity',
    -- What the last attempt came to: `status 503`, `timed out`.
    last_outcome text,
    delivered_at timestamptz,
    given_up_at timestamptz,
    constraint webhook_deliveries_pkey primary key (webhook_id, event_number),
    constraint webhook_deliveries_webhook_fkey foreign key (clinic_id, webhook_id) references webhooks (clinic_id, id),
    constraint webhook_deliveries_event_fkey foreign key (clinic_id, event_number) references events (clinic_id, number) on delete cascade,
    constraint webhook_deliveries_outcome_length check (char_length(last_outcome) <= 100)
);
-- The next of a webhook: they are sent one after the other.
create index webhook_deliveries_open on webhook_deliveries (webhook_id, event_number) where delivered_at is null and given_up_at is null;
create index webhook_deliveries_by_event on webhook_deliveries (clinic_id, event_number);
call wall_off('webhook_deliveries');
grant select, insert, update, delete on webhook_deliveries to bedside_app;

alter table audit_events
    drop constraint audit_events_actor_kind,
    add constraint audit_events_actor_kind check (actor_kind in ('account', 'patient', 'service', 'api_token'));

-- The order in which lists are read page by page.
create index patients_by_added on patients (clinic_id, added_at, id);
create index appointments_by_start on appointments (clinic_id, starts_at, id);
