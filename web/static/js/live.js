// Keeps the part of a page marked `data-live="<address of its events>"` up to date by server-sent events.
// Without this script, or without a connection, the page is as it was when it was loaded.

import { morphChildren, parse } from './morph.js';

for (const element of document.querySelectorAll('[data-live]')) follow(element);

/** @param {Element} element */
function follow(element) {
  const address = element.getAttribute('data-live') ?? '';
  const events = new EventSource(address);
  events.addEventListener('fragment', (event) => {
    morphChildren(element, parse(event.data));
    element.dispatchEvent(new CustomEvent('live:changed', { bubbles: true }));
  });
  events.addEventListener('go', (event) => {
    events.close();
    location.assign(event.data);
  });
  // The browser comes back by itself after a lost connection, but not after a refusal: then we do.
  events.addEventListener('error', () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(() => follow(element), 3000);
  });
  addEventListener('pagehide', () => events.close(), { once: true });
  addEventListener('pageshow', (event) => event.persisted && follow(element), { once: true });
}
