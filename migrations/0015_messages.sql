-- What patients are told and when: planned in the transaction that decided it, written out when it is sent.
--
-- A row says what is to be told, not how: text and address follow from what holds when a worker sends it, and a row that no longer
-- fits (the visit was moved, called off, has begun) is skipped. `outbox_once` is why nobody is told the same thing twice.

-- Minutes before a visit at which its patient is reminded.
alter table clinics
    add column reminder_minutes integer[] not null default '{1440,60,10}',
    add constraint clinics_reminders check (cardinality(reminder_minutes) <= 5 and 1 <= all (reminder_minutes) and 40320 >= all (reminder_minutes));

-- The owner is behind the wall, too, and fills in with it down, which is put up again below.
alter table outbox no force row level security;

alter table outbox
    alter column appointment_id drop not null,
    alter column recipient drop not null,
    add column kind text not null default 'link',
    -- Of a reminder: how long before the visit.
    add column ahead_minutes integer not null default 0,
    -- Of what is told about a visit its `sequence`, of a link how often it was sent before.
    add column version integer not null default 0,
    add column channel text not null default 'email',
    add column due_at timestamptz,
    add column state text not null default 'waiting',
    add column settled_at timestamptz,
    -- Why it was skipped or failed.
    add column problem text,
    -- Of what is told to an address (there is no appointment yet): where its link leads, which visit time it is about, when it is too late.
    -- Path and address are blanked once it is settled.
    add column path text,
    add column about_at timestamptz,
    add column expires_at timestamptz;

-- What was written under the old shape was links; those that wait are sent in the new one.
update outbox o
    set due_at = written_at,
        state = case when sent_at is not null then 'sent' when given_up_at is not null then 'failed' else 'waiting' end,
        settled_at = coalesce(sent_at, given_up_at),
        problem = case when sent_at is null and given_up_at is not null then 'given_up' end,
        recipient = null,
        version = (
            select count(*)
            from outbox e
            where e.appointment_id = o.appointment_id and (e.written_at, e.id) < (o.written_at, o.id)
        );

drop index outbox_due;
alter table outbox
    drop column subject,
    drop column body,
    drop column sent_at,
    drop column given_up_at,
    alter column due_at set not null,
    alter column kind drop default,
    alter column version drop default,
    alter column channel drop default,
    alter column id set default gen_random_uuid(),
    add constraint outbox_once unique (appointment_id, kind, ahead_minutes, version, channel),
    add constraint outbox_kind check (
        kind in ('confirmation', 'change', 'cancellation', 'reminder', 'link', 'waitlist_offer', 'self_booking')
    ),
    add constraint outbox_channel check (channel in ('email', 'sms')),
    add constraint outbox_state check (state in ('waiting', 'sent', 'skipped', 'failed')),
    add constraint outbox_settled check ((state = 'waiting') = (settled_at is null)),
    add constraint outbox_problem check ((state in ('skipped', 'failed')) = (problem is not null)),
    add constraint outbox_addressed check (
        appointment_id is not null
        or (state = 'waiting') = (recipient is not null and path is not null) and expires_at is not null
    ),
    add constraint outbox_path_length check (char_length(path) <= 500);
create index outbox_due on outbox (clinic_id, channel, next_attempt_at) where state = 'waiting';

-- Visits that were booked before get their reminders too.
insert into outbox (clinic_id, appointment_id, kind, ahead_minutes, version, channel, due_at, next_attempt_at, written_at)
select a.clinic_id, a.id, 'reminder', m.minutes, a.sequence, 'email', at.due_at, at.due_at, now()
from appointments a
join clinics c on c.id = a.clinic_id
cross join unnest(c.reminder_minutes) as m (minutes)
cross join lateral (select a.starts_at - make_interval(mins => m.minutes) as due_at) as at
where a.state = 'booked' and at.due_at > now();
alter table outbox force row level security;

-- The demo's mailbox shows text messages too, e-mail as HTML, and invitations.
alter table mailbox
    alter column appointment_id drop not null,
    add column channel text not null default 'email',
    add column html text,
    add column calendar text,
    add constraint mailbox_channel check (channel in ('email', 'sms'));
