// A receptionist's whole day, one step after the other, at whatever hour it begins: what is booked is booked for tomorrow, when
// everything is still free, and what is over lies where the demo put it, today or yesterday.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bedside, until } from "./support/bedside.mjs";
import { Somebody, startChromium } from "./support/chromium.mjs";

/** Where the clinic is; the browser, as the machine, may be elsewhere. */
const ZONE = process.env.CLINIC_ZONE ?? "Europe/London";

/** @type {Bedside} */
let bedside;
/** @type {import("playwright-core").Browser} */
let chromium;
/** The desk. @type {Somebody} */
let desk;
/** What axe and the windows complained about. @type {string[]} */
const problems = [];
/** The day for which everything is booked. @type {string} */
let tomorrow;

before(async () => {
  [bedside, chromium] = await Promise.all([Bedside.start(ZONE), startChromium()]);
  desk = await Somebody.with(chromium);
  await desk.signsIn(bedside.ready.url, bedside.account("receptionist"));
});

after(async () => {
  await chromium?.close();
  await bedside?.stop();
});

test("a receptionist's day", { timeout: 300_000 }, async (t) => {
  const { page } = desk;

  await t.test("begins with today, and goes on to tomorrow", async () => {
    await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
    await looks("day-today");
    await page.keyboard.press("]");
    await page.waitForURL(/date=\d{4}-\d\d-\d\d/);
    tomorrow = new URL(page.url()).searchParams.get("date") ?? "";
  });

  await t.test("books a known patient", async () => {
    await books("Osei", "10:00", "edith cl", tomorrow);
    await page.getByRole("heading", { name: "Edith Clarke" }).waitFor();
    assert.match((await page.getByRole("main").textContent()) ?? "", /10:00, 30 min/);
  });

  await t.test("moves the visit to another time and practitioner, with a reason", async () => {
    await opensDay(tomorrow);
    const edith = entry("Osei", "Edith Clarke");
    await desk.drags(edith, free("Marsh", "11:00"));
    const dialog = page.getByRole("dialog", { name: "Move Edith Clarke" });
    await dialog.waitFor();
    await looks("day-move");
    await dialog.getByLabel("Reason").fill("Dr Osei cannot at that time");
    await dialog.getByRole("button", { name: "Move" }).click();
    await entry("Marsh", "11:00 Edith Clarke").waitFor();
    await entry("Osei", "Edith Clarke").waitFor({ state: "detached" });
  });

  await t.test("books a series around the one visit that is in its way", async () => {
    const nextWeek = await page.evaluate((day) => {
      const date = new Date(`${day}T12:00:00Z`);
      date.setUTCDate(date.getUTCDate() + 7);
      return date.toISOString().slice(0, 10);
    }, tomorrow);
    await books("Osei", "11:30", "chen", nextWeek);
    await page.getByRole("heading", { name: "Chen Wei" }).waitFor();

    await opensDay(tomorrow);
    await free("Osei", "11:30").click();
    await finds("piotr");
    await page.getByText("Room, repeat, another time").click();
    await page.getByLabel("Repeat").selectOption({ label: "Every week" });
    await page.getByLabel("How many visits").fill("4");
    await presses("Book");
    const refusal = page.getByRole("alert").filter({ hasText: "One visit of the series cannot be booked." });
    await refusal.waitFor();
    const conflicts = await refusal.getByRole("listitem").allTextContents();
    assert.equal(conflicts.length, 1);
    assert.match(conflicts[0] ?? "", /, 11:30: taken$/);
    assert.equal(await page.getByLabel("How many visits").inputValue(), "4", "nothing typed is lost");
    await looks("day-series-conflict");
    await page.getByLabel("Leave it out and book the others").check();
    await presses("Book");
    const series = page.getByRole("region", { name: "Series" });
    await series.getByText("Every week").waitFor();
    assert.equal(await series.getByRole("listitem").count(), 3, "all but the one in the way");
    await looks("day-series");
    await tellsOfEach(3);
  });

  await t.test("puts two on the waitlist, and cancels with a reason", async () => {
    await waits("aisha", "Aisha Rahman", "Rings back after two");
    await waits("grace", "Grace Obi", "");
    await opensDay(tomorrow);
    await entry("Marsh", "Edith Clarke").click();
    await page.getByRole("heading", { name: "Edith Clarke" }).waitFor();
    const cancel = page.getByRole("region", { name: "Cancel" });
    await cancel.getByLabel("Reason").fill("She rang: feeling better");
    await cancel.getByRole("button", { name: "Cancel appointment" }).click();
    await page.getByText("She rang: feeling better").waitFor();
    await looks("day-cancelled");
    await opensDay(tomorrow);
    await page.getByRole("region", { name: "Cancelled" }).getByRole("link", { name: "Edith Clarke" }).waitFor();
  });

  await t.test("sees the freed time offered to the first, declined, offered to the next, and accepted", async () => {
    await page.goto(`${bedside.ready.url}/waitlist`);
    await waiting("Aisha Rahman").getByText(/^Offered, /).waitFor();
    await looks("day-waitlist-offered");
    const first = await opensOffer("aisha.rahman@patients.example");
    problems.push(...(await first.looksAt("day-offer")));
    await first.page.getByRole("button", { name: "No, thank you" }).click();
    await first.page.getByRole("heading", { name: "You declined this time" }).waitFor();
    // The list keeps itself up to date.
    await waiting("Aisha Rahman").getByText("Declined").waitFor();
    await waiting("Grace Obi").getByText(/^Offered, /).waitFor();
    const next = await opensOffer("grace.obi@patients.example");
    await next.page.getByRole("button", { name: "Yes, book it" }).click();
    await next.page.getByRole("heading", { name: "Your visit is booked" }).waitFor();
    await waiting("Grace Obi").waitFor({ state: "detached" });
    await opensDay(tomorrow);
    await entry("Marsh", "11:00 Grace Obi").waitFor();
    await looks("day-tomorrow");
    await Promise.all([first.close(), next.close()]);
  });

  await t.test("takes somebody who walks in", async () => {
    await page.goto(`${bedside.ready.url}/desk`);
    await page.getByRole("link", { name: "Walk-in" }).click();
    await page.getByRole("heading", { name: "Walk-in" }).waitFor();
    await finds("noah");
    await page.getByLabel("Practitioner").selectOption({ label: "Dr Leon Marsh" });
    await looks("day-walk-in");
    await presses("To the queue");
    const waitingNow = page.getByRole("region", { name: "Waiting" });
    await waitingNow.getByRole("listitem").filter({ hasText: "Noah Petersen" }).getByText("Walk-in").waitFor();
    await looks("day-waiting");
  });

  await t.test("sees who did not come, and takes that back with a reason", async () => {
    // Nobody came to her visit of the demo, which the worker finds by itself.
    await until(30_000, async () => {
      await opensPatient("aisha", "Aisha Rahman");
      return (await page.getByText("Did not come").count()) > 0;
    });
    await page.getByRole("listitem").filter({ hasText: "Did not come" }).getByRole("link").click();
    const attendance = page.getByRole("region", { name: "Who was there" });
    await attendance.getByText("The patient did not come.").waitFor();
    await opensDay(await dayOfVisit());
    const missed = page.locator(".entry.noshow", { hasText: "Aisha Rahman" });
    await missed.getByText("Did not come").waitFor();
    await looks("day-missed");
    await missed.click();
    await attendance.getByLabel("Why it was not missed").fill("She was sent the wrong link");
    await looks("day-missed-visit");
    await attendance.getByRole("button", { name: "It was not missed" }).click();
    await attendance.getByText("Not missed after all: She was sent the wrong link").waitFor();
    assert.equal(await page.getByText("The patient did not come.").count(), 0);
  });

  await t.test("prints the day", async () => {
    await opensDay(tomorrow);
    await page.emulateMedia({ media: "print" });
    assert.ok(await page.locator(".print-head").isVisible());
    for (const gone of [".masthead", ".entry.free", ".desk-heading"]) {
      assert.ok(!(await page.locator(gone).first().isVisible()), `${gone} is not printed`);
    }
    for (const booked of ["11:00 Grace Obi", "11:30 Piotr Nowak"]) {
      assert.ok(await page.locator(".entry:not(.free)", { hasText: booked }).isVisible(), `${booked} is printed`);
    }
    problems.push(...(await desk.looksNow("day-print")));
    await page.emulateMedia({ media: "screen" });
  });

  assert.deepEqual(problems, []);
  // The browser itself notes that the series was refused with 409.
  assert.deepEqual(desk.complaints.filter((line) => !line.includes("status of 409")), []);
});

