-- Appointments with what is theirs alone; `views.rs` names the parameters. What is null or empty is no condition.
select
    a.id as "id: AppointmentId",
    a.state as "state: AppointmentState",
    a.starts_at as "starts_at: jiff_sqlx::Timestamp",
    a.ends_at as "ends_at: jiff_sqlx::Timestamp",
    a.link_version,
    a.cancel_reason,
    p.id as "patient_id: PatientId",
    p.name as patient_name,
    p.birth_date as "birth_date: jiff_sqlx::Date",
    p.phone,
    p.email,
    a.practitioner_id as "practitioner_id: PractitionerId",
    s.arrived_at as "arrived_at?: jiff_sqlx::Timestamp",
    s.last_seen_at as "last_seen_at?: jiff_sqlx::Timestamp",
    (s.left_at is not null) as "left!",
    s.readiness as "readiness?: Readiness",
    (
        select count(*)
        from appointments o
        join seats os on os.clinic_id = o.clinic_id and os.appointment_id = o.id
        where o.clinic_id = a.clinic_id
          and o.practitioner_id = a.practitioner_id
          and o.state = 'arrived'
          and a.state = 'arrived'
          and os.left_at is null
          and (o.starts_at, os.arrived_at, o.id) < (a.starts_at, s.arrived_at, a.id)
    ) as "ahead!",
    e.id as "encounter_id?: EncounterId",
    e.state as "encounter_state?: EncounterState",
    e.started_at as "started_at?: jiff_sqlx::Timestamp",
    e.finished_at as "finished_at?: jiff_sqlx::Timestamp",
    e.room_id as "room_id?: RoomId",
    a.visit_type_id as "visit_type_id: VisitTypeId",
    a.lane,
    a.overbook_reason,
    a.overbooked_by,
    a.series_id as "series_id: SeriesId",
    a.sequence,
    a.version,
    a.confirmed_at as "confirmed_at: jiff_sqlx::Timestamp",
    a.source as "source: Source",
    a.absent as "absent: Absent",
    a.outcome_reason,
    a.reschedule_reason
from appointments a
join patients p on p.clinic_id = a.clinic_id and p.id = a.patient_id
left join seats s on s.clinic_id = a.clinic_id and s.appointment_id = a.id
left join encounters e on e.clinic_id = a.clinic_id and e.appointment_id = a.id
where a.clinic_id = $1
  and (cardinality($2::uuid[]) = 0 or a.id = any($2))
  and ($3::timestamptz is null or a.starts_at >= $3)
  and ($4::timestamptz is null or a.starts_at < $4)
  and (cardinality($5::uuid[]) = 0 or a.practitioner_id = any($5))
  and ($7::uuid is null or a.patient_id = $7)
order by a.starts_at, a.id
limit $6
