// Keeps the part of a page marked `data-live="<address of its events>"` up to date by server-sent events.
// Without this script, or without a connection, the page is as it was when it was loaded.
//
// Before a change comes `live:changing`; whoever cancels it (a drag in progress) sends `live:resume` when it may come.
// After it comes `live:changed`.

import { morphChildren, parse } from './morph.js';

for (const element of document.querySelectorAll('[data-live]')) {
  /** The newest look that had to wait. @type {string | undefined} */
  let waiting;
  /** @param {string} html */
  const bring = (html) => {
    const may = element.dispatchEvent(new CustomEvent('live:changing', { bubbles: true, cancelable: true }));
    waiting = may ? undefined : html;
    if (!may) return;
    morphChildren(element, parse(html));
    element.dispatchEvent(new CustomEvent('live:changed', { bubbles: true }));
  };
  element.addEventListener('live:resume', () => waiting !== undefined && bring(waiting));
  follow(element, bring);
}

/**
 * @param {Element} element
 * @param {(html: string) => void} bring
 */
function follow(element, bring) {
  const address = element.getAttribute('data-live') ?? '';
  const events = new EventSource(address);
  events.addEventListener('fragment', (event) => bring(event.data));
  events.addEventListener('go', (event) => {
    events.close();
    location.assign(event.data);
  });
  // The browser comes back by itself after a lost connection, but not after a refusal: then we do.
  events.addEventListener('error', () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(() => follow(element, bring), 3000);
  });
  addEventListener('pagehide', () => events.close(), { once: true });
  addEventListener('pageshow', (event) => event.persisted && follow(element, bring), { once: true });
}
