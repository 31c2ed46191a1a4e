-- Who speaks to the database.
--
-- The schema belongs to whoever migrates. Services log in as somebody who is a member of `bedside_app` and become that
-- role on every connection. It owns nothing and cannot bypass row-level security, so that a query which
-- forgets the clinic finds no row instead of everybody's.
--
-- Roles belong to the whole cluster, hence made only when missing: two databases (a test each) may migrate at once.

do $$
begin
    create role bedside_app nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit;
exception
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    if exists (select from pg_roles where rolname = 'bedside_app' and (rolsuper or rolbypassrls)) then
        raise exception 'the role bedside_app must neither be superuser nor bypass row-level security';
    end if;
    -- A superuser is a member of everything; anybody else needs the grant to become the role.
    if not pg_has_role(current_user, 'bedside_app', 'member') then
        grant bedside_app to current_user;
    end if;
end
$$;

grant usage on schema public to bedside_app;

-- The clinic on whose behalf the transaction acts; null outside of one, and null equals nothing.
create function current_clinic() returns uuid
    language sql stable
    return nullif(current_setting('bedside.clinic_id', true), '')::uuid;

-- Every table of a clinic's rows calls this: security by row, for everybody (`force`: for the owner too).

create procedure wall_off(tables regclass)
    language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', tables);
    execute format('alter table %s force row level security', tables);
    execute format(
        'create policy own_clinic on %s to bedside_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())',
        tables
    );
end
$$;
