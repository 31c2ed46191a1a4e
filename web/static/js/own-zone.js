// Chooses the zone of the reader's own clock, when it differs from the clinic's. Without this script it is chosen from the list.

import { part } from "./page.js";

const select = part(document, "#time_zone", HTMLSelectElement);
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (select.value === "" && [...select.options].some((option) => option.value === own)) select.value = own;
