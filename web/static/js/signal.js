// The conversation with signaling, subprotocol bedside.v1 (docs/protocol.md): join, resume, rejoin, and coming back after a loss.
// No DOM and no media here: what signaling says is told to the listener, and offers are asked from the page.

export const SUBPROTOCOL = "bedside.v1";

/** The longest chat text, in characters; signaling refuses more. */
export const MAX_CHAT_CHARS = 2000;

/** Close codes of the socket (RFC 6455 §7.4.2, private range). */
const CLOSE = { ended: 4000, replaced: 4001, tokenRefused: 4002, badMessage: 4003, tooFast: 4004, left: 4005, goingAway: 4006 };

/** After this silence we ask whether signaling is there, and after as much again the socket counts as dead. Milliseconds. */
const SILENCE_MS = 5000;

/** How long an answer to an offer may take before the socket is given up. Covers a relay that has to be found first. */
const ANSWER_MS = 8000;

/** The first and the longest wait before another try; full jitter between, so that a thousand pages do not come back at once. */
const BACKOFF_MS = { first: 250, longest: 8000 };

/** @typedef {"unknown" | "good" | "weak" | "lost"} LinkQuality */
/** @typedef {{ microphone: boolean, camera: boolean, link: LinkQuality }} ParticipantStatus */
/**
 * @typedef {object} ParticipantView
 * @property {string} participant
 * @property {string} name
 * @property {"practitioner" | "patient" | "device"} role
 * @property {boolean} connected
 * @property {ParticipantStatus} status
 * @property {string | null} audio the receiver's slot in which they are heard
 * @property {string | null} video the receiver's slot in which they are seen
 */
/** @typedef {{ id: string, from: string, name: string, text: string, at: string }} ChatMessage */
/** @typedef {{ token: string, signaling_url: string }} Credentials */
/** @typedef {"ended" | "replaced" | "left" | "gone" | "full"} Outcome why the conversation is over for good */
/**
 * @typedef {{ type: "joined", participant: string, answer: string, chat: ChatMessage[] }
 *   | { type: "resumed", participant: string, chat: ChatMessage[] }
 *   | { type: "room", participants: ParticipantView[] }
 *   | { type: "chat", message: ChatMessage }
 *   | { type: "restart" } | { type: "ended" } | { type: "replaced" } | { type: "pong" }
 *   | { type: "error", code: string, message: string }} ServerMessage
 */
/**
 * @typedef {object} Listener
 * @property {(participant: string, answer: string) => void} joined apply this answer to the newest offer
 * @property {(attached: boolean) => void} attached the socket is, or is no longer, part of the room
 * @property {(participants: ParticipantView[]) => void} room everybody, always the whole
 * @property {(messages: ChatMessage[]) => void} chat what was written; the same message may come again
 * @property {(code: string, message: string) => void} refused something was refused; the conversation goes on
 * @property {(outcome: Outcome) => void} over the end
 */

