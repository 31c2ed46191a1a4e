// Bedside as `bin/up` starts it, in a folder of its own, for one test file.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What `.bedside/ready.json` holds.
 * @typedef {object} Ready
 * @property {string} url
 * @property {string} internal_url
 * @property {{role: string, clinic: string, name: string, email: string, password: string}[]} accounts
 * @property {{clinic: string, patient: string, practitioner: string, at: string, link: string}[]} visits
 */

/** Bedside, running. */
export class Bedside {
  /** @type {import("node:child_process").ChildProcess} */
  #process;
  #folder;
  /** @type {Ready} */
  ready;
  /** The zone of its clinics. */
  zone;

  /**
   * @param {import("node:child_process").ChildProcess} process
   * @param {string} folder
   * @param {Ready} ready
   * @param {string} zone
   */
  constructor(process, folder, ready, zone) {
    this.#process = process;
    this.#folder = folder;
    this.ready = ready;
    this.zone = zone;
  }

  /**
   * Starts with a private Postgres and Redis on a free port, and waits until people may come.
   * @param {string} [zone] in which the clinics are: where it is morning, unless the hour must not matter
   */
  static async start(zone = zoneWhereItIsMorning()) {
    const program = resolve(process.env.BEDSIDE ?? "target/debug/bedside");
    const folder = await mkdtemp(join(tmpdir(), "bedside-browser-"));
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, TZ: zone, BIND_ADDR: "127.0.0.1:0", MEDIA_SHARDS: "1" };
    const child = spawn(program, ["up"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout?.on("data", (text) => (said += text));
    child.stderr?.on("data", (text) => (said += text));
    const ready = await until(60_000, async () => {
      if (child.exitCode !== null) throw new Error(`bedside up ended: ${said}`);
      return JSON.parse(await readFile(join(folder, ".bedside/ready.json"), "utf8").catch(() => "null"));
    });
    return new Bedside(child, folder, ready, zone);
  }

  /** Ends it, as Ctrl-C does, and everything that it started. */
  async stop() {
    const ended = new Promise((done) => this.#process.once("exit", done));
    this.#process.kill("SIGINT");
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** What it logged. */
  log() {
    return readFile(join(this.#folder, ".bedside/bedside.log"), "utf8");
  }

  /**
   * @param {string} role
   * @param {string} [name]
   */
  account(role, name) {
    const account = this.ready.accounts.find((one) => one.role === role && (!name || one.name === name));
    if (!account) throw new Error(`nobody is ${role} ${name}`);
    return account;
  }
}

/**
 * Asks again until there is an answer.
 * @template T
 * @param {number} within milliseconds
 * @param {() => Promise<T | null | undefined | false>} ask
 * @returns {Promise<T>}
 */
export async function until(within, ask) {
  const deadline = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${ask}`);
    await sleep(25);
  }
}

/** The demo's working day is that of the machine; somewhere on earth it is under way. */
function zoneWhereItIsMorning() {
  const east = ((10 - new Date().getUTCHours() + 36) % 24) - 12;
  return `Etc/GMT${east > 0 ? "-" : "+"}${Math.abs(east)}`; // POSIX counts towards the west
}
