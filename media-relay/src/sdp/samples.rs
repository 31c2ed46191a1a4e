//! Offers of real browsers (Chromium 156, Firefox 153 ESR) with camera, microphone and four slots of each kind.

/// Payload types 111 and 96.
pub(crate) const CHROMIUM: &str = include_str!("samples/chromium.sdp");
/// Payload types 109 and 120.
pub(crate) const FIREFOX: &str = include_str!("samples/firefox.sdp");
