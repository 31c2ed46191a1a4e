// Asks for the reason before an appointment moves, sends it, and says what stood in the way.

import { given, part } from '../page.js';

/**
 * Where an appointment goes: a day, a time on the clinic's wall clock, a practitioner's id.
 * @typedef {{date: string, time: string, practitioner: string}} Place
 */

export class MoveDialog {
  #dialog = part(document, '#move', HTMLDialogElement);
  #form = part(this.#dialog, 'form', HTMLFormElement);
  /** Ends the question: whether it moved. @type {(moved: boolean) => void} */
  #answer = () => {};

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    part(this.#dialog, '[data-act="keep"]', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#answer(false));
  }

  /**
   * Asks, beginning with where it is now or where it was dropped. Tells whether it moved.
   * @param {HTMLElement} entry
   * @param {Place} [to]
   * @returns {Promise<boolean>}
   */
  ask(entry, to = placeOf(entry)) {
    this.#answer(false);
    const from = placeOf(entry);
    part(this.#dialog, '[data-who]', HTMLElement).textContent = nameOf(entry);
    part(this.#dialog, '[data-from]', HTMLElement).textContent = `Now ${from.time} with ${this.#nameOf(from.practitioner)}.`;
    this.#form.action = `/appointments/${given(entry, 'move')}/move`;
    for (const [name, value] of Object.entries(to)) this.#field(name).value = value;
    this.#field('reason').value = '';
    this.#dialog.showModal();
    this.#field(to.time === from.time && to.practitioner === from.practitioner ? 'time' : 'reason').focus();
    return new Promise((done) => {
      this.#answer = (moved) => {
        this.#answer = () => {};
        done(moved);
      };
    });
  }

  async #send() {
    problem('');
    const body = new URLSearchParams(/** @type {any} */ (new FormData(this.#form)));
    const answer = await fetch(this.#form.action, { method: 'POST', body, redirect: 'manual' }).catch(() => undefined);
    // A redirect is the yes of a form.
    const moved = answer?.type === 'opaqueredirect';
    if (!moved) problem(answer ? await sentenceOf(answer) : 'The desk cannot be reached. Nothing was moved.');
    this.#answer(moved);
    this.#dialog.close();
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement | HTMLSelectElement} */ (this.#form.elements.namedItem(name));
  }

  /** @param {string} practitioner */
  #nameOf(practitioner) {
    const list = part(this.#form, 'select', HTMLSelectElement);
    return [...list.options].find((option) => option.value === practitioner)?.text ?? 'this practitioner';
  }
}

/** @param {HTMLElement} entry */
export function placeOf(entry) {
  const column = entry.closest('.calendar-column');
  if (!(column instanceof HTMLElement)) throw new Error('an entry stands in a column');
  return {
    date: given(column, 'date'),
    time: part(entry, 'time', HTMLTimeElement).textContent ?? '',
    practitioner: given(column, 'practitioner'),
  };
}

/** @param {HTMLElement} entry */
export function nameOf(entry) {
  return part(entry, '[data-name]', HTMLElement).textContent ?? '';
}

/** What the page that came back says. @param {Response} answer */
async function sentenceOf(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const said = page.querySelector('main [role="alert"]')?.textContent?.replace(/\s+/g, ' ').trim();
  return `${said || 'It could not be moved.'} Nothing was moved.`;
}

/** @param {string} sentence */
function problem(sentence) {
  const place = part(document, '#problem', HTMLElement);
  place.className = sentence ? 'notice alert' : '';
  place.textContent = sentence;
}
