//! What each participant is shown of the room: a pure function of what the relay says and who belongs in it.

use domain::{
    ParticipantId, Redacted,
    media::{MediaKind, Mid},
    relay::{Connection, RoomParticipant, SlotAssignment},
    signal::{ParticipantRole, ParticipantView, ServerMessage},
};
use std::collections::HashMap;

/// The room as its relay last told it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RelayView {
    pub(crate) participants: Vec<RoomParticipant>,
    pub(crate) slots: Vec<SlotAssignment>,
}

/// Who somebody is, from Postgres.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: Redacted<String>,
    pub(crate) role: ParticipantRole,
}

/// Everybody who belongs in the room.
pub(crate) type People = HashMap<ParticipantId, Person>;

impl RelayView {
    /// The connection by which somebody is in the room.
    pub(crate) fn connection(&self, participant: ParticipantId) -> Option<Connection> {
        self.participants.iter().find(|one| one.participant == participant).map(|one| one.connection)
    }

    /// What `receiver` is shown. Somebody whom Postgres does not know is not shown, and never was let in by us.
    pub(crate) fn shown_to(&self, receiver: ParticipantId, people: &People) -> ServerMessage {
        let participants = self.participants.iter().filter_map(|one| {
            let person = people.get(&one.participant)?;
            Some(ParticipantView {
                participant: one.participant,
                name: person.name.clone(),
                role: person.role,
                connected: one.connected,
                status: one.status,
                audio: self.slot(receiver, one.participant, MediaKind::Audio),
                video: self.slot(receiver, one.participant, MediaKind::Video),
            })
        });
        ServerMessage::Room { participants: participants.collect() }
    }

    fn slot(&self, subscriber: ParticipantId, source: ParticipantId, kind: MediaKind) -> Option<Mid> {
        let slot = self.slots.iter().find(|x| x.subscriber == subscriber && x.source == source && x.kind == kind)?;
        Some(slot.mid.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::media::ParticipantStatus;
    use uuid::Uuid;

    const DOCTOR: ParticipantId = ParticipantId(Uuid::from_u128(1));
    const PATIENT: ParticipantId = ParticipantId(Uuid::from_u128(2));
    const STRANGER: ParticipantId = ParticipantId(Uuid::from_u128(3));

    fn people() -> People {
        let person = |name: &str, role| Person { name: Redacted::new(name.to_owned()), role };
        HashMap::from([
            (DOCTOR, person("Dr Hannah Osei", ParticipantRole::Practitioner)),
            (PATIENT, person("Maria Santos", ParticipantRole::Patient)),
        ])
    }

    fn present(participant: ParticipantId, connection: i64) -> RoomParticipant {
        let status = ParticipantStatus::default();
        RoomParticipant { participant, connection: Connection(connection), connected: true, status }
    }

    fn slot(subscriber: ParticipantId, mid: &str, kind: MediaKind, source: ParticipantId) -> SlotAssignment {
        SlotAssignment { subscriber, mid: Mid(mid.to_owned()), kind, source }
    }

    fn shown(view: &RelayView, receiver: ParticipantId) -> Vec<ParticipantView> {
        let ServerMessage::Room { participants } = view.shown_to(receiver, &people()) else {
            panic!("a room is shown as a room");
        };
        participants
    }

    #[test]
    fn each_sees_the_other_in_their_own_slots() {
        let view = RelayView {
            participants: vec![present(DOCTOR, 1), present(PATIENT, 1)],
            slots: vec![
                slot(DOCTOR, "2", MediaKind::Audio, PATIENT),
                slot(DOCTOR, "6", MediaKind::Video, PATIENT),
                slot(PATIENT, "3", MediaKind::Audio, DOCTOR),
            ],
        };
        let patient_for_doctor = shown(&view, DOCTOR)[1].clone();
        assert_eq!(patient_for_doctor.name.expose(), "Maria Santos");
        assert_eq!(patient_for_doctor.audio, Some(Mid("2".to_owned())));
        assert_eq!(patient_for_doctor.video, Some(Mid("6".to_owned())));
        let doctor_for_patient = shown(&view, PATIENT)[0].clone();
        assert_eq!(doctor_for_patient.audio, Some(Mid("3".to_owned())));
        assert_eq!(doctor_for_patient.video, None);
    }

    #[test]
    fn the_receiver_is_in_the_picture_without_slots_of_their_own() {
        let view = RelayView { participants: vec![present(DOCTOR, 1)], slots: vec![] };
        let participants = shown(&view, DOCTOR);
        assert_eq!(participants.len(), 1);
        assert_eq!((participants[0].audio.clone(), participants[0].video.clone()), (None, None));
    }

    #[test]
    fn who_does_not_belong_in_the_room_is_not_shown() {
        let view = RelayView { participants: vec![present(STRANGER, 1)], slots: vec![] };
        assert!(shown(&view, DOCTOR).is_empty());
    }

    #[test]
    fn the_relay_says_by_which_connection_somebody_is_there() {
        let view = RelayView { participants: vec![present(PATIENT, 7)], slots: vec![] };
        assert_eq!(view.connection(PATIENT), Some(Connection(7)));
        assert_eq!(view.connection(DOCTOR), None);
    }
}
