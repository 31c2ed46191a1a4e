//! Whether what was asked and answered fits together, and with what the database holds.
//!
//! A time is *surely* taken from the answer that gave it until somebody asks for what frees it; it is *perhaps* taken from the
//! question on until the answer that freed it. Two who surely have one time at once, a time that was found free while it was
//! surely taken, or refused as taken while it was not even perhaps: each is an anomaly. Operations that were never answered only
//! widen what was perhaps.

mod outcome;

pub use outcome::check_database;

use super::record::{Answer, Ask, Operation};
use crate::history::SIZE;
use domain::{AppointmentId, HoldId, PatientId, PractitionerId, ResourceId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// What answers begin with that no client should ever get: deadlocks, timeouts, broken rules.
pub const UNEXPECTED: &str = "unexpected ";

/// The answer when the time to wait for a lock was over: nothing was done, and the person is asked to try again.
pub const GAVE_UP: &str = "gave up waiting";

/// How far the clocks of the program and of the database may be apart in one machine, and a transaction's beginning from its end.
const SLACK: SignedDuration = SignedDuration::from_millis(500);

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Findings {
    /// Operations, answered or not.
    pub operations: usize,
    /// Of them, those that nobody answered.
    pub unanswered: usize,
    /// Bookings that were acknowledged.
    pub booked: usize,
    /// Moves that were acknowledged.
    pub moved: usize,
    /// Cancellations that were acknowledged.
    pub cancelled: usize,
    /// Holds that were acknowledged.
    pub held: usize,
    /// Answers that came to nothing since a lock was waited for too long: a matter of load, not of truth.
    pub gave_up: usize,
    /// What does not fit, in words. Empty is good.
    pub anomalies: Vec<String>,
}

/// Somebody's time of something.
#[derive(Debug, Clone, Copy)]
struct Taking {
    thing: Thing,
    from: Timestamp,
    to: Timestamp,
    whose: Whose,
    /// When it was surely theirs; empty when the first is not before the second.
    surely: (Timestamp, Timestamp),
    /// When it was perhaps theirs.
    perhaps: (Timestamp, Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Thing {
    Practitioner(PractitionerId),
    Patient(PatientId),
    Room(ResourceId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Appointment(AppointmentId),
    Hold(HoldId),
}

/// Compares the records with each other.
pub fn check_records(operations: &[Operation]) -> Findings {
    let mut findings = Findings { operations: operations.len(), ..Findings::default() };
    for operation in operations {
        match operation.answer.as_ref().map(|(answer, _)| answer) {
            None | Some(Answer::Unknown(_)) => findings.unanswered += 1,
            Some(Answer::Booked(_)) => findings.booked += 1,
            Some(Answer::Moved(true)) => findings.moved += 1,
            Some(Answer::Cancelled) => findings.cancelled += 1,
            Some(Answer::Held(..)) => findings.held += 1,
            Some(Answer::Refused(why)) if why == GAVE_UP => findings.gave_up += 1,
            Some(Answer::Refused(why)) if why.starts_with(UNEXPECTED) => {
                findings.anomalies.push(format!("{why}: {:?}", operation.ask));
            }
            Some(_) => {}
        }
    }
    let takings = takings(operations);
    let mut by_thing: BTreeMap<Thing, Vec<Taking>> = BTreeMap::new();
    for taking in takings {
        by_thing.entry(taking.thing).or_default().push(taking);
    }
    for all in by_thing.values_mut() {
        all.sort_by_key(|one| one.from);
        findings.anomalies.extend(twice(all));
    }
    findings.anomalies.extend(operations.iter().filter_map(|one| misled(one, &by_thing)));
    findings
}

fn length() -> SignedDuration {
    SignedDuration::from_mins(SIZE.minutes.into())
}

/// Everything that was taken, by the records.
fn takings(operations: &[Operation]) -> Vec<Taking> {
    let mut changes: HashMap<AppointmentId, Vec<&Operation>> = HashMap::new();
    let mut uses: HashMap<HoldId, &Operation> = HashMap::new();
    let mut patients: HashMap<AppointmentId, (PatientId, Option<ResourceId>)> = HashMap::new();
    for operation in operations {
        match (&operation.ask, operation.known()) {
            (Ask::Reschedule { appointment, .. } | Ask::Cancel { appointment }, _) => {
                changes.entry(*appointment).or_default().push(operation);
            }
            (Ask::Book { hold, patient, room, .. }, answer) => {
                if let Some(hold) = hold {
                    uses.insert(*hold, operation);
                }
                if let Some(Answer::Booked(id)) = answer {
                    patients.insert(*id, (*patient, *room));
                }
            }
            _ => {}
        }
    }
    let mut takings = Vec::new();
    for operation in operations {
        match (&operation.ask, operation.answer.as_ref()) {
            (Ask::Hold { practitioner, starts_at }, answer) => {
                takings.extend(hold(operation, *practitioner, *starts_at, answer, &uses));
            }
            (Ask::Book { practitioner, patient, room, starts_at, .. }, answer) => {
                let id = match answer {
                    Some((Answer::Booked(id), _)) => Some(*id),
                    None | Some((Answer::Unknown(_), _)) => None,
                    Some(_) => continue,
                };
                let things = things(*practitioner, Some((*patient, *room)));
                takings.extend(visit(operation, id, &things, *starts_at, &changes));
            }
            (Ask::Reschedule { appointment, practitioner, starts_at }, answer) => {
                if !matches!(answer, None | Some((Answer::Unknown(_) | Answer::Moved(_), _))) {
                    continue;
                }
                let things = things(*practitioner, patients.get(appointment).copied());
                takings.extend(visit(operation, Some(*appointment), &things, *starts_at, &changes));
            }
            _ => {}
        }
    }
    takings
}

fn things(practitioner: PractitionerId, who: Option<(PatientId, Option<ResourceId>)>) -> Vec<Thing> {
    let patient = who.map(|(patient, _)| Thing::Patient(patient));
    let room = who.and_then(|(_, room)| room).map(Thing::Room);
    [Some(Thing::Practitioner(practitioner)), patient, room].into_iter().flatten().collect()
}

fn hold(
    operation: &Operation,
    practitioner: PractitionerId,
    starts_at: Timestamp,
    answer: Option<&(Answer, Timestamp)>,
    uses: &HashMap<HoldId, &Operation>,
) -> Option<Taking> {
    let thing = Thing::Practitioner(practitioner);
    let (from, to) = (starts_at, starts_at + length());
    let nobody = Whose::Hold(HoldId(uuid::Uuid::nil()));
    match answer {
        Some((Answer::Held(id, expires_at), at)) => {
            let used = uses.get(id);
            let until = used.map_or(*expires_at, |used| used.asked_at.min(*expires_at)) - SLACK;
            Some(Taking {
                thing,
                from,
                to,
                whose: Whose::Hold(*id),
                surely: (*at, until),
                perhaps: (operation.asked_at, *expires_at + SLACK),
            })
        }
        // It lasts as long as holds do, counted from whenever it was done.
        None | Some((Answer::Unknown(_), _)) => Some(Taking {
            thing,
            from,
            to,
            whose: nobody,
            surely: never(),
            perhaps: (operation.asked_at, Timestamp::MAX),
        }),
        Some(_) => None,
    }
}

fn never() -> (Timestamp, Timestamp) {
    (Timestamp::MAX, Timestamp::MIN)
}

/// A time that an appointment was given by `operation`, until the next change of it.
fn visit<'a>(
    operation: &'a Operation,
    id: Option<AppointmentId>,
    things: &'a [Thing],
    starts_at: Timestamp,
    changes: &HashMap<AppointmentId, Vec<&Operation>>,
) -> impl Iterator<Item = Taking> + 'a {
    let given_by = operation.done_by();
    let later = id.and_then(|id| changes.get(&id)).into_iter().flatten().filter(|one| !std::ptr::eq(**one, operation));
    // A change that may have come after; one that was refused changed nothing.
    let later: Vec<_> = later
        .filter(|one| !matches!(one.known(), Some(Answer::SlotTaken | Answer::Refused(_) | Answer::Moved(false))))
        .filter(|one| one.done_by() >= operation.asked_at)
        .collect();
    let until = later.iter().map(|one| one.asked_at).min().unwrap_or(Timestamp::MAX);
    // A change that surely came after frees it by its answer.
    let freed_by = later.iter().filter(|one| one.is_known() && one.asked_at > given_by).map(|one| one.done_by()).min();
    let is_sure = matches!(operation.known(), Some(Answer::Booked(_) | Answer::Moved(true)));
    let whose = Whose::Appointment(id.unwrap_or(AppointmentId(uuid::Uuid::nil())));
    things.iter().map(move |thing| Taking {
        thing: *thing,
        from: starts_at,
        to: starts_at + length(),
        whose,
        surely: if is_sure { (given_by, until) } else { never() },
        perhaps: (operation.asked_at, freed_by.unwrap_or(Timestamp::MAX)),
    })
}

/// Those who surely had overlapping times of one thing at once. The takings are in order of `from`.
fn twice(all: &[Taking]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let near = all[index + 1..].iter().take_while(|other| other.from < one.to);
        for other in near.filter(|other| other.whose != one.whose) {
            let from = one.surely.0.max(other.surely.0);
            let until = one.surely.1.min(other.surely.1);
            if from < until {
                found.push(format!("{:?} was given twice: {one:?} and {other:?}", one.thing));
            }
        }
    }
    found
}

/// A client that was told something which was not so at any time between question and answer.
fn misled(operation: &Operation, by_thing: &BTreeMap<Thing, Vec<Taking>>) -> Option<String> {
    let (answer, answered_at) = operation.answer.as_ref()?;
    let of = |practitioner: &PractitionerId| {
        by_thing.get(&Thing::Practitioner(*practitioner)).map_or(&[][..], Vec::as_slice)
    };
    let at = |practitioner: &PractitionerId, starts_at: Timestamp| {
        let all = of(practitioner);
        let first = all.partition_point(|one| one.from <= starts_at - length());
        all[first..].iter().take_while(move |one| one.from < starts_at + length())
    };
    match (&operation.ask, answer) {
        (Ask::Find { practitioner, .. }, Answer::Found(starts)) => starts.iter().find_map(|starts_at| {
            let taken = at(practitioner, *starts_at)
                .find(|one| one.surely.0 < operation.asked_at && *answered_at < one.surely.1);
            taken.map(|taken| format!("{starts_at} was found free although it was taken: {taken:?}"))
        }),
        (
            Ask::Book { practitioner, starts_at, .. }
            | Ask::Hold { practitioner, starts_at }
            | Ask::Reschedule { practitioner, starts_at, .. },
            Answer::SlotTaken,
        ) => {
            let is_explained = at(practitioner, *starts_at)
                .any(|one| one.perhaps.0 <= *answered_at && operation.asked_at <= one.perhaps.1);
            (!is_explained).then(|| format!("refused as taken although it was free: {operation:?}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).expect("a time")
    }

    pub(super) fn slot() -> Timestamp {
        Timestamp::from_second(1_000_000).expect("a time")
    }

    pub(super) fn doctor() -> PractitionerId {
        PractitionerId(Uuid::from_u128(1))
    }

    pub(super) fn book(asked: i64, answer: Option<(Answer, i64)>) -> Operation {
        let ask = Ask::Book {
            practitioner: doctor(),
            patient: PatientId(Uuid::from_u128(asked.unsigned_abs().into())),
            starts_at: slot(),
            room: None,
            interpreter: false,
            hold: None,
            key: asked.to_string(),
        };
        Operation { ask, asked_at: at(asked), answer: answer.map(|(answer, second)| (answer, at(second))) }
    }

    pub(super) fn booked(id: u128) -> Answer {
        Answer::Booked(AppointmentId(Uuid::from_u128(id)))
    }

    pub(super) fn cancel(id: u128, asked: i64, answer: Option<(Answer, i64)>) -> Operation {
        let ask = Ask::Cancel { appointment: AppointmentId(Uuid::from_u128(id)) };
        Operation { ask, asked_at: at(asked), answer: answer.map(|(answer, second)| (answer, at(second))) }
    }

    #[test]
    fn two_who_have_one_time_at_once_are_found() {
        let twice = [book(0, Some((booked(1), 1))), book(2, Some((booked(2), 3)))];
        assert_eq!(check_records(&twice).anomalies.len(), 1);
        let between = [twice[0].clone(), cancel(1, 1, Some((Answer::Cancelled, 3))), twice[1].clone()];
        assert_eq!(check_records(&between).anomalies, Vec::<String>::new());
        let never_answered = [twice[0].clone(), cancel(1, 1, None), twice[1].clone()];
        assert_eq!(check_records(&never_answered).anomalies, Vec::<String>::new());
    }

    #[test]
    fn a_refusal_without_a_cause_is_found() {
        let refused = book(5, Some((Answer::SlotTaken, 6)));
        assert_eq!(check_records(std::slice::from_ref(&refused)).anomalies.len(), 1);
        let caused = [book(0, Some((booked(1), 1))), refused.clone()];
        assert_eq!(check_records(&caused).anomalies, Vec::<String>::new());
        let freed = [caused[0].clone(), cancel(1, 2, Some((Answer::Cancelled, 3))), refused.clone()];
        assert_eq!(check_records(&freed).anomalies.len(), 1);
        let perhaps = [book(0, None), refused];
        assert_eq!(check_records(&perhaps).anomalies, Vec::<String>::new());
    }

    #[test]
    fn a_time_that_is_found_free_while_it_is_taken_is_found() {
        let found = |asked, answered| Operation {
            ask: Ask::Find { practitioner: doctor(), from: slot(), to: slot() },
            asked_at: at(asked),
            answer: Some((Answer::Found(vec![slot()]), at(answered))),
        };
        let booked = book(0, Some((booked(1), 3)));
        assert_eq!(check_records(&[booked.clone(), found(4, 5)]).anomalies.len(), 1);
        assert_eq!(check_records(&[booked, found(1, 5)]).anomalies, Vec::<String>::new());
    }

    #[test]
    fn an_error_that_nobody_should_see_is_found() {
        let deadlock = book(0, Some((Answer::Refused(format!("{UNEXPECTED}40P01")), 1)));
        assert_eq!(check_records(&[deadlock]).anomalies.len(), 1);
    }
}
