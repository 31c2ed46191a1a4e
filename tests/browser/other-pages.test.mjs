// Pages off the main way: errors, a link that is not for you, a browser without scripts or without WebRTC, a refused camera.

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

test("a page that is not there says so, and a forbidden one too", async () => {
  const receptionist = await Somebody.with(chromium);
  const { url } = bedside.ready;
  const missing = await receptionist.page.goto(`${url}/no-such-page`);
  assert.equal(missing?.status(), 404);
  await receptionist.page.getByText(`quote this number: ${missing?.headers()["x-request-id"]}`).waitFor();
  const problems = await receptionist.looksAt("not-found");
  await receptionist.signsIn(url, bedside.account("receptionist"));
  const forbidden = await receptionist.page.goto(`${url}/history`);
  assert.equal(forbidden?.status(), 403);
  problems.push(...(await receptionist.looksAt("forbidden")));
  await receptionist.page.goto(`${url}/patients/new`);
  problems.push(...(await receptionist.looksAt("new-patient")));
  assert.deepEqual(problems, []);
  // The browser itself notes every answer of 4xx; a page's own complaint would be another.
  assert.deepEqual(receptionist.complaints.filter((line) => !line.includes("status of 40")), []);
});

test("a wrong password is refused with a sentence, and the page keeps the e-mail", async () => {
  const somebody = await Somebody.with(chromium);
  await somebody.page.goto(`${bedside.ready.url}/sign-in`);
  await somebody.page.getByLabel("E-mail").fill("nobody@nowhere.example");
  await somebody.page.getByLabel("Password").fill("not the password");
  await somebody.page.getByRole("button", { name: "Sign in" }).click();
  await somebody.page.getByRole("alert").waitFor();
  assert.equal(await somebody.page.getByLabel("E-mail").inputValue(), "nobody@nowhere.example");
  assert.deepEqual(await somebody.looksAt("sign-in-refused"), []);
});

test("somebody else reads what to do when the link is not theirs", async () => {
  const somebody = await Somebody.with(chromium);
  await somebody.page.goto(visit().link);
  await somebody.page.getByText("Not you?").click();
  await somebody.page.getByRole("heading", { name: "This visit is for somebody else" }).waitFor();
  assert.deepEqual(await somebody.looksAt("not-you"), []);
});

test("without JavaScript a patient still arrives and waits", async () => {
  const patient = await Somebody.with(chromium, { javaScriptEnabled: false });
  await patient.page.goto(visit().link);
  await patient.page.getByRole("button", { name: "I'm here" }).click();
  await patient.page.getByRole("heading", { name: "Waiting room" }).waitFor();
  assert.match(await patient.page.content(), /This browser runs no scripts/);
  assert.ok(!(await patient.page.getByRole("button", { name: "Check camera and microphone" }).isVisible()));
  assert.equal(await patient.page.locator("meta[http-equiv=refresh]").count(), 1);
});

test("in a browser without WebRTC a patient still waits, and is told what to do", async () => {
  const patient = await Somebody.with(chromium);
  await patient.page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "RTCPeerConnection");
  });
  await arrive(patient);
  await patient.page.getByText(/Open the same address in/).first().waitFor();
  assert.deepEqual(await patient.looksAt("waiting-without-webrtc"), []);
  assert.deepEqual(patient.complaints, []);
});

test("a refused camera and microphone are explained, and the patient stays", async () => {
  const patient = await Somebody.with(chromium);
  await patient.page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("refused", "NotAllowedError"));
  });
  await arrive(patient);
  // Permission was given before, so the page asks by itself; the browser then says no.
  await patient.page.locator("#check-note:visible").waitFor();
  assert.match((await patient.page.locator("#check-note").textContent()) ?? "", /\w{4}/);
  await patient.page.getByRole("heading", { name: "Waiting room" }).waitFor();
  assert.deepEqual(await patient.looksAt("waiting-refused"), []);
  assert.deepEqual(patient.complaints, []);
});

test("a patient answers by the link in the message: yes, and then after all not", async () => {
  const patient = await Somebody.with(chromium);
  const problems = [];
  const last = bedside.ready.visits.filter((one) => one.clinic.startsWith("Riverside")).at(-1);
  await patient.page.goto((last?.link ?? "").replace("/visit/", "/answer/"));
  await patient.page.getByRole("heading", { name: "Will you come to your video visit?" }).waitFor();
  problems.push(...(await patient.looksAt("answer")));
  await patient.page.getByRole("button", { name: "Yes, I will come" }).click();
  await patient.page.getByRole("heading", { name: "You will come" }).waitFor();
  problems.push(...(await patient.looksAt("answer-yes")));
  await patient.page.getByRole("button", { name: "Cancel this visit" }).click();
  // Shortly before the visit the clinic would rather be rung.
  await patient.page.getByText(/This visit is cancelled|call the clinic/i).first().waitFor();
  problems.push(...(await patient.looksAt("answer-cancel")));
  assert.deepEqual(problems, []);
  assert.deepEqual(patient.complaints.filter((line) => !line.includes("status of 4")), []);
});

