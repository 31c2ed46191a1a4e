// A patient books themselves on a phone: what, when, who, the link in the message, booked. With scripts and without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bedside, until } from "./support/bedside.mjs";
import { Somebody, startChromium } from "./support/chromium.mjs";

const PHONE = { width: 360, height: 740 };

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

test("a patient books on a phone, and every page can be read by everybody", async () => {
  const patient = await Somebody.with(chromium, { viewport: PHONE, timezoneId: "Asia/Dubai" });
  /** @type {string[]} */
  const problems = [];
  /** @param {string} name */
  const look = async (name) => {
    problems.push(...(await patient.looksAt(name)));
    await patient.page.setViewportSize(PHONE);
  };

  await patient.page.goto(publicPage());
  await patient.page.getByRole("heading", { name: "Book a video visit" }).waitFor();
  await look("self-booking-types");
  await patient.page.getByRole("link", { name: /Consultation/ }).click();
  await patient.page.getByRole("heading", { name: "Choose a time" }).waitFor();
  await patient.page.getByText("for you").first().waitFor();
  assert.match((await time(patient).textContent()) ?? "", await ownClock(time(patient).locator("time")));
  await look("self-booking-times");
  await patient.page.getByLabel("With").selectOption({ index: 1 });
  await patient.page.waitForURL(/with=[0-9a-f-]{36}/);
  await time(patient).click();

  await patient.page.getByText("This time is kept for you until").waitFor();
  assert.equal(await patient.page.locator("#time_zone").inputValue(), "Asia/Dubai", "the zone is found out");
  const visit = patient.page.getByRole("region", { name: "The visit" });
  assert.match((await visit.textContent()) ?? "", await ownClock(visit.locator("time")));
  const until = patient.page.getByText("This time is kept for you until").locator("time");
  assert.match((await until.textContent()) ?? "", await ownClock(until), "by the clock on their own wall");
  await look("self-booking-you");
  await patient.page.getByRole("button", { name: "Send me the link" }).click();
  await patient.page.getByRole("alert").waitFor();
  await look("self-booking-slips");
  await fillIn(patient, "Ada Okafor", "ada@okafor.example");
  await patient.page.getByRole("button", { name: "Send me the link" }).click();
  await patient.page.getByRole("heading", { name: "We have sent you a link" }).waitFor();
  await look("self-booking-sent");
  assert.ok(!patient.page.url().includes("okafor"), "nothing typed is in the address");

  await patient.page.goto(await linkTo("ada@okafor.example"));
  await patient.page.getByRole("heading", { name: "Is this right?" }).waitFor();
  await look("self-booking-confirm");
  await patient.page.getByRole("button", { name: "Book this visit" }).click();
  await patient.page.getByRole("heading", { name: "Your visit is booked" }).waitFor();
  await look("self-booking-booked");
  const calendar = await patient.page.request.get(patient.page.url().replace("/booked", "/calendar"));
  assert.match(await calendar.text(), /^BEGIN:VCALENDAR/);
  await patient.page.goto(await patient.page.getByLabel("Link to your visit").inputValue());
  await patient.page.getByText("Ada Okafor").waitFor();
  assert.deepEqual(problems, []);
  // The browser itself notes that the slip was answered with 422.
  assert.deepEqual(patient.complaints.filter((line) => !line.includes("status of 422")), []);
});

test("without JavaScript a patient books, too", async () => {
  const patient = await Somebody.with(chromium, { viewport: PHONE, javaScriptEnabled: false });
  await patient.page.goto(publicPage());
  await patient.page.getByRole("link", { name: /Consultation/ }).click();
  await patient.page.getByLabel("With").selectOption({ index: 1 });
  await patient.page.getByRole("button", { name: "Show times" }).click();
  await time(patient).click();
  await fillIn(patient, "Chidi Okafor", "chidi@okafor.example");
  await patient.page.getByRole("button", { name: "Send me the link" }).click();
  await patient.page.getByRole("heading", { name: "We have sent you a link" }).waitFor();
  await patient.page.goto(await linkTo("chidi@okafor.example"));
  await patient.page.getByRole("button", { name: "Book this visit" }).click();
  await patient.page.getByRole("heading", { name: "Your visit is booked" }).waitFor();
});

test("of two who want one time the slower is told, and whose time was kept too long loses nothing", async () => {
  const [one, other] = [await Somebody.with(chromium), await Somebody.with(chromium, { viewport: PHONE })];
  for (const somebody of [one, other]) {
    await somebody.page.goto(publicPage());
    await somebody.page.getByRole("link", { name: /Consultation/ }).click();
    await somebody.page.getByLabel("With").selectOption({ index: 1 });
    await somebody.page.waitForURL(/with=[0-9a-f-]{36}/);
  }
  const wanted = await time(one).getAttribute("value");
  for (const somebody of [one, other]) await somebody.page.locator(`button[value="${wanted}"]`).click();
  await one.page.getByText("This time is kept for you until").waitFor();
  await other.page.getByRole("alert").getByText("has just been taken").waitFor();
  assert.deepEqual(await other.looksAt("self-booking-lost"), []);
});

function publicPage() {
  return `${bedside.ready.url}/clinics/riverside-family-clinic`;
}

/** What the clock in Dubai shows at a time of the page. @param {import("playwright-core").Locator} time */
async function ownClock(time) {
  const at = new Date((await time.getAttribute("datetime")) ?? "");
  return new RegExp(at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Dubai" }));
}

/** The first free time of the day that is open. @param {Somebody} somebody */
function time(somebody) {
  return somebody.page.locator("details[open] button[name=choice]").first();
}

/** @param {Somebody} patient @param {string} name @param {string} email */
async function fillIn(patient, name, email) {
  await patient.page.getByLabel("Your full name").fill(name);
  await patient.page.getByLabel("Date of birth").fill("2/11/1990");
  await patient.page.getByLabel("E-mail").fill(email);
}

/** The link in the message to an address, as the demo's mailbox shows it. @param {string} address */
async function linkTo(address) {
  const desk = await Somebody.with(chromium);
  await desk.signsIn(bedside.ready.url, bedside.account("receptionist"));
  const link = await until(15_000, async () => {
    await desk.page.goto(`${bedside.ready.url}/mailbox`);
    const mails = desk.page.getByRole("article").filter({ hasText: address });
    const [link] = await mails.last().getByRole("link", { name: /\/bookings\// }).all();
    return link?.getAttribute("href");
  });
  await desk.close();
  return link;
}
