//! Joins a room of the doctor's own with two headless participants, and sees whether they hear and see each other.

use super::report::Finding;
use domain::{
    ParticipantId, Random as _, RoomId,
    media::MediaKind::{Audio, Video},
    relay::{Connection, Epoch, RelayAnnouncement, RelayCommand},
};
use participant::{JoinError, NotSeen, Participant, Publishing, Reach, RelayClient, Seat, Tally};
use service::{config::Config, random::SystemRandom};
use std::time::{Duration, Instant};

/// How long media may take to flow before we say that it does not. Blocked UDP shows as silence.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many packets of each kind are counted each way: about three seconds of a visit.
const SOUND: u64 = 150;
const PICTURES: u64 = 270;

/// Whether media flows through this relay.
pub async fn flows(config: &Config, relay: &RelayAnnouncement) -> Finding {
    let Ok(key) = config.relay_key() else { return Finding::unchecked("RELAY_KEY is not set") };
    if relay.draining {
        return Finding::unchecked(format!("relay {} takes no new rooms", relay.id));
    }
    let client = match RelayClient::connect(&relay.control_url, key).await {
        Ok(client) => client,
        Err(error) if error.status() == Some(401) => {
            return Finding::wrong(
                format!("relay {} refuses our RELAY_KEY", relay.id),
                "Give all services the same RELAY_KEY.",
            );
        }
        Err(_) => {
            let what = format!("relay {} is announced but not reached at {}", relay.id, relay.control_url);
            return Finding::wrong(what, "Is RELAY_CONTROL_ADDR open to this machine, and RELAY_CONTROL_URL right?");
        }
    };
    let room = RoomId(SystemRandom.uuid());
    let finding = match visit(&client, room).await {
        Ok(visit) => visit.finding(relay),
        Err(trouble) => trouble.finding(relay),
    };
    // The relay forgets an empty room by itself, if this does not arrive.
    let _ = client.request(RelayCommand::End { room }).await;
    finding
}

struct Visit {
    joined: Duration,
    first_packet: Duration,
    each_way: [Way; 2],
    path: String,
}

#[derive(Clone, Copy)]
struct Way {
    packets_per_second: f64,
    loss: f64,
    delay: Duration,
}

enum Trouble {
    NotJoined(JoinError),
    NoConnection,
    NoMedia,
    Damaged,
}

impl From<JoinError> for Trouble {
    fn from(error: JoinError) -> Self {
        Self::NotJoined(error)
    }
}

impl From<NotSeen> for Trouble {
    fn from(not_seen: NotSeen) -> Self {
        match not_seen.tally.connected_after {
            None => Self::NoConnection,
            Some(_) => Self::NoMedia,
        }
    }
}

async fn visit(client: &RelayClient, room: RoomId) -> Result<Visit, Trouble> {
    let practitioner = join(client, room).await?;
    practitioner.until(|tally| tally.connected_after.is_some(), PATIENCE).await?;
    let began = Instant::now();
    let patient = join(client, room).await?;
    let answered = began.elapsed();
    let connected = patient.until(|tally| tally.connected_after.is_some(), PATIENCE).await?;
    let joined = answered + connected.connected_after.unwrap_or_default();
    let (theirs, ours) = tokio::try_join!(watch(&patient, &practitioner), watch(&practitioner, &patient))?;
    let first_packet = theirs.first_packet_from(practitioner.mark(), Video).unwrap_or_default();
    let path = patient.peer().path().await.map_or_else(|| "an unknown path".to_owned(), |path| path.to_string());
    let each_way = [way(&theirs, practitioner.mark()), way(&ours, patient.mark())];
    patient.leave().await?;
    practitioner.leave().await?;
    Ok(Visit { joined, first_packet: answered + first_packet, each_way, path })
}

async fn join(client: &RelayClient, room: RoomId) -> Result<Participant, JoinError> {
    let seat =
        Seat { room, epoch: Epoch(1), participant: ParticipantId(SystemRandom.uuid()), connection: Connection(1) };
    Participant::at_relay(client, seat, Publishing { reach: Reach::Everywhere, ..Publishing::default() }).await
}

/// Waits until `one` has heard and seen enough of `other`, whole.
async fn watch(one: &Participant, other: &Participant) -> Result<Tally, Trouble> {
    let mark = other.mark();
    let enough =
        |tally: &Tally| tally.packets_from(mark, Audio) >= SOUND && tally.packets_from(mark, Video) >= PICTURES;
    let tally = one.until(enough, PATIENCE).await?;
    if tally.damaged() + tally.unexpected > 0 { Err(Trouble::Damaged) } else { Ok(tally) }
}

/// Rate, loss and delay of what came from `source`.
fn way(tally: &Tally, source: ParticipantId) -> Way {
    let mut way = Way { packets_per_second: 0.0, loss: 0.0, delay: Duration::ZERO };
    let (mut packets, mut missing, mut delay) = (0, 0, Duration::ZERO);
    for from in tally.slots.values().filter_map(|slot| slot.sources.get(&source)) {
        let seconds = from.last_packet.saturating_sub(from.first_packet).as_secs_f64();
        way.packets_per_second += (from.packets as f64 - 1.0) / seconds.max(0.001);
        (packets, missing, delay) = (packets + from.packets, missing + from.missing, delay + from.delay);
    }
    way.loss = missing as f64 / (packets + missing).max(1) as f64;
    way.delay = delay.div_f64(packets.max(1) as f64);
    way
}

impl Visit {
    fn finding(&self, relay: &RelayAnnouncement) -> Finding {
        let [to_patient, to_practitioner] = self.each_way;
        let loss = 100.0 * to_patient.loss.max(to_practitioner.loss);
        let delay = to_patient.delay.max(to_practitioner.delay);
        Finding::Fine(vec![
            format!("flows both ways through relay {}", relay.id),
            format!("over {}", self.path),
            format!(
                "joined in {} ms, first picture after {} ms",
                self.joined.as_millis(),
                self.first_packet.as_millis()
            ),
            format!(
                "{:.0} and {:.0} packets/s arrive, {loss:.1} % lost, {:.1} ms on the way",
                to_patient.packets_per_second,
                to_practitioner.packets_per_second,
                delay.as_secs_f64() * 1_000.0,
            ),
        ])
    }
}

impl Trouble {
    fn finding(&self, relay: &RelayAnnouncement) -> Finding {
        let relay = relay.id;
        match self {
            Self::NotJoined(error) => Finding::wrong(
                format!("nobody can join at relay {relay}: {error}"),
                "Look into the relay's log for the reason.",
            ),
            Self::NoConnection => Finding::wrong(
                format!("relay {relay} answers, but no media connection comes about"),
                "Is its UDP port (MEDIA_PORT) open, and PUBLIC_ADDRESS the address people reach it at?",
            ),
            Self::NoMedia => Finding::wrong(
                format!("relay {relay} is connected to, but media does not flow both ways"),
                "Look into the relay's log; its /metrics tell what was dropped and why.",
            ),
            Self::Damaged => Finding::wrong(
                format!("what arrives through relay {relay} is not what was sent"),
                "Restart the relay; if it happens again, report it.",
            ),
        }
    }
}
