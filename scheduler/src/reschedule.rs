//! An appointment, or a part of its series, is moved to another time.

mod grounds;

use crate::{
    availability::{self, Starts, wall::instant},
    book::BookError,
    cancel::reason,
    events::{self, EventKind},
    messages::{self, News},
    reserve,
    series::SeriesConflict,
    tables::{
        self,
        appointments::{Locked, Moved},
        reservations::{Reservation, Resource},
    },
    waitlist::{Freed, freed},
};
use domain::{Actor, AppointmentId, AppointmentState, Clock, InvalidTransition, PractitionerId, Scope, Who};
use grounds::Grounds;
use jiff::{Span, Timestamp, civil::DateTime, tz::TimeZone};
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, commit_together},
};
use sqlx::PgConnection;

/// What to move, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reschedule {
    /// Which.
    pub appointment: AppointmentId,
    /// Its new start. The others of a series move as far by the clock on the wall: as many days, to the same time of day.
    pub starts_at: Timestamp,
    /// Whether a visit may begin at another minute than the schedule's, too.
    pub starts: Starts,
    /// With whom from now on, if that changes too.
    pub practitioner: Option<PractitionerId>,
    /// Why.
    pub reason: String,
    /// How much of its series.
    pub scope: Scope,
    /// Only while it is as whoever decides has seen it.
    pub if_version: Option<i64>,
    /// Why it may be beside another visit of the practitioner, if their time is taken.
    pub overbook: Option<String>,
}

impl Reschedule {
    /// This appointment alone, with the same practitioner, however it stands.
    pub fn new(appointment: AppointmentId, starts_at: Timestamp, reason: impl Into<String>) -> Self {
        Self {
            appointment,
            starts_at,
            starts: Starts::OfSchedule,
            practitioner: None,
            reason: reason.into(),
            scope: Scope::This,
            if_version: None,
            overbook: None,
        }
    }
}

/// Why an appointment could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum RescheduleError {
    /// Not an appointment of this clinic.
    #[error("there is no such appointment")]
    NotFound,
    /// It is over, or the patient is being seen.
    #[error(transparent)]
    NotPossible(#[from] InvalidTransition),
    /// The patient is here and waits: it may go to another time of the same day only.
    #[error("the patient waits, so the appointment stays on its day")]
    Waits,
    /// The reason is blank or longer than [`MAX_REASON_CHARS`](crate::cancel::MAX_REASON_CHARS).
    #[error("a reason is needed, of at most 500 characters")]
    ReasonMissing,
    /// Somebody changed it in the meantime.
    #[error("the appointment has been changed in the meantime")]
    Changed,
    /// The new time cannot be had, for a reason for which it could not be booked either.
    #[error(transparent)]
    Refused(BookError),
    /// Of a series, these could not be moved. None was.
    #[error("some visits of the series cannot be moved there")]
    Conflicts(Vec<SeriesConflict>),
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Moves an appointment, or as much of its series as `scope` says: all of it or nothing. Says which were moved.
///
/// One that is there already stays as it is, so that sending the request twice moves it once.
pub async fn reschedule(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    request: Reschedule,
) -> Result<Vec<AppointmentId>, RescheduleError> {
    let why = reason(&request.reason).ok_or(RescheduleError::ReasonMissing)?;
    if request.overbook.as_deref().is_some_and(|text| reason(text).is_none()) {
        return Err(RescheduleError::ReasonMissing);
    }
    if matches!(by.who, Who::Patient { .. }) {
        return Err(RescheduleError::NotFound);
    }
    let mut tx = db.begin(by).await?;
    let members = members(&mut tx, by, &request).await?;
    let moves = moves(&members, &request)?;
    let now = clock.now();
    let arranged = arrange(&mut tx, by, &moves, &request, now).await?;
    for (one, reservations) in &arranged {
        write(&mut tx, by, one, reservations, why, &request).await?;
    }
    let moved: Vec<_> = arranged.iter().map(|(one, _)| one.member.id).collect();
    let series = arranged.first().and_then(|(one, _)| one.member.series);
    messages::plan_together(&mut tx, by.clinic, now, series, &moved, News::Moved).await?;
    let mut offers = Vec::new();
    for (one, _) in &arranged {
        let time = Freed { practitioner: one.member.practitioner, starts_at: one.member.starts_at.to_jiff() };
        offers.extend(freed(&mut tx, now, by, time).await?);
    }
    for (one, _) in &arranged {
        let event = AuditEvent::new("appointment.rescheduled").appointment(one.member.id).patient(one.member.patient);
        audit::record(&mut tx, by, event).await?;
        events::record(&mut tx, by, EventKind::Rescheduled, one.member.id).await?;
    }
    for offer in offers {
        offer.record(&mut tx, by).await?;
    }
    commit_together(tx).await?;
    Ok(moved)
}

/// The appointments that are to move, locked, if they may.
async fn members(
    connection: &mut PgConnection,
    by: &Actor,
    request: &Reschedule,
) -> Result<Vec<Locked>, RescheduleError> {
    let members = tables::appointments::lock_scope(connection, by.clinic, request.appointment, request.scope).await?;
    let chosen = members.iter().find(|one| one.id == request.appointment).ok_or(RescheduleError::NotFound)?;
    if request.if_version.is_some_and(|version| version != chosen.version) {
        return Err(RescheduleError::Changed);
    }
    for member in &members {
        member.state.reschedule()?;
    }
    Ok(members)
}

/// One appointment and its new time.
struct Move<'a> {
    member: &'a Locked,
    practitioner: PractitionerId,
    /// By the clock on the wall.
    wall_time: DateTime,
    zone: TimeZone,
    /// `None` when the clock on the wall skips that time.
    starts_at: Option<Timestamp>,
}

