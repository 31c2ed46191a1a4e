// How long the visit has lasted, by the server's clock: a phone's own may be minutes off.

import { given, part } from "./page.js";

const element = part(document, "#duration", HTMLTimeElement);
const skewMs = Date.parse(given(element, "now")) - Date.now();
const startedMs = Date.parse(given(element, "started"));

function tick() {
  const seconds = Math.max(0, Math.floor((Date.now() + skewMs - startedMs) / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours, ...rest] = parts.map((each) => String(each).padStart(2, "0"));
  element.textContent = seconds < 3600 ? rest.join(":") : [String(Number(hours)), ...rest].join(":");
}

tick();
setInterval(tick, 1000);
