// One other person on the stage: their picture or what stands in its place, their sound, and what to know about both.

import { copyOf, initials, part } from "./page.js";

/** @typedef {import("./signal.js").ParticipantView} ParticipantView */

/** So many samples (a second each) without a new frame, and the picture is called frozen. */
const FROZEN_AFTER = 2;

export class Tile {
  element = copyOf("tile");
  #audio = document.createElement("audio");
  /** @type {ParticipantView} */
  view;
  /** What the newest video element shows. @type {MediaStreamTrack | null} */
  #track = null;
  #hasPicture = false;
  #wasConnected = false;
  /** They closed the page or pressed Leave; the tile stays for when they come back. */
  #isGone = false;
  #still = 0;
  #onBlocked;

  /**
   * @param {ParticipantView} view
   * @param {() => void} onBlocked the browser wants a press before it plays sound
   */
  constructor(view, onBlocked) {
    this.view = view;
    this.#onBlocked = onBlocked;
    this.#audio.autoplay = true;
    this.element.append(this.#audio);
    part(this.element, ".avatar", HTMLElement).textContent = initials(view.name);
  }

  /**
   * @param {ParticipantView} view
   * @param {MediaStreamTrack | null} sound
   * @param {MediaStreamTrack | null} picture
   */
  show(view, sound, picture) {
    this.view = view;
    this.#isGone = false;
    this.#wasConnected ||= view.connected;
    if (sound !== currentTrack(this.#audio)) {
      this.#audio.srcObject = sound ? new MediaStream([sound]) : null;
      if (sound) void this.play();
    }
    if (picture && picture !== this.#track) this.#attach(picture);
    this.#draw();
  }

  /** They are not in the room any more. */
  goAway() {
    this.view = { ...this.view, connected: false };
    this.#isGone = true;
    this.#audio.srcObject = null;
    this.#draw();
  }

  /** The number of frames decoded during the last sample. @param {number} frames */
  count(frames) {
    this.#still = frames > 0 ? 0 : this.#still + 1;
    this.#draw();
  }

  async play() {
    try {
      await this.#audio.play();
    } catch (failure) {
      if (failure instanceof DOMException && failure.name === "NotAllowedError") this.#onBlocked();
    }
  }

  /** @param {string} device */
  async speakThrough(device) {
    await this.#audio.setSinkId?.(device);
  }

  remove() {
    this.#audio.srcObject = null;
    this.element.remove();
  }

  /**
   * A new picture gets an element of its own under the old one, which stays until the first frame is there:
   * a reconnection shows the last picture, not black.
   * @param {MediaStreamTrack} track
   */
  #attach(track) {
    this.#track = track;
    const video = document.createElement("video");
    video.autoplay = true;
    video.playsInline = true;
    video.muted = true;
    video.srcObject = new MediaStream([track]);
    part(this.element, ".tile-picture", HTMLElement).prepend(video);
    const seen = () => {
      if (this.#track !== track) return;
      for (const old of this.element.querySelectorAll("video")) if (old !== video) old.remove();
      this.#hasPicture = true;
      this.#still = 0;
      this.#draw();
      this.element.dispatchEvent(new CustomEvent("first-frame", { bubbles: true }));
    };
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(seen);
    else /** @type {HTMLVideoElement} */ (video).addEventListener("loadeddata", seen, { once: true });
    void video.play().catch(() => {
      // Removed before it began; the newer element plays.
    });
  }

  #draw() {
    const { name, status, connected } = this.view;
    const who = shortName(name);
    const state = this.#state();
    this.element.dataset["state"] = state;
    part(this.element, ".tile-name", HTMLElement).textContent = name;
    part(this.element, ".tile-muted", HTMLElement).hidden = status.microphone || !connected;
    const words = {
      joining: `${name} is joining`,
      gone: `${who} has left, and can come back.`,
      away: `${who} has lost the connection. It comes back by itself.`,
      off: `${who}’s camera is off`,
      coming: `${who} is here. The picture comes in a moment.`,
      frozen: "The picture stands still. Sound may go on.",
      flowing: "",
    };
    const line = part(this.element, ".tile-words", HTMLElement);
    if (line.textContent !== words[state]) line.textContent = words[state];
  }

  #state() {
    const { connected, status } = this.view;
    if (this.#isGone) return "gone";
    if (!connected) return this.#wasConnected ? "away" : "joining";
    if (!status.camera) return "off";
    if (!this.#hasPicture) return "coming";
    return this.#still >= FROZEN_AFTER ? "frozen" : "flowing";
  }
}

/** How somebody is spoken of in a short sentence: by title and family name, or by first name. @param {string} name */
export function shortName(name) {
  const words = name.split(/\s+/);
  const isTitled = /^(Dr|Mr|Mrs|Ms|Prof)\.?$/.test(words[0] ?? "");
  return (isTitled ? [words[0], words.at(-1)].join(" ") : words[0]) ?? name;
}

/** @param {HTMLMediaElement} element */
function currentTrack(element) {
  return element.srcObject instanceof MediaStream ? (element.srcObject.getTracks()[0] ?? null) : null;
}
