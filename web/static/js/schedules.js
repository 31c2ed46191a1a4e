// Shows what a change of hours opens and closes while it is typed. Without this script the button "Preview" does the same.

import { morphChildren } from './morph.js';

/** How long nothing is typed before it is asked, milliseconds: a time field changes digit by digit. */
const QUIET = 250;

let asked = 0;

for (const form of document.querySelectorAll('form[data-preview]')) {
  if (!(form instanceof HTMLFormElement)) continue;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void preview(form), QUIET);
  });
}

/** @param {HTMLFormElement} form */
async function preview(form) {
  const mine = ++asked;
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string') fields.append(name, value);
  }
  fields.set('do', 'preview');
  const response = await fetch(form.action, { method: 'POST', body: fields });
  // What cannot be read yet is still being typed: its sentences come with the buttons.
  if (!response.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const [old, fresh] = [document.getElementById('preview'), page.getElementById('preview')];
  if (old && fresh) morphChildren(old, fresh);
}
