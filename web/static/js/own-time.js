// Says the time of a visit on the reader's own wall clock, when that differs from the clinic's, and moments of today on that clock alone.

/** @param {Date} at */
const clock = (at) => at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
/** @param {Date} at */
const weekday = (at) => at.toLocaleDateString("en-GB", { weekday: "long" });

for (const time of document.querySelectorAll("time[data-own-time]")) {
  const note = time.closest("section")?.querySelector("[data-own-time-note]");
  if (!(time instanceof HTMLTimeElement) || !(note instanceof HTMLElement)) continue;
  const at = new Date(time.dateTime);
  if (time.textContent?.includes(clock(at))) continue;
  const isSameDay = time.textContent?.includes(weekday(at));
  note.textContent = `${clock(at)}${isSameDay ? "" : ` on ${weekday(at)}`} where you are`;
  note.hidden = false;
}

for (const time of document.querySelectorAll("time[data-own-clock]")) {
  if (time instanceof HTMLTimeElement) time.textContent = clock(new Date(time.dateTime));
}
