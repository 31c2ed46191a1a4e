//! What every test begins with: a clinic with one consultation under way, Redis, a relay, and signaling nodes.

use crate::private_redis::PrivateRedis;
use domain::{
    AccountId, Actor, ApiTokenId, AppointmentId, ChatMessageId, ClinicId, Clock, EncounterId, ParticipantId, PatientId,
    PractitionerId, Random, Redacted, Role, RoomId, VisitTypeId, Who,
};
use media_relay::{Relay, RelayConfig, RelayHandle};
use participant::{Heard, Peer, Publishing, SignalingClient};
use scheduler::join_tokens::{self, SigningKey, VerifyingKey};
use service::{
    bus::{Bus, Happening, Topic},
    clock::SystemClock,
    ice_servers::IceServers,
    postgres::Db,
    random::SystemRandom,
};
use signaling::{Signaling, SignalingConfig};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) const ICE_SERVERS: [&str; 2] = ["stun:stun.example", "turns:turn.example:443?transport=tcp"];
pub(crate) const ORIGIN: &str = "http://localhost:8080";
/// How long a test waits for what comes at once when the machine has nothing else to do.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// Sooner than a node would notice by itself (it reads again every five seconds, and hears a relay's silence after four): what
/// happens within this was told.
pub(crate) const TOLD: Duration = Duration::from_secs(3);
const SEED: [u8; 32] = [7; 32];
const RELAY_KEY: &str = "the same key on both sides, long enough";

/// Everything around one consultation.
pub(crate) struct House {
    pub(crate) pool: PgPool,
    pub(crate) db: Db,
    pub(crate) redis: PrivateRedis,
    pub(crate) appointment: AppointmentId,
    pub(crate) encounter: EncounterId,
    pub(crate) practitioner: Person,
    pub(crate) patient: Person,
    nodes: Vec<CancellationToken>,
}

/// Somebody of the consultation.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) actor: Actor,
    pub(crate) participant: ParticipantId,
}

/// A signaling node that runs.
pub(crate) struct RunningNode {
    pub(crate) url: String,
    pub(crate) signaling: Signaling,
    pub(crate) draining: CancellationToken,
}

