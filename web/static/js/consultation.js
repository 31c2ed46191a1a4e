// The consultation: joins the room, shows who is in it, and comes back by itself after whatever a network does.

import { Controls } from "./controls.js";
import { canConnect, otherBrowser } from "./devices.js";
import { LinkJudge } from "./link.js";
import { OwnMedia } from "./own-media.js";
import { copyOf, given, optionalPart, part } from "./page.js";
import { Panel } from "./panel.js";
import { Peer } from "./peer.js";
import { NoWayIn, Signal } from "./signal.js";
import { Tile, shortName } from "./tile.js";

/** @typedef {import("./signal.js").ParticipantView} ParticipantView */
/** @typedef {import("./signal.js").Outcome} Outcome */

/** A socket may be lost this long before anybody is told: media goes on without it. Milliseconds. */
const QUIET_MS = 4000;

class Consultation {
  #stage = part(document, "#consultation", HTMLElement);
  #own = new OwnMedia(() => this.#mediaChanged());
  #controls = new Controls(this.#own, (device) => this.#eachTile((tile) => void tile.speakThrough(device)));
  #signal = new Signal({
    credentials: () => this.#credentials(),
    offer: () => this.#offer(),
    listener: {
      joined: (participant, answer) => this.#joined(participant, answer),
      attached: (attached) => this.#attached(attached),
      room: (participants) => this.#show(participants),
      chat: (messages) => this.#panel.receive(messages),
      refused: (_, message) => this.#say(message),
      over: (outcome) => this.#over(outcome),
    },
  });
  #panel = new Panel((text) => this.#signal.write(text));
  #judge = new LinkJudge();
  /** @type {Peer | null} */
  #peer = null;
  #me = "";
  /** @type {ParticipantView[]} */
  #people = [];
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #quiet;

  start() {
    mark("starting");
    this.#stage.addEventListener("first-frame", () => this.#firstFrame());
    part(document, "#tap-to-hear", HTMLButtonElement).addEventListener("click", () => this.#hear());
    part(document, "#cover-button", HTMLButtonElement).addEventListener("click", () => location.reload());
    optionalPart(document, "#leave")?.addEventListener("submit", () => this.#signal.leave());
    addEventListener("online", () => this.#signal.hurry());
    // Closing says so to the relay, which would otherwise take half a minute to notice.
    addEventListener("pagehide", () => this.#peer?.close());
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    if (!canConnect()) return this.#cover(`This browser cannot hold a video visit. ${otherBrowser()}`, "Try again");
    // The offer needs no device, so joining does not wait for the question about them.
    this.#signal.start();
    void this.#own.start();
    void keepAwake();
  }

  get connection() {
    return this.#peer?.connection ?? null;
  }

  async #credentials() {
    const response = await fetch(given(this.#stage, "joinTokens"), { method: "POST" });
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    if (response.ok && isJson) return response.json();
    if (response.status === 409) throw new NoWayIn("ended");
    if (response.ok || [401, 403, 404].includes(response.status)) throw new NoWayIn("gone");
    throw new Error("no join token");
  }

  /** Servers that carry media through a narrow network, where the clinic has any. Without them most connect all the same. */
  async #iceServers() {
    const path = this.#stage.dataset["iceServers"];
    if (path === undefined) return [];
    try {
      const response = await fetch(path);
      return response.ok ? await response.json() : [];
    } catch {
      return [];
    }
  }

  /** A new peer connection. The old one is let go; what it showed last stays until the new one shows something. */
  async #offer() {
    const iceServers = await this.#iceServers();
    this.#peer?.close();
    const peer = new Peer({
      iceServers,
      microphone: this.#own.tracks.microphone,
      camera: this.#own.tracks.camera,
      onSample: (sample) => this.#sampled(sample),
      onFailed: () => void this.#signal.rejoin(),
    });
    this.#peer = peer;
    if (document.documentElement.dataset["media"] === "starting") mark("connecting");
    return peer.offer();
  }

  /** @param {string} participant @param {string} answer */
  #joined(participant, answer) {
    this.#me = participant;
    this.#panel.me = participant;
    performance.mark("bedside:joined");
    const peer = this.#peer;
    void peer?.answer(answer).then(
      () => peer === this.#peer && this.#show(this.#people),
      () => this.#signal.rejoin(),
    );
    this.#tellStatus();
  }

  /** @param {boolean} attached */
  #attached(attached) {
    clearTimeout(this.#quiet);
    if (attached) this.#say("");
    else this.#quiet = setTimeout(() => this.#say("The connection to the clinic is interrupted. It comes back by itself."), QUIET_MS);
  }

  /** @param {ParticipantView[]} people */
  #show(people) {
    this.#people = people;
    const others = people.filter(({ participant }) => participant !== this.#me);
    for (const [id, tile] of this.#tiles) {
      // Who has gone keeps their place for as long as nobody else is here: they may be loading the page again.
      const gone = !others.some(({ participant }) => participant === id);
      if (gone && others.length === 0) tile.goAway();
      else if (gone) this.#remove(id, tile);
    }
    for (const view of others) {
      const tile = this.#tiles.get(view.participant) ?? this.#add(view);
      tile.show(view, this.#peer?.track(view.audio) ?? null, this.#peer?.track(view.video) ?? null);
    }
    part(document, "#nobody", HTMLElement).hidden = this.#tiles.size > 0;
    part(document, "#tiles", HTMLElement).dataset["count"] = String(this.#tiles.size);
    this.#drawPeople();
    this.#drawLink();
  }

  /** @param {ParticipantView} view */
  #add(view) {
    const tile = new Tile(view, () => (part(document, "#tap-to-hear", HTMLElement).hidden = false));
    this.#tiles.set(view.participant, tile);
    part(document, "#tiles", HTMLElement).append(tile.element);
    return tile;
  }

  /** @param {string} id @param {Tile} tile */
  #remove(id, tile) {
    tile.remove();
    this.#tiles.delete(id);
  }

  #firstFrame() {
    if (performance.getEntriesByName("bedside:first-frame").length === 0) performance.mark("bedside:first-frame");
    mark("flowing");
  }

  #hear() {
    part(document, "#tap-to-hear", HTMLElement).hidden = true;
    this.#eachTile((tile) => void tile.play());
  }

  /** @param {import("./peer.js").Sample} sample */
  #sampled(sample) {
    const before = this.#judge.quality;
    const quality = this.#judge.judge(sample);
    for (const { participant, video } of this.#people) {
      if (video !== null) this.#tiles.get(participant)?.count(sample.frames.get(video) ?? 0);
    }
    const isHeardOnly = this.#people.some((each) => each.participant !== this.#me && each.connected && !each.status.camera);
    if (quality === "lost") mark("lost");
    else if (isHeardOnly || Array.from(this.#tiles.values()).some((tile) => tile.element.dataset["state"] === "flowing")) mark("flowing");
    if (quality === before) return;
    this.#drawLink();
    this.#tellStatus();
  }

  #mediaChanged() {
    this.#peer?.setMicrophone(this.#own.tracks.microphone);
    this.#peer?.setCamera(this.#own.tracks.camera);
    this.#controls.draw();
    this.#tellStatus();
  }

  #tellStatus() {
    this.#signal.tell({ microphone: this.#own.isOn("microphone"), camera: this.#own.isOn("camera"), link: this.#judge.quality });
  }

  /** Whose link is weak: one's own first, since that is what one can do something about. */
  #drawLink() {
    const own = this.#judge.quality;
    const weak = this.#people.find(({ participant, status }) => participant !== this.#me && ["weak", "lost"].includes(status.link));
    const chip = part(document, "#link", HTMLElement);
    const words = { unknown: "Connecting", good: "Good", weak: "Weak", lost: "Lost" };
    const isOthers = (own === "good" || own === "unknown") && weak !== undefined;
    chip.dataset["quality"] = isOthers ? "weak" : own;
    const text = isOthers ? `${possessive(shortName(weak.name))} link is ${weak.status.link}` : words[own];
    const label = part(chip, "#link-word", HTMLElement);
    if (label.textContent !== text) label.textContent = text;
    part(document, "#lost", HTMLElement).hidden = own !== "lost";
  }

  #drawPeople() {
    const ul = optionalPart(document, "#people-list");
    ul?.replaceChildren(
      ...this.#people.map(({ name, role, participant, connected, status }) => {
        const item = copyOf("person");
        part(item, ".name", HTMLElement).textContent = name;
        const facts = [
          participant === this.#me ? "you" : role,
          connected ? "connected" : "not connected",
          ...(status.microphone ? [] : ["muted"]),
          ...(status.camera ? [] : ["camera off"]),
        ];
        part(item, ".about", HTMLElement).textContent = facts.join(" · ");
        return item;
      }),
    );
  }

  /** @param {Outcome} outcome */
  #over(outcome) {
    mark("ended");
    this.#peer?.close();
    this.#own.stop();
    if (outcome === "ended" || outcome === "gone") location.assign(given(this.#stage, "next"));
    if (outcome === "replaced") this.#cover("This visit goes on in another window or on another device.", "Use it here");
    if (outcome === "full") this.#cover("As many people as fit are in this visit already.", "Try again");
  }

  /** @param {string} sentence @param {string} remedy what the button says, which loads the page again */
  #cover(sentence, remedy) {
    const button = part(document, "#cover-button", HTMLButtonElement);
    part(document, "#cover-words", HTMLElement).textContent = sentence;
    button.textContent = remedy;
    part(document, "#cover", HTMLElement).hidden = false;
    button.focus();
  }

  /** @param {string} sentence */
  #say(sentence) {
    const line = part(document, "#connection-notice", HTMLElement);
    line.textContent = sentence;
    line.hidden = sentence === "";
  }

  /** @param {(tile: Tile) => void} act */
  #eachTile(act) {
    this.#tiles.forEach(act);
  }
}

/** How far media is, for tests that drive this page: starting, connecting, flowing, lost, ended. @param {string} state */
function mark(state) {
  document.documentElement.dataset["media"] = state;
}

/** @param {string} name */
function possessive(name) {
  return name.endsWith("s") ? `${name}’` : `${name}’s`;
}

/** A phone that dims its screen pauses the camera. */
async function keepAwake() {
  const lock = () => navigator.wakeLock?.request("screen").catch(() => null);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void lock());
  await lock();
}

const consultation = new Consultation();
consultation.start();

// The peer connection is reachable for `getStats`: browser tests and whoever looks for a fault in the console read it.
// It gives a script nothing that it could not have: only ours run here, by the content security policy.
Object.defineProperty(window, "bedside", { value: { get peer() { return consultation.connection; } } });
