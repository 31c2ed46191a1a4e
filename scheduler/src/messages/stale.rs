//! Whether a message that is due still fits what has become of the visit.

use super::{MessageKind, Problem};
use domain::AppointmentState;
use jiff::{SignedDuration, Timestamp};

/// After this long a reminder is late, however long before the visit it was due: "tomorrow" would be wrong in the night.
const LATEST: SignedDuration = SignedDuration::from_hours(2);

/// Of a reminder's time ahead, the part by which it may be late: that of an hour before twenty minutes, that of ten three.
const LATE_PART: i32 = 3;

/// A message whose time has come, with what decides whether it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due<'a> {
    pub(crate) kind: MessageKind,
    pub(crate) ahead_minutes: i32,
    pub(crate) version: i32,
    pub(crate) due_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) visit: Option<VisitNow>,
    /// The clinic's reminders.
    pub(crate) reminder_minutes: &'a [i32],
}

/// The visit as it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VisitNow {
    pub(crate) state: AppointmentState,
    pub(crate) sequence: i32,
    pub(crate) starts_at: Timestamp,
    /// Until when the patient may arrive.
    pub(crate) closes_at: Timestamp,
}

/// Why the message is not sent at `now`, if it is not.
pub(crate) fn objection(due: &Due<'_>, now: Timestamp) -> Option<Problem> {
    let Some(visit) = due.visit else {
        return due.expires_at.is_some_and(|expires_at| expires_at <= now).then_some(Problem::Expired);
    };
    match due.kind {
        MessageKind::Link => about_link(&visit, now),
        MessageKind::Cancellation => about_cancellation(due, &visit, now),
        _ if visit.state == AppointmentState::Arrived => Some(Problem::Begun),
        _ if visit.state != AppointmentState::Booked => Some(Problem::Over),
        _ if due.version != visit.sequence => Some(Problem::Moved),
        _ if visit.starts_at <= now => Some(Problem::Begun),
        MessageKind::Reminder if is_late(due, now) => Some(Problem::Late),
        _ => None,
    }
}

/// The link opens the waiting room for as long as the patient may arrive.
fn about_link(visit: &VisitNow, now: Timestamp) -> Option<Problem> {
    let is_ahead = matches!(visit.state, AppointmentState::Booked | AppointmentState::Arrived);
    (!is_ahead || visit.closes_at <= now).then_some(Problem::Over)
}

fn about_cancellation(due: &Due<'_>, visit: &VisitNow, now: Timestamp) -> Option<Problem> {
    if visit.state != AppointmentState::Cancelled || due.version != visit.sequence {
        return Some(Problem::Over);
    }
    (visit.starts_at <= now).then_some(Problem::Begun)
}

/// So late that the next reminder says it better. The last one before the visit is better late than never.
fn is_late(due: &Due<'_>, now: Timestamp) -> bool {
    let has_next = due.reminder_minutes.iter().any(|minutes| *minutes < due.ahead_minutes);
    let allowed = SignedDuration::from_mins((due.ahead_minutes / LATE_PART).into()).min(LATEST);
    has_next && now.duration_since(due.due_at) > allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "2026-11-24T10:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    fn visit(state: AppointmentState) -> VisitNow {
        VisitNow { state, sequence: 0, starts_at: at(START), closes_at: at(START) + minutes(35) }
    }

    fn due(kind: MessageKind, ahead_minutes: i32, visit: VisitNow) -> Due<'static> {
        let due_at = at(START) - minutes(ahead_minutes.into());
        let reminder_minutes = &[1440, 60, 10];
        Due { kind, ahead_minutes, version: 0, due_at, expires_at: None, visit: Some(visit), reminder_minutes }
    }

    #[test]
    fn a_reminder_may_be_late_by_a_part_of_its_time_ahead_and_at_most_two_hours() {
        let late = |ahead: i32, by: i64| {
            let due = due(MessageKind::Reminder, ahead, visit(AppointmentState::Booked));
            objection(&due, due.due_at + minutes(by))
        };
        assert_eq!(late(1440, 120), None);
        assert_eq!(late(1440, 121), Some(Problem::Late));
        assert_eq!(late(60, 20), None);
        assert_eq!(late(60, 21), Some(Problem::Late));
        assert_eq!(late(10, 9), None, "nothing comes after the last");
        assert_eq!(late(10, 10), Some(Problem::Begun));
    }

    #[test]
    fn what_is_told_about_a_visit_at_another_time_is_not_sent() {
        let moved = VisitNow { sequence: 1, ..visit(AppointmentState::Booked) };
        for kind in [MessageKind::Confirmation, MessageKind::Change, MessageKind::Reminder] {
            assert_eq!(objection(&due(kind, 60, moved), at(START) - minutes(60)), Some(Problem::Moved), "{kind:?}");
        }
        assert_eq!(objection(&due(MessageKind::Link, 0, moved), at(START) - minutes(60)), None);
    }

    #[test]
    fn a_patient_who_is_here_or_whose_visit_is_over_is_not_reminded() {
        let now = at(START) - minutes(10);
        let told = |state| objection(&due(MessageKind::Reminder, 10, visit(state)), now);
        assert_eq!(told(AppointmentState::Arrived), Some(Problem::Begun));
        for state in [AppointmentState::Fulfilled, AppointmentState::Cancelled, AppointmentState::NoShow] {
            assert_eq!(told(state), Some(Problem::Over), "{state:?}");
        }
    }

    #[test]
    fn a_link_is_sent_as_long_as_the_patient_may_arrive() {
        let link = due(MessageKind::Link, 0, visit(AppointmentState::Booked));
        assert_eq!(objection(&link, at(START) + minutes(34)), None);
        assert_eq!(objection(&link, at(START) + minutes(35)), Some(Problem::Over));
    }

    #[test]
    fn a_cancellation_is_told_while_the_visit_is_cancelled_and_ahead() {
        let told = |state, now| objection(&due(MessageKind::Cancellation, 0, visit(state)), now);
        assert_eq!(told(AppointmentState::Cancelled, at(START) - minutes(1)), None);
        assert_eq!(told(AppointmentState::Cancelled, at(START)), Some(Problem::Begun));
        assert_eq!(told(AppointmentState::Booked, at(START) - minutes(1)), Some(Problem::Over));
    }

    #[test]
    fn an_offer_is_not_sent_once_it_is_over() {
        let mut offer = due(MessageKind::WaitlistOffer, 0, visit(AppointmentState::Booked));
        (offer.visit, offer.expires_at) = (None, Some(at(START)));
        assert_eq!(objection(&offer, at(START) - minutes(1)), None);
        assert_eq!(objection(&offer, at(START)), Some(Problem::Expired));
    }
}
