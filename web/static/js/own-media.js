// One's own camera and microphone during a consultation: on, off, another device, and what is wrong with them.

import { allOn, open, storeChoices, storedChoices } from "./devices.js";

/** @typedef {import("./devices.js").Kind} Kind */
/** @typedef {import("./devices.js").Problem} Problem */

export class OwnMedia {
  choices = storedChoices() ?? allOn();
  /** @type {Record<Kind, MediaStreamTrack | null>} */
  tracks = { camera: null, microphone: null };
  /** @type {Partial<Record<Kind, Problem>>} */
  problems = {};
  #changed;

  /** @param {() => void} changed called after every change of tracks or problems */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Opens what was chosen on earlier pages, or both. */
  async start() {
    await this.#open(/** @type {Kind[]} */ (["camera", "microphone"]).filter((kind) => this.choices[kind].on));
  }

  /** @param {Kind} kind */
  isOn(kind) {
    const track = this.tracks[kind];
    return track !== null && track.readyState === "live" && track.enabled;
  }

  /** Mute and unmute, camera off and on. @param {Kind} kind */
  async toggle(kind) {
    const track = this.tracks[kind];
    if (!track) {
      this.#choose(kind, true);
      return this.#open([kind]);
    }
    if (kind === "microphone") {
      // The microphone stays open, so that the first word after "Unmute" is not lost.
      track.enabled = !track.enabled;
    } else {
      // The camera is let go, so that its light goes out.
      this.#close(kind);
    }
    this.#choose(kind, this.isOn(kind));
    this.#changed();
  }

  /** Uses another device of this kind. @param {Kind} kind @param {string} device */
  async use(kind, device) {
    this.choices[kind] = { on: true, device };
    storeChoices(this.choices);
    // Some phones open one camera at a time only.
    this.#close(kind);
    await this.#open([kind]);
  }

  /** Opens again what failed. */
  async retry() {
    const failed = /** @type {Kind[]} */ (Object.keys(this.problems));
    for (const kind of failed) this.#choose(kind, true);
    await this.#open(failed);
  }

  stop() {
    this.#close("camera");
    this.#close("microphone");
  }

  /** @param {Kind[]} kinds */
  async #open(kinds) {
    /** @type {Partial<Record<Kind, import("./devices.js").Choice>>} */
    const wanted = {};
    for (const kind of kinds) wanted[kind] = { ...this.choices[kind], on: true };
    const { tracks, problems } = await open(wanted);
    for (const kind of kinds) {
      delete this.problems[kind];
      const problem = problems[kind];
      if (problem) this.problems[kind] = problem;
      const track = tracks[kind];
      if (track) this.#take(kind, track);
    }
    this.#changed();
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track */
  #take(kind, track) {
    this.#close(kind);
    this.tracks[kind] = track;
    track.addEventListener("ended", () => {
      if (this.tracks[kind] !== track) return;
      // Unplugged, or taken by a telephone call: another device of the kind may be there.
      this.tracks[kind] = null;
      void this.#open([kind]);
    });
    // A telephone call silences the track without ending it.
    track.addEventListener("mute", this.#changed);
    track.addEventListener("unmute", this.#changed);
  }

  /** @param {Kind} kind */
  #close(kind) {
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
  }

  /** @param {Kind} kind @param {boolean} on */
  #choose(kind, on) {
    this.choices[kind].on = on;
    storeChoices(this.choices);
  }
}
