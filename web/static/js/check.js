// The device check, in the waiting room and before it opens: how you look, whether you are heard, and whether the clinic can be reached.
// It never blocks: whoever cannot or does not want to be seen comes with sound only, or without.

import { allOn, explain, isAllowed, isSupported, list, open, otherBrowser, storeChoices, storedChoices } from "./devices.js";
import { showLevel } from "./meter.js";
import { part } from "./page.js";

/** @typedef {import("./devices.js").Kind} Kind */

/** Slower than this, and talking becomes an exchange of messages. Milliseconds. */
const SLOW_MS = 400;

const KINDS = /** @type {Kind[]} */ (["camera", "microphone"]);

class DeviceCheck {
  #root = part(document, "#check", HTMLElement);
  #self = part(document, "#self", HTMLVideoElement);
  #note = part(document, "#check-note", HTMLElement);
  #start = part(document, "#start-check", HTMLButtonElement);
  #choices = storedChoices() ?? allOn();
  /** @type {Record<Kind, MediaStreamTrack | null>} */
  #tracks = { camera: null, microphone: null };
  #stopMeter = () => {};

  async run() {
    void this.#measure();
    if (!isSupported()) return this.#unsupported();
    this.#start.addEventListener("click", () => void this.#check());
    for (const kind of KINDS) {
      this.#select(kind).addEventListener("change", (event) => {
        this.#choices[kind] = { on: true, device: /** @type {HTMLSelectElement} */ (event.target).value };
        void this.#check();
      });
    }
    // The consultation opens the devices anew; some phones give a camera to one page at a time.
    addEventListener("pagehide", () => this.#stop());
    if (await isAllowed()) void this.#check();
  }

  async #check() {
    this.#stop();
    this.#start.disabled = true;
    for (const kind of KINDS) this.#say(kind, "Press Allow above");
    const { tracks, problems } = await open({ camera: { ...this.#choices.camera, on: true }, microphone: { ...this.#choices.microphone, on: true } });
    for (const kind of KINDS) {
      this.#tracks[kind] = tracks[kind] ?? null;
      this.#choices[kind].on = tracks[kind] !== undefined;
      const word = { refused: "Not allowed", missing: "Not found", busy: "In use elsewhere", unsupported: "Not possible" };
      const problem = problems[kind];
      this.#say(kind, problem ? word[problem] : kind === "camera" ? "Works" : "Say something", problem ? "fails" : kind === "camera" ? "works" : "");
    }
    storeChoices(this.#choices);
    this.#showSelf();
    this.#showMeter();
    this.#explain(problems);
    await this.#fill();
    this.#start.disabled = false;
    this.#start.textContent = "Check again";
    this.#start.hidden = Object.keys(problems).length === 0;
    await this.#report(this.#readiness());
  }

  #showSelf() {
    const { camera } = this.#tracks;
    this.#self.srcObject = camera ? new MediaStream([camera]) : null;
    this.#self.hidden = camera === null;
    part(document, "#mirror-empty", HTMLElement).hidden = camera !== null;
    part(document, "#mirror-caption", HTMLElement).hidden = camera === null;
  }

  #showMeter() {
    const { microphone } = this.#tracks;
    const level = part(document, "#level", HTMLElement);
    level.hidden = microphone === null;
    if (microphone) this.#stopMeter = showLevel(microphone, level, () => this.#say("microphone", "Works", "works"));
  }

  /** @param {Partial<Record<Kind, import("./devices.js").Problem>>} problems */
  #explain(problems) {
    const problem = explain(problems);
    this.#tell(problem === "" ? "" : `${problem} You can also come with sound only, or without.`);
  }

  async #fill() {
    const devices = await list();
    for (const kind of KINDS) {
      const current = this.#tracks[kind]?.getSettings().deviceId;
      const options = devices[kind].map(({ deviceId, label }, index) => new Option(label || `Device ${index + 1}`, deviceId, false, deviceId === current));
      this.#select(kind).replaceChildren(...options);
      const field = this.#select(kind).closest(".field");
      if (field instanceof HTMLElement) field.hidden = !isChoice(devices[kind]);
    }
    part(document, "#devices", HTMLElement).hidden = !KINDS.some((kind) => isChoice(devices[kind]));
  }

  #unsupported() {
    for (const kind of KINDS) this.#say(kind, "Not possible", "fails");
    this.#start.hidden = true;
    this.#tell(`You can wait here, but this browser cannot show or send a picture. ${otherBrowser()} Your place is kept.`);
    void this.#report("no_webrtc");
  }

  /** How long the clinic takes to answer: the middle of three tries. */
  async #measure() {
    const state = part(document, "#connection-state", HTMLElement);
    const fact = part(document, "#fact-connection", HTMLElement);
    try {
      const tries = [];
      for (let count = 0; count < 3; count += 1) {
        const began = performance.now();
        await fetch(import.meta.url, { method: "HEAD", cache: "no-store" });
        tries.push(performance.now() - began);
      }
      const middle = tries.sort((a, b) => a - b)[1] ?? 0;
      state.textContent = middle < SLOW_MS ? "Good" : "Slow";
      judge(fact, middle < SLOW_MS ? "works" : "fails");
    } catch {
      state.textContent = "Interrupted";
      judge(fact, "fails");
    }
  }

  #readiness() {
    const { camera, microphone } = this.#tracks;
    if (camera && microphone) return "camera_and_microphone";
    if (microphone) return "microphone_only";
    return camera ? "camera_only" : "nothing";
  }

  /** Tells those who will see the patient what to expect. @param {string} readiness */
  async #report(readiness) {
    const address = this.#root.dataset["readiness"];
    // Before the waiting room opens, the check is the patient's own affair.
    if (address === undefined) return;
    try {
      await fetch(address, { method: "POST", body: new URLSearchParams({ readiness }) });
    } catch {
      // They see "not checked", which is what they would see without scripts too.
    }
  }

  #stop() {
    this.#stopMeter();
    this.#stopMeter = () => {};
    for (const kind of KINDS) {
      this.#tracks[kind]?.stop();
      this.#tracks[kind] = null;
    }
  }

  /** @param {Kind} kind @param {string} words @param {string} [state] */
  #say(kind, words, state = "") {
    part(document, `#${kind}-state`, HTMLElement).textContent = words;
    judge(part(document, `#fact-${kind}`, HTMLElement), state);
  }

  /** @param {string} sentence */
  #tell(sentence) {
    this.#note.textContent = sentence;
    this.#note.hidden = sentence === "";
  }

  /** @param {Kind} kind */
  #select(kind) {
    return part(document, `#choose-${kind}`, HTMLSelectElement);
  }
}

/** One device is no choice, even if the system lists it again as its default. @param {MediaDeviceInfo[]} devices */
function isChoice(devices) {
  return devices.filter(({ deviceId }) => deviceId !== "default" && deviceId !== "communications").length > 1;
}

/** @param {HTMLElement} fact @param {string} state works, fails, or nothing known */
function judge(fact, state) {
  fact.classList.toggle("works", state === "works");
  fact.classList.toggle("fails", state === "fails");
}

void new DeviceCheck().run();
