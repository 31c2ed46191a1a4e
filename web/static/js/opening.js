// Counts down to the opening of the waiting room, by the server's clock, and opens the page anew when it is time.

import { given, part } from "./page.js";

const element = part(document, "#opening", HTMLElement);
const skewMs = Date.parse(given(element, "now")) - Date.now();
const opensMs = Date.parse(given(element, "opens"));

function tick() {
  const minutes = Math.ceil((opensMs - Date.now() - skewMs) / 60_000);
  if (minutes <= 0) return location.reload();
  const hours = Math.floor(minutes / 60);
  const words = [hours > 0 ? counted(hours, "hour") : "", minutes % 60 > 0 ? counted(minutes % 60, "minute") : ""];
  element.textContent = hours < 48 ? `, in ${words.filter(Boolean).join(" and ")}` : "";
  setTimeout(tick, 15_000);
}

/** @param {number} count @param {string} word */
function counted(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

tick();
