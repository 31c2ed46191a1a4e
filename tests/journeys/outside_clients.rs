//! Cameras and screens of other makes: Debian's simple-whip-client (GStreamer, libnice, OpenSSL) sends, aiortc receives.
//! `bin/outside-clients` installs both and runs this.

use crate::support::processes::Processes;
use domain::{media::MediaKind, signal::ParticipantRole};
use participant::Participant;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// Much sooner than a relay gives up on who went without a word.
const SOON: Duration = Duration::from_secs(15);
const SOUND: &str = "audiotestsrc is-live=true ! audioconvert ! audioresample ! queue ! opusenc ! rtpopuspay pt=100 ssrc=1 ! queue \
    ! application/x-rtp,media=audio,encoding-name=OPUS,payload=100";
const PICTURE: &str = "videotestsrc is-live=true pattern=ball ! videoconvert ! queue ! vp8enc deadline=1 ! rtpvp8pay pt=96 ssrc=2 \
    ! queue ! application/x-rtp,media=video,encoding-name=VP8,payload=96";

/// What a program gets for its device.
#[derive(Deserialize)]
struct WayIn {
    token: String,
    whip: String,
    whep: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the clients that bin/outside-clients installs"]
async fn a_camera_is_seen_and_a_screen_sees_and_both_leave_when_they_say_so() {
    let bedside = Processes::start("info").await;
    let visit = bedside.demo.visits.first().expect("the demo has visits").clone();
    let (patient, practitioner) = (bedside.somebody(), bedside.practitioner_of(&visit).await);
    let meeting = patient.meets(&practitioner, &bedside.link_of(&visit), &visit).await;
    let doctor = practitioner.enters(&meeting.practitioners_page).await;
    let device = async |name| asks(&bedside, &visit.appointment.to_string(), bedside.desk_token(&visit), name).await;

    let mut camera = Client::camera(&device("Exam camera").await);
    until_devices(&doctor, &["Exam camera"], &camera).await;
    let arrived = doctor
        .until(
            |tally| {
                [MediaKind::Audio, MediaKind::Video]
                    .iter()
                    .all(|kind| tally.slots.values().any(|slot| slot.kind == *kind && slot.packets > 100))
            },
            SOON,
        )
        .await;
    arrived.unwrap_or_else(|not_seen| panic!("{not_seen}\n{}", camera.log()));

    let screen = Client::screen(&device("Screen").await);
    let told = screen.ends().await;
    let told: Value = serde_json::from_str(told.lines().last().expect("a line")).unwrap_or_else(|_| panic!("{told}"));
    println!("the screen: {told}");
    assert_eq!((told["entered"].as_u64(), told["left"].as_u64()), (Some(201), Some(200)), "{told}");
    until_devices(&doctor, &["Exam camera"], &camera).await;

    camera.interrupt();
    assert!(camera.waits().await.success(), "{}", camera.log());
    until_devices(&doctor, &[], &camera).await;
    let log = bedside.logs();
    assert!(log.contains("/whip/{session}"), "requests are logged by their route");
    assert_eq!(log.matches("/whip/").count(), log.matches("/whip/{session}").count(), "no session's address is");
    assert!(!log.contains("eyJ"), "no token is");
}

/// Which devices the practitioner is shown, by name.
async fn until_devices(doctor: &Participant, names: &[&str], camera: &Client) {
    let signaling = doctor.signaling().expect("they came by signaling");
    let shown = signaling.until(
        |heard| {
            let devices = heard.others().filter(|one| one.role == ParticipantRole::Device && one.connected);
            devices.map(|one| one.name.expose().as_str()).eq(names.iter().copied())
                && heard.others().count() == names.len()
        },
        SOON,
    );
    shown.await.unwrap_or_else(|not_heard| panic!("{names:?}: {not_heard}\n{}", camera.log()));
}

async fn asks(bedside: &Processes, appointment: &str, token: &str, name: &str) -> WayIn {
    let url = format!("{}/api/v1/appointments/{appointment}/join-tokens", bedside.url);
    let request = reqwest::Client::new().post(url).bearer_auth(token).json(&json!({ "role": "device", "name": name }));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), reqwest::StatusCode::CREATED);
    answer.json().await.expect("a way in")
}

/// A program of somebody else.
struct Client {
    process: Option<Child>,
    log: PathBuf,
}

impl Client {
    fn camera(way_in: &WayIn) -> Self {
        let mut command = Command::new("whip-client");
        command.args(["--disable-colors", "--url", &way_in.whip, "--token", &way_in.token, "-A", SOUND, "-V", PICTURE]);
        command.env("LD_LIBRARY_PATH", variable("WHIP_CLIENT_LIBRARIES"));
        Self::start(command, "camera")
    }

    fn screen(way_in: &WayIn) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside-clients/whep.py");
        let mut command = Command::new(variable("WHEP_PYTHON"));
        command.args([script, &way_in.whep]).env("TOKEN", &way_in.token);
        Self::start(command, "screen")
    }

    fn start(mut command: Command, name: &str) -> Self {
        let log = std::env::temp_dir().join(format!("bedside-{name}-{}", std::process::id()));
        let file = File::create(&log).expect("a log");
        let errors = file.try_clone().expect("a log");
        let process = command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn().expect("it is installed");
        Self { process: Some(process), log }
    }

    /// As by Ctrl-C.
    fn interrupt(&self) {
        let process = self.process.as_ref().expect("it runs");
        assert!(Command::new("kill").args(["-INT", &process.id().to_string()]).status().expect("kill").success());
    }

    async fn waits(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it runs");
        let ended = tokio::task::spawn_blocking(move || process.wait());
        tokio::time::timeout(Duration::from_secs(40), ended).await.expect("it ends").expect("waited").expect("ended")
    }

    /// Waits for its success; what it said.
    async fn ends(mut self) -> String {
        let status = self.waits().await;
        assert!(status.success(), "{status}: {}", self.log());
        self.log()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_file(&self.log);
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by bin/outside-clients"))
}
