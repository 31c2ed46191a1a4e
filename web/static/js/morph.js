// Makes one element look like another with as few changes as possible, so that focus, scrolling and what is
// half typed survive when a page is brought up to date. No DOM beyond the two elements is touched.

/**
 * Makes the children of `target` equal to those of `source`. Elements are matched by id, else by place.
 * An element with `data-live-keep` belongs to a script and is left alone.
 *
 * @param {Element} target
 * @param {Element | DocumentFragment} source
 */
export function morphChildren(target, source) {
  /** @type {Node[]} */
  const wanted = [...source.childNodes];
  /** @type {Map<string, Element>} */
  const byId = new Map();
  for (const child of target.children) {
    if (child.id) byId.set(child.id, child);
  }
  let place = target.firstChild;
  for (const want of wanted) {
    const known = want instanceof Element && want.id ? byId.get(want.id) : undefined;
    const match = known ?? (place && isAlike(place, want) ? place : undefined);
    if (!match) {
      target.insertBefore(want, place);
      continue;
    }
    if (match === place) place = place.nextSibling;
    else target.insertBefore(match, place);
    morph(match, want);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = /** @type {ChildNode | null} */ (next);
  }
}

/**
 * @param {Node} target
 * @param {Node} source
 */
function morph(target, source) {
  if (target instanceof Element && source instanceof Element) {
    if (target.hasAttribute('data-live-keep')) return;
    morphAttributes(target, source);
    morphChildren(target, source);
  } else if (target.nodeValue !== source.nodeValue) {
    target.nodeValue = source.nodeValue;
  }
}

/**
 * Two nodes of which one may become the other. Named elements are never made of others.
 *
 * @param {Node} a
 * @param {Node} b
 */
function isAlike(a, b) {
  if (a.nodeName !== b.nodeName) return false;
  return !(a instanceof Element && b instanceof Element) || a.id === b.id;
}

/**
 * @param {Element} target
 * @param {Element} source
 */
function morphAttributes(target, source) {
  for (const { name } of [...target.attributes]) {
    if (!source.hasAttribute(name)) target.removeAttribute(name);
  }
  for (const { name, value } of source.attributes) {
    if (target.getAttribute(name) !== value) target.setAttribute(name, value);
  }
}

/**
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function parse(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content;
}
