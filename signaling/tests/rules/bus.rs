//! The bus between processes, as signaling and the pages rely on it.

use crate::{house::SOON, private_redis::PrivateRedis};
use domain::{AppointmentId, ClinicId, Random, Redacted};
use futures_util::{FutureExt, Stream, StreamExt};
use service::{
    bus::{Bus, Happening, Topic},
    random::SystemRandom,
};
use std::net::TcpListener;
use tokio::time::timeout;

async fn next(happenings: &mut (impl Stream<Item = Happening> + Unpin)) -> Happening {
    timeout(SOON, happenings.next()).await.expect("something happens").expect("the bus does not end")
}

fn clinic() -> Topic {
    Topic::Clinic(ClinicId(SystemRandom.uuid()))
}

fn changed() -> Happening {
    Happening::AppointmentChanged { appointment: AppointmentId(SystemRandom.uuid()) }
}

#[tokio::test]
async fn what_one_process_tells_another_hears_if_it_is_about_what_it_listens_to() {
    let redis = PrivateRedis::start(SystemRandom.uuid());
    let (one, other) =
        (Bus::connect(&redis.url()).await.expect("a URL"), Bus::connect(&redis.url()).await.expect("a URL"));
    let (ours, theirs, happening) = (clinic(), clinic(), changed());
    let mut heard = other.subscribe(ours);
    assert_eq!(next(&mut heard).await, Happening::Resync, "the subscription stands");
    one.publish(theirs, changed()).await;
    one.publish(ours, happening).await;
    assert_eq!(next(&mut heard).await, happening);
}

#[tokio::test]
async fn who_listens_while_redis_goes_and_comes_reads_everything_again() {
    let mut redis = PrivateRedis::start(SystemRandom.uuid());
    let bus = Bus::connect(&redis.url()).await.expect("a URL");
    let (topic, happening) = (clinic(), changed());
    let mut heard = bus.subscribe(topic);
    assert_eq!(next(&mut heard).await, Happening::Resync);
    redis.kill();
    bus.publish(topic, changed()).await; // lost, and the caller is none the worse
    redis.run();
    assert_eq!(next(&mut heard).await, Happening::Resync);
    bus.publish(topic, happening).await;
    assert_eq!(next(&mut heard).await, happening);
}

#[tokio::test]
async fn a_listener_that_is_too_slow_reads_everything_again() {
    let redis = PrivateRedis::start(SystemRandom.uuid());
    let bus = Bus::connect(&redis.url()).await.expect("a URL");
    let topic = clinic();
    let (mut slow, mut quick) = (bus.subscribe(topic), bus.subscribe(topic));
    assert_eq!(next(&mut quick).await, Happening::Resync);
    for _ in 0..200 {
        let happening = changed();
        bus.publish(topic, happening).await;
        while next(&mut quick).await != happening {}
    }
    assert_eq!(next(&mut slow).await, Happening::Resync);
}

#[tokio::test]
async fn what_is_no_redis_url_is_refused_without_being_repeated() {
    let error = Bus::connect(&"http://user:secret@host".to_owned().into()).await.err().expect("no Redis URL");
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn nobody_waits_a_second_time_for_a_redis_that_is_away() {
    // Connections come about and nothing is answered, as behind a broken network.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}", silent.local_addr().expect("a port"));
    let bus = Bus::connect(&Redacted::new(url)).await.expect("a URL");
    assert!(bus.publish(clinic(), changed()).now_or_never().is_none(), "Redis is looked for");
    bus.publish(clinic(), changed()).await;
    assert!(bus.publish(clinic(), changed()).now_or_never().is_some());
}
