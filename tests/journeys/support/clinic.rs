//! A whole Bedside in this process for one test: its own database, its own Redis, a clock that the test moves.

use super::{PATIENCE, database::database, person::Person, redis::Redis};
use axum::Router;
use bedside::services::{self, Parts};
use clap::Parser as _;
use domain::{Role, relay::RelayAnnouncement};
use jiff::{Timestamp, civil};
use media_relay::{Relay, RelayHandle};
use scheduler::demo::{Demo, DemoAccount, DemoVisit};
use service::{
    bus::Bus,
    clock::ManualClock,
    config::{Config, Settings},
    keys::Keys,
    postgres::Db,
    random::SystemRandom,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// When every test begins: a Tuesday morning where the clinics stand.
const MORNING: &str = "09:00";

/// Where that is, wherever the machine stands.
const ZONE: &str = "Europe/London";

/// Bedside with the demo clinics in it.
pub struct Clinic {
    /// The present of every service.
    pub clock: ManualClock,
    /// What the services work with.
    pub parts: Parts,
    /// How they are set up.
    pub config: Config,
    /// The relay.
    pub relay: RelayHandle,
    /// What has just happened.
    pub redis: Redis,
    /// Who may sign in, and who comes.
    pub demo: Demo,
    _stop: DropGuard,
}

#[derive(clap::Parser)]
struct OnlySettings {
    #[command(flatten)]
    settings: Settings,
}

impl Clinic {
    /// Starts everything.
    pub async fn start() -> Self {
        bedside::prepare();
        let clock = morning();
        let redis = Redis::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let config = config(&database().await, &redis.url(), listener.local_addr().expect("bound"));
        let parts = parts(&config, &clock).await;
        let demo = furnish(&parts.db, &clock).await;
        let relay = services::relay(&config).expect("a complete configuration");
        let relay = Relay::start(relay, Arc::new(SystemRandom)).await.expect("the relay starts");
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, router(&parts, &config, &stop), stop.clone()));
        let clinic = Self { clock, parts, config, relay, redis, demo, _stop: stop.drop_guard() };
        clinic.wait_for_the_relay().await;
        clinic
    }

    /// Another node of web and signaling beside the first, with its own connections. Says where it is.
    pub async fn another_node(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let stop = CancellationToken::new();
        let parts = parts(&self.config, &self.clock).await;
        tokio::spawn(serve(listener, router(&parts, &self.config, &stop), stop));
        format!("http://{address}")
    }

    /// Where the pages are, without a slash at the end.
    pub fn url(&self) -> String {
        self.config.public_url.as_str().trim_end_matches('/').to_owned()
    }

    /// Where signaling is.
    pub fn signaling_url(&self) -> String {
        format!("{}/signal", self.url().replacen("http", "ws", 1))
    }

    /// Somebody of the first clinic in this role, signed in.
    pub async fn staff(&self, role: Role) -> Person {
        self.sign_in(self.account(|account| account.role == role)).await
    }

    /// The one who sees the patient of `visit`, signed in.
    pub async fn practitioner_of(&self, visit: &DemoVisit) -> Person {
        self.sign_in(self.account(|account| account.name == visit.practitioner)).await
    }

    /// The receptionist of the other clinic, signed in.
    pub async fn stranger(&self) -> Person {
        self.elsewhere(Role::Receptionist).await
    }

    /// A practitioner of the other clinic, signed in.
    pub async fn practitioner_elsewhere(&self) -> Person {
        self.elsewhere(Role::Practitioner).await
    }

    async fn elsewhere(&self, role: Role) -> Person {
        let own = &self.demo.accounts[0].clinic;
        self.sign_in(self.account(|account| account.role == role && account.clinic != *own)).await
    }

    /// Somebody whom nobody knows: a patient who was sent a link.
    pub fn somebody(&self) -> Person {
        Person::new(&self.url())
    }

    /// The first visit of the first clinic that lies ahead.
    pub fn visit(&self) -> &DemoVisit {
        self.visits_of_first_clinic().next().expect("the demo has visits")
    }

    /// Every visit of the first clinic that lies ahead.
    pub fn visits_of_first_clinic(&self) -> impl Iterator<Item = &DemoVisit> {
        self.demo.visits.iter().filter(|visit| visit.clinic == self.demo.accounts[0].clinic)
    }

    /// The path of the link that the patient of this visit was sent.
    pub fn link_of(&self, visit: &DemoVisit) -> String {
        let keys = Keys::derive(self.config.secret().expect("set")).expect("long enough");
        format!("/visit/{}", scheduler::visit_link(&keys.visit_link, visit.appointment, visit.link_version).expose())
    }

    async fn sign_in(&self, account: &DemoAccount) -> Person {
        let person = self.somebody();
        person.signs_in(&account.email, &account.password).await;
        person
    }

    fn account(&self, is_wanted: impl Fn(&DemoAccount) -> bool) -> &DemoAccount {
        self.demo.accounts.iter().find(|account| is_wanted(account)).expect("the demo has somebody like that")
    }

    /// A relay is found by what it writes to Redis, once a second.
    pub async fn wait_for_the_relay(&self) {
        let key = format!("bedside:relay:{}", self.relay.id);
        let announced = async {
            let mut get = redis::cmd("GET");
            get.arg(&key);
            while !matches!(self.parts.bus.command::<Option<String>>(&get).await, Ok(Some(text)) if is_announcement(&text))
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, announced).await.expect("the relay announces itself");
    }
}

fn is_announcement(text: &str) -> bool {
    serde_json::from_str::<RelayAnnouncement>(text).is_ok()
}

fn config(database_url: &str, redis_url: &str, address: SocketAddr) -> Config {
    let secret = "a secret that only this test run knows, at least";
    let address = address.to_string();
    let line = ["bedside", "--database-url", database_url, "--redis-url", redis_url, "--bind-addr", &address];
    let secrets =
        ["--secret", secret, "--relay-key", secret, "--media-shards", "1", "--demo", "--database-connections", "12"];
    let mut settings = OnlySettings::parse_from([&line[..], &secrets[..]].concat()).settings;
    settings.public_url = Some(format!("http://{address}").parse().expect("an address"));
    settings.check().expect("a valid configuration")
}

async fn parts(config: &Config, clock: &ManualClock) -> Parts {
    let url = config.database_url().expect("set");
    let db = Db::connect(url, config.settings.database_connections).await.expect("the database is there");
    let bus = Bus::connect(config.redis_url().expect("set")).await.expect("an address of Redis");
    Parts { db, bus, clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom) }
}

fn router(parts: &Parts, config: &Config, stop: &CancellationToken) -> Router {
    let signaling = services::signaling(parts, config, stop.clone()).expect("a complete configuration");
    services::web(parts, config, stop.clone()).expect("a complete configuration").merge(signaling::router(signaling))
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await.expect("the listener works");
}

/// A clock that shows when every test begins.
pub fn morning() -> ManualClock {
    ManualClock::at(at(MORNING))
}

/// Makes the demo clinics, or finds those of the template.
pub async fn furnish(db: &Db, clock: &ManualClock) -> Demo {
    let hash = |password: &str| web::hash_password(&SystemRandom, &password.to_owned().into()).into_inner();
    scheduler::demo::demo(db, clock, &SystemRandom, &hash, ZONE).await.expect("the demo is made")
}

/// The instant of a time of the test's day.
pub fn at(time: &str) -> Timestamp {
    let time: civil::Time = time.parse().expect("a time");
    civil::date(2026, 11, 24).to_datetime(time).in_tz(ZONE).expect("a time of the zone").timestamp()
}
