//! The four services as four processes of the executable, against a shared Postgres and Redis.

use super::{PATIENCE, database, person::Person, redis::Redis};
use domain::{Redacted, Role};
use scheduler::demo::{Demo, DemoAccount, DemoToken, DemoVisit};
use service::{clock::SystemClock, keys::Keys, postgres::Db, random::SystemRandom};
use std::{
    fs::File,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

const SECRET: &str = "a secret that four processes share in this test";

/// The services, in the order in which they are asked to stop.
const SERVICES: [&str; 4] = ["web", "signaling", "scheduler", "media-relay"];

/// Four running processes.
pub struct Processes {
    /// Who may sign in, and who comes.
    pub demo: Demo,
    /// Where the pages are, without a slash at the end.
    pub url: String,
    /// Where signaling is.
    pub signaling_url: String,
    tokens: Vec<DemoToken>,
    running: Vec<Child>,
    folder: PathBuf,
    _redis: Redis,
}

impl Processes {
    /// Migrates, makes the demo and starts every service with this filter for its logs.
    pub async fn start(filter: &str) -> Self {
        let redis = Redis::start().await;
        let database = database::empty().await;
        let [pages, signaling] = [free_port(), free_port()];
        let folder = std::env::temp_dir().join(format!("bedside-processes-{}-{pages}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let mut started = Self {
            demo: Demo::default(),
            url: format!("http://127.0.0.1:{pages}"),
            signaling_url: format!("ws://127.0.0.1:{signaling}/signal"),
            tokens: Vec::new(),
            running: Vec::new(),
            folder,
            _redis: redis,
        };
        started.run_once("migrate", &database).await;
        started.run_once("demo", &database).await;
        (started.demo, started.tokens) = demo_of(&database).await;
        for service in SERVICES {
            let port = if service == "signaling" { signaling } else { pages };
            started.spawn(service, port, &database, filter).await;
        }
        started
    }

    /// Somebody whom nobody knows, whose address is told apart from everybody else's.
    pub fn somebody(&self) -> Person {
        Person::from_address(&self.url, PERSONS_ADDRESS)
    }

    /// The one who sees the patient of `visit`, signed in.
    pub async fn practitioner_of(&self, visit: &DemoVisit) -> Person {
        let practitioner = self.somebody();
        let is_them = |account: &&DemoAccount| account.role == Role::Practitioner && account.name == visit.practitioner;
        let account = self.demo.accounts.iter().find(is_them).expect("the demo has them");
        practitioner.signs_in(&account.email, &account.password).await;
        practitioner
    }

    /// The path of the link that the patient of this visit was sent.
    pub fn link_of(&self, visit: &DemoVisit) -> String {
        let keys = Keys::derive(&Redacted::new(SECRET.to_owned())).expect("long enough");
        format!("/visit/{}", scheduler::visit_link(&keys.visit_link, visit.appointment, visit.link_version).expose())
    }

    /// The token of the desk's program in the clinic of `visit`.
    pub fn desk_token(&self, visit: &DemoVisit) -> &str {
        let is_theirs = |token: &&DemoToken| token.role == Role::Receptionist && token.clinic == visit.clinic;
        self.tokens.iter().find(is_theirs).expect("the demo has one").token.expose()
    }

    /// Everything that was logged so far, by all of them.
    pub fn logs(&self) -> String {
        SERVICES.map(|name| std::fs::read_to_string(self.folder.join(name)).expect("a log")).concat()
    }

    /// Asks every process to stop (SIGTERM), and says how each ended, and what it logged.
    pub async fn stop(mut self) -> Vec<(ExitStatus, String)> {
        let mut ends = Vec::new();
        for (mut process, service) in std::mem::take(&mut self.running).into_iter().zip(SERVICES) {
            let asked = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
            assert!(asked.expect("kill is there").success());
            let end = tokio::task::spawn_blocking(move || process.wait()).await.expect("waited").expect("ended");
            ends.push((end, self.logs_of(service)));
        }
        ends
    }

    async fn run_once(&self, command: &str, database: &str) {
        let mut process = self.command(command, database, "warn");
        let output = tokio::task::spawn_blocking(move || process.output()).await.expect("waited").expect("started");
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }

    async fn spawn(&mut self, service: &str, port: u16, database: &str, filter: &str) {
        let internal = free_port();
        let log = File::create(self.folder.join(service)).expect("a log");
        let mut process = self.command(service, database, filter);
        process.env("BIND_ADDR", format!("127.0.0.1:{port}")).env("INTERNAL_ADDR", format!("127.0.0.1:{internal}"));
        self.running.push(process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts"));
        let ready = until_ready(internal);
        let ready = tokio::time::timeout(PATIENCE, ready).await;
        assert!(ready.is_ok(), "{service} does not become ready: {}", self.logs_of(service));
    }

    fn logs_of(&self, service: &str) -> String {
        std::fs::read_to_string(self.folder.join(service)).unwrap_or_default()
    }

    fn command(&self, name: &str, database: &str, filter: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedside"));
        command.arg(name).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("TZ", zone_where_it_is_morning());
        command.env("DATABASE_URL", database).env("REDIS_URL", self._redis.url());
        command.env("SECRET", SECRET).env("RELAY_KEY", SECRET).env("DEMO", "true").env("RUST_LOG", filter);
        command.env("PUBLIC_URL", &self.url).env("SIGNALING_URL", &self.signaling_url);
        command
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for process in &mut self.running {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// From where the people of these tests come.
pub const PERSONS_ADDRESS: [u8; 4] = [127, 0, 0, 77];

async fn demo_of(database: &str) -> (Demo, Vec<DemoToken>) {
    let db = Db::connect(&Redacted::new(database.to_owned()), 1).await.expect("the database is there");
    let no_password = |_: &str| unreachable!("everybody has an account");
    let demo = scheduler::demo::demo(&db, &SystemClock, &SystemRandom, &no_password, "UTC");
    let demo = demo.await.expect("the demo is there");
    let keys = Keys::derive(&Redacted::new(SECRET.to_owned())).expect("long enough");
    let tokens = scheduler::demo::api_tokens(&db, &SystemClock, &SystemRandom, &keys.demo_token).await;
    db.close().await;
    (demo, tokens.expect("programs of the demo"))
}

async fn until_ready(port: u16) {
    let client = reqwest::Client::new();
    let url = format!("http://127.0.0.1:{port}/readyz");
    while !client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// These processes have the real time; somewhere on earth the working day of a clinic is under way.
fn zone_where_it_is_morning() -> String {
    use domain::Clock as _;
    let hour = SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).hour();
    let east = (10 - i32::from(hour) + 36) % 24 - 12;
    format!("Etc/GMT{:+}", -east) // POSIX counts towards the west
}
