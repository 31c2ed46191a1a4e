// The whole visit by clicking, with three people in Chromium: booked, arrived, admitted, talked, ended, told.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bedside, until } from "./support/bedside.mjs";
import { Somebody, startChromium } from "./support/chromium.mjs";
import { firstFrameOfOthers, look } from "./support/media.mjs";

/** @type {Bedside} */
let bedside;
/** @type {import("playwright-core").Browser} */
let chromium;

before(async () => {
  [bedside, chromium] = await Promise.all([Bedside.start(), startChromium()]);
});

after(async () => {
  await chromium?.close();
  await bedside?.stop();
});

test("receptionist, patient and practitioner go through a whole visit", { timeout: 180_000 }, async (t) => {
  const { url } = bedside.ready;
  const problems = /** @type {string[]} */ ([]);
  const receptionist = await Somebody.with(chromium);
  const practitioner = await Somebody.with(chromium);
  const patient = await Somebody.with(chromium);
  const doctor = bedside.account("practitioner", "Dr Hannah Osei");
  let link = "";
  let arrived = 0;

  await t.test("the receptionist signs in and sees today", async () => {
    await receptionist.page.goto(`${url}/sign-in`);
    problems.push(...(await receptionist.looksAt("sign-in")));
    await receptionist.signsIn(url, bedside.account("receptionist"));
    await receptionist.page.getByRole("heading", { name: "Today" }).waitFor();
    problems.push(...(await receptionist.looksAt("desk")));
  });

  await t.test("the receptionist books Edith Clarke and sees the link", async () => {
    const { page } = receptionist;
    await page.getByRole("link", { name: "Book appointment" }).click();
    await page.getByLabel("Patient", { exact: true }).pressSequentially("Edith Cl");
    await page.getByRole("option", { name: /Edith Clarke/ }).click();
    await page.getByLabel("Practitioner").selectOption({ label: "Dr Hannah Osei" });
    await page.getByRole("radio").first().waitFor();
    problems.push(...(await receptionist.looksAt("book")));
    await page.getByRole("radio", { disabled: false }).first().check({ force: true });
    await page.getByRole("button", { name: "Book", exact: true }).click();
    const field = page.getByLabel("Visit link");
    await field.waitFor();
    link = await field.inputValue();
    assert.match(link, /\/visit\//);
    problems.push(...(await receptionist.looksAt("appointment")));
    await page.getByRole("button", { name: "Send link" }).click();
    await page.getByText("The link is on its way").waitFor();
  });

  await t.test("the mail of the demo lands in the mailbox", async () => {
    const { page } = receptionist;
    await until(15_000, async () => {
      await page.goto(`${url}/mailbox`);
      return (await page.content()).includes(link.slice(link.lastIndexOf("/")));
    });
    problems.push(...(await receptionist.looksAt("mailbox")));
  });

  await t.test("the practitioner's day is open before anybody comes", async () => {
    await practitioner.signsIn(url, doctor);
    await practitioner.page.waitForURL("**/day");
    problems.push(...(await practitioner.looksAt("day")));
  });

  await t.test("the patient opens the link, says I'm here and checks camera and microphone", async () => {
    const { page } = patient;
    await page.goto(link);
    await page.getByText("Edith Clarke").first().waitFor();
    await page.getByText("Not you?").waitFor();
    problems.push(...(await patient.looksAt("link")));
    await page.getByRole("button", { name: "I'm here" }).click();
    arrived = Date.now();
    await page.getByRole("heading", { name: "Waiting room" }).waitFor();
  });

  const admit = practitioner.page.getByRole("button", { name: /^Admit.*Edith Clarke/ });
  await t.test("the day shows the arrival within a second", async () => {
    await admit.waitFor();
    const took = Date.now() - arrived;
    t.diagnostic(`measured: arrival shown after ${took} ms`);
    problems.push(...(await practitioner.looksAt("day-arrived")));
  });

  await t.test("the device check shows the patient to themselves", async () => {
    const start = patient.page.getByRole("button", { name: "Check camera and microphone" });
    if (await start.isVisible()) await start.click();
    await patient.waitsFor(() => [...document.querySelectorAll("video")].some((video) => video.videoWidth > 0));
    problems.push(...(await patient.looksAt("waiting")));
  });

  await t.test("one press admits, and both see and hear each other", async () => {
    const pressed = Date.now();
    await admit.click();
    const [doctors, patients] = await Promise.all([
      practitioner.waitsFor(firstFrameOfOthers),
      patient.waitsFor(firstFrameOfOthers),
    ]);
    t.diagnostic(`measured: Admit to first frame, practitioner ${doctors - pressed} ms, patient ${patients - pressed} ms`);
    assert.match(practitioner.page.url(), /\/encounters\//);
    assert.match(patient.page.url(), /\/consultation\//);
    await mediaFlows(t, practitioner, "practitioner");
    await mediaFlows(t, patient, "patient");
    problems.push(...(await practitioner.looksAt("consultation-practitioner")));
    problems.push(...(await patient.looksAt("consultation-patient")));
  });

  await t.test("mute and camera are switched, and the other sees it", async () => {
    await patient.page.getByRole("button", { name: "Mute", exact: true }).click();
    await practitioner.page.getByText("muted").first().waitFor();
    await patient.page.getByRole("button", { name: "Unmute", exact: true }).click();
    await practitioner.page.getByText("muted").first().waitFor({ state: "hidden" });
    await patient.page.getByRole("button", { name: "Turn camera off" }).click();
    await patient.page.getByRole("button", { name: "Turn camera on" }).click();
    await patient.page.getByRole("button", { name: "Turn camera off" }).waitFor();
  });

  await t.test("what one writes, the other reads", async () => {
    for (const one of [patient, practitioner]) await opensChat(one);
    await patient.page.getByLabel("Message", { exact: true }).fill("I hear you well");
    await patient.page.getByRole("button", { name: "Send", exact: true }).click();
    await practitioner.page.getByText("I hear you well").waitFor();
    await practitioner.page.getByLabel("Message", { exact: true }).fill("Good, let us begin");
    await practitioner.page.getByRole("button", { name: "Send", exact: true }).click();
    await patient.page.getByText("Good, let us begin").waitFor();
    problems.push(...(await practitioner.looksAt("chat-practitioner")));
    problems.push(...(await patient.looksAt("chat-patient")));
  });

  for (const [one, name] of /** @type {[Somebody, string][]} */ ([[practitioner, "practitioner"], [patient, "patient"]])) {
    await t.test(`the ${name} reloads, and the picture is back`, async () => {
      const reloaded = Date.now();
      await one.page.reload();
      const back = await one.waitsFor(firstFrameOfOthers);
      t.diagnostic(`measured: picture back after reload by the ${name} ${back - reloaded} ms`);
      await mediaFlows(t, one, name);
      await mediaFlows(t, one === patient ? practitioner : patient, "other");
    });
  }

  await t.test("the practitioner ends the visit, and the patient reads that it has ended", async () => {
    await practitioner.page.getByRole("button", { name: "End visit" }).first().click();
    const sure = practitioner.page.locator("#ending-now");
    if (await sure.isVisible()) await sure.click();
    await patient.page.getByRole("heading", { name: "Your visit has ended" }).waitFor();
    problems.push(...(await patient.looksAt("goodbye")));
    await practitioner.page.waitForURL((at) => !at.pathname.startsWith("/encounters/"));
    problems.push(...(await practitioner.looksAt("after-the-visit")));
  });

  await t.test("the administrator reads what happened", async () => {
    const administrator = await Somebody.with(chromium);
    await administrator.signsIn(url, bedside.account("administrator"));
    await administrator.page.goto(`${url}/history`);
    await administrator.page.getByText("Edith Clarke").first().waitFor();
    problems.push(...(await administrator.looksAt("history")));
    problems.push(...administrator.complaints);
  });

  await t.test("no page has a problem that axe finds, none is wider than its window, and no console complains", () => {
    assert.deepEqual([...problems, ...receptionist.complaints, ...practitioner.complaints, ...patient.complaints], []);
  });
});

/**
 * Pictures are decoded and sound is heard, and both go on.
 * @param {import("node:test").TestContext} t
 * @param {Somebody} somebody
 * @param {string} name
 */
async function mediaFlows(t, somebody, name) {
  const first = await somebody.page.evaluate(look);
  const later = await until(15_000, async () => {
    const now = await somebody.page.evaluate(look);
    const flows = now.framesDecoded > first.framesDecoded + 10 && now.audioPackets > first.audioPackets + 20;
    return flows && now.audioEnergy > 0 && now.framesSent > 0 && now;
  }).catch(async (error) => {
    throw new Error(`${name}: ${error.message}, ${JSON.stringify(await somebody.page.evaluate(look))}`);
  });
  t.diagnostic(`measured: ${name} has SRTP ${later.srtpCipher || "unknown"}, ${later.framesDecoded} frames decoded, ${later.audioPackets} packets of sound`);
}

/** @param {Somebody} somebody */
async function opensChat({ page }) {
  if (await page.getByLabel("Message", { exact: true }).isVisible()) return;
  await page.getByRole("button", { name: "Chat" }).first().click();
  await page.getByLabel("Message", { exact: true }).waitFor();
}
