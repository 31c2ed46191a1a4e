// The desk changes when practitioners work: what it opens and closes is shown while it is typed, and without scripts by a button.

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

/** The day after today where the clinic stands, as a date field has it. */
const tomorrow = () => new Date(Date.now() + 86_400_000).toLocaleDateString("en-CA", { timeZone: bedside.zone });

test("leave shows what it closes while it is typed, and is saved", async () => {
  const receptionist = await Somebody.with(chromium);
  await receptionist.signsIn(bedside.ready.url, bedside.account("receptionist"));
  const { page } = receptionist;
  await page.getByRole("link", { name: "Schedules" }).click();
  const problems = await receptionist.looksAt("schedules");
  await page.getByRole("link", { name: "Open the schedule of Dr Hannah Osei" }).click();
  await page.getByRole("heading", { name: "Dr Hannah Osei" }).waitFor();
  const form = page.getByRole("region", { name: "Add leave or extra hours" });
  await form.getByLabel("Reason").fill("A conference");
  await form.getByLabel("First day").fill(tomorrow());
  await page.getByText(/^closes /).waitFor();
  problems.push(...(await receptionist.looksAt("schedule-preview")));
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  await page.getByText("A conference").waitFor();
  assert.deepEqual(problems, []);
  assert.deepEqual(receptionist.complaints, []);
});

test("without a script a button shows what shorter hours close, and whom they leave outside", async () => {
  const receptionist = await Somebody.with(chromium, { javaScriptEnabled: false });
  await receptionist.signsIn(bedside.ready.url, bedside.account("receptionist"));
  const { page } = receptionist;
  await page.goto(`${bedside.ready.url}/schedules`);
  await page.getByRole("link", { name: "Open the schedule of Dr Hannah Osei" }).click();
  const today = new Date(bedside.ready.visits[0]?.at ?? "");
  const weekday = today.toLocaleDateString("en-GB", { weekday: "long", timeZone: bedside.zone });
  await page.getByRole("button", { name: `Remove ${weekday}` }).click();
  await page.getByText("Take this away?").waitFor();
  await page.getByText("booked outside of the new hours").waitFor();
  await page.getByRole("link", { name: "Keep it" }).click();
  await page.getByRole("button", { name: `Remove ${weekday}` }).waitFor();
});

test("a type of visit that is wrong keeps what was typed", async () => {
  const receptionist = await Somebody.with(chromium);
  await receptionist.signsIn(bedside.ready.url, bedside.account("receptionist"));
  const { page } = receptionist;
  await page.goto(`${bedside.ready.url}/visit-types`);
  const problems = await receptionist.looksAt("visit-types");
  await page.getByLabel("Name").fill("Consultation");
  await page.getByLabel("Length (minutes)").fill("25");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("There is a type of visit of this name already.").waitFor();
  assert.equal(await page.getByLabel("Length (minutes)").inputValue(), "25");
  problems.push(...(await receptionist.looksAt("visit-type-refused")));
  assert.deepEqual(problems, []);
});
