//! `reservations`: what keeps two visits from the same time.

use crate::availability::merge;
use domain::{AppointmentId, ClinicId, HoldId, PatientId, PractitionerId, ResourceId};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The constraint that has the last word about two visits at the same time.
pub(crate) const NO_OVERLAP: &str = "reservations_no_overlap";

/// The last lane beside a practitioner's own time: more than stand in any queue, so that nobody who walks in is sent away, and still
/// an end.
pub(crate) const LAST_LANE: i16 = 99;

/// No reservation is longer (`reservations_length`): whatever overlaps a time begins at most so long before it.
pub(crate) const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// What a visit needs for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    Device(ResourceId),
    Interpreter(ResourceId),
    Patient(PatientId),
    Practitioner(PractitionerId),
    Room(ResourceId),
}

/// A resource from one instant until another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) resource: Resource,
    /// 0 but for a practitioner who is booked twice on purpose.
    pub(crate) lane: i16,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// Whose a reservation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Appointment(AppointmentId),
    Hold(HoldId),
}

/// What stands in the way of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The kind and the id of the resource.
    pub(crate) resource: Resource,
    pub(crate) lane: i16,
    /// The hold whose it is, when its time is over by the database's clock: it stands in nobody's way.
    pub(crate) expired_hold: Option<HoldId>,
}

impl Resource {
    fn kind(self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::Interpreter(_) => "interpreter",
            Self::Patient(_) => "patient",
            Self::Practitioner(_) => "practitioner",
            Self::Room(_) => "room",
        }
    }

    pub(crate) fn id(self) -> Uuid {
        match self {
            Self::Patient(id) => id.0,
            Self::Practitioner(id) => id.0,
            Self::Device(id) | Self::Interpreter(id) | Self::Room(id) => id.0,
        }
    }

    fn of(kind: &str, id: Uuid) -> Self {
        match kind {
            "device" => Self::Device(ResourceId(id)),
            "interpreter" => Self::Interpreter(ResourceId(id)),
            "patient" => Self::Patient(PatientId(id)),
            "room" => Self::Room(ResourceId(id)),
            _ => Self::Practitioner(PractitionerId(id)),
        }
    }
}

