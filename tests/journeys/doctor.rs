//! `bedside doctor` says in plain words whether everything works, and its exit status says the same.

use crate::support::clinic::Clinic;
use std::process::{Command, Output};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_everything_well_and_sees_media_flow() {
    let clinic = Clinic::start().await;
    let (output, words) = visit(&clinic, &[]).await;
    assert!(output.status.success(), "{words}");
    for part in
        ["Everything works.", "flows both ways", "over UDP to", "AES-128-GCM", "first picture after", "packets/s"]
    {
        assert!(words.contains(part), "{part} is missing: {words}");
    }
    assert_eq!(clinic.relay.stats().participants, 0, "the doctor tidies up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let clinic = Clinic::start().await;
    let wrong = [
        ("REDIS_URL", "redis://127.0.0.1:1", "Redis running"),
        ("DATABASE_URL", "postgres://nobody:secretive@127.0.0.1:1/nowhere", "Postgres running"),
        ("RELAY_KEY", "a key of 32 bytes that nobody uses", "same RELAY_KEY"),
    ];
    for (variable, value, advice) in wrong {
        let (output, words) = visit(&clinic, &[(variable, value)]).await;
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(advice) && words.contains("needs attention"), "{variable}: {words}");
        assert!(!words.contains(value), "what is secret stays so: {words}");
    }
}

/// Runs the doctor with the configuration of this clinic, but for `changed`.
async fn visit(clinic: &Clinic, changed: &[(&str, &str)]) -> (Output, String) {
    let config = &clinic.config;
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_bedside"));
    doctor.arg("doctor").env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    doctor.env("DATABASE_URL", config.database_url().expect("set").expose());
    doctor.env("REDIS_URL", config.redis_url().expect("set").expose());
    doctor.env("SECRET", config.secret().expect("set").expose());
    doctor.env("RELAY_KEY", config.relay_key().expect("set").expose());
    doctor.envs(changed.iter().copied());
    let output = tokio::task::spawn_blocking(move || doctor.output()).await.expect("waited").expect("it starts");
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, words)
}
