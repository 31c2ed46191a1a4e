// What others do, as the desk shows it in Chromium: a time that another desk holds, and a patient who waits and is moved.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bedside } from "./support/bedside.mjs";
import { Somebody, startChromium } from "./support/chromium.mjs";

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

const receptionist = () => Somebody.atDesk(chromium, bedside);

test("a time for which another desk fills in the form is shown as held, by whom, and is free again when they leave", async () => {
  const [here, there] = [await receptionist(), await receptionist()];
  const problems = [];
  const free = there.page.locator(".entry.free").nth(2);
  const id = await free.getAttribute("id");
  const time = await free.locator("time").textContent();
  await free.click();
  await there.page.getByText("Held for you until").waitFor();

  const held = here.page.locator(".held-time", { hasText: `${time} held` }).first();
  await held.getByText(`being booked by ${bedside.account("receptionist").name}`).waitFor();
  assert.equal(await here.page.locator(`[id="${id}"]`).count(), 0, "it cannot be chosen meanwhile");
  problems.push(...(await here.looksAt("desk-held", { tablet: true, at: held })));
  problems.push(...(await there.looksAt("desk-holds", { tablet: true })));

  await there.page.goto(`${bedside.ready.url}/patients`);
  await here.page.locator(`[id="${id}"]`).waitFor();
  await held.waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
  assert.deepEqual([...here.complaints, ...there.complaints], []);
  await Promise.all([here.close(), there.close()]);
});

test("whoever waits is moved to a later time of the day, and waits on", async () => {
  const [patient, desk] = [await Somebody.with(chromium), await receptionist()];
  const visit = bedside.ready.visits[0];
  assert.ok(visit, "the demo has a visit ahead");
  const problems = [];
  await patient.page.goto(visit.link);
  await patient.page.getByRole("button", { name: "I'm here" }).click();
  await patient.page.getByRole("heading", { name: "Waiting room" }).waitFor();

  const { page } = desk;
  const waiting = page.getByRole("region", { name: "Waiting" });
  const move = waiting.getByRole("link", { name: `Move ${visit.patient}` });
  await move.waitFor();
  problems.push(...(await desk.looksAt("desk-waiting", { tablet: true, at: move })));
  const column = page.getByRole("region", { name: /^Dr / }).filter({ hasText: visit.patient }).first();
  const later = await column.locator(".entry.free time").last().textContent();
  await move.click();
  await page.getByRole("heading", { name: `Move ${visit.patient}` }).waitFor();
  problems.push(...(await desk.looksAt("desk-waiting-move", { tablet: true })));
  await page.getByLabel("Time").fill(later ?? "");
  await page.getByRole("button", { name: "Move" }).click();
  await page.getByRole("alert").getByText("Say why").waitFor();
  assert.equal(await page.getByLabel("Time").inputValue(), later, "what was typed is kept");
  problems.push(...(await desk.looksAt("desk-waiting-move-refused", { tablet: true })));
  await page.getByLabel("Reason").fill("The practitioner is called away");
  await page.getByRole("button", { name: "Move" }).click();
  await page.getByText("The practitioner is called away").waitFor();
  problems.push(...(await desk.looksAt("desk-waiting-moved", { tablet: true })));

  await page.goto(`${bedside.ready.url}/desk`);
  await waiting.getByRole("listitem").filter({ hasText: visit.patient }).getByText(later ?? "?").waitFor();
  assert.deepEqual(problems, []);
  assert.deepEqual(desk.complaints.filter((line) => !line.includes("status of 422")), []);
  await Promise.all([patient.close(), desk.close()]);
});
