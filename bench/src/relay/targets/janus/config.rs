//! The configuration folder: VideoRoom over WebSockets, everything else left out.

use super::Tuning;
use crate::relay::target::Place;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where Debian puts plugins and transports.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/janus";

/// What is set beyond the defaults, for the reader of the table.
pub(super) fn settings(tuning: Tuning) -> impl Iterator<Item = (&'static str, &'static str)> {
    let tuned: &[_] = match tuning {
        Tuning::AsItComes => &[("event_loops", "none: a thread for each transport"), ("debug_level", "4")],
        Tuning::OneLoop => {
            &[("event_loops", "1"), ("debug_level", "2"), ("nack_optimizations", "true"), ("slowlink_threshold", "0")]
        }
    };
    [("plugin", "VideoRoom"), ("transport", "JSON over a WebSocket"), ("bitrate", "no cap"), ("ice_lite", "true")]
        .into_iter()
        .chain(tuned.iter().copied())
}

/// Writes it below the place's own folder and gives its path.
pub(super) fn write(tuning: Tuning, place: &Place, port: u16) -> std::io::Result<PathBuf> {
    let folder = place.scratch.join("janus");
    fs::create_dir_all(&folder)?;
    let library = if Path::new(LIBRARY).exists() { LIBRARY } else { "/usr/lib/janus" };
    let (debug, event_loops, media) = match tuning {
        Tuning::AsItComes => (4, "", ""),
        Tuning::OneLoop => (2, "event_loops = 1", "nack_optimizations = true\n  slowlink_threshold = 0"),
    };
    let main = format!(
        r#"general: {{
  configs_folder = "{configs}"
  plugins_folder = "{library}/plugins"
  transports_folder = "{library}/transports"
  events_folder = "{library}/events"
  loggers_folder = "{library}/loggers"
  debug_level = {debug}
  debug_timestamps = false
  debug_colors = false
  session_timeout = 0
  reclaim_session_timeout = 0
  {event_loops}
}}
media: {{
  rtp_port_range = "20000-59999"
  {media}
}}
nat: {{
  ice_lite = true
  full_trickle = false
  {interface}
  mdns_enabled = false
}}
plugins: {{
  disable = "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_voicemail.so"
}}
transports: {{
  disable = "libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so"
}}
events: {{
  broadcast = false
}}
"#,
        configs = folder.display(),
        // Of the loop-back interface it makes no candidate: then it takes those it finds.
        interface = if place.address.is_loopback() {
            String::new()
        } else {
            format!("ice_enforce_list = \"{}\"", place.address)
        },
    );
    fs::write(folder.join("janus.jcfg"), main)?;
    let sockets = format!(
        "general: {{\n  json = \"compact\"\n  ws = true\n  ws_port = {port}\n  ws_ip = \"127.0.0.1\"\n  wss = false\n}}\n"
    );
    fs::write(folder.join("janus.transport.websockets.jcfg"), sockets)?;
    fs::write(folder.join("janus.plugin.videoroom.jcfg"), "general: {\n}\n")?;
    Ok(folder)
}
