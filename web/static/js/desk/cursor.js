// The cursor of the desk: one entry of the calendar that Tab reaches, and from which the arrows go on. Up and down
// within a column, left and right to whatever lies beside. It stays where it is when the page is brought up to date.

/** What one column has, from top to bottom. @param {Element} column */
const entriesOf = (column) => /** @type {HTMLElement[]} */ ([...column.querySelectorAll('.entry')]);

/** @param {Element} entry */
const topOf = (entry) => entry.getBoundingClientRect().top;

export class Cursor {
  #board;
  /** @type {HTMLElement | null} */
  #entry = null;
  #column = '';
  /** Where it stood in its column, in pixels from the column's top. */
  #offset = 0;
  #hadFocus = false;

  /** @param {HTMLElement} board */
  constructor(board) {
    this.#board = board;
    this.#place(board.querySelector('.entry.free') ?? board.querySelector('.entry'));
    board.addEventListener('focusin', (event) => {
      const entry = event.target instanceof Element ? event.target.closest('.entry') : null;
      if (entry instanceof HTMLElement) this.#place(entry);
    });
    board.addEventListener('live:changing', () => {
      this.#hadFocus = this.#entry !== null && document.activeElement === this.#entry;
    });
    board.addEventListener('live:changed', () => this.#restore());
  }

  /** The entry at which it stands. */
  get entry() {
    return this.#entry;
  }

  /**
   * @param {string} key
   * @returns {boolean} whether the key means something here
   */
  press(key) {
    if (!this.#entry) return false;
    if (document.activeElement !== this.#entry && key.startsWith('Arrow')) {
      this.#entry.focus();
      return true;
    }
    const to = this.#next(this.#entry, key);
    to?.focus();
    return key.startsWith('Arrow') || to !== undefined;
  }

  /**
   * @param {HTMLElement} from
   * @param {string} key
   * @returns {HTMLElement | undefined}
   */
  #next(from, key) {
    const column = from.closest('.calendar-column');
    if (!column) return undefined;
    const entries = entriesOf(column);
    switch (key) {
      case 'ArrowUp':
        return entries[entries.indexOf(from) - 1];
      case 'ArrowDown':
        return entries[entries.indexOf(from) + 1];
      case 'Home':
        return entries[0];
      case 'End':
        return entries.at(-1);
      case 'ArrowLeft':
        return beside(column, 'previousElementSibling', topOf(from));
      case 'ArrowRight':
        return beside(column, 'nextElementSibling', topOf(from));
      default:
        return undefined;
    }
  }

  /** @param {Element | null} entry */
  #place(entry) {
    this.#entry?.classList.remove('cursor');
    this.#entry = entry instanceof HTMLElement ? entry : null;
    for (const one of entriesOf(this.#board)) one.tabIndex = one === this.#entry ? 0 : -1;
    if (!this.#entry) return;
    document.getElementById('calendar')?.removeAttribute('tabindex');
    this.#entry.classList.add('cursor');
    const column = this.#entry.closest('.calendar-column');
    this.#column = column?.id ?? '';
    this.#offset = topOf(this.#entry) - (column ? topOf(column) : 0);
  }

  /** Stands at the same entry again, or at what lies there now. */
  #restore() {
    const id = this.#entry?.id ?? '';
    const column = document.getElementById(this.#column) ?? this.#board.querySelector('.calendar-column');
    const known = id ? document.getElementById(id) : null;
    this.#place(known ?? (column && nearest(column, topOf(column) + this.#offset)) ?? this.#board.querySelector('.entry'));
    if (this.#hadFocus && document.activeElement !== this.#entry) this.#entry?.focus({ preventScroll: true });
  }
}

/**
 * The nearest entry of the next column that has any.
 * @param {Element} column
 * @param {'previousElementSibling' | 'nextElementSibling'} direction
 * @param {number} top
 */
function beside(column, direction, top) {
  for (let next = column[direction]; next?.classList.contains('calendar-column'); next = next[direction]) {
    const entry = nearest(next, top);
    if (entry) return entry;
  }
  return undefined;
}

/**
 * @param {Element} column
 * @param {number} top
 */
function nearest(column, top) {
  const distance = (/** @type {Element} */ entry) => Math.abs(topOf(entry) - top);
  return entriesOf(column).sort((a, b) => distance(a) - distance(b))[0];
}
