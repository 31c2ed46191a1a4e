-- Who is signed in, and how often somebody tried.
--
-- A session is an opaque token in a cookie; only its SHA-256 is here, so that who reads this table signs in as nobody.

create table sessions (
    token_hash bytea primary key,
    clinic_id uuid not null references clinics,
    account_id uuid not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    constraint sessions_token_hash_length check (octet_length(token_hash) = 32),
    constraint sessions_account_fkey foreign key (clinic_id, account_id) references accounts (clinic_id, id) on delete cascade
);
create index sessions_by_account on sessions (clinic_id, account_id);
create index sessions_by_expiry on sessions (expires_at);
call wall_off('sessions');
create policy doors on sessions for select to current_user using (true);
grant select, insert, update, delete on sessions to bedside_app;

-- Door: the cookie comes before the clinic is known. Whether the session is still good is decided by the caller's clock.
create function find_session(token_hash bytea)
    returns table (
        clinic_id uuid,
        account_id uuid,
        role text,
        name text,
        email text,
        practitioner_id uuid,
        created_at timestamptz,
        last_seen_at timestamptz,
        expires_at timestamptz
    )
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select s.clinic_id, a.id, a.role, a.name, a.email, a.practitioner_id, s.created_at, s.last_seen_at, s.expires_at
    from sessions s
    join accounts a on a.clinic_id = s.clinic_id and a.id = s.account_id
    where s.token_hash = find_session.token_hash
$$;
revoke all on function find_session(bytea) from public;
grant execute on function find_session(bytea) to bedside_app;

-- Attempts to sign in, by the SHA-256 of whatever is limited: an e-mail address, an address prefix. No clinic is known,
-- so nobody but the doors touches this table. Rows older than a day are purged by the scheduler.
create table sign_in_attempts (
    id bigint generated always as identity primary key,
    subject bytea not null,
    at timestamptz not null,
    constraint sign_in_attempts_subject_length check (octet_length(subject) = 32)
);
create index sign_in_attempts_by_subject on sign_in_attempts (subject, at);
create index sign_in_attempts_by_age on sign_in_attempts (at);

-- Door: counts this attempt and says how many there were since `since`, this one included. The lock makes a storm
-- of simultaneous attempts count one after the other.
create function note_sign_in_attempt(subject bytea, at timestamptz, since timestamptz) returns bigint
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    attempts bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended(encode(note_sign_in_attempt.subject, 'hex'), 1));
    insert into sign_in_attempts (subject, at) values (note_sign_in_attempt.subject, note_sign_in_attempt.at);
    select count(*) into attempts
    from sign_in_attempts a
    where a.subject = note_sign_in_attempt.subject and a.at > note_sign_in_attempt.since;
    return attempts;
end
$$;
revoke all on function note_sign_in_attempt(bytea, timestamptz, timestamptz) from public;
grant execute on function note_sign_in_attempt(bytea, timestamptz, timestamptz) to bedside_app;

-- Door: somebody signed in, their slips are forgotten.
create function forget_sign_in_attempts(subject bytea) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
as $$
    delete from sign_in_attempts a where a.subject = forget_sign_in_attempts.subject
$$;
revoke all on function forget_sign_in_attempts(bytea) from public;
grant execute on function forget_sign_in_attempts(bytea) to bedside_app;

-- Door: the scheduler keeps the table small.
create function purge_sign_in_attempts(before timestamptz) returns bigint
    language sql security definer set search_path = pg_catalog, public, pg_temp
as $$
    with gone as (delete from sign_in_attempts where at < before returning 1)
    select count(*) from gone
$$;
revoke all on function purge_sign_in_attempts(timestamptz) from public;
grant execute on function purge_sign_in_attempts(timestamptz) to bedside_app;
