// Cameras and microphones: asking for them, saying in plain words why there is none, and remembering what was chosen.

/** @typedef {"camera" | "microphone"} Kind */
/** @typedef {"refused" | "missing" | "busy" | "unsupported"} Problem */
/** @typedef {{ on: boolean, device: string | null }} Choice what was chosen for one kind of device */
/** @typedef {Record<Kind, Choice>} Choices */

const STORE = "bedside.devices";

/** What a video visit is good at: a face, at a size any phone can send. */
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Speech in a room with a loudspeaker. */
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Whether this browser can take part at all, if only to see and hear. */
export function canConnect() {
  return typeof RTCPeerConnection === "function";
}

/** Whether this browser can send sound or picture. */
export function isSupported() {
  return canConnect() && typeof navigator.mediaDevices?.getUserMedia === "function";
}

/** Choices made on this tab's earlier pages; none when nothing was ever chosen. @returns {Choices | null} */
export function storedChoices() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? "null");
  } catch {
    return null;
  }
}

/** @param {Choices} choices */
export function storeChoices(choices) {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(choices));
  } catch {
    // Storage is switched off: the consultation asks again, nothing is lost.
  }
}

/** @returns {Choices} */
export function allOn() {
  return { camera: { on: true, device: null }, microphone: { on: true, device: null } };
}

/**
 * What was opened: a track for each kind that was wanted and could be had, a problem for each that could not.
 * @typedef {{ tracks: Partial<Record<Kind, MediaStreamTrack>>, problems: Partial<Record<Kind, Problem>> }} Opened
 */

/**
 * Opens what is wanted. One question to the person where possible; when that fails, each kind alone, so that
 * a missing camera does not cost the voice.
 * @param {Partial<Record<Kind, Choice>>} wanted
 * @returns {Promise<Opened>}
 */
export async function open(wanted) {
  const kinds = /** @type {Kind[]} */ (["camera", "microphone"]).filter((kind) => wanted[kind]?.on);
  /** @type {Opened} */
  const opened = { tracks: {}, problems: {} };
  if (kinds.length === 0) return opened;
  try {
    keep(opened, await ask(kinds, wanted));
  } catch (together) {
    for (const kind of kinds) {
      try {
        if (kinds.length === 1) throw together;
        keep(opened, await ask([kind], wanted));
      } catch (alone) {
        opened.problems[kind] = problemOf(alone);
      }
    }
  }
  return opened;
}

/** Devices by kind, named as the system names them; names are known only once permission was given. */
export async function list() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const of = (/** @type {MediaDeviceKind} */ kind) => devices.filter((device) => device.kind === kind && device.deviceId !== "");
  return { camera: of("videoinput"), microphone: of("audioinput"), speaker: of("audiooutput") };
}

/** Permission was given before, so that opening shows no question. @returns {Promise<boolean>} */
export async function isAllowed() {
  try {
    const names = /** @type {PermissionName[]} */ (/** @type {unknown} */ (["camera", "microphone"]));
    const states = await Promise.all(names.map((name) => navigator.permissions.query({ name })));
    return states.every(({ state }) => state === "granted");
  } catch {
    return false;
  }
}

/**
 * What is wrong and what to do about it in this very browser; nothing when nothing is.
 * @param {Partial<Record<Kind, Problem>>} problems
 */
export function explain({ camera, microphone }) {
  if (camera && camera === microphone) return sentence("camera and microphone", "Camera and Microphone", camera);
  const sentences = [];
  if (camera) sentences.push(sentence("camera", "Camera", camera));
  if (microphone) sentences.push(sentence("microphone", "Microphone", microphone));
  return sentences.join(" ");
}

/** @param {string} what @param {string} setting as browsers call it @param {Problem} problem */
function sentence(what, setting, problem) {
  switch (problem) {
    case "refused":
      return `This browser does not let us use your ${what}. ${howToAllow(what, setting)}`;
    case "missing":
      return `No ${what} was found. Connect one, then try again.`;
    case "busy":
      return `Your ${what} cannot be opened; another program may be using it. Close it there, then try again.`;
    case "unsupported":
      return `This browser cannot use your ${what}. ${otherBrowser()}`;
  }
}

/** Which browser to open instead, by what the device has. */
export function otherBrowser() {
  if (!isSecureContext) return "The address has to begin with https; ask the clinic for it.";
  if (isApple()) return "Copy the address and open it in Safari.";
  if (/Android/.test(navigator.userAgent)) return "Copy the address and open it in Chrome or Firefox.";
  return "Open the same address in Chrome, Edge, Firefox or Safari, or on your phone.";
}

/** @param {string} what @param {string} setting */
function howToAllow(what, setting) {
  const agent = navigator.userAgent;
  if (/FBAN|FBAV|Instagram|Line\/|MicroMessenger/.test(agent)) return `It is part of another app. ${otherBrowser()}`;
  if (isApple() && /iPhone|iPad/.test(agent)) return `Press the sign beside the address, then “Website settings”, ${setting}, Allow.`;
  if (/Firefox\//.test(agent)) return `Press the crossed-out ${what} beside the address, remove the block, then try again.`;
  if (/Android/.test(agent)) return `Press the sign beside the address, then Permissions, ${setting}, Allow.`;
  if (isApple()) return `In the menu Safari, choose “Settings for this website”, ${setting}, Allow.`;
  return `Press the sign beside the address, then ${setting}, Allow.`;
}

function isApple() {
  return /iPhone|iPad|Macintosh/.test(navigator.userAgent) && !/Chrome\/|Firefox\//.test(navigator.userAgent);
}

/**
 * @param {Kind[]} kinds
 * @param {Partial<Record<Kind, Choice>>} wanted
 */
function ask(kinds, wanted) {
  if (!isSupported()) throw new DOMException("no media devices", "NotSupportedError");
  const constraint = (/** @type {Kind} */ kind, /** @type {MediaTrackConstraints} */ wish) => {
    if (!kinds.includes(kind)) return false;
    const device = wanted[kind]?.device;
    // A wish, not a demand: the device may have been unplugged since.
    if (device) return { ...wish, deviceId: { ideal: device } };
    return kind === "camera" ? { ...wish, facingMode: "user" } : wish;
  };
  return navigator.mediaDevices.getUserMedia({ video: constraint("camera", CAMERA), audio: constraint("microphone", MICROPHONE) });
}

/** @param {Opened} opened @param {MediaStream} stream */
function keep(opened, stream) {
  const [camera] = stream.getVideoTracks();
  const [microphone] = stream.getAudioTracks();
  if (camera) opened.tracks.camera = camera;
  if (microphone) opened.tracks.microphone = microphone;
}

/** @param {unknown} failure @returns {Problem} */
function problemOf(failure) {
  const name = failure instanceof DOMException ? failure.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  if (name === "NotSupportedError") return "unsupported";
  return "busy";
}
