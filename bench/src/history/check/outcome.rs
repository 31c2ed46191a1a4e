//! Whether what was acknowledged stands in the database, and whether the database keeps its own rules.

use super::Findings;
use crate::history::record::{Answer, Ask, Operation};
use domain::{AppointmentId, PractitionerId};
use sqlx::{PgPool, Row as _};
use std::collections::{HashMap, HashSet};

/// Compares the records with what the database holds in the end.
pub async fn check_database(
    operations: &[Operation],
    superuser: &PgPool,
    findings: &mut Findings,
) -> Result<(), sqlx::Error> {
    for (what, sql) in RULES {
        let count: i64 = sqlx::query_scalar(sql).fetch_one(superuser).await?;
        if count != 0 {
            findings.anomalies.push(format!("{count} times: {what}"));
        }
    }
    let keys: HashMap<String, AppointmentId> = sqlx::query("select key, result_id from idempotency_keys")
        .fetch_all(superuser)
        .await?
        .iter()
        .map(|row| (row.get(0), AppointmentId(row.get(1))))
        .collect();
    let rows = sqlx::query(
        "select id, state, extract(epoch from starts_at)::bigint, sequence, practitioner_id from appointments",
    )
    .fetch_all(superuser)
    .await?;
    let mut explained: HashSet<AppointmentId> = HashSet::new();
    let mut stories: HashMap<AppointmentId, Vec<&Operation>> = HashMap::new();
    for operation in operations {
        match (&operation.ask, operation.known()) {
            (Ask::Book { key, .. }, answer) => {
                let made = keys.get(key).copied();
                match (answer, made) {
                    (Some(Answer::Booked(id)), made) if made != Some(*id) => {
                        findings.anomalies.push(format!("{id} was acknowledged, and its key says {made:?}"));
                    }
                    (Some(Answer::SlotTaken | Answer::Refused(_)), Some(id)) => {
                        findings.anomalies.push(format!("{id} was refused, and is there"));
                    }
                    _ => {}
                }
                if let Some(id) = made {
                    explained.insert(id);
                    stories.entry(id).or_default().push(operation);
                }
            }
            (Ask::Reschedule { appointment, .. } | Ask::Cancel { appointment }, _) => {
                stories.entry(*appointment).or_default().push(operation);
            }
            _ => {}
        }
    }
    for row in &rows {
        let last = Last {
            id: AppointmentId(row.get(0)),
            is_cancelled: row.get::<String, _>(1) == "cancelled",
            starts_at: row.get(2),
            sequence: row.get(3),
            practitioner: PractitionerId(row.get(4)),
        };
        if !explained.remove(&last.id) {
            findings.anomalies.push(format!("{} is there and nobody asked for it", last.id));
        }
        findings.anomalies.extend(told(&last, stories.get(&last.id).map_or(&[][..], Vec::as_slice)));
    }
    for id in explained {
        findings.anomalies.push(format!("{id} was acknowledged and is lost"));
    }
    Ok(())
}

/// How an appointment stands in the end. The start in seconds.
struct Last {
    id: AppointmentId,
    is_cancelled: bool,
    starts_at: i64,
    sequence: i32,
    practitioner: PractitionerId,
}

