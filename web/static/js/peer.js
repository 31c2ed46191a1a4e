// One peer connection to the relay: own microphone and camera out, a fixed number of slots in.
// People come and go without another offer: a slot is given to whom signaling names (docs/protocol.md, "Slots").

/** How many people can be received at once; signaling counts on exactly this many pairs (domain/src/media.rs). */
const SLOTS = 4;

/** Enough for 720p; more would take from the other person's picture on a shared line. Bits per second. */
const MAX_VIDEO_BITRATE = 1_700_000;

/** How often the connection is looked at. A picture that stands still is noticed within twice this. Milliseconds. */
const SAMPLE_MS = 1000;

/** Patience before media counts as failed. ICE recovers from a short gap by itself, and sooner than a new connection could. Milliseconds. */
const PATIENCE_MS = { connecting: 8000, disconnected: 2000, silent: 4000 };

/**
 * What the connection was like during the last sample.
 * @typedef {object} Sample
 * @property {boolean} connected packets can flow
 * @property {number} silentMs how long nothing at all has arrived
 * @property {number | null} roundTripMs
 * @property {number} lossIn share of packets that did not arrive here, 0 to 1
 * @property {number} lossOut share of packets that did not arrive at the relay, 0 to 1
 * @property {Map<string, number>} frames decoded since the last sample, by mid
 */

export class Peer {
  connection;
  #microphone;
  #camera;
  #onSample;
  #onFailed;
  #failed = false;
  #troubleSince = performance.now();
  #heardAt = performance.now();
  #bytes = 0;
  /** @type {Map<string, number>} */
  #counters = new Map();
  /** @type {ReturnType<typeof setInterval>} */
  #timer;