/** @param {string} name */
async function looks(name) {
  problems.push(...(await desk.looksAt(name, { tablet: true })));
}

/** @param {string} day */
async function opensDay(day) {
  await desk.page.goto(`${bedside.ready.url}/desk?date=${day}`);
  await desk.page.locator("#calendar").waitFor();
}

/** What is in the column of a practitioner. @param {string} practitioner @param {string} words */
function entry(practitioner, words) {
  return column(practitioner).locator(".entry:not(.free)", { hasText: words });
}

/** @param {string} practitioner @param {string} time */
function free(practitioner, time) {
  return column(practitioner).locator(".entry.free", { hasText: `${time} free` });
}

/** @param {string} practitioner */
function column(practitioner) {
  return desk.page.getByRole("region", { name: `Dr ${practitioner}` });
}

/**
 * Books a free time of a day.
 * @param {string} practitioner
 * @param {string} time
 * @param {string} typed
 * @param {string} day
 */
async function books(practitioner, time, typed, day) {
  await opensDay(day);
  await free(practitioner, time).press("Enter");
  await finds(typed);
  await presses("Book");
}

/** Chooses the first patient who fits. @param {string} typed */
async function finds(typed) {
  await desk.page.getByLabel("Patient", { exact: true }).pressSequentially(typed);
  await desk.page.getByRole("option").first().waitFor();
  await desk.page.keyboard.press("Enter");
}

