// The same visit with the patient in Firefox: what the two browsers make of each other's offers and pictures.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { Bedside, until } from "./support/bedside.mjs";
import { Somebody, startChromium } from "./support/chromium.mjs";
import { firstFrameOfOthers, keepPeerConnections, look } from "./support/media.mjs";

/** @type {Bedside} */
let bedside;
/** @type {import("playwright-core").Browser} */
let chromium;
/** @type {import("puppeteer-core").Browser} */
let firefox;

before(async () => {
  [bedside, chromium, firefox] = await Promise.all([Bedside.start(), startChromium(), startFirefox()]);
});

after(async () => {
  await Promise.allSettled([firefox?.close(), chromium?.close()]);
  await bedside?.stop();
});

test("a patient in Firefox and a practitioner in Chromium hear and see each other", { timeout: 120_000 }, async (t) => {
  const { url, visits } = bedside.ready;
  const visit = visits[0];
  assert.ok(visit, "the demo has a visit ahead");
  const practitioner = await Somebody.with(chromium);
  await practitioner.signsIn(url, bedside.account("practitioner", visit.practitioner));

  const patient = await firefox.newPage();
  const complaints = /** @type {string[]} */ ([]);
  patient.on("console", (message) => message.type() === "error" && complaints.push(`${patient.url()}: ${message.text()}`));
  patient.on("pageerror", (error) => complaints.push(`${patient.url()}: ${error}`));
  await patient.evaluateOnNewDocument(keepPeerConnections);
  await patient.goto(visit.link);
  await press(patient, "I'm here");
  await patient.waitForFunction(() => document.querySelector("h1")?.textContent?.trim() === "Waiting room");

  const admit = practitioner.page.getByRole("button", { name: new RegExp(`^Admit.*${visit.patient}`) });
  await admit.waitFor();
  const pressed = Date.now();
  await admit.click();
  const [doctors, patients] = await Promise.all([
    practitioner.waitsFor(firstFrameOfOthers),
    until(30_000, () => patient.evaluate(firstFrameOfOthers).catch(() => 0)), // the page changes under the question
  ]);
  t.diagnostic(`measured: Admit to first frame, practitioner (Chromium) ${doctors - pressed} ms, patient (Firefox) ${patients - pressed} ms`);

  const flows = async (/** @type {() => Promise<import("./support/media.mjs").Media>} */ ask) => {
    const first = await ask();
    return until(20_000, async () => {
      const now = await ask();
      return now.framesDecoded > first.framesDecoded + 10 && now.audioPackets > first.audioPackets + 20 && now;
    });
  };
  const seenInChromium = await flows(() => practitioner.page.evaluate(look));
  const seenInFirefox = await flows(() => patient.evaluate(look));
  for (const [name, seen] of Object.entries({ seenInChromium, seenInFirefox })) {
    t.diagnostic(`measured: ${name} ${seen.framesDecoded} frames, ${seen.audioPackets} packets of sound, SRTP ${seen.srtpCipher || "not told"}`);
  }
  assert.ok(seenInChromium.audioEnergy > 0, "the practitioner hears the tone of Firefox's microphone");

  await practitioner.page.getByRole("button", { name: "End visit" }).first().click();
  const sure = practitioner.page.locator("#ending-now");
  if (await sure.isVisible()) await sure.click();
  await until(10_000, () =>
    patient.evaluate(() => document.querySelector("h1")?.textContent?.trim() === "Your visit has ended").catch(() => false),
  );
  assert.deepEqual([...complaints, ...practitioner.complaints], []);
});

function startFirefox() {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.peerconnection.ice.loopback": true, // the relay is on this machine
      "media.peerconnection.ice.obfuscate_host_addresses": false,
    },
  });
}

/**
 * Presses the button of this name, as a person finds it.
 * @param {import("puppeteer-core").Page} page
 * @param {string} name
 */
async function press(page, name) {
  await Promise.all([page.waitForNavigation(), page.locator(`aria/${name}[role="button"]`).click()]);
}
