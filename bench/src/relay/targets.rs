//! The servers that are known, by name, each behind the same two traits.

pub mod bedside;
pub mod child;
pub mod janus;
pub mod livekit;
pub mod mediasoup;
pub mod null;
pub mod whip;

use super::target::Target;
use anyhow::bail;
use std::path::PathBuf;

/// All names, in the order in which they are shown.
pub const NAMES: &str = "bedside,null,null-gso,mediasoup,janus,janus-tuned,livekit,livekit-tuned";

/// Where the servers are.
#[derive(Debug, Clone, clap::Args)]
pub struct Executables {
    /// The executable `bedside`; the one beside this program when absent.
    #[arg(long)]
    bedside: Option<PathBuf>,
    /// The program `janus`; the one in the path when absent.
    #[arg(long)]
    janus: Option<PathBuf>,
    /// LiveKit's server; the one that `bin/bench-peers` made when absent.
    #[arg(long, env = "LIVEKIT_SERVER")]
    livekit: Option<PathBuf>,
    /// A folder with mediasoup in its `node_modules`; the one that `bin/bench-peers` made when absent. `MEDIASOUP_WORKER_BIN` names
    /// another worker than the one that is published with it.
    #[arg(long)]
    mediasoup: Option<PathBuf>,
    /// Where the target `whip` is published to, with `{room}` and `{participant}` in it.
    #[arg(long)]
    whip: Option<String>,
    /// Where the target `whip` is received from, with `{room}`, `{participant}` and `{other}` in it.
    #[arg(long)]
    whep: Option<String>,
    /// What authorizes us there (RFC 6750), with the same names in it.
    #[arg(long)]
    whip_bearer: Option<String>,
    /// The processes of the target `whip`, whose cost is counted.
    #[arg(long, value_delimiter = ',')]
    whip_process: Vec<u32>,
}

/// The targets of these names.
///
/// # Errors
/// When there is none of a name.
pub fn named(names: &[String], executables: &Executables) -> anyhow::Result<Vec<Box<dyn Target>>> {
    let own = std::env::current_exe()?;
    let bedside = executables.bedside.clone().unwrap_or_else(|| own.with_file_name("bedside"));
    let made = |name| Some(own.parent()?.parent()?.join("peers").join(name)).filter(|path: &PathBuf| path.exists());
    let livekit = executables.livekit.clone().or_else(|| made("livekit-server"));
    let mediasoup = executables.mediasoup.clone().or_else(|| made("mediasoup"));
    let target = |name: &String| -> anyhow::Result<Box<dyn Target>> {
        Ok(match name.as_str() {
            "bedside" => Box::new(bedside::Bedside { executable: bedside.clone() }),
            "null" => Box::new(null::Null { with_gso: false }),
            "null-gso" => Box::new(null::Null { with_gso: true }),
            "janus" => Box::new(janus::Janus::new(executables.janus.clone(), janus::Tuning::AsItComes)),
            "janus-tuned" => Box::new(janus::Janus::new(executables.janus.clone(), janus::Tuning::OneLoop)),
            "livekit" => Box::new(livekit::LiveKit::new(livekit.clone(), livekit::Tuning::AsItComes)),
            "livekit-tuned" => Box::new(livekit::LiveKit::new(livekit.clone(), livekit::Tuning::OnePort)),
            "mediasoup" => Box::new(mediasoup::Mediasoup::new(mediasoup.clone())),
            "whip" => Box::new(whip::Whip {
                name: name.clone(),
                whip: executables.whip.clone(),
                whep: executables.whep.clone(),
                bearer: executables.whip_bearer.clone(),
                processes: executables.whip_process.clone(),
            }),
            other => bail!("there is no target {other}; there are: {NAMES},whip"),
        })
    };
    names.iter().map(target).collect()
}
