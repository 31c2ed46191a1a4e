// Keeps the chosen time for whoever fills in the form: as soon as one is chosen, again while the form is in use, and
// lets it go when the form is left. Without this script the time is settled when the form is sent.

import { morphChildren, parse } from './morph.js';
import { part } from './page.js';

/** How long before the hold runs out it is renewed, in milliseconds. */
const RENEW_BEFORE_MS = 45_000;

const form = part(document, '#booking', HTMLFormElement);
const held = part(form, '#held', HTMLElement);
let isSent = false;
let isUsed = false;
let asked = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

form.addEventListener('change', (event) => {
  if (event.target instanceof HTMLInputElement && event.target.name === 'at') void keep();
});
form.addEventListener('times:changed', () => void keep());
form.addEventListener('input', () => (isUsed = true));
form.addEventListener('submit', () => (isSent = true));
addEventListener('pagehide', () => {
  const hold = value('hold');
  // Booking ends the hold by itself.
  if (hold && !isSent) navigator.sendBeacon('/appointments/hold/release', new URLSearchParams({ hold }));
});
if (value('at')) void keep();

async function keep() {
  const mine = ++asked;
  clearTimeout(timer);
  const body = new URLSearchParams();
  for (const name of ['practitioner', 'visit_type', 'at', 'hold']) body.set(name, value(name));
  const answer = await fetch('/appointments/hold', { method: 'POST', body }).catch(() => undefined);
  if (!answer?.ok || mine !== asked) return;
  morphChildren(held, parse(await answer.text()));
  const until = held.querySelector('[data-for-ms]')?.getAttribute('data-for-ms');
  if (until) timer = setTimeout(renew, Math.max(5_000, Number(until) - RENEW_BEFORE_MS));
}

/** Whoever has not touched the form since does not keep the time from others for ever. */
function renew() {
  if (isUsed) void keep();
  isUsed = false;
}

/** @param {string} name */
function value(name) {
  const value = new FormData(form).get(name);
  return typeof value === 'string' ? value : '';
}
