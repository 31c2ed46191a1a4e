// Shows other times as soon as another practitioner, type or day is chosen, without losing what is typed.
// Without this script the button "Show times" does the same.

import { morphChildren } from './morph.js';

const form = document.getElementById('booking');
let asked = 0;

if (form instanceof HTMLFormElement) {
  form.addEventListener('change', (event) => {
    const name = event.target instanceof Element ? event.target.getAttribute('name') : null;
    if (name && ['practitioner', 'visit_type', 'date'].includes(name)) void refresh(form);
  });
  form.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('#times button[formaction]') : null;
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    void refresh(form, button);
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} [button] leads to another day
 */
async function refresh(form, button) {
  const mine = ++asked;
  const fields = new URLSearchParams();
  for (const name of ['practitioner', 'visit_type', 'date', 'at', 'hold', 'patient']) {
    const value = new FormData(form).get(name);
    if (typeof value === 'string') fields.set(name, value);
  }
  if (button) fields.set(button.name, button.value);
  const response = await fetch('/appointments/new', { method: 'POST', body: fields });
  if (!response.ok || mine !== asked) return;
  show(form, new DOMParser().parseFromString(await response.text(), 'text/html'));
  form.dispatchEvent(new Event('times:changed'));
}

/**
 * @param {HTMLFormElement} form
 * @param {Document} page
 */
function show(form, page) {
  for (const part of ['#times', '#visit-type']) {
    const [old, fresh] = [form.querySelector(part), page.querySelector(part)];
    if (old && fresh) morphChildren(old, fresh);
  }
  // What was chosen by hand does not follow the attributes.
  for (const part of ['#date', '#visit-type']) {
    const [old, fresh] = [form.querySelector(part), page.querySelector(part)];
    if (old instanceof HTMLInputElement && fresh instanceof HTMLInputElement) old.value = fresh.value;
    if (old instanceof HTMLSelectElement && fresh instanceof HTMLSelectElement) old.value = fresh.value;
  }
}
