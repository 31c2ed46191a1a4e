// Opens the desk at the present. Arrows move between the entries of the desk: up and down within a practitioner, left and right between them.

const board = document.getElementById('board');

// The day opens at the present, with a little of what went before.
const calendar = board?.querySelector('.calendar');
const present = calendar?.querySelector('.now-label');
if (calendar && present instanceof HTMLElement) calendar.scrollTop = present.offsetTop - calendar.clientHeight / 3;

board?.addEventListener('keydown', (event) => {
  const from = event.target instanceof Element ? event.target.closest('.entry') : null;
  const column = from?.closest('.calendar-column');
  if (!from || !column) return;
  const to = next(from, column, event.key);
  if (!to) return;
  event.preventDefault();
  to.focus();
});

/**
 * @param {Element} from
 * @param {Element} column
 * @param {string} key
 */
function next(from, column, key) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step) return entries(column)[entries(column).indexOf(/** @type {HTMLElement} */ (from)) + step];
  const beside = { ArrowLeft: column.previousElementSibling, ArrowRight: column.nextElementSibling }[key];
  return beside && nearest(beside, from.getBoundingClientRect().top);
}

/** @param {Element} column */
function entries(column) {
  return /** @type {HTMLElement[]} */ ([...column.querySelectorAll('.entry')]);
}

/**
 * @param {Element} column
 * @param {number} top
 */
function nearest(column, top) {
  const distance = (/** @type {HTMLElement} */ entry) => Math.abs(entry.getBoundingClientRect().top - top);
  return entries(column).sort((a, b) => distance(a) - distance(b))[0];
}
