// Invitations as others read them: two libraries that are not ours find the same instants in every file that our renderer writes
// (scheduler/tests/rules/messages/invitations.rs keeps the files as it does).
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import ICAL from "ical.js";
import nodeIcal from "node-ical";

/** @typedef {{ file: string, method: string, uid: string, sequence: number, start: string, end: string, summary: string }} Expected */

const folder = new URL("../invitations/", import.meta.url);
/** @param {string} name @returns {Expected[]} */
const list = (name) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
/** @param {string} name */
const read = (name) => readFileSync(new URL(name, folder), "utf8");

/** The files of one message about a series, and of one that takes out its second visit. */
const series = list("series.json");
const expected = [...list("expected.json"), ...series];

/**
 * What ical.js finds.
 * @param {string} text
 */
function byIcalJs(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const [component, ...others] = calendar.getAllSubcomponents("vevent");
  assert.equal(others.length, 0);
  const event = new ICAL.Event(component);
  return {
    method: calendar.getFirstPropertyValue("method"),
    uid: event.uid,
    sequence: event.sequence,
    start: event.startDate.toJSDate(),
    end: event.endDate.toJSDate(),
    summary: event.summary,
  };
}

/**
 * What node-ical finds.
 * @param {string} text
 */
function byNodeIcal(text) {
  const calendar = nodeIcal.sync.parseICS(text);
  const events = Object.values(calendar).filter((part) => part?.type === "VEVENT");
  assert.equal(events.length, 1);
  const [event] = /** @type {any[]} */ (events);
  return {
    method: event.method,
    uid: event.uid,
    sequence: Number(event.sequence),
    start: new Date(event.start),
    end: new Date(event.end),
    summary: event.summary,
  };
}

for (const one of expected) {
  test(`two libraries read ${one.file} as we mean it`, () => {
    const text = read(one.file);
    for (const found of [byIcalJs(text), byNodeIcal(text)]) {
      assert.equal(found.method, one.method);
      assert.equal(found.uid, one.uid);
      assert.equal(found.sequence, one.sequence);
      assert.equal(found.start.getTime(), Date.parse(one.start), `begins ${found.start.toISOString()}`);
      assert.equal(found.end.getTime(), Date.parse(one.end), `ends ${found.end.toISOString()}`);
      assert.equal(found.summary, one.summary);
    }
  });
}

for (const [library, parse] of /** @type {const} */ ([["ical.js", byIcalJs], ["node-ical", byNodeIcal]])) {
  test(`a calendar that takes the files of a series by ${library} has each visit, and lets the one go that is called off`, () => {
    /** @type {Map<string, { sequence: number, start: Date }>} */
    const calendar = new Map();
    for (const { method, uid, sequence, start } of series.map((one) => parse(read(one.file)))) {
      const former = calendar.get(uid);
      assert.ok(!former || former.sequence < sequence, "a change has a higher number");
      if (method === "CANCEL") calendar.delete(uid);
      else calendar.set(uid, { sequence, start });
    }
    // London's clock goes back in between: both are at ten.
    const left = [...calendar.values()].map(({ start }) => start.toISOString());
    assert.deepEqual(left, ["2026-10-20T09:00:00.000Z", "2026-11-03T10:00:00.000Z"]);
  });
}

test("no line of a file is longer than 75 octets, and each ends as RFC 5545 says", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ics"));
  assert.equal(files.length, expected.length);
  for (const file of files) {
    const text = read(file);
    assert.ok(text.endsWith("END:VCALENDAR\r\n"), file);
    for (const line of text.split("\r\n")) {
      assert.ok(Buffer.byteLength(line) <= 75 && !line.includes("\n"), `${file}: ${line}`);
    }
  }
});
