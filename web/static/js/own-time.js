// Says the time of a visit on the reader's own wall clock, when that differs from the clinic's.

for (const time of document.querySelectorAll("time[data-own-time]")) {
  const note = time.closest("section")?.querySelector("[data-own-time-note]");
  if (!(time instanceof HTMLTimeElement) || !(note instanceof HTMLElement)) continue;
  const own = new Date(time.dateTime).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (time.textContent?.includes(own)) continue;
  note.textContent = `${own} where you are`;
  note.hidden = false;
}
