// Chromium with a camera and a microphone that are not real, and what each page must be: without errors, readable by everybody.

import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { keepPeerConnections } from "./media.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Browser} Browser */
/** @typedef {import("playwright-core").Locator} Locator */

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const screenshots = join(process.env.CARGO_TARGET_DIR ?? "target", "screenshots");

const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 800 };
const TABLET = { width: 820, height: 1180 };

/** Starts Chromium; it speaks to nobody but us. */
export function startChromium() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", // root may not use it
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
}

/** Somebody with a window of their own: no cookie is shared. */
export class Somebody {
  page;
  /** What the console complained about. @type {string[]} */
  complaints = [];

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`${page.url()}: ${error.stack ?? error}`));
  }

  /**
   * @param {Browser} browser
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  static async with(browser, options = {}) {
    const context = await browser.newContext({ viewport: DESK, locale: "en-GB", ...options });
    context.setDefaultTimeout(15_000);
    await context.addInitScript(keepPeerConnections);
    return new Somebody(await context.newPage());
  }

  /**
   * Somebody at the desk of Riverside.
   * @param {Browser} browser
   * @param {import("./bedside.mjs").Bedside} bedside
   */
  static async atDesk(browser, bedside) {
    const somebody = await Somebody.with(browser);
    await somebody.signsIn(bedside.ready.url, bedside.account("receptionist"));
    // Keys are listened to by then.
    await somebody.page.locator("#calendar .entry[tabindex='0']").waitFor();
    return somebody;
  }

  /**
   * @param {string} url
   * @param {{email: string, password: string}} account
   */
  async signsIn(url, account) {
    await this.page.goto(`${url}/sign-in`);
    await this.page.getByLabel("E-mail").fill(account.email);
    await this.page.getByLabel("Password").fill(account.password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.waitForURL((at) => at.pathname !== "/sign-in");
  }

  /**
   * Takes something in the hand, and lets it go where something else is, which comes into view meanwhile.
   * @param {Locator} what
   * @param {Locator} where
   */
  async drags(what, where) {
    const { mouse } = this.page;
    const from = await inView(what);
    await mouse.move(from.x + 20, from.y + 6);
    await mouse.down();
    await mouse.move(from.x + 30, from.y + 16, { steps: 3 });
    const to = await inView(where);
    await mouse.move(to.x + 20, to.y + 8, { steps: 8 });
    await mouse.up();
  }

  /**
   * Keeps pictures of this page in every shape, and says what axe finds wrong with it.
   * @param {string} name
   * @param {{tablet?: boolean, at?: Locator}} [also] what is worked with on a tablet, too; what is to be in the middle of the picture
   * @returns {Promise<string[]>}
   */
  async looksAt(name, { tablet = false, at } = {}) {
    await mkdir(screenshots, { recursive: true });
    /** @type {[string, typeof DESK][]} */
    const shapes = [["desktop", DESK], ["phone", PHONE]];
    if (tablet) shapes.push(["tablet", TABLET]);
    const found = [];
    for (const scheme of /** @type {("light" | "dark")[]} */ (["light", "dark"])) {
      for (const [shape, viewport] of shapes) {
        await this.page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        await this.page.setViewportSize(viewport);
        if (at) await inView(at);
        await this.page.screenshot({ path: join(screenshots, `${name}-${shape}${scheme === "dark" ? "-dark" : ""}.png`) });
        found.push(...(await this.#problems()).map((problem) => `${name}, ${shape}, ${scheme}: ${problem}`));
        found.push(...(await this.#sticksOut()).map((problem) => `${name}, ${shape}: ${problem}`));
      }
    }
    await this.page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
    await this.page.setViewportSize(DESK);
    return found;
  }

  /**
   * The same of the present shape alone.
   * @param {string} name
   * @returns {Promise<string[]>}
   */
  async looksNow(name) {
    await mkdir(screenshots, { recursive: true });
    await this.page.screenshot({ path: join(screenshots, `${name}.png`) });
    const found = [...(await this.#problems()), ...(await this.#sticksOut())];
    return found.map((problem) => `${name}: ${problem}`);
  }

  async #problems() {
    await this.page.evaluate(axe);
    return /** @type {Promise<string[]>} */ (this.page.evaluate(async () => {
      const { violations } = await /** @type {any} */ (globalThis).axe.run();
      return violations.flatMap((/** @type {any} */ violation) =>
        violation.nodes.map((/** @type {any} */ node) => `${violation.id} (${violation.help}): ${node.html}`),
      );
    }));
  }

  /** Nothing is wider than the window. */
  async #sticksOut() {
    const [page, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    return page > window ? [`the page is ${page} pixels wide in a window of ${window}`] : [];
  }

  /**
   * Waits until something on the page is so; unlike a look at the clock, it ends as soon as it is.
   * @template T
   * @param {() => T} condition runs in the page
   * @returns {Promise<T>}
   */
  async waitsFor(condition) {
    const answer = await this.page.waitForFunction(condition, undefined, { polling: 20, timeout: 20_000 });
    return /** @type {Promise<T>} */ (answer.jsonValue());
  }

  close() {
    return this.page.context().close();
  }
}

/** Where something is, once it is in the middle of the window. @param {Locator} what */
async function inView(what) {
  await what.evaluate((element) => element.scrollIntoView({ block: "center" }));
  const box = await what.boundingBox();
  if (!box) throw new Error(`${what} is not to be seen`);
  return box;
}
