// *End visit*: it ends after a moment in which the practitioner can say no. One press is enough, a wrong one costs nothing.

import { part } from "./page.js";

/** Long enough to read the question and to answer it. */
const SECONDS = 5;

const main = part(document, "main", HTMLElement);
const form = part(document, "#end-visit", HTMLFormElement);
const dialog = part(document, "#ending", HTMLDialogElement);
const count = part(dialog, "#ending-seconds", HTMLElement);
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  let left = SECONDS;
  count.textContent = String(left);
  dialog.showModal();
  // Behind a modal dialog nothing can be pressed; said outright for those who do not see it.
  main.setAttribute("aria-hidden", "true");
  timer = setInterval(() => {
    left -= 1;
    count.textContent = String(left);
    if (left === 0) end();
  }, 1000);
});
part(dialog, "#ending-now", HTMLButtonElement).addEventListener("click", end);
dialog.addEventListener("close", () => {
  clearInterval(timer);
  main.removeAttribute("aria-hidden");
});

function end() {
  clearInterval(timer);
  // Not `requestSubmit`, which would ask again.
  form.submit();
}
