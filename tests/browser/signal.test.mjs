// The browser's side of signaling, against a socket of our own: joining, coming back, and giving up. No browser is started.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { NoWayIn, Signal } from "../../web/static/js/signal.js";

/** Stands in for the browser's WebSocket; the test is the server. */
class Socket extends EventTarget {
  static OPEN = 1;
  /** Sockets in the order in which they were opened. */
  static opened = new EventTarget();
  readyState = 0;
  /** @type {{ type: string, [field: string]: unknown }[]} */
  said = [];

  constructor() {
    super();
    setImmediate(() => Socket.opened.dispatchEvent(Object.assign(new Event("socket"), { socket: this })));
  }

  /** @param {string} text */
  send(text) {
    this.said.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  accept() {
    this.readyState = Socket.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  /** @param {object} message */
  says(message) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(message) }));
  }

  /** @param {number} code */
  breaks(code) {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

/** A page that joins. @param {() => Promise<{ token: string, signaling_url: string }>} [credentials] */
function page(credentials = async () => ({ token: "token", signaling_url: "ws://clinic/signal" })) {
  Object.assign(globalThis, { WebSocket: Socket });
  /** @type {string[]} */
  const heard = [];
  let offers = 0;
  const signal = new Signal({
    credentials,
    offer: async () => `offer ${(offers += 1)}`,
    listener: {
      joined: (_, answer) => void heard.push(answer),
      attached: (attached) => void heard.push(attached ? "attached" : "detached"),
      room: () => {},
      chat: (messages) => void heard.push(...messages.map(({ text }) => text)),
      refused: (code) => void heard.push(code),
      over: (outcome) => void heard.push(outcome),
    },
  });
  signal.start();
  return { signal, heard };
}

/** The next socket that the page opens, accepted. @returns {Promise<Socket>} */
async function nextSocket() {
  const [event] = await once(Socket.opened, "socket");
  event.socket.accept();
  return event.socket;
}

const joined = { type: "joined", participant: "me", answer: "answer", chat: [] };
const resumed = { type: "resumed", participant: "me", chat: [] };

test("a page joins with a token and an offer in its first message", async () => {
  const { signal, heard } = page();
  const socket = await nextSocket();
  assert.deepEqual(socket.said, [{ type: "join", token: "token", offer: "offer 1" }]);
  socket.says(joined);
  assert.deepEqual(heard, ["answer", "attached"]);
  signal.leave();
});

test("a lost socket is resumed without another offer, and what was written meanwhile is sent", async () => {
  const { signal, heard } = page();
  const first = await nextSocket();
  first.says(joined);
  first.breaks(1006);
  const id = signal.write("hello");
  const second = await nextSocket();
  second.says(resumed);
  assert.deepEqual(second.said, [{ type: "resume", token: "token" }, { type: "chat", id, text: "hello" }]);
  assert.deepEqual(heard, ["answer", "attached", "detached", "attached"]);
  signal.leave();
});

test("a restart is answered by a new offer on the same socket", async () => {
  const { signal } = page();
  const socket = await nextSocket();
  socket.says(joined);
  socket.says({ type: "restart" });
  await new Promise(setImmediate);
  assert.deepEqual(socket.said.at(-1), { type: "rejoin", offer: "offer 2" });
  signal.leave();
});

test("media that fails while the socket is away is offered anew when it is back", async () => {
  const { signal } = page();
  const first = await nextSocket();
  first.says(joined);
  first.breaks(4006);
  void signal.rejoin();
  const second = await nextSocket();
  assert.deepEqual(second.said, [{ type: "join", token: "token", offer: "offer 2" }]);
  signal.leave();
});

for (const [code, outcome] of /** @type {[number, string][]} */ ([[4000, "ended"], [4001, "replaced"]])) {
  test(`a socket closed with ${code} says ${outcome}, and nobody comes back by themselves`, async () => {
    const { heard } = page();
    const socket = await nextSocket();
    socket.says(joined);
    socket.breaks(code);
    assert.deepEqual(heard.at(-1), outcome);
  });
}

test("a page that gets no token because the visit has ended gives up", async () => {
  const { heard } = page(async () => {
    throw new NoWayIn("ended");
  });
  await new Promise(setImmediate);
  assert.deepEqual(heard, ["ended"]);
});