  /**
   * @param {object} options
   * @param {RTCIceServer[]} options.iceServers
   * @param {MediaStreamTrack | null} options.microphone
   * @param {MediaStreamTrack | null} options.camera
   * @param {(sample: Sample) => void} options.onSample
   * @param {() => void} options.onFailed called once: this connection will not come back
   */
  constructor({ iceServers, microphone, camera, onSample, onFailed }) {
    this.connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
    this.#onSample = onSample;
    this.#onFailed = onFailed;
    // Both are offered even without a device, so that one which comes later needs no other offer.
    this.#microphone = this.connection.addTransceiver("audio", { direction: "sendonly" });
    this.#camera = this.connection.addTransceiver("video", {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: MAX_VIDEO_BITRATE }],
    });
    for (const kind of ["audio", "video"]) {
      for (let slot = 0; slot < SLOTS; slot += 1) this.connection.addTransceiver(kind, { direction: "recvonly" });
    }
    for (const transceiver of this.connection.getTransceivers()) preferCodecs(transceiver);
    this.setMicrophone(microphone);
    this.setCamera(camera);
    this.connection.addEventListener("connectionstatechange", () => this.#judge());
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  /** The offer, at once: the relay is ICE-lite and learns our address from our checks, so no candidate is waited for. */
  async offer() {
    const offer = await this.connection.createOffer();
    await this.connection.setLocalDescription(offer);
    return offer.sdp ?? "";
  }

  /** @param {string} sdp */
  async answer(sdp) {
    this.#troubleSince = performance.now();
    await this.connection.setRemoteDescription({ type: "answer", sdp });
  }

  /**
   * What arrives in a slot.
   * @param {string | null} mid
   */
  track(mid) {
    if (mid === null) return null;
    return this.connection.getTransceivers().find((each) => each.mid === mid)?.receiver.track ?? null;
  }

  /** @param {MediaStreamTrack | null} track */
  setMicrophone(track) {
    replace(this.#microphone.sender, track);
  }

  /** @param {MediaStreamTrack | null} track */
  setCamera(track) {
    replace(this.#camera.sender, track);
  }

  close() {
    clearInterval(this.#timer);
    this.#failed = true;
    this.connection.close();
  }

  async #sample() {
    const sample = this.#read(await this.connection.getStats());
    if (this.#failed) return;
    this.#onSample(sample);
    this.#judge();
  }

  #judge() {
    const now = performance.now();
    const state = this.connection.connectionState;
    if (state === "connected") {
      this.#troubleSince = now;
      if (now - this.#heardAt < PATIENCE_MS.silent) return;
    }
    const patience = state === "disconnected" ? PATIENCE_MS.disconnected : PATIENCE_MS.connecting;
    const isOver = state === "failed" || state === "closed";
    const waiting = state !== "connected" && !isOver && now - this.#troubleSince < patience;
    // Before the answer there is nothing to wait for: signaling has a timer of its own.
    if (this.#failed || waiting || !this.connection.remoteDescription) return;
    this.#failed = true;
    clearInterval(this.#timer);
    this.#onFailed();
  }

  /**
   * @param {RTCStatsReport} report
   * @returns {Sample}
   */
  #read(report) {
    const now = performance.now();
    /** @type {Sample} */
    const sample = { connected: this.connection.connectionState === "connected", silentMs: 0, roundTripMs: null, lossIn: 0, lossOut: 0, frames: new Map() };
    let bytes = 0;
    let received = 0;
    let lost = 0;
    report.forEach((stats) => {
      if (stats.type === "candidate-pair" && stats.state === "succeeded") {
        bytes += stats.bytesReceived ?? 0;
        if (stats.currentRoundTripTime !== undefined) sample.roundTripMs = stats.currentRoundTripTime * 1000;
      } else if (stats.type === "inbound-rtp") {
        received += this.#since(`${stats.id} received`, stats.packetsReceived);
        lost += Math.max(0, this.#since(`${stats.id} lost`, stats.packetsLost));
        if (stats.kind === "video") sample.frames.set(this.#mid(stats), this.#since(`${stats.id} frames`, stats.framesDecoded));
      } else if (stats.type === "remote-inbound-rtp") {
        sample.lossOut = Math.max(sample.lossOut, stats.fractionLost ?? 0);
      }
    });
    if (bytes !== this.#bytes || !sample.connected) this.#heardAt = now;
    this.#bytes = bytes;
    sample.silentMs = now - this.#heardAt;
    if (received + lost > 0) sample.lossIn = lost / (received + lost);
    return sample;
  }

  /** @param {{ mid?: string, trackIdentifier?: string }} stats */
  #mid({ mid, trackIdentifier }) {
    return mid ?? this.connection.getTransceivers().find((each) => each.receiver.track.id === trackIdentifier)?.mid ?? "";
  }

  /** How much a counter has grown since the last sample. @param {string} name @param {number | undefined} value */
  #since(name, value = 0) {
    const before = this.#counters.get(name) ?? 0;
    this.#counters.set(name, value);
    return value - before;
  }
}

/**
 * Opus, and VP8 before H.264: every browser has them, and a short list makes a short offer.
 * @param {RTCRtpTransceiver} transceiver
 */
function preferCodecs(transceiver) {
  const kind = transceiver.receiver.track.kind;
  const wanted = kind === "audio" ? ["audio/opus"] : ["video/vp8", "video/h264", "video/rtx"];
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const rank = (/** @type {{ mimeType: string }} */ codec) => wanted.indexOf(codec.mimeType.toLowerCase());
  const chosen = codecs.filter((codec) => rank(codec) >= 0).sort((a, b) => rank(a) - rank(b));
  try {
    if (chosen.length > 0) transceiver.setCodecPreferences?.(chosen);
  } catch {
    // A browser that does not take the list offers its own, which holds the same codecs and more.
  }
}

/**
 * @param {RTCRtpSender} sender
 * @param {MediaStreamTrack | null} track
 */
function replace(sender, track) {
  sender.replaceTrack(track).catch(() => {
    // The connection was closed meanwhile; the next one begins with the present tracks.
  });
}
