-- Visits whose newest word reached nobody, and those whose patient has no address at all.
with stuck as (
    select o.id, o.appointment_id, o.kind, o.version, o.due_at
    from outbox o
    where o.clinic_id = $1 and o.state = 'failed'
    union all
    select o.id, o.appointment_id, o.kind, o.version, o.due_at
    from outbox o
    where o.clinic_id = $1 and o.state = 'waiting' and o.attempts > 0 and o.due_at <= $4
    union all
    select o.id, o.appointment_id, o.kind, o.version, o.due_at
    from outbox o
    where o.clinic_id = $1
      and o.state = 'waiting'
      and o.attempts = 0
      and o.channel in ('email', 'sms')
      and o.next_attempt_at <= $4
),
about as (
    select appointment_id, kind, version, due_at from stuck where appointment_id is not null
    union all
    select v.appointment_id, s.kind, v.version, s.due_at
    from stuck s
    join outbox_visits v on v.clinic_id = $1 and v.outbox_id = s.id and not v.left_out
),
lost as (
    select distinct on (a.id) a.id, a.starts_at, o.kind
    from about o
    join appointments a on a.clinic_id = $1 and a.id = o.appointment_id
    where a.state in ('booked', 'cancelled')
      and a.starts_at > $2
      and a.starts_at < $3
      and (o.kind = 'link' or o.version = a.sequence)
      and (o.kind = 'cancellation') = (a.state = 'cancelled')
      and not exists (
          select from outbox s
          where s.clinic_id = $1
            and s.appointment_id = o.appointment_id
            and s.state = 'sent'
            and s.due_at >= o.due_at
      )
      and not exists (
          select
          from outbox_visits v
          join outbox s on s.clinic_id = v.clinic_id and s.id = v.outbox_id
          where v.clinic_id = $1
            and v.appointment_id = o.appointment_id
            and not v.left_out
            and s.state = 'sent'
            and s.due_at >= o.due_at
      )
    order by a.id, o.due_at desc
)
select
    id as "appointment!: AppointmentId",
    kind as "kind?: MessageKind"
from (
    select id, starts_at, kind from lost
    union all
    select a.id, a.starts_at, null
    from patients p
    join appointments a on a.clinic_id = p.clinic_id and a.patient_id = p.id
    where p.clinic_id = $1
      and p.email is null
      and p.phone is null
      and a.state = 'booked'
      and a.starts_at > $2
      and a.starts_at < $3
      and not exists (select from lost where lost.id = a.id)
) unreached
order by starts_at, id
limit $5
