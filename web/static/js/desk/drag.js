// Moving an appointment by hand: it snaps to five minutes and to columns, and asks before anything happens.
// A finger holds it for a moment first, so that one can still scroll.

import { nameOf, placeOf } from './move.js';

/** @typedef {import('./move.js').MoveDialog} MoveDialog */

/** How far a pointer goes before it drags, in pixels: a hand is not still while it presses. */
const SLACK_PX = 5;
/** How long a finger holds an entry before it drags, in milliseconds. */
const HOLD_MS = 350;
/** How near to the edge the calendar scrolls, in pixels. */
const EDGE_PX = 48;
/** Minutes in a row, as the server draws them. */
const ROW_MINUTES = 5;

export class Drag {
  #board;
  #move;
  /** What is in the hand. @type {{entry: HTMLElement, x: number, y: number, grip: number, landing: HTMLElement | null} | null} */
  #held = null;

  /**
   * @param {HTMLElement} board
   * @param {MoveDialog} move
   */
  constructor(board, move) {
    this.#board = board;
    this.#move = move;
    board.addEventListener('pointerdown', (event) => this.#press(event));
    // A drag is not disturbed: what others do comes when it is over.
    board.addEventListener('live:changing', (event) => this.#held?.landing && event.preventDefault());
  }

  /** @param {PointerEvent} event */
  #press(event) {
    const entry = event.target instanceof Element ? event.target.closest('[data-move]') : null;
    if (event.button !== 0 || !(entry instanceof HTMLElement) || this.#held || innerWidth < 640) return;
    const held = { entry, x: event.clientX, y: event.clientY, grip: event.clientY - entry.getBoundingClientRect().top, landing: null };
    this.#held = held;
    const isFinger = event.pointerType !== 'mouse';
    const timer = isFinger ? setTimeout(() => this.#lift(), HOLD_MS) : undefined;
    const watch = new AbortController();
    const { signal } = watch;
    /**
     * @param {boolean} drops
     * @param {boolean} [isStillPressed]
     */
    const end = (drops, isStillPressed = false) => {
      clearTimeout(timer);
      watch.abort();
      if (held.landing) opensNothing(isStillPressed);
      void this.#letGo(drops);
    };
    addEventListener('pointermove', (move) => {
      const isFar = Math.hypot(move.clientX - held.x, move.clientY - held.y) > SLACK_PX;
      if (!held.landing && isFar) {
        if (isFinger) return end(false);
        this.#lift();
      }
      if (held.landing) this.#hover(move.clientX, move.clientY);
    }, { signal });
    addEventListener('pointerup', () => end(true), { signal });
    addEventListener('pointercancel', () => end(false), { signal });
    addEventListener('keydown', (key) => key.key === 'Escape' && end(false, true), { signal, capture: true });
    // The page does not scroll under a finger that holds something.
    addEventListener('touchmove', (touch) => held.landing && touch.preventDefault(), { signal, passive: false });
  }

  /** Takes the entry into the hand. */
  #lift() {
    const held = this.#held;
    if (!held) return;
    held.entry.classList.add('leaving');
    this.#board.classList.add('dragging');
    const landing = document.createElement('li');
    const copy = document.createElement('span');
    const title = document.createElement('strong');
    copy.className = 'entry';
    copy.append(title);
    landing.append(copy);
    held.landing = landing;
    this.#hover(held.x, held.y);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #hover(x, y) {
    const held = this.#held;
    if (!held?.landing) return;
    this.#scroll(x, y);
    const lane = this.#laneAt(x) ?? held.landing.parentElement ?? held.entry.closest('.lane');
    if (!(lane instanceof HTMLElement)) return;
    const { row, time } = this.#rowAt(lane, y - held.grip);
    held.landing.className = `landing at-${row} for-${held.entry.dataset.span}`;
    held.landing.dataset.time = time;
    const title = held.landing.querySelector('strong');
    if (title) title.textContent = `${time} ${nameOf(held.entry)}`;
    if (held.landing.parentElement !== lane) lane.append(held.landing);
  }

  /** @param {number} x */
  #laneAt(x) {
    const columns = [...this.#board.querySelectorAll('.calendar-column[data-practitioner]')];
    const column = columns.find((one) => {
      const { left, right } = one.getBoundingClientRect();
      return left <= x && x < right;
    });
    return column?.querySelector('.lane');
  }

  /**
   * @param {HTMLElement} lane
   * @param {number} top where the entry's upper edge is
   */
  #rowAt(lane, top) {
    const { gridAutoRows, paddingTop } = getComputedStyle(lane);
    const from = lane.getBoundingClientRect().top + parseFloat(paddingTop);
    const first = Number(document.getElementById('calendar')?.dataset.firstMinute ?? 0);
    const last = (24 * 60 - first) / ROW_MINUTES - 1;
    const row = Math.min(last, Math.max(0, Math.round((top - from) / parseFloat(gridAutoRows))));
    const minute = first + row * ROW_MINUTES;
    const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
    return { row, time: `${two(Math.floor(minute / 60))}:${two(minute % 60)}` };
  }

  /**
   * Goes on where the hand is at the edge.
   * @param {number} x
   * @param {number} y
   */
  #scroll(x, y) {
    const calendar = document.getElementById('calendar');
    if (!calendar) return;
    const { left, right, top, bottom } = calendar.getBoundingClientRect();
    const step = (/** @type {number} */ low, /** @type {number} */ high) => (low < EDGE_PX ? -12 : high < EDGE_PX ? 12 : 0);
    calendar.scrollBy(step(x - left - 66, right - x), step(y - top - 56, bottom - y));
  }

  /** @param {boolean} drops */
  async #letGo(drops) {
    const held = this.#held;
    const landing = held?.landing;
    if (!held || !landing) {
      this.#held = null;
      return;
    }
    this.#board.classList.remove('dragging');
    const column = landing.closest('.calendar-column');
    const from = placeOf(held.entry);
    const to = column instanceof HTMLElement && {
      date: column.dataset.date ?? from.date,
      time: landing.dataset.time ?? from.time,
      practitioner: column.dataset.practitioner ?? from.practitioner,
    };
    const isElsewhere = to && (to.time !== from.time || to.date !== from.date || to.practitioner !== from.practitioner);
    const moved = drops && isElsewhere ? await this.#move.ask(held.entry, to) : false;
    if (!moved) await springsBack(landing);
    landing.remove();
    held.entry.classList.remove('leaving');
    this.#held = null;
    this.#board.dispatchEvent(new CustomEvent('live:resume'));
  }
}

/**
 * The press that ends a drag opens nothing, even if it is let go only after Escape.
 * @param {boolean} isStillPressed
 */
function opensNothing(isStillPressed) {
  const press = new AbortController();
  addEventListener('click', (event) => event.preventDefault(), { capture: true, signal: press.signal });
  const isOver = () => setTimeout(() => press.abort());
  if (isStillPressed) addEventListener('pointerup', isOver, { once: true });
  else isOver();
}

/** @param {HTMLElement} landing */
async function springsBack(landing) {
  landing.classList.add('springs-back');
  await Promise.all(landing.getAnimations({ subtree: true }).map((animation) => animation.finished.catch(() => {})));
}
