-- Practitioners and patients of a clinic, and the accounts of those who sign in.
--
-- An account is apart from the practitioner it signs in as: a receptionist has an account only, and a practitioner
-- keeps their appointments when the account is replaced.

create table practitioners (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    title text not null,
    given_name text not null,
    family_name text not null,
    speciality text not null,
    constraint practitioners_in_clinic unique (clinic_id, id),
    constraint practitioners_name_length check (char_length(title) <= 20 and char_length(given_name) <= 100 and char_length(family_name) between 1 and 100)
);
call wall_off('practitioners');
grant select, insert, update on practitioners to bedside_app;

create table patients (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    name text not null,
    birth_date date not null,
    phone text,
    email text,
    -- What is compared when somebody types: each word of the name, folded to plain lower-case letters, after a space.
    name_key text not null,
    -- The digits of the phone number.
    phone_key text not null default '',
    added_at timestamptz not null,
    constraint patients_in_clinic unique (clinic_id, id),
    constraint patients_name_length check (char_length(name) between 1 and 200),
    constraint patients_phone_length check (char_length(phone) <= 40),
    constraint patients_email_length check (char_length(email) <= 254)
);
create index patients_by_birth_date on patients (clinic_id, birth_date);
call wall_off('patients');
grant select, insert, update on patients to bedside_app;

create table accounts (
    clinic_id uuid not null references clinics,
    id uuid primary key,
    role text not null,
    name text not null,
    email text not null,
    -- Argon2id, PHC string format.
    password_hash text not null,
    practitioner_id uuid,
    added_at timestamptz not null default now(),
    constraint accounts_in_clinic unique (clinic_id, id),
    constraint accounts_role check (role in ('receptionist', 'practitioner', 'administrator')),
    constraint accounts_practitioner_role check ((role = 'practitioner') = (practitioner_id is not null)),
    constraint accounts_practitioner_fkey foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id)
);
-- One e-mail address, one account, in all clinics: whoever signs in says nothing else.
create unique index accounts_email_key on accounts (lower(email));
call wall_off('accounts');
create policy doors on accounts for select to current_user using (true);
grant select, insert, update on accounts to bedside_app;

-- Door: whoever signs in is not known yet.
create function find_account(email text)
    returns table (account_id uuid, clinic_id uuid, role text, name text, password_hash text, practitioner_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select a.id, a.clinic_id, a.role, a.name, a.password_hash, a.practitioner_id
    from accounts a
    where lower(a.email) = lower(find_account.email)
$$;
revoke all on function find_account(text) from public;
grant execute on function find_account(text) to bedside_app;
