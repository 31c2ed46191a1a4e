// What a page's own peer connections say about its media, the same in Chromium and Firefox.

/**
 * One look at everything that a page receives and sends.
 * @typedef {object} Media
 * @property {number} framesDecoded pictures of others
 * @property {number} framesSent pictures of one's own
 * @property {number} audioPackets packets of others' sound
 * @property {number} audioEnergy how much sound there was in them
 * @property {string} srtpCipher
 * @property {string} dtlsVersion
 */

/** Runs before any script of a page: keeps every peer connection, so that it can be asked later. */
export function keepPeerConnections() {
  const page = /** @type {any} */ (globalThis);
  const kept = (page.keptPeerConnections = /** @type {RTCPeerConnection[]} */ ([]));
  const Original = page.RTCPeerConnection;
  if (!Original) return;
  page.RTCPeerConnection = new Proxy(Original, {
    construct(target, given) {
      const connection = new target(...given);
      kept.push(connection);
      return connection;
    },
  });
}

/**
 * Runs in a page: sums over its open peer connections.
 * @returns {Promise<Media>}
 */
export async function look() {
  const media = { framesDecoded: 0, framesSent: 0, audioPackets: 0, audioEnergy: 0, srtpCipher: "", dtlsVersion: "" };
  for (const connection of /** @type {any} */ (globalThis).keptPeerConnections ?? []) {
    if (connection.connectionState === "closed") continue;
    for (const report of (await connection.getStats()).values()) {
      const kind = report.kind ?? report.mediaType;
      if (report.type === "inbound-rtp" && kind === "video") media.framesDecoded += report.framesDecoded ?? 0;
      if (report.type === "outbound-rtp" && kind === "video") media.framesSent += report.framesSent ?? report.framesEncoded ?? 0;
      if (report.type === "inbound-rtp" && kind === "audio") media.audioPackets += report.packetsReceived ?? 0;
      if (report.type === "inbound-rtp" && kind === "audio") media.audioEnergy += report.totalAudioEnergy ?? 0;
      if (report.type === "transport") media.srtpCipher ||= report.srtpCipher ?? "";
      if (report.type === "transport") media.dtlsVersion ||= report.tlsVersion ?? "";
    }
  }
  return media;
}

/**
 * Runs in a page: when the first frame of somebody else was painted, in milliseconds since 1970; 0 while there was none.
 * @returns {number}
 */
export function firstFrameOfOthers() {
  for (const video of document.querySelectorAll("video")) {
    const isOwn = video.closest("#self-view") || video.id === "self";
    if (!isOwn && video.readyState >= 2 && video.videoWidth > 0) return Date.now();
  }
  return 0;
}
