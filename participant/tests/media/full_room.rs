//! Up to five people come and go without anybody making a new offer; the sixth stays outside.

use crate::clinic::{Clinic, PATIENCE, Sees, connected};
use domain::{media::MediaKind::Audio, relay::RelayRefusal};
use participant::{JoinError, Participant, Publishing};

const SMALL: Publishing =
    Publishing { audio: true, video: true, packets_per_picture: 1, reach: participant::Reach::Loopback };

async fn all_see_all(people: &[Participant]) {
    for one in people {
        for other in people.iter().filter(|other| other.mark() != one.mark()) {
            one.sees(|tally| tally.packets_from(other.mark(), Audio) > 10 && tally.keyframes_from(other.mark()) > 0)
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_fourth_and_fifth_appear_without_renegotiation() {
    let clinic = Clinic::opens().await;
    let mut people = vec![clinic.joins_with(SMALL).await, clinic.joins_with(SMALL).await];
    for _ in 3..=5 {
        all_see_all(&people).await;
        people.push(clinic.joins_with(SMALL).await);
    }
    all_see_all(&people).await;
    for one in &people {
        let tally = one.tally();
        assert_eq!(tally.slots.len(), 8, "each of the four others has a slot of each kind: {tally:#?}");
        assert!(tally.slots.values().all(|slot| slot.sources.len() == 1), "nobody changes place: {tally:#?}");
        assert_eq!((tally.damaged(), tally.unexpected), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sixth_is_refused_until_somebody_leaves() {
    let clinic = Clinic::opens().await;
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(clinic.joins_with(SMALL).await);
    }
    let refused = clinic.tries_to_join(SMALL).await;
    assert!(matches!(refused, Err(JoinError::RelayRefused(RelayRefusal::RoomFull))));
    people.remove(1).leave().await.expect("leaving is possible");
    people.push(clinic.joins_with(SMALL).await);
    clinic.is_told(|room| connected(room) == 5).await;
    all_see_all(&people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_in_place_of_another_takes_their_slot_and_the_rest_stay_where_they_were() {
    let clinic = Clinic::opens().await;
    let mut people =
        vec![clinic.joins_with(SMALL).await, clinic.joins_with(SMALL).await, clinic.joins_with(SMALL).await];
    all_see_all(&people).await;
    let gone = people.remove(1);
    let gone_mark = gone.mark();
    gone.leave().await.expect("leaving is possible");
    people.push(clinic.joins_with(SMALL).await);
    all_see_all(&people).await;
    let newcomer = people[2].mark();
    let tally =
        people[0].until(|tally| tally.keyframes_from(newcomer) > 0, PATIENCE).await.expect("the newcomer is seen");
    assert_eq!(tally.slots.len(), 4, "no further slot was opened: {tally:#?}");
    for slot in tally.slots.values().filter(|slot| slot.sources.contains_key(&newcomer)) {
        assert!(slot.sources.contains_key(&gone_mark), "{slot:#?}");
        assert_eq!((slot.duplicates, slot.damaged), (0, 0), "one sequence over both: {slot:#?}");
    }
}