test("the desk reads who was where, and when", async () => {
  const [patient, desk] = [await Somebody.with(chromium), await Somebody.with(chromium)];
  await arrive(patient);
  await desk.signsIn(bedside.ready.url, bedside.account("receptionist"));
  await desk.page.getByRole("region", { name: "Waiting" }).getByRole("link", { name: visit().patient, exact: true }).click();
  const attendance = desk.page.getByRole("region", { name: "Who was there" });
  await attendance.getByText("Patient in the waiting room").waitFor();
  assert.deepEqual(await desk.looksAt("attendance"), []);
  assert.deepEqual(desk.complaints, []);
});

test("an administrator makes tokens and webhooks, and sees the secrets once", async () => {
  const administrator = await Somebody.with(chromium);
  const problems = [];
  const { page } = administrator;
  await administrator.signsIn(bedside.ready.url, bedside.account("administrator"));
  await page.getByRole("link", { name: "Programs" }).click();
  await page.getByRole("heading", { name: "New token" }).waitFor();
  problems.push(...(await administrator.looksAt("programs", { tablet: true })));
  await page.getByLabel("Name").fill("Kiosk at the door");
  await page.getByRole("button", { name: "Make token" }).click();
  assert.match(await page.getByLabel("Token", { exact: true }).inputValue(), /^bds_/);
  problems.push(...(await administrator.looksAt("programs-token")));
  await page.getByLabel("Address", { exact: true }).fill("http://169.254.169.254/latest");
  await page.getByRole("button", { name: "Make webhook" }).click();
  await page.locator("#url-error").waitFor();
  assert.equal(await page.getByLabel("Address", { exact: true }).inputValue(), "http://169.254.169.254/latest");
  problems.push(...(await administrator.looksAt("programs-refused")));
  await page.goto(`${bedside.ready.url}/messages`);
  await page.getByRole("heading", { name: "Messages" }).waitFor();
  problems.push(...(await administrator.looksAt("messages", { tablet: true })));
  await page.goto(`${bedside.ready.url}/history`);
  problems.push(...(await administrator.looksAt("history", { tablet: true })));
  assert.deepEqual(problems, []);
  assert.deepEqual(administrator.complaints.filter((line) => !line.includes("status of 422")), []);
});

test("an administrator gives the clinic's public page another address", async () => {
  const administrator = await Somebody.with(chromium);
  const problems = [];
  const { page } = administrator;
  await administrator.signsIn(bedside.ready.url, bedside.account("administrator"));
  await page.goto(`${bedside.ready.url}/visit-types`);
  problems.push(...(await administrator.looksAt("visit-types", { tablet: true })));
  await page.getByRole("link", { name: "Public page" }).click();
  await page.getByRole("heading", { name: "Public page" }).waitFor();
  problems.push(...(await administrator.looksAt("public-page", { tablet: true })));
  await page.getByLabel("Address", { exact: true }).fill("Riverside & Friends");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("Address", { exact: true }).inputValue(), "Riverside & Friends", "what was typed is kept");
  problems.push(...(await administrator.looksAt("public-page-refused", { tablet: true })));
  await page.getByLabel("Address", { exact: true }).fill("riverside-and-friends");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("status").getByText("Saved.").waitFor();
  problems.push(...(await administrator.looksAt("public-page-saved", { tablet: true })));
  await page.getByRole("link", { name: /\/clinics\/riverside-and-friends$/ }).click();
  await page.getByRole("heading", { name: "Book a video visit" }).waitFor();
  assert.deepEqual(problems, []);
  assert.deepEqual(administrator.complaints.filter((line) => !line.includes("status of 422")), []);
});

test("staff and patient work side by side in one browser", async () => {
  const both = await Somebody.with(chromium);
  await both.signsIn(bedside.ready.url, bedside.account("practitioner", visit().practitioner));
  await arrive(both);
  await both.page.goto(`${bedside.ready.url}/day`);
  await both.page.getByRole("button", { name: new RegExp(`^Admit.*${visit().patient}`) }).waitFor();
});

function visit() {
  const first = bedside.ready.visits[0];
  assert.ok(first, "the demo has a visit ahead");
  return first;
}

/** @param {Somebody} patient */
async function arrive(patient) {
  await patient.page.goto(visit().link);
  await patient.page.getByRole("button", { name: /I'm here|Return/ }).click();
  await patient.page.getByRole("heading", { name: "Waiting room" }).waitFor();
}
