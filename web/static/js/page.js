// Finding the parts of a page that the server drew. A part that is missing is our own mistake, so it throws.

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new (...args: never[]) => T} type
 * @returns {T}
 */
export function part(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

/**
 * A part that only some pages have.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function optionalPart(root, selector) {
  return root.querySelector(selector);
}

/**
 * A copy of a `<template>` of the page.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function copyOf(id) {
  const copy = part(document, `#${id}`, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) throw new Error(`the template ${id} is empty`);
  return copy;
}

/**
 * A value that the server wrote into the page.
 * @param {HTMLElement} element
 * @param {string} name as in `dataset`
 */
export function given(element, name) {
  const value = element.dataset[name];
  if (value === undefined) throw new Error(`the page does not say ${name}`);
  return value;
}

/** The letters in place of a picture: first and last word of a name. @param {string} name */
export function initials(name) {
  const words = name.replace(/^(Dr|Mr|Mrs|Ms|Prof)\.?\s+/, "").split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => Array.from(word ?? "")[0] ?? "");
  return letters.join("").toUpperCase();
}
