-- Appointments without names; `facts.rs` names the parameters. What is null is no condition.
select
    a.id as "id: AppointmentId",
    a.state as "state: AppointmentState",
    a.starts_at as "starts_at: jiff_sqlx::Timestamp",
    a.ends_at as "ends_at: jiff_sqlx::Timestamp",
    a.patient_id as "patient: PatientId",
    a.practitioner_id as "practitioner: PractitionerId",
    a.visit_type_id as "visit_type: VisitTypeId",
    a.series_id as "series: SeriesId",
    array(
        select r.resource_id
        from reservations r
        where r.clinic_id = a.clinic_id
          and r.appointment_id = a.id
          and r.active
          and r.resource_kind in ('interpreter', 'room', 'device')
        order by r.resource_kind, r.resource_id
    ) as "resources!: Vec<ResourceId>",
    a.source,
    a.overbook_reason,
    a.reschedule_reason,
    a.cancel_reason,
    a.cancelled_by,
    a.absent,
    a.confirmed_at as "confirmed_at: jiff_sqlx::Timestamp",
    s.arrived_at as "arrived_at?: jiff_sqlx::Timestamp",
    a.version
from appointments a
left join seats s on s.clinic_id = a.clinic_id and s.appointment_id = a.id
where a.clinic_id = $1
  and ($2::uuid is null or a.id = $2)
  and ($3::timestamptz is null or a.starts_at >= $3)
  and ($4::timestamptz is null or a.starts_at < $4)
  and ($5::uuid is null or a.practitioner_id = $5)
  and ($6::uuid is null or a.patient_id = $6)
  and ($7::text is null or a.state = $7)
  and ($8::timestamptz is null or (a.starts_at, a.id) > ($8, $9))
order by a.starts_at, a.id
limit $10
