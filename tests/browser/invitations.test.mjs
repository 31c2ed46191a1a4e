// Invitations as others read them: two libraries that are not ours find the same instants in every file that our renderer writes
// (scheduler/tests/rules/messages/invitations.rs keeps the files as it does).
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import ICAL from "ical.js";
import nodeIcal from "node-ical";

/** @typedef {{ file: string, method: string, uid: string, sequence: number, start: string, end: string, summary: string }} Expected */

const folder = new URL("../invitations/", import.meta.url);
/** @type {Expected[]} */
const expected = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8"));

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
    const text = readFileSync(new URL(one.file, folder), "utf8");
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

test("no line of a file is longer than 75 octets, and each ends as RFC 5545 says", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ics"));
  assert.equal(files.length, expected.length);
  for (const file of files) {
    const text = readFileSync(new URL(file, folder), "utf8");
    assert.ok(text.endsWith("END:VCALENDAR\r\n"), file);
    for (const line of text.split("\r\n")) {
      assert.ok(Buffer.byteLength(line) <= 75 && !line.includes("\n"), `${file}: ${line}`);
    }
  }
});