/// Waits until nobody else is reserving any of these, and keeps others waiting until the transaction ends.
///
/// The constraint alone would be safe, but overlapping bookings would deadlock under load. So would these locks, if not
/// everybody took them in one order, whatever order they are given in. Interpreters come last: a visit that needs one locks all
/// who could come, and should then wait for nobody else.
pub(crate) async fn lock(connection: &mut PgConnection, resources: &[Resource]) -> Result<(), sqlx::Error> {
    let ids: Vec<String> = resources.iter().map(|resource| resource.id().to_string()).collect();
    let last: Vec<bool> = resources.iter().map(|resource| matches!(resource, Resource::Interpreter(_))).collect();
    sqlx::query!(
        "select pg_advisory_xact_lock(key)
         from (
             select distinct is_last, hashtextextended(id, 2) as key
             from unnest($1::text[], $2::bool[]) w (id, is_last)
             order by is_last, key
         ) keys",
        &ids,
        &last,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What is reserved of `wanted` at that time, in any lane. Holds that have expired are among it, and marked.
pub(crate) async fn taken(
    connection: &mut PgConnection,
    clinic: ClinicId,
    wanted: &[Reservation],
) -> Result<Vec<Taken>, sqlx::Error> {
    let columns = Columns::of(wanted);
    let earliest: Vec<_> = wanted.iter().map(|one| (one.from - LONGEST).to_sqlx()).collect();
    let rows = sqlx::query!(
        r#"select
               r.resource_kind,
               r.resource_id,
               r.lane,
               h.id as "expired_hold?: HoldId"
           from unnest($2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
               w (kind, id, starts_at, ends_at, earliest)
           join reservations r
               on r.clinic_id = $1
               and r.resource_kind = w.kind
               and r.resource_id = w.id
               and r.starts_at < w.ends_at
               and r.starts_at > w.earliest
               and r.ends_at > w.starts_at
               and r.active
           left join holds h on h.clinic_id = r.clinic_id and h.id = r.hold_id and h.expires_at <= now()"#,
        clinic.0,
        &columns.kinds as _,
        &columns.ids,
        &columns.starts as _,
        &columns.ends as _,
        &earliest as _,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Taken {
            resource: Resource::of(&row.resource_kind, row.resource_id),
            lane: row.lane,
            expired_hold: row.expired_hold,
        })
        .collect())
}

/// Reserves; [`NO_OVERLAP`] refuses when something is reserved already.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    owner: Owner,
    reservations: &[Reservation],
) -> Result<(), sqlx::Error> {
    let columns = Columns::of(reservations);
    let (appointment, hold) = match owner {
        Owner::Appointment(id) => (Some(id.0), None),
        Owner::Hold(id) => (None, Some(id.0)),
    };
    sqlx::query!(
        "insert into reservations (clinic_id, appointment_id, hold_id, resource_kind, resource_id, lane, during)
         select $1, $2, $3, w.kind, w.id, w.lane, tstzrange(w.starts_at, w.ends_at, '[)')
         from unnest($4::text[], $5::uuid[], $6::smallint[], $7::timestamptz[], $8::timestamptz[])
             w (kind, id, lane, starts_at, ends_at)",
        clinic.0,
        appointment,
        hold,
        &columns.kinds as _,
        &columns.ids,
        &columns.lanes,
        &columns.starts as _,
        &columns.ends as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives an appointment whose reservations were [`release`]d other ones, of the same kinds, which bind again.
pub(crate) async fn replace(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
    reservations: &[Reservation],
) -> Result<(), sqlx::Error> {
    let columns = Columns::of(reservations);
    let result = sqlx::query!(
        "update reservations
         set resource_id = w.id, lane = w.lane, during = tstzrange(w.starts_at, w.ends_at, '[)'), active = true
         from unnest($3::text[], $4::uuid[], $5::smallint[], $6::timestamptz[], $7::timestamptz[])
             w (kind, id, lane, starts_at, ends_at)
         where clinic_id = $1 and appointment_id = $2 and resource_kind = w.kind",
        clinic.0,
        appointment.0,
        &columns.kinds as _,
        &columns.ids,
        &columns.lanes,
        &columns.starts as _,
        &columns.ends as _,
    )
    .execute(connection)
    .await?;
    let expected = u64::try_from(reservations.len()).unwrap_or(u64::MAX);
    if result.rows_affected() == expected { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Frees everything that these appointments reserved.
pub(crate) async fn release(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointments: &[AppointmentId],
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = appointments.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update reservations
         set active = false
         where clinic_id = $1 and appointment_id = any($2)",
        clinic.0,
        &ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What an appointment had reserved binds again; [`NO_OVERLAP`] refuses when somebody else has it by now.
pub(crate) async fn take_back(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update reservations
         set active = true
         where clinic_id = $1 and appointment_id = $2",
        clinic.0,
        appointment.0,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What appointments reserve besides their practitioners and patients; one that reserves nothing more is left out.
pub(crate) async fn needs_of(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointments: &[AppointmentId],
) -> Result<BTreeMap<AppointmentId, Vec<Resource>>, sqlx::Error> {
    let ids: Vec<Uuid> = appointments.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select
               appointment_id as "appointment!: AppointmentId",
               resource_kind,
               resource_id
           from reservations
           where clinic_id = $1 and appointment_id = any ($2) and resource_kind in ('interpreter', 'room', 'device')"#,
        clinic.0,
        &ids,
    )
    .fetch_all(connection)
    .await?;
    let mut needs: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        needs.entry(row.appointment).or_default().push(Resource::of(&row.resource_kind, row.resource_id));
    }
    Ok(needs)
}

/// When practitioners are reserved between two instants, each in order and without overlaps: booked, overbooked or held. A hold
/// that has expired binds nobody, by the database's clock.
pub(crate) async fn of_practitioners(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: &[PractitionerId],
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<PractitionerId, Vec<(Timestamp, Timestamp)>>, sqlx::Error> {
    let practitioners: Vec<_> = practitioners.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select
               r.resource_id as "practitioner: PractitionerId",
               array_agg(r.starts_at) as "starts!: Vec<jiff_sqlx::Timestamp>",
               array_agg(r.ends_at) as "ends!: Vec<jiff_sqlx::Timestamp>"
           from reservations r
           where r.clinic_id = $1
             and r.resource_kind = 'practitioner'
             and r.resource_id = any ($2)
             and r.starts_at < $4
             and r.starts_at > $5
             and r.ends_at > $3
             and r.active
             and (r.hold_id is null or exists (select from holds h where h.id = r.hold_id and h.expires_at > now()))
           group by r.resource_id"#,
        clinic.0,
        &practitioners,
        from.to_sqlx() as _,
        to.to_sqlx() as _,
        (from - LONGEST).to_sqlx() as _,
    )
    .fetch_all(connection)
    .await?;
    let taken = rows.into_iter().map(|row| {
        let spans = row.starts.into_iter().zip(row.ends).map(|(from, to)| (from.to_jiff(), to.to_jiff()));
        (row.practitioner, merge(spans.collect()))
    });
    Ok(taken.collect())
}

/// Reservations turned on their side, as `unnest` takes them.
struct Columns {
    kinds: Vec<&'static str>,
    ids: Vec<Uuid>,
    lanes: Vec<i16>,
    starts: Vec<jiff_sqlx::Timestamp>,
    ends: Vec<jiff_sqlx::Timestamp>,
}

impl Columns {
    fn of(reservations: &[Reservation]) -> Self {
        Self {
            kinds: reservations.iter().map(|one| one.resource.kind()).collect(),
            ids: reservations.iter().map(|one| one.resource.id()).collect(),
            lanes: reservations.iter().map(|one| one.lane).collect(),
            starts: reservations.iter().map(|one| one.from.to_sqlx()).collect(),
            ends: reservations.iter().map(|one| one.to.to_sqlx()).collect(),
        }
    }
}

/// A reservation that binds, with whatever it keeps from others: kind, id and lane.
pub(crate) struct Kept {
    pub(crate) resource: (String, Uuid, i16),
    /// None for a hold.
    pub(crate) appointment: Option<AppointmentId>,
    pub(crate) from: jiff_sqlx::Timestamp,
    pub(crate) to: jiff_sqlx::Timestamp,
}

/// Every reservation that binds and is not over at `now`.
pub(crate) async fn kept(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
) -> Result<Vec<Kept>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               resource_kind,
               resource_id,
               lane,
               appointment_id as "appointment: AppointmentId",
               lower(during) as "from!: jiff_sqlx::Timestamp",
               upper(during) as "to!: jiff_sqlx::Timestamp"
           from reservations
           where clinic_id = $1 and active and upper(during) > $2"#,
        clinic.0,
        now.to_sqlx() as _,
    )
    .fetch_all(connection)
    .await?;
    let kept = rows.into_iter().map(|row| Kept {
        resource: (row.resource_kind, row.resource_id, row.lane),
        appointment: row.appointment,
        from: row.from,
        to: row.to,
    });
    Ok(kept.collect())
}

/// Moves everything that binds of some appointments, each by its own length of time.
///
/// Row by row they would run into each other, though none overlaps where it ends up: so all stop binding first. The constraint
/// has the last word about what was booked meanwhile.
pub(crate) async fn shift(
    connection: &mut PgConnection,
    clinic: ClinicId,
    shifts: &BTreeMap<AppointmentId, SignedDuration>,
) -> Result<(), sqlx::Error> {
    let ids: Vec<_> = shifts.keys().map(|id| id.0).collect();
    let seconds: Vec<_> = shifts.values().map(SignedDuration::as_secs_f64).collect();
    // A reservation has no name of its own. The place of its row is one until the transaction ends, since the row is locked.
    let places = sqlx::query_scalar!(
        r#"update reservations
           set active = false
           where clinic_id = $1 and appointment_id = any ($2) and active
           returning ctid::text as "place!""#,
        clinic.0,
        &ids,
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query!(
        "update reservations r
         set active = true,
             during = tstzrange(
                 lower(during) + make_interval(secs => s.seconds),
                 upper(during) + make_interval(secs => s.seconds),
                 '[)'
             )
         from unnest($2::uuid[], $3::float8[]) s (id, seconds)
         where r.clinic_id = $1 and r.appointment_id = s.id and r.ctid = any ($4::text[]::tid[])",
        clinic.0,
        &ids,
        &seconds,
        &places,
    )
    .execute(connection)
    .await?;
    Ok(())
}