impl House {
    /// A clinic where a patient was just admitted; no relay yet, no node yet.
    pub(crate) async fn new(pool: PgPool) -> Self {
        let id = || SystemRandom.uuid();
        let (clinic, appointment, encounter, room) =
            (ClinicId(id()), AppointmentId(id()), EncounterId(id()), RoomId(id()));
        let (patient, practitioner, account) = (PatientId(id()), PractitionerId(id()), AccountId(id()));
        let visit_type = VisitTypeId(id());
        let (doctor, guest) = (ParticipantId(id()), ParticipantId(id()));
        let rows = format!(
            "insert into clinics (id, name, time_zone, phone) values ('{clinic}', 'Harbour', 'Europe/London', '1');
             insert into practitioners values ('{clinic}', '{practitioner}', 'Dr', 'Hannah', 'Osei', 'GP');
             insert into visit_types (clinic_id, id, name, minutes) values ('{clinic}', '{visit_type}', 'Consultation', 30);
             insert into patients (clinic_id, id, name, birth_date, name_key, added_at)
                 values ('{clinic}', '{patient}', 'Maria Santos', '1980-01-01', ' maria santos', now());
             insert into accounts (clinic_id, id, role, name, email, password_hash, practitioner_id)
                 values ('{clinic}', '{account}', 'practitioner', 'Hannah Osei', 'h@example.org', '-', '{practitioner}');
             insert into appointments (clinic_id, id, patient_id, practitioner_id, visit_type_id, state, starts_at, ends_at,
                 wall_time, time_zone, booked_at)
                 values ('{clinic}', '{appointment}', '{patient}', '{practitioner}', '{visit_type}', 'fulfilled', now(),
                     now() + interval '30 minutes', now(), 'Europe/London', now());
             insert into encounters (clinic_id, id, appointment_id, state, started_at, room_id)
                 values ('{clinic}', '{encounter}', '{appointment}', 'in_progress', now(), '{room}');
             insert into participants (clinic_id, id, encounter_id, role, practitioner_id)
                 values ('{clinic}', '{doctor}', '{encounter}', 'practitioner', '{practitioner}');
             insert into participants (clinic_id, id, encounter_id, role, patient_id)
                 values ('{clinic}', '{guest}', '{encounter}', 'patient', '{patient}');"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&pool).await.expect("a consultation");
        let account = Who::Account { id: account, role: Role::Practitioner };
        Self {
            db: Db::over((*pool.connect_options()).clone(), 8),
            pool,
            redis: PrivateRedis::start(id()),
            appointment,
            encounter,
            practitioner: Person { actor: Actor { clinic, who: account }, participant: doctor },
            patient: Person {
                actor: Actor { clinic, who: Who::Patient { id: patient, appointment } },
                participant: guest,
            },
            nodes: Vec::new(),
        }
    }

    /// The usual: one relay and one node.
    pub(crate) async fn ready(pool: PgPool) -> (Self, RelayHandle, RunningNode) {
        let mut house = Self::new(pool).await;
        let relay = house.starts_relay().await;
        let node = house.starts_node().await;
        (house, relay, node)
    }

    pub(crate) async fn starts_relay(&self) -> RelayHandle {
        let config = RelayConfig {
            shards: 1,
            redis_url: Some(self.redis.url()),
            ..RelayConfig::local(Redacted::new(RELAY_KEY.to_owned()))
        };
        let relay = Relay::start(config, Arc::new(SystemRandom)).await.expect("a relay");
        self.until_announced(&relay).await;
        relay
    }

    async fn until_announced(&self, relay: &RelayHandle) {
        let bus = Bus::connect(&self.redis.url()).await.expect("a Redis URL");
        let announced = async {
            let mut get = redis::cmd("EXISTS");
            get.arg(format!("bedside:relay:{}", relay.id));
            while bus.command::<bool>(&get).await != Ok(true) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, announced).await.expect("the relay announces itself");
    }

    pub(crate) async fn starts_node(&mut self) -> RunningNode {
        self.starts_node_with(RELAY_KEY, signaling::MAX_SOCKETS).await
    }

    pub(crate) async fn starts_node_with(&mut self, relay_key: &str, max_sockets: usize) -> RunningNode {
        let config = SignalingConfig {
            public_url: ORIGIN.parse().expect("a URL"),
            join_tokens: VerifyingKey::new(&Redacted::new(SEED)),
            relay_key: Redacted::new(relay_key.to_owned()),
            ice_servers: ice_servers(),
            max_sockets,
        };
        let bus = Bus::connect(&self.redis.url()).await.expect("a Redis URL");
        let draining = CancellationToken::new();
        let signaling = Signaling::new(self.db.clone(), bus, Arc::new(SystemClock), config, draining.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}/signal", listener.local_addr().expect("bound"));
        let router = signaling::router(signaling.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        self.nodes.push(draining.clone());
        RunningNode { url, signaling, draining }
    }

    pub(crate) async fn token(&self, person: &Person) -> Redacted<String> {
        self.token_at(person, &SystemClock).await
    }

    pub(crate) async fn token_at(&self, person: &Person, clock: &dyn Clock) -> Redacted<String> {
        let key = SigningKey::new(&Redacted::new(SEED));
        join_tokens::mint(&self.db, clock, &SystemRandom, &key, &person.actor, self.encounter).await.expect("a token")
    }

    /// A program of the desk asks for a device of this name.
    pub(crate) async fn device_token(&self, name: &str) -> Redacted<String> {
        let key = SigningKey::new(&Redacted::new(SEED));
        let who = Who::ApiToken { id: ApiTokenId(SystemRandom.uuid()), role: Role::Receptionist };
        let by = Actor { who, ..self.practitioner.actor.clone() };
        let of = (self.appointment, name);
        let made = scheduler::mint_for_device(&self.db, &SystemClock, &SystemRandom, &key, &by, of).await;
        made.expect("a token").token
    }

    /// Somebody's page opens a socket and joins with the offer of a browser that has no devices.
    pub(crate) async fn joins(&self, person: &Person, node: &RunningNode) -> SignalingClient {
        let page = opens(node).await;
        let token = self.token(person).await;
        page.join(&token, &offer(person).await).await.expect("an open socket");
        page.until(|heard| heard.answer.is_some(), SOON).await.expect("joined");
        page
    }

    pub(crate) async fn finishes(&self) {
        sqlx::query("update encounters set state = 'finished', finished_at = now() where id = $1")
            .bind(self.encounter.0)
            .execute(&self.pool)
            .await
            .expect("an encounter");
    }

    pub(crate) async fn tells_of_the_end(&self) {
        let bus = Bus::connect(&self.redis.url()).await.expect("a Redis URL");
        let happening = Happening::EncounterFinished { encounter: self.encounter };
        bus.publish(Topic::Encounter(self.encounter), happening).await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.nodes.iter().for_each(CancellationToken::cancel);
        // Nodes end when they come to it; a database with guests is dropped only after five seconds, if at all.
        let db = self.db.clone();
        tokio::spawn(async move { db.close().await });
    }
}

/// A page of ours opens its socket.
pub(crate) async fn opens(node: &RunningNode) -> SignalingClient {
    SignalingClient::connect(&node.url, ORIGIN).await.expect("an open socket")
}

/// What a browser without camera and microphone offers.
pub(crate) async fn offer(person: &Person) -> String {
    Peer::new(person.participant, Publishing::nothing()).await.expect("a peer").offer().to_owned()
}

pub(crate) fn chat_id() -> ChatMessageId {
    ChatMessageId(SystemRandom.uuid())
}

/// Nobody is in any room of the relay any more.
pub(crate) async fn emptied(relay: &RelayHandle) {
    let emptied = async {
        while relay.stats().participants > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, emptied).await.expect("the relay let go of everybody");
}

/// The code with which the page's socket is closed.
pub(crate) async fn closed(page: &SignalingClient) -> (Option<u16>, Heard) {
    let heard = page.until(|heard| heard.closed.is_some(), SOON).await.expect("closed");
    (heard.closed.and_then(|closed| closed.code), heard)
}

fn ice_servers() -> IceServers {
    let urls = ICE_SERVERS.map(ToOwned::to_owned).to_vec();
    IceServers::new(urls, Some(Redacted::new("what the TURN server knows too".to_owned()))).expect("addresses")
}
