//! Over which network path media flows, for people to read.

use rtc::statistics::{
    StatsSelector,
    report::{RTCStatsReport, RTCStatsReportEntry},
    stats::ice_candidate::RTCIceCandidateStats,
};
use std::{fmt, time::Instant};
use webrtc::peer_connection::PeerConnection;

/// The path of a connected peer connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// `UDP` or `TCP`.
    pub protocol: String,
    /// The other end's address and port.
    pub remote: String,
    /// The SRTP protection profile that was negotiated (RFC 5764 §4.1.2).
    pub cipher: String,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, remote, cipher } = self;
        write!(f, "{protocol} to {remote}, {cipher}")
    }
}

/// The path in use; `None` before there is one.
pub async fn path(connection: &dyn PeerConnection) -> Option<Path> {
    let report = connection.get_stats(Instant::now(), StatsSelector::None).await;
    let transport = report.transport()?;
    let pair = report.candidate_pairs().find(|pair| pair.stats.id == transport.selected_candidate_pair_id)?;
    let remote = remote_candidate(&report, &pair.remote_candidate_id)?;
    let address = remote.address.as_deref().unwrap_or("unknown");
    Some(Path {
        protocol: remote.protocol.to_uppercase(),
        remote: format!("{address} port {}", remote.port),
        cipher: readable(&transport.srtp_cipher),
    })
}

fn remote_candidate<'a>(report: &'a RTCStatsReport, id: &str) -> Option<&'a RTCIceCandidateStats> {
    report.iter().find_map(|entry| match entry {
        RTCStatsReportEntry::RemoteCandidate(candidate) if candidate.stats.id == id => Some(candidate),
        _ => None,
    })
}

/// The profile's registered name, however the crate spells it.
fn readable(profile: &str) -> String {
    match profile {
        "Srtp_Aead_Aes_128_Gcm" | "SRTP_AEAD_AES_128_GCM" => "AES-128-GCM".to_owned(),
        other => other.to_owned(),
    }
}
