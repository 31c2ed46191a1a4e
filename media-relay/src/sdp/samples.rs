//! Offers of real browsers (Chromium 156, Firefox 153 ESR) with camera, microphone and four slots of each kind, and of two
//! clients that are no browsers.

/// Payload types 111 and 96.
pub(crate) const CHROMIUM: &str = include_str!("samples/chromium.sdp");
/// Payload types 109 and 120.
pub(crate) const FIREFOX: &str = include_str!("samples/firefox.sdp");
/// A WHIP client on GStreamer 1.22: an audio section that is there for the bundle only, no header extensions, no retransmissions.
pub(crate) const GSTREAMER: &str = include_str!("samples/gstreamer.sdp");
/// aiortc 1.16: three fingerprints of one certificate, candidates in every section.
pub(crate) const AIORTC: &str = include_str!("samples/aiortc.sdp");