/// Where everything goes: what is there already is left out.
fn moves<'a>(members: &'a [Locked], request: &Reschedule) -> Result<Vec<Move<'a>>, RescheduleError> {
    let chosen = members.iter().find(|one| one.id == request.appointment).ok_or(sqlx::Error::RowNotFound)?;
    let zone = TimeZone::get(&chosen.time_zone).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let wall_time = request.starts_at.to_zoned(zone.clone()).datetime();
    let days = wall_time.date() - chosen.wall_time.to_jiff().date();
    let mut moves = Vec::new();
    for member in members {
        let is_chosen = member.id == chosen.id;
        let (wall_time, starts_at) = if is_chosen {
            (wall_time, Some(request.starts_at))
        } else {
            shifted(member.wall_time.to_jiff(), days, wall_time, &zone)
        };
        if member.state == AppointmentState::Arrived && wall_time.date() != member.wall_time.to_jiff().date() {
            return Err(RescheduleError::Waits);
        }
        let practitioner = request.practitioner.unwrap_or(member.practitioner);
        let is_there = starts_at == Some(member.starts_at.to_jiff()) && practitioner == member.practitioner;
        if !is_there {
            moves.push(Move { member, practitioner, wall_time, zone: zone.clone(), starts_at });
        }
    }
    Ok(moves)
}

/// So many days later at the time of day of `to`, and when that is.
fn shifted(from: DateTime, days: Span, to: DateTime, zone: &TimeZone) -> (DateTime, Option<Timestamp>) {
    let wall_time = from.date().saturating_add(days).to_datetime(to.time());
    (wall_time, instant(wall_time, zone))
}

/// Finds room for all of them, or says what stands in the way. Their old times are free for one another.
async fn arrange<'a>(
    connection: &mut PgConnection,
    by: &Actor,
    moves: &'a [Move<'a>],
    request: &Reschedule,
    now: Timestamp,
) -> Result<Vec<(&'a Move<'a>, Vec<Reservation>)>, RescheduleError> {
    let grounds = Grounds::read(connection, by.clinic, moves, request).await?;
    let wishes: Vec<_> = moves.iter().map(|one| grounds.wish(one, request, now)).collect();
    let freed = moves.iter().map(|one| one.member.practitioner);
    reserve::lock_with(connection, wishes.iter().filter_map(|wish| wish.as_ref().ok()), freed).await?;
    let ids: Vec<AppointmentId> = moves.iter().map(|one| one.member.id).collect();
    tables::reservations::release(connection, by.clinic, &ids).await?;
    let (mut arranged, mut conflicts) = (Vec::new(), Vec::new());
    for (one, wish) in moves.iter().zip(wishes) {
        let found = match wish {
            Ok(wish) => reserve::arrange(connection, by.clinic, &wish).await,
            Err(refusal) => Err(refusal),
        };
        match found {
            Ok(reservations) => arranged.push((one, reservations)),
            Err(BookError::Database(error)) => return Err(error.into()),
            Err(why) => conflicts.push(SeriesConflict { wall_time: one.wall_time, starts_at: one.starts_at, why }),
        }
    }
    match conflicts.pop() {
        None => Ok(arranged),
        Some(only) if request.scope == Scope::This => Err(RescheduleError::Refused(only.why)),
        Some(last) => {
            conflicts.push(last);
            Err(RescheduleError::Conflicts(conflicts))
        }
    }
}

async fn write(
    connection: &mut PgConnection,
    by: &Actor,
    one: &Move<'_>,
    reservations: &[Reservation],
    why: &str,
    request: &Reschedule,
) -> Result<(), RescheduleError> {
    let lane = reserve::lane(reservations);
    let overbooked_by = if lane > 0 { Some(tables::accounts::name_of(connection, by).await?) } else { None };
    let visit = reservations.iter().find(|one| matches!(one.resource, Resource::Patient(_)));
    let visit = visit.expect("an appointment reserves its patient");
    let moved = Moved {
        practitioner: one.practitioner,
        starts_at: visit.from,
        ends_at: visit.to,
        wall_time: one.wall_time,
        time_zone: availability::zone_name(&one.zone),
        reason: why,
        lane,
        overbook_reason: request.overbook.as_deref().and_then(reason).filter(|_| lane > 0),
        overbooked_by: overbooked_by.as_deref(),
    };
    tables::appointments::set_time(connection, by.clinic, one.member.id, &moved).await?;
    tables::reservations::replace(connection, by.clinic, one.member.id, reservations)
        .await
        .map_err(|error| RescheduleError::from(reserve::refused(error)))
}

impl From<BookError> for RescheduleError {
    fn from(refusal: BookError) -> Self {
        match refusal {
            BookError::Database(error) => Self::Database(error),
            refusal => Self::Refused(refusal),
        }
    }
}