/** @param {string} button */
async function presses(button) {
  await desk.page.getByRole("button", { name: button, exact: true }).last().click();
}

/** Adds somebody to the waitlist of Dr Marsh. @param {string} typed @param {string} name @param {string} note */
async function waits(typed, name, note) {
  await desk.page.goto(`${bedside.ready.url}/waitlist`);
  await finds(typed);
  await desk.page.getByLabel("Type of visit").selectOption({ label: "Consultation, 30 min" });
  await desk.page.getByLabel("With").selectOption({ label: "Dr Leon Marsh" });
  await desk.page.getByLabel("Note").fill(note);
  await presses("Add to the waitlist");
  await waiting(name).waitFor();
}

/** The line of somebody on the waitlist. @param {string} name */
function waiting(name) {
  return desk.page.locator(".waitlist-entry", { hasText: name });
}

/** The message about a series has a calendar file for each of its visits. @param {number} count */
async function tellsOfEach(count) {
  const mailbox = await Somebody.with(chromium);
  await mailbox.signsIn(bedside.ready.url, bedside.account("receptionist"));
  const message = mailbox.page.getByRole("article").filter({ hasText: `Your ${count} video visits` }).filter({ hasText: "E-mail to" });
  await until(20_000, async () => {
    await mailbox.page.goto(`${bedside.ready.url}/mailbox`);
    return (await message.count()) > 0;
  });
  const files = message.getByRole("link", { name: /^visit-\d{4}-\d\d-\d\d-\d{4}\.ics/ });
  assert.equal(await files.count(), count);
  for (const file of await files.all()) {
    const text = await (await mailbox.page.request.get(`${bedside.ready.url}${await file.getAttribute("href")}`)).text();
    assert.equal(text.match(/BEGIN:VEVENT/g)?.length, 1, "one entry a file");
  }
  problems.push(...(await mailbox.looksAt("day-series-mailbox", { tablet: true, at: files.first() })));
  await mailbox.close();
}

/** A patient's own browser, at the link of the offer that they were sent. @param {string} address */
async function opensOffer(address) {
  const mailbox = await desk.page.context().newPage();
  const link = await until(20_000, async () => {
    await mailbox.goto(`${bedside.ready.url}/mailbox`);
    const links = mailbox.getByRole("article").filter({ hasText: address }).getByRole("link", { name: /\/offer\// });
    return (await links.count()) > 0 && links.first().getAttribute("href");
  });
  await mailbox.close();
  const patient = await Somebody.with(chromium, { viewport: { width: 360, height: 740 } });
  await patient.page.goto(link);
  await patient.page.getByRole("heading", { name: "A sooner time has come free" }).waitFor();
  return patient;
}

/** @param {string} typed @param {string} name */
async function opensPatient(typed, name) {
  await desk.page.goto(`${bedside.ready.url}/patients`);
  await desk.page.getByLabel("Find a patient").pressSequentially(typed);
  await desk.page.getByRole("option").first().waitFor();
  await desk.page.keyboard.press("Enter");
  await desk.page.getByRole("heading", { name }).waitFor();
}

/** The clinic's day of the visit on the page. */
async function dayOfVisit() {
  const at = await desk.page.locator(".facts time").first().getAttribute("datetime");
  return new Date(at ?? "").toLocaleDateString("en-CA", { timeZone: ZONE });
}
