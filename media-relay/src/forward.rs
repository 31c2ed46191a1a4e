//! Who is shown in which slot of whom: desired state, reached by the same rule after every change.

use domain::ParticipantId;

/// The sources of one participant's slots. Sound and picture of one source share a number, so that they stay together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seats(Vec<Option<ParticipantId>>);

impl Seats {
    /// As many seats as the participant offers slots of either kind.
    pub(crate) fn new(count: usize) -> Self {
        Self(vec![None; count])
    }

    /// Who sits in seat `number`.
    pub(crate) fn get(&self, number: usize) -> Option<ParticipantId> {
        self.0.get(number).copied().flatten()
    }

    /// Seats exactly `others`, as far as there is room. Who stays keeps their seat, so that no picture jumps.
    pub(crate) fn reconcile(&mut self, others: &[ParticipantId]) {
        for seat in &mut self.0 {
            *seat = seat.filter(|sitting| others.contains(sitting));
        }
        for other in others {
            if self.0.contains(&Some(*other)) {
                continue;
            }
            let Some(free) = self.0.iter_mut().find(|seat| seat.is_none()) else { return };
            *free = Some(*other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn participant(n: u128) -> ParticipantId {
        ParticipantId(Uuid::from_u128(n))
    }

    fn participants(numbers: &[u128]) -> Vec<ParticipantId> {
        numbers.iter().map(|n| participant(*n)).collect()
    }

    #[test]
    fn who_stays_keeps_their_seat_and_who_comes_takes_a_free_one() {
        let mut seats = Seats::new(3);
        seats.reconcile(&participants(&[1, 2]));
        seats.reconcile(&participants(&[2]));
        assert_eq!((seats.get(0), seats.get(1)), (None, Some(participant(2))));
        seats.reconcile(&participants(&[2, 3]));
        assert_eq!((seats.get(0), seats.get(1)), (Some(participant(3)), Some(participant(2))));
    }

    #[test]
    fn without_room_the_first_come_are_shown() {
        let mut seats = Seats::new(1);
        seats.reconcile(&participants(&[1, 2]));
        assert_eq!(seats.get(0), Some(participant(1)));
        seats.reconcile(&participants(&[2]));
        assert_eq!(seats.get(0), Some(participant(2)));
    }

    proptest! {
        #[test]
        fn everybody_present_sits_once_and_doing_it_twice_changes_nothing(
            changes in proptest::collection::vec(proptest::collection::hash_set(0_u128..6, 0..5), 1..20),
        ) {
            let mut seats = Seats::new(4);
            for present in changes {
                let others = participants(&present.into_iter().collect::<Vec<_>>());
                seats.reconcile(&others);
                let mut sitting: Vec<_> = (0..4).filter_map(|n| seats.get(n)).collect();
                let mut expected = others.clone();
                sitting.sort();
                expected.sort();
                prop_assert_eq!(sitting, expected);
                let before = seats.clone();
                seats.reconcile(&others);
                prop_assert_eq!(before, seats.clone());
            }
        }
    }
}
