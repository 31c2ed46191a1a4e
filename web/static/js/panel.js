// What lies beside the stage, or comes up from below on a phone: tabs that keep their state, and the chat in one of them.

import { copyOf, part } from "./page.js";
import { MAX_CHAT_CHARS } from "./signal.js";

/** @typedef {import("./signal.js").ChatMessage} ChatMessage */

export class Panel {
  #root = part(document, "#panel", HTMLElement);
  #button = part(document, "#chat-button", HTMLButtonElement);
  #tabs = Array.from(this.#root.querySelectorAll("[role=tab]")).filter((tab) => tab instanceof HTMLButtonElement);
  #message = part(this.#root, "#message", HTMLTextAreaElement);
  #log = part(this.#root, "#chat-log", HTMLElement);
  #unread = 0;
  /** @type {Set<string>} */
  #seen = new Set();
  /** Wide enough that the panel of a practitioner always stands beside the stage. */
  #wide = matchMedia("(min-width: 64rem)");
  #write;

  /** The participant whose page this is. */
  me = "";

  /** @param {(text: string) => string} write sends a text, and returns the id under which it comes back */
  constructor(write) {
    this.#write = write;
    this.#button.addEventListener("click", () => (this.#shows("chat") ? this.close() : this.open("chat")));
    part(this.#root, "#panel-close", HTMLButtonElement).addEventListener("click", () => this.close());
    this.#root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    for (const tab of this.#tabs) {
      tab.addEventListener("click", () => this.#select(tab));
      tab.addEventListener("keydown", (event) => this.#step(event, tab));
    }
    part(this.#root, "#chat-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#message.maxLength = MAX_CHAT_CHARS;
    this.#message.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    this.#wide.addEventListener("change", () => this.#update());
    this.#update();
  }

  /** @param {string} name */
  open(name) {
    this.#root.dataset["open"] = "true";
    const tab = this.#tabs.find((each) => each.dataset["tab"] === name);
    if (tab) this.#select(tab);
    this.#update();
    if (name === "chat") this.#message.focus();
  }

  close() {
    const hadFocus = this.#root.contains(document.activeElement);
    this.#root.dataset["open"] = "false";
    const first = this.#tabs[0];
    if (first && this.#wide.matches) this.#select(first);
    this.#update();
    if (hadFocus) this.#button.focus();
  }

  /** @param {ChatMessage[]} messages */
  receive(messages) {
    for (const message of messages) {
      if (this.#seen.has(message.id)) continue;
      this.#seen.add(message.id);
      this.#item(message.id).replaceWith(drawn(message, message.from === this.me));
      if (message.from !== this.me && !this.#shows("chat")) this.#unread += 1;
    }
    if (messages.length > 0) this.#log.scrollTop = this.#log.scrollHeight;
    this.#update();
  }

  #send() {
    const text = this.#message.value.trim();
    if (text === "") return;
    const id = this.#write(text);
    const item = this.#item(id);
    part(item, ".message-text", HTMLElement).textContent = text;
    part(item, ".message-about", HTMLElement).textContent = "Sending";
    item.classList.add("own");
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#message.value = "";
  }

  /** The place of a message in the log: where it was written, or the end. @param {string} id */
  #item(id) {
    const found = Array.from(this.#log.children).find((each) => each instanceof HTMLElement && each.dataset["id"] === id);
    if (found instanceof HTMLElement) return found;
    const item = copyOf("message-item");
    item.dataset["id"] = id;
    this.#log.append(item);
    return item;
  }

  /** @param {HTMLButtonElement} chosen */
  #select(chosen) {
    for (const tab of this.#tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      part(this.#root, `#${tab.getAttribute("aria-controls")}`, HTMLElement).hidden = tab !== chosen;
    }
    this.#update();
  }

  /** @param {KeyboardEvent} event @param {HTMLButtonElement} tab */
  #step(event, tab) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = this.#tabs[(this.#tabs.indexOf(tab) + step + this.#tabs.length) % this.#tabs.length];
    if (!next) return;
    this.#select(next);
    next.focus();
  }

  /** @param {string} name */
  #shows(name) {
    const isOpen = this.#root.dataset["open"] === "true" || (this.#wide.matches && this.#root.dataset["beside"] === "true");
    const tab = this.#tabs.find((each) => each.dataset["tab"] === name);
    return isOpen && (!tab || tab.getAttribute("aria-selected") === "true");
  }

  #update() {
    const isShown = this.#shows("chat");
    if (isShown) this.#unread = 0;
    this.#button.setAttribute("aria-expanded", String(isShown));
    const badge = part(document, "#chat-badge", HTMLElement);
    badge.hidden = this.#unread === 0;
    badge.textContent = String(this.#unread);
    const words = this.#unread === 1 ? "1 new message" : `${this.#unread} new messages`;
    part(document, "#chat-unread", HTMLElement).textContent = this.#unread === 0 ? "" : words;
  }
}

/** @param {ChatMessage} message @param {boolean} own */
function drawn(message, own) {
  const item = copyOf("message-item");
  item.dataset["id"] = message.id;
  item.classList.toggle("own", own);
  part(item, ".message-text", HTMLElement).textContent = message.text;
  const time = new Date(message.at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  part(item, ".message-about", HTMLElement).textContent = own ? `You, ${time}` : `${message.name}, ${time}`;
  return item;
}
