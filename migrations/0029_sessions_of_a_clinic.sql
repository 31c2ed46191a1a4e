-- The door that finds a session brings its clinic along, which every page asks for next; and keeps its plan, as every page opens it.

drop function find_session(bytea);
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
        expires_at timestamptz,
        clinic_name text,
        time_zone text,
        phone text,
        arrive_early_minutes integer,
        arrive_late_minutes integer
    )
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
begin
    return query
    select s.clinic_id, a.id, a.role, a.name, a.email, a.practitioner_id, s.created_at, s.last_seen_at, s.expires_at,
           c.name, c.time_zone, c.phone, c.arrive_early_minutes, c.arrive_late_minutes
    from sessions s
    join accounts a on a.clinic_id = s.clinic_id and a.id = s.account_id
    join clinics c on c.id = s.clinic_id
    where s.token_hash = find_session.token_hash;
end
$$;
revoke all on function find_session(bytea) from public;
grant execute on function find_session(bytea) to bedside_app;
