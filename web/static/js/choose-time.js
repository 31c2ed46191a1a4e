// Shows the times of whoever is chosen at once, and each time on the reader's own clock where that differs from the clinic's.
// Without this script the button "Show times" does the same.

import { given, part } from "./page.js";

document.querySelector("#with")?.addEventListener("change", () => part(document, "#with-form", HTMLFormElement).requestSubmit());

const note = part(document, "[data-own-zone]", HTMLElement);
const [clinic, own] = [given(note, "ownZone"), Intl.DateTimeFormat().resolvedOptions().timeZone];

/** @param {Date} at @param {string} timeZone */
const clock = (at, timeZone) => at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });

/** @param {Date} at @param {string} timeZone */
const day = (at, timeZone) => at.toLocaleDateString("en-GB", { weekday: "short", timeZone });

for (const time of document.querySelectorAll("#times time")) {
  if (!(time instanceof HTMLTimeElement)) continue;
  const at = new Date(time.dateTime);
  if (clock(at, own) === clock(at, clinic)) continue;
  const line = document.createElement("span");
  line.className = "own";
  line.textContent = `${clock(at, own)}${day(at, own) === day(at, clinic) ? "" : ` ${day(at, own)}`} for you`;
  time.after(line);
  note.textContent = ", and where you are";
}
