// How a connection is judged, sample by sample. Pure: no browser is started.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkJudge } from "../../web/static/js/link.js";

/** @param {Partial<import("../../web/static/js/peer.js").Sample>} [differently] */
function sample(differently) {
  return { connected: true, silentMs: 0, roundTripMs: 40, lossIn: 0, lossOut: 0, frames: new Map(), ...differently };
}

test("a link is good from its first sample", () => {
  assert.equal(new LinkJudge().judge(sample()), "good");
});

test("one bad second is not called weak, two are", () => {
  const judge = new LinkJudge();
  judge.judge(sample());
  assert.equal(judge.judge(sample({ lossIn: 0.2 })), "good");
  assert.equal(judge.judge(sample({ lossIn: 0.2 })), "weak");
});

test("a weak link is good again only after four good seconds", () => {
  const judge = new LinkJudge();
  judge.judge(sample({ lossOut: 0.2 }));
  const words = [1, 2, 3, 4].map(() => judge.judge(sample()));
  assert.deepEqual(words, ["weak", "weak", "weak", "good"]);
});

test("silence is a loss at once, and its end is told at once", () => {
  const judge = new LinkJudge();
  judge.judge(sample());
  assert.equal(judge.judge(sample({ silentMs: 3000 })), "lost");
  assert.equal(judge.judge(sample()), "good");
});
