// The controls under the picture, and the choice of devices: what is pressed goes to one's own media, what is on is shown.

import { explain, list } from "./devices.js";
import { part } from "./page.js";

/** @typedef {import("./own-media.js").OwnMedia} OwnMedia */
/** @typedef {import("./devices.js").Kind} Kind */

/** @type {Kind[]} */
const KINDS = ["microphone", "camera"];

export class Controls {
  #own;
  #self = part(document, "#self-view", HTMLElement);
  #video = part(document, "#self-view video", HTMLVideoElement);
  #notice = part(document, "#device-notice", HTMLElement);
  #dialog = part(document, "#devices", HTMLDialogElement);

  /**
   * @param {OwnMedia} own
   * @param {(device: string) => void} speakThrough another loudspeaker was chosen
   */
  constructor(own, speakThrough) {
    this.#own = own;
    for (const kind of KINDS) this.#button(kind).addEventListener("click", () => void this.#toggle(kind));
    part(this.#notice, "button", HTMLButtonElement).addEventListener("click", () => void own.retry());
    part(document, "#devices-button", HTMLButtonElement).addEventListener("click", () => void this.#open());
    for (const kind of KINDS) {
      const select = this.#select(kind);
      select.addEventListener("change", () => void own.use(kind, select.value));
    }
    const speaker = this.#select("speaker");
    speaker.addEventListener("change", () => speakThrough(speaker.value));
    navigator.mediaDevices?.addEventListener?.("devicechange", () => void this.#fill());
    this.draw();
  }

  draw() {
    for (const kind of KINDS) this.#button(kind).dataset["on"] = String(this.#own.isOn(kind));
    const camera = this.#own.tracks.camera;
    this.#self.dataset["picture"] = camera ? "on" : "off";
    const shown = this.#video.srcObject instanceof MediaStream ? this.#video.srcObject.getTracks()[0] : null;
    if ((camera ?? undefined) !== (shown ?? undefined)) this.#video.srcObject = camera ? new MediaStream([camera]) : null;
    // What looks away from the person is not a mirror.
    this.#video.classList.toggle("mirrored", camera?.getSettings().facingMode !== "environment");
    this.#drawNotice();
  }

  #drawNotice() {
    const problem = explain(this.#own.problems);
    const isTaken = this.#own.tracks.microphone?.muted === true && problem === "";
    const text = isTaken ? "Another call uses your microphone. You are heard again when it ends." : problem;
    this.#notice.hidden = text === "";
    const words = part(this.#notice, "p", HTMLElement);
    if (words.textContent !== text) words.textContent = text;
    part(this.#notice, "button", HTMLElement).hidden = isTaken;
  }

  /** @param {Kind} kind */
  async #toggle(kind) {
    const button = this.#button(kind);
    // Opening a camera takes a moment, in which a second press would undo the first.
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    await this.#own.toggle(kind);
    button.removeAttribute("aria-disabled");
  }

  async #open() {
    await this.#fill();
    this.#dialog.showModal();
  }

  async #fill() {
    const devices = await list();
    this.#options("camera", devices.camera, this.#own.tracks.camera);
    this.#options("microphone", devices.microphone, this.#own.tracks.microphone);
    const canChoose = "setSinkId" in HTMLMediaElement.prototype && devices.speaker.length > 0;
    part(document, "#speaker-field", HTMLElement).hidden = !canChoose;
    this.#options("speaker", devices.speaker, null);
  }

  /** @param {Kind | "speaker"} kind @param {MediaDeviceInfo[]} devices @param {MediaStreamTrack | null} track */
  #options(kind, devices, track) {
    const select = this.#select(kind);
    const current = track?.getSettings().deviceId ?? select.value;
    const options = devices.map(({ deviceId, label }, index) => new Option(label || `Device ${index + 1}`, deviceId, false, deviceId === current));
    select.replaceChildren(...(options.length > 0 ? options : [new Option("None found", "")]));
    select.disabled = options.length === 0;
  }

  /** @param {Kind} kind */
  #button(kind) {
    return part(document, `[data-control=${kind}]`, HTMLButtonElement);
  }

  /** @param {Kind | "speaker"} kind */
  #select(kind) {
    return part(this.#dialog, `#choose-${kind}`, HTMLSelectElement);
  }
}
