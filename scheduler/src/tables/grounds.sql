-- What a booking is decided on; `grounds.rs` names the parameters.
with i as (
    select id, name
    from resources
    where clinic_id = $1
      and kind = 'interpreter'
      and cardinality($7::text[]) = 2
      and languages @> $7
      and retired_at is null
)
select
    c.time_zone,
    c.reminder_minutes,
    p.id is not null as "has_patient!",
    p.email is not null as "has_email!",
    p.phone is not null as "has_phone!",
    exists (select from practitioners d where d.clinic_id = c.id and d.id = $3) as "has_practitioner!",
    exists (
        select
        from practitioner_visit_types o
        where o.clinic_id = c.id and o.practitioner_id = $3 and o.visit_type_id = t.id
    ) as "is_offered!",
    t.name as "name?",
    t.minutes as "minutes?",
    t.buffer_before_minutes as "buffer_before_minutes?",
    t.buffer_after_minutes as "buffer_after_minutes?",
    t.min_notice_minutes as "min_notice_minutes?",
    t.horizon_days as "horizon_days?",
    t.cancel_notice_minutes as "cancel_notice_minutes?",
    t.is_public as "is_public?",
    (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'weekday', s.weekday, 'from_minute', s.from_minute, 'to_minute', s.to_minute,
                    'slot_minutes', s.slot_minutes, 'time_zone', s.time_zone, 'valid_from', s.valid_from,
                    'valid_to', s.valid_to, 'every_weeks', s.every_weeks
                )
            ),
            '[]'
        )
        from schedules s
        where s.clinic_id = c.id and s.practitioner_id = $3
    ) as "rules!: Json<Vec<schedules::Kept>>",
    (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'is_clinics', e.practitioner_id is null, 'slot_minutes', e.slot_minutes,
                    'time_zone', e.time_zone, 'wall_from', e.wall_from, 'wall_to', e.wall_to
                )
            ),
            '[]'
        )
        from schedule_exceptions e
        where e.clinic_id = c.id
          and (e.practitioner_id is null or e.practitioner_id = $3)
          and e.starts_at < $9::timestamptz + interval '2 days'
          and e.ends_at > $8::timestamptz - interval '1 day'
    ) as "exceptions!: Json<Vec<schedule_exceptions::Kept>>",
    exists (
        select from resources x where x.clinic_id = c.id and x.id = $5 and x.kind = 'room' and x.retired_at is null
    ) as "has_room!",
    exists (
        select from resources x where x.clinic_id = c.id and x.id = $6 and x.kind = 'device' and x.retired_at is null
    ) as "has_device!",
    array(select i.id from i order by lower(i.name), i.id) as "interpreters!: Vec<ResourceId>",
    array(
        select r.resource_id
        -- Under row-level security only bounds that are columns are of use to the index.
        from (
            values
                ('patient', $2::uuid, at.begins, at.ends, at.begins - at.longest),
                ('practitioner', $3, at.before, at.after, at.before - at.longest),
                ('room', $5, at.begins, at.ends, at.begins - at.longest),
                ('device', $6, at.begins, at.ends, at.begins - at.longest)
            union all
            select 'interpreter', i.id, at.begins, at.ends, at.begins - at.longest from i
        ) w (kind, id, starts_at, ends_at, earliest)
        join reservations r
            on r.clinic_id = $1
            and r.resource_kind = w.kind
            and r.resource_id = w.id
            and r.starts_at < w.ends_at
            and r.starts_at > w.earliest
            and r.ends_at > w.starts_at
            and r.lane = 0
            and r.active
        where not exists (
            select from holds h where h.clinic_id = $1 and h.id = r.hold_id and h.expires_at <= now()
        )
    ) as "taken!: Vec<Uuid>"
from clinics c
left join patients p on p.clinic_id = c.id and p.id = $2
left join visit_types t on t.clinic_id = c.id and t.id = $4 and t.retired_at is null
cross join lateral (
    select
        $8::timestamptz as begins,
        $8::timestamptz + make_interval(mins => t.minutes) as ends,
        $8::timestamptz - make_interval(mins => t.buffer_before_minutes) as before,
        $8::timestamptz + make_interval(mins => t.minutes + t.buffer_after_minutes) as after,
        make_interval(secs => $10) as longest
) at
where c.id = $1
