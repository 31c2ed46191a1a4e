//! Sound and picture through the whole way in: token, signaling, relay.

use crate::house::{House, ORIGIN, Person, RunningNode, SOON};
use domain::media::MediaKind;
use participant::{Participant, Publishing};
use sqlx::PgPool;

async fn enters(house: &House, person: &Person, node: &RunningNode) -> Participant {
    let token = house.token(person).await;
    let entered = Participant::connect(&node.url, ORIGIN, &token, person.participant, Publishing::default());
    entered.await.expect("in the room")
}

async fn receives(one: &Participant, other: &Participant, more_than: u64) -> u64 {
    let packets = |tally: &participant::Tally| {
        let kinds = [MediaKind::Audio, MediaKind::Video];
        kinds.map(|kind| tally.packets_from(other.mark(), kind)).into_iter().min().expect("two kinds")
    };
    let tally = one.until(|tally| packets(tally) > more_than, SOON).await.expect("sound and picture");
    packets(&tally)
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn both_receive_sound_and_picture_and_a_lost_node_costs_none_of_it(pool: PgPool) {
    let (mut house, _relay, node) = House::ready(pool).await;
    let other_node = house.starts_node().await;
    let doctor = enters(&house, &house.practitioner, &node).await;
    let mut patient = enters(&house, &house.patient, &node).await;
    let before = receives(&doctor, &patient, 10).await;
    receives(&patient, &doctor, 10).await;

    node.draining.cancel();
    let token = house.token(&house.patient).await;
    patient.resume(&other_node.url, ORIGIN, &token).await.expect("resumed");
    receives(&doctor, &patient, before + 20).await;
    let heard = patient.signaling().expect("joined by signaling").heard();
    assert_eq!((heard.restarts, heard.closed), (0, None));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn when_the_relay_dies_picture_and_sound_come_back_by_another(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let mut doctor = enters(&house, &house.practitioner, &node).await;
    let mut patient = enters(&house, &house.patient, &node).await;
    receives(&doctor, &patient, 10).await;
    let _other_relay = house.starts_relay().await;
    relay.shutdown().await;
    for person in [&mut doctor, &mut patient] {
        let signaling = person.signaling().expect("joined by signaling").clone();
        signaling.until(|heard| heard.restarts > 0, SOON).await.expect("asked for a new offer");
        person.rejoin().await.expect("joined anew");
    }
    receives(&doctor, &patient, 10).await;
    receives(&patient, &doctor, 10).await;
}
