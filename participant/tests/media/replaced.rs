//! The same participant with a new peer connection: the newer one counts, whatever the older one still says.

use crate::clinic::{Clinic, Sees, connected};
use domain::{
    media::MediaKind::{Audio, Video},
    relay::{Connection, Epoch, RelayCommand, RelayOutcome, RelayRefusal},
};
use participant::{JoinError, Participant, Publishing, Seat};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_connection_replaces_the_older_in_the_same_slots() {
    let clinic = Clinic::opens().await;
    let practitioner = clinic.joins().await;
    let seat = clinic.seat();
    let old = Participant::at_relay(&clinic.signaling, seat, Publishing::default()).await.expect("joined");
    practitioner.sees(|tally| tally.keyframes_from(seat.participant) > 0).await;

    let newer = Seat { connection: Connection(2), ..seat };
    let new = Participant::at_relay(&clinic.signaling, newer, Publishing::default()).await.expect("joined");
    new.sees(|tally| tally.keyframes_from(practitioner.mark()) > 0).await;
    let room =
        clinic.is_told(|room| room.participants.iter().any(|p| p.connection == Connection(2) && p.connected)).await;
    assert_eq!(room.participants.len(), 2);

    let keyframes = practitioner.tally().keyframes_from(seat.participant);
    let tally = practitioner.sees(|tally| tally.keyframes_from(seat.participant) > keyframes.min(1)).await;
    assert_eq!(tally.slots.len(), 2, "{tally:#?}");
    assert!(tally.slots.values().all(|slot| slot.duplicates == 0 && slot.damaged == 0), "{tally:#?}");

    // The page that was replaced says goodbye: it is not heard.
    old.leave().await.expect("leaving is possible");
    let packets = new.tally().packets_from(practitioner.mark(), Audio);
    new.sees(|tally| tally.packets_from(practitioner.mark(), Audio) > packets + 30).await;
    assert_eq!(connected(&clinic.signaling.room(clinic.room)), 2);
    clinic.counts(|stats| (stats.participants, stats.transports) == (2, 2)).await;
    let video = practitioner.tally().packets_from(seat.participant, Video);
    practitioner.sees(|tally| tally.packets_from(seat.participant, Video) > video + 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_connection_and_an_older_placement_are_refused() {
    let clinic = Clinic::opens().await;
    let seat = Seat { connection: Connection(5), epoch: Epoch(3), ..clinic.seat() };
    let _patient = Participant::at_relay(&clinic.signaling, seat, Publishing::default()).await.expect("joined");
    for stale in
        [Seat { connection: Connection(4), ..seat }, Seat { epoch: Epoch(2), connection: Connection(6), ..seat }]
    {
        let refused = Participant::at_relay(&clinic.signaling, stale, Publishing::default()).await;
        assert!(matches!(refused, Err(JoinError::RelayRefused(RelayRefusal::Stale))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_is_none_is_refused() {
    let clinic = Clinic::opens().await;
    let Seat { room, epoch, participant, connection } = clinic.seat();
    let offer = domain::Redacted::new("v=0".to_owned());
    let outcome = clinic.asks(RelayCommand::Join { room, epoch, participant, connection, offer }).await;
    assert!(matches!(outcome, RelayOutcome::Refused { code: RelayRefusal::BadOffer, .. }), "{outcome:?}");
}