/// Whether an appointment stands as its story tells.
fn told(last: &Last, story: &[&Operation]) -> Vec<String> {
    let mut anomalies = Vec::new();
    let id = last.id;
    let changes = |one: &&&Operation| !matches!(one.ask, Ask::Book { .. });
    let surely =
        story.iter().filter(changes).filter(|one| matches!(one.known(), Some(Answer::Moved(true) | Answer::Cancelled)));
    let unknown = story.iter().filter(changes).filter(|one| !one.is_known());
    let (surely, unknown) = (surely.count(), unknown.count());
    let sequence = usize::try_from(last.sequence).unwrap_or(0);
    if !(surely..=surely + unknown).contains(&sequence) {
        anomalies.push(format!("{id} changed {sequence} times; {surely} were acknowledged and {unknown} not answered"));
    }
    let cancels = || story.iter().filter(|one| matches!(one.ask, Ask::Cancel { .. }));
    let surely_cancelled = cancels().any(|one| one.known() == Some(&Answer::Cancelled));
    let perhaps_cancelled = surely_cancelled || cancels().any(|one| !one.is_known());
    if last.is_cancelled && !perhaps_cancelled {
        anomalies.push(format!("{id} is cancelled and nobody asked for it"));
    }
    if !last.is_cancelled && surely_cancelled {
        anomalies.push(format!("the cancellation of {id} was acknowledged and is lost"));
    }
    // Where it is, somebody put it, and nobody surely moved it away after that.
    let put = |one: &&Operation| match &one.ask {
        Ask::Book { practitioner, starts_at, .. } | Ask::Reschedule { practitioner, starts_at, .. } => {
            Some((*practitioner, starts_at.as_second()))
        }
        _ => None,
    };
    let is_there = |one: &&&Operation| put(one) == Some((last.practitioner, last.starts_at));
    let done =
        |one: &&&Operation| !matches!(one.known(), Some(Answer::SlotTaken | Answer::Refused(_) | Answer::Moved(false)));
    let moved_after = |first: &Operation| {
        story.iter().any(|one| one.known() == Some(&Answer::Moved(true)) && one.asked_at > first.done_by())
    };
    if !story.iter().filter(done).filter(is_there).any(|one| !moved_after(one)) {
        anomalies.push(format!("{id} is where nobody put it last"));
    }
    anomalies
}

/// What the database itself must hold, each as the count of what breaks it.
const RULES: [(&str, &str); 6] = [
    (
        "two overlap",
        "select count(*)
         from reservations a
         join reservations b
             on b.clinic_id = a.clinic_id and b.resource_id = a.resource_id and b.lane = a.lane
             and b.during && a.during and b.ctid > a.ctid and b.active
         where a.active",
    ),
    (
        "an appointment has no practitioner or no patient reserved",
        "select count(*)
         from appointments a
         where a.state = 'booked' and (
             select count(*)
             from reservations r
             where r.appointment_id = a.id and r.active and r.during = tstzrange(a.starts_at, a.ends_at)
                 and r.resource_id in (a.practitioner_id, a.patient_id)
         ) <> 2",
    ),
    (
        "what a cancelled appointment had is not free",
        "select count(*)
         from reservations r join appointments a on a.id = r.appointment_id
         where a.state = 'cancelled' and r.active",
    ),
    (
        "a reservation is not at the time of its appointment",
        "select count(*)
         from reservations r join appointments a on a.id = r.appointment_id
         where r.active and r.during <> tstzrange(a.starts_at, a.ends_at)",
    ),
    (
        "a booking or a change has no event in the history, or more than one",
        "select count(*)
         from appointments a
         where 1 + a.sequence <> (
             select count(*)
             from audit_events e
             where e.appointment_id = a.id
                 and e.action in ('appointment.booked', 'appointment.rescheduled', 'appointment.cancelled')
         )",
    ),
    (
        "an event of the history does not follow from the one before",
        "select count(*)
         from (
             select e.previous_digest, lag(e.digest) over (partition by clinic_id order by sequence) as before
             from audit_events e
         ) chain
         where before is not null and before <> previous_digest",
    ),
];

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{book, booked, cancel, doctor, slot},
        *,
    };
    use uuid::Uuid;

    #[test]
    fn what_was_acknowledged_and_is_not_so_is_found() {
        let last = |is_cancelled, sequence| Last {
            id: AppointmentId(Uuid::from_u128(1)),
            is_cancelled,
            starts_at: slot().as_second(),
            sequence,
            practitioner: doctor(),
        };
        let made = book(0, Some((booked(1), 1)));
        let gone = cancel(1, 2, Some((Answer::Cancelled, 3)));
        let lost = cancel(1, 2, None);
        assert!(told(&last(false, 0), &[&made]).is_empty());
        assert!(told(&last(true, 1), &[&made, &gone]).is_empty());
        assert!(told(&last(true, 1), &[&made, &lost]).is_empty() && told(&last(false, 0), &[&made, &lost]).is_empty());
        assert_eq!(told(&last(false, 0), &[&made, &gone]).len(), 2);
        assert_eq!(told(&last(true, 1), &[&made]).len(), 2);
    }
}
