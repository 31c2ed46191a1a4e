// Shows other times as soon as another practitioner, type of visit or date is chosen, without losing what is typed.
// Without this script the button "Show times" does the same.

import { morphChildren } from './morph.js';

const form = document.getElementById('booking');
let asked = 0;

if (form instanceof HTMLFormElement) {
  for (const name of ['practitioner', 'visit_type', 'date']) {
    form.querySelector(`[name="${name}"]`)?.addEventListener('change', () => void refresh(form, '0'));
  }
  form.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('button[name="step"]') : null;
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    void refresh(form, button.value);
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {string} step days to go back or forward
 */
async function refresh(form, step) {
  const mine = ++asked;
  const fields = new URLSearchParams();
  for (const name of ['practitioner', 'visit_type', 'date', 'at']) {
    const value = new FormData(form).get(name);
    if (typeof value === 'string') fields.set(name, value);
  }
  fields.set('step', step);
  const response = await fetch('/appointments/new', { method: 'POST', body: fields });
  if (!response.ok || mine !== asked) return;
  show(form, new DOMParser().parseFromString(await response.text(), 'text/html'));
}

/**
 * @param {HTMLFormElement} form
 * @param {Document} page
 */
function show(form, page) {
  const [old, fresh] = [form.querySelector('#times'), page.querySelector('#times')];
  if (old && fresh) morphChildren(old, fresh);
  const [date, now] = [form.querySelector('#date'), page.querySelector('#date')];
  if (date instanceof HTMLInputElement && now instanceof HTMLInputElement) date.value = now.value;
}
