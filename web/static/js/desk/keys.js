// The keys of the desk. Letters may be switched off, for those whose speech or hands press them by accident.

import { part } from '../page.js';

/** @typedef {import('./cursor.js').Cursor} Cursor */
/** @typedef {import('./move.js').MoveDialog} MoveDialog */

/** Where the choice is kept: on this computer. */
const CHOICE = 'bedside-single-keys';

/**
 * @param {Cursor} cursor
 * @param {MoveDialog} move
 */
export function startKeys(cursor, move) {
  const help = part(document, '#keys', HTMLDialogElement);
  const letters = part(help, '[data-act="single-keys"]', HTMLInputElement);
  const search = part(document, '#search', HTMLInputElement);
  letters.checked = localStorage.getItem(CHOICE) !== 'off';
  letters.addEventListener('change', () => localStorage.setItem(CHOICE, letters.checked ? 'on' : 'off'));
  document.querySelector('[data-act="keys"]')?.addEventListener('click', () => help.showModal());

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector('dialog[open]')) return;
    if (isTyping(event.target)) {
      if (event.key === 'Escape' && event.target === search) cursor.entry?.focus();
      return;
    }
    if (isMeant(event)) event.preventDefault();
  });

  // Where nothing had the focus before, it stays in a dialog that is closed, and the next key would be for a field that nobody sees.
  document.addEventListener(
    'close',
    () => {
      const focused = document.activeElement;
      if (focused instanceof HTMLElement && focused.closest('dialog:not([open])')) focused.blur();
    },
    { capture: true },
  );

  /** @param {KeyboardEvent} event */
  function isMeant({ key, target }) {
    const onPage = target === document.body || (target instanceof Element && target.closest('.calendar') !== null);
    if (onPage && cursor.press(key)) return true;
    if (key === 'Enter' && target === document.body) return click(cursor.entry);
    if (key === 'PageUp') return click(link('before'));
    if (key === 'PageDown') return click(link('after'));
    return letters.checked && [...key].length === 1 && isLetterMeant(key);
  }

  /** @param {string} key */
  function isLetterMeant(key) {
    switch (key) {
      case '[':
        return click(link('before'));
      case ']':
        return click(link('after'));
      case '?':
        help.showModal();
        return true;
      case '/':
        search.focus();
        return true;
      case 'b':
        return click(link('book'));
      case 't':
        return click(link('today'));
      case 'w':
        return click(link('week'));
      case 'm':
        if (cursor.entry?.dataset.move && document.activeElement === cursor.entry) {
          move.ask(cursor.entry);
          return true;
        }
    }
    // The letter itself is typed into the field that now has the focus: it is not kept from the browser.
    if (/[\p{L}\p{N}]/u.test(key)) search.focus();
    return false;
  }
}

/** @param {string} key */
function link(key) {
  return /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${key}"]`));
}

/** @param {HTMLElement | null} element */
function click(element) {
  element?.click();
  return element !== null;
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.closest('input, select, textarea, [contenteditable]') !== null;
}