/** Thrown by `credentials` when there is no way in any more, so that nobody tries for ever. */
export class NoWayIn extends Error {
  /** @param {Outcome} outcome */
  constructor(outcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

export class Signal {
  #credentials;
  #offer;
  #listener;
  /** @type {WebSocket | null} */
  #socket = null;
  /** The room knows this socket. */
  #attached = false;
  /** An offer was sent and its answer is awaited. */
  #entering = false;
  /** A peer connection that the relay answered is in use, so a new socket resumes instead of joining. */
  #hasMedia = false;
  /** Media was lost again while an answer was awaited. */
  #again = false;
  #over = false;
  #connecting = false;
  #tries = 0;
  #heardAt = 0;
  #askedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #answer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #heartbeat;
  /** @type {ParticipantStatus | null} */
  #status = null;
  /** Texts that signaling has not confirmed yet, by id. @type {Map<string, string>} */
  #unsent = new Map();

  /**
   * @param {object} options
   * @param {() => Promise<Credentials>} options.credentials a fresh join token; throws NoWayIn when there is none to be had
   * @param {() => Promise<string>} options.offer makes a new peer connection and returns its offer
   * @param {Listener} options.listener
   */
  constructor({ credentials, offer, listener }) {
    this.#credentials = credentials;
    this.#offer = offer;
    this.#listener = listener;
  }

  /** Enters the room, and stays in it until it is over. */
  start() {
    this.#heartbeat = setInterval(() => this.#beat(), SILENCE_MS / 2);
    void this.#connect();
  }

  /** Media failed: a new peer connection for the same participant. */
  async rejoin() {
    if (this.#over) return;
    if (this.#entering) {
      this.#again = true;
      return;
    }
    this.#hasMedia = false;
    const socket = this.#socket;
    // Without a socket the next one joins, which makes the new offer.
    if (!socket || !this.#attached) return;
    this.#await();
    const offer = await this.#offer();
    if (socket === this.#socket) this.#send({ type: "rejoin", offer });
  }

  /** The network is back, says the browser: do not wait for the next try. */
  hurry() {
    if (this.#over || this.#socket) return;
    this.#tries = 0;
    this.#comeBackIn(0);
  }

  /** @param {ParticipantStatus} status the whole of it */
  tell(status) {
    this.#status = status;
    if (this.#attached) this.#send({ type: "status", status });
  }

  /**
   * Writes to everybody, now or as soon as the socket is back.
   * @param {string} text
   * @returns {string} the id under which it will come back
   */
  write(text) {
    const id = uuid();
    this.#unsent.set(id, text);
    if (this.#attached) this.#send({ type: "chat", id, text });
    return id;
  }

  /** Leaves the room. The encounter goes on and the way back is open. */
  leave() {
    if (this.#attached) this.#send({ type: "leave" });
    this.#end("left");
  }

  async #connect() {
    if (this.#connecting || this.#socket) return;
    this.#connecting = true;
    let credentials;
    let offer = null;
    try {
      [credentials, offer] = await Promise.all([this.#credentials(), this.#hasMedia ? null : this.#offer()]);
    } catch (failure) {
      if (failure instanceof NoWayIn) this.#end(failure.outcome);
      else this.#later();
      return;
    } finally {
      this.#connecting = false;
    }
    if (this.#over) return;
    const { token, signaling_url } = credentials;
    const socket = new WebSocket(signaling_url, SUBPROTOCOL);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      this.#await();
      this.#send(offer === null ? { type: "resume", token } : { type: "join", token, offer });
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket) this.#hear(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.#socket) this.#lose(code);
    });
  }

  /** @param {ServerMessage} message */
  #hear(message) {
    this.#heardAt = performance.now();
    switch (message.type) {
      case "joined":
        this.#hasMedia = true;
        this.#listener.joined(message.participant, message.answer);
        return this.#enter(message.chat);
      case "resumed":
        // Media may have failed between asking for the token and now.
        this.#again ||= !this.#hasMedia;
        return this.#enter(message.chat);
      case "room":
        return this.#listener.room(message.participants);
      case "chat":
        return this.#confirm([message.message]);
      case "restart":
        return void this.rejoin();
      case "ended":
        return this.#end("ended");
      case "replaced":
        return this.#end("replaced");
      case "error":
        return this.#refuse(message.code, message.message);
      case "pong":
    }
  }

  /** @param {ChatMessage[]} chat */
  #enter(chat) {
    clearTimeout(this.#answer);
    this.#entering = false;
    this.#attached = true;
    this.#tries = 0;
    this.#listener.attached(true);
    this.#confirm(chat);
    if (this.#status) this.#send({ type: "status", status: this.#status });
    for (const [id, text] of this.#unsent) this.#send({ type: "chat", id, text });
    if (this.#again) {
      this.#again = false;
      void this.rejoin();
    }
  }

  /** @param {ChatMessage[]} messages */
  #confirm(messages) {
    for (const { id } of messages) this.#unsent.delete(id);
    this.#listener.chat(messages);
  }

  /** @param {string} code @param {string} message */
  #refuse(code, message) {
    if (code === "room_full") return this.#end("full");
    // What cannot be sent now cannot be sent later either.
    if (code === "chat_refused") this.#unsent.clear();
    this.#listener.refused(code, message);
    // An offer or a token without success: begin again with new ones, after a pause.
    if (this.#entering || code === "unavailable") this.#drop();
  }

  /** @param {number} code */
  #lose(code) {
    if (code === CLOSE.ended) return this.#end("ended");
    if (code === CLOSE.replaced) return this.#end("replaced");
    if (code === CLOSE.left) return this.#end("left");
    // The room does not know this page as it believed: join anew.
    if (code === CLOSE.badMessage) this.#hasMedia = false;
    if (code === CLOSE.tooFast) this.#tries += 3;
    this.#detach();
    if (code === CLOSE.goingAway) this.#comeBackIn(Math.random() * 100);
    else this.#later();
  }

  /** Gives the present socket up and tries another. */
  #drop() {
    const socket = this.#socket;
    this.#detach();
    socket?.close();
    this.#later();
  }

  #detach() {
    clearTimeout(this.#answer);
    // An offer that was never answered has made no media.
    if (this.#entering) this.#again = false;
    this.#entering = false;
    this.#socket = null;
    if (this.#attached) this.#listener.attached(false);
    this.#attached = false;
  }

  #later() {
    const longest = Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** this.#tries);
    this.#tries += 1;
    this.#comeBackIn(Math.random() * longest);
  }

  /** @param {number} ms */
  #comeBackIn(ms) {
    clearTimeout(this.#retry);
    if (!this.#over) this.#retry = setTimeout(() => void this.#connect(), ms);
  }

  #await() {
    this.#entering = true;
    clearTimeout(this.#answer);
    this.#answer = setTimeout(() => this.#drop(), ANSWER_MS);
  }

  #beat() {
    if (!this.#attached) return;
    const now = performance.now();
    if (now - this.#heardAt < SILENCE_MS) return;
    if (this.#askedAt > this.#heardAt && now - this.#askedAt >= SILENCE_MS) return this.#drop();
    if (this.#askedAt > this.#heardAt) return;
    this.#askedAt = now;
    this.#send({ type: "ping" });
  }

  /** @param {Outcome} outcome */
  #end(outcome) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#answer);
    clearInterval(this.#heartbeat);
    const socket = this.#socket;
    this.#socket = null;
    this.#attached = false;
    socket?.close();
    this.#listener.over(outcome);
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

/** A random UUID; `crypto.randomUUID` exists only where the page came by HTTPS or from this machine. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (/** @type {number} */ (bytes[6]) & 0x0f) | 0x40;
  bytes[8] = (/** @type {number} */ (bytes[8]) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
