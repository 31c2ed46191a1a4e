// The desk: opens at the present, and is worked by keys, by hand, or by both.

import { part } from '../page.js';
import { Cursor } from './cursor.js';
import { Drag } from './drag.js';
import { startKeys } from './keys.js';
import { MoveDialog } from './move.js';

const board = part(document, '#board', HTMLElement);
const calendar = document.getElementById('calendar');

// The day opens at the present, with a little of what went before; another day at its first appointment.
function showPresent() {
  const first = calendar?.querySelector('.now-label') ?? calendar?.querySelector('.entry:not(.free)');
  if (!calendar || !first) return;
  const above = first.getBoundingClientRect().top - calendar.getBoundingClientRect().top + calendar.scrollTop;
  calendar.scrollTop = Math.max(0, above - calendar.clientHeight / 3);
}

showPresent();
// A phone that is turned has a grid where it had a list.
matchMedia('(min-width: 40rem)').addEventListener('change', showPresent);

const cursor = new Cursor(board);
const move = new MoveDialog();
startKeys(cursor, move);
new Drag(board, move);

for (const list of document.querySelectorAll('[data-submits]')) {
  list.addEventListener('change', () => list instanceof HTMLSelectElement && list.form?.requestSubmit());
}
document.querySelector('[data-act="print"]')?.addEventListener('click', () => print());
