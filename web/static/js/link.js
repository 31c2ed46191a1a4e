// How a connection is judged, in the three words that people see. Pure: samples in, a word out.

/** @typedef {import("./signal.js").LinkQuality} LinkQuality */
/** @typedef {import("./peer.js").Sample} Sample */

/** Above these a voice begins to break or two people begin to talk over each other. */
const WEAK = { loss: 0.05, roundTripMs: 500 };

/** A silence of this length is a loss to whoever listens, whatever the transport still hopes. Milliseconds. */
const LOST_MS = 2500;

/** So many samples in a row have to agree before the word improves; it worsens after two, and is lost at once. */
const CALM = { better: 4, worse: 2 };

/** Keeps the word steady: what changes every second is not read by anybody. */
export class LinkJudge {
  /** @type {LinkQuality} */
  quality = "unknown";
  /** @type {LinkQuality} */
  #candidate = "unknown";
  #agreed = 0;

  /**
   * @param {Sample} sample
   * @returns {LinkQuality}
   */
  judge(sample) {
    const seen = judgeOnce(sample);
    this.#agreed = seen === this.#candidate ? this.#agreed + 1 : 1;
    this.#candidate = seen;
    const needed = seen === "good" && this.quality !== "unknown" && this.quality !== "lost" ? CALM.better : CALM.worse;
    if (seen === "lost" || this.quality === "unknown" || this.quality === "lost" || this.#agreed >= needed) this.quality = seen;
    return this.quality;
  }
}

/**
 * @param {Sample} sample
 * @returns {LinkQuality}
 */
function judgeOnce({ connected, silentMs, roundTripMs, lossIn, lossOut }) {
  if (!connected || silentMs >= LOST_MS) return "lost";
  const isWeak = lossIn > WEAK.loss || lossOut > WEAK.loss || (roundTripMs ?? 0) > WEAK.roundTripMs;
  return isWeak ? "weak" : "good";
}
