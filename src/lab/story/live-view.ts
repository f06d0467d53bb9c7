/** The farm as a game: one status line that lives, and keys that break and repair. */

import { formatDuration } from "../../lib/duration.ts";
import * as faults from "../faults.ts";
import { startHttpProbe, type Probe } from "../probe.ts";
import { webNames, type DirectorName, type Farm, type WebName } from "./farm.ts";
import { VIRTUAL_ADDRESS } from "./stage.ts";

/** Five hundred requests a second. */
const ASK_EVERY_MS = 2;
const REFRESH_MS = 200;

interface Fault {
  /** What was done, to whom. */
  readonly label: string;
  readonly web?: WebName;
  readonly undo: faults.Undo;
}

interface DirectorKey {
  readonly label: string;
  readonly act: (farm: Farm, master: DirectorName) => Promise<faults.Undo>;
}

/** The first web server that is well gets it. */
interface WebKey {
  readonly label: string;
  readonly actOnWeb: (farm: Farm, web: WebName) => Promise<faults.Undo>;
}

const keys: Readonly<Record<string, DirectorKey | WebKey>> = {
  "1": {
    label: "kill (-9) all of Nines on the master",
    act: async (farm, master) => {
      farm.nines(master).kill();
      return () => farm.startDirector(master);
    },
  },
  "2": {
    label: "power the master off",
    act: async (farm, master) => {
      await farm.world.powerOff(master);
      return () => farm.startDirector(master);
    },
  },
  "3": {
    label: "cut the master's network",
    act: (farm, master) => faults.linkDown(farm.world.host(master)),
  },
  "4": { label: "block multicast", act: (farm) => faults.noMulticast(farm.world) },
  "5": {
    label: "hang the master's daemon",
    act: async (farm, master) => {
      farm.hang(master);
      return async () => farm.resume(master);
    },
  },
  k: {
    label: "kill a web server (-9)",
    actOnWeb: async (farm, web) => {
      await farm.killWeb(web);
      return () => farm.startWeb(web);
    },
  },
  f: {
    label: "freeze a web server (SIGSTOP)",
    actOnWeb: async (farm, web) => {
      farm.freezeWeb(web);
      return async () => farm.resumeWeb(web);
    },
  },
  d: {
    label: "drain a web server",
    actOnWeb: async (farm, web) => {
      await farm.order("drain", `web/${web}`, "--reason", "you asked for it");
      return () => farm.order("ready", `web/${web}`);
    },
  },
};

/** Runs until `q` or Ctrl-C. */
export async function playLive(farm: Farm, terminal: NodeJS.ReadStream): Promise<void> {
  const probe = await startHttpProbe(farm.client, VIRTUAL_ADDRESS, { intervalMs: ASK_EVERY_MS });
  const broken: Fault[] = [];
  const menu = Object.entries(keys).map(([key, { label }]) => `  ${key}  ${label}`);
  menu.push("  b  bring a web server back (slow start)", "  p  nines pool");
  process.stdout.write(`Break something:\n${menu.join("\n")}\n  r  repair all    q  quit\n\n`);
  const view = new StatusLine(farm, probe, broken);
  terminal.setRawMode(true);
  terminal.resume();
  try {
    for await (const typed of terminal as AsyncIterable<Buffer>) {
      const key = typed.toString();
      if (key === "q" || key === "\u0003") break;
      await press(farm, key, broken);
    }
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
    await view.close();
    await repair(broken);
    await probe.stop();
  }
}

async function press(farm: Farm, typed: string, broken: Fault[]): Promise<void> {
  if (typed === "r") return repair(broken);
  if (typed === "p") return showPool(farm);
  if (typed === "b") return bringBack(broken);
  const key = keys[typed];
  if (key === undefined) return undefined;
  const [master] = await farm.owners();
  const web = webNames.find((name) => !broken.some((fault) => fault.web === name));
  if ("actOnWeb" in key) {
    if (web === undefined) return say("no web server is left to break");
    const undo = await key.actOnWeb(farm, web);
    broken.push({ label: `${web}: ${key.label}`, web, undo });
  } else {
    if (master === undefined) return say("no director has the address");
    broken.push({ label: `${master}: ${key.label}`, undo: await key.act(farm, master) });
  }
  return say(broken.at(-1)!.label);
}

/** The web server that was broken first. */
async function bringBack(broken: Fault[]): Promise<void> {
  const at = broken.findIndex((fault) => fault.web !== undefined);
  if (at < 0) return say("every web server is well");
  const [fault] = broken.splice(at, 1);
  await fault!.undo();
  return say(`${fault!.web}: back`);
}

async function showPool(farm: Farm): Promise<void> {
  const [nines] = await farm.directors();
  say(nines === undefined ? "no director can be asked" : (await nines.nines("pool")).trimEnd());
}

function say(text: string): void {
  process.stdout.write(`\r\u001B[K${text.replaceAll("\n", "\r\n")}\n`);
}

async function repair(broken: Fault[]): Promise<void> {
  for (const fault of broken.splice(0).reverse()) await fault.undo();
}

/**
 * The address stays on the interface of a director that died or hangs until its lifetime ends, but
 * the lease has silenced it: that is one owner, not two.
 */
function placeOf(holders: readonly DirectorName[], runs: (name: DirectorName) => boolean): string {
  const alive = holders.filter(runs);
  const left = holders.filter((name) => !runs(name));
  if (alive.length === 0) return left.join(" + ") || "nobody";
  const silent = left.length === 0 ? "" : ` (left on ${left.join(", ")}, silenced by its lease)`;
  return `${alive.join(" + ")}${silent}`;
}

/** Draws itself again and again on the last line of the terminal. */
class StatusLine {
  readonly #farm: Farm;
  readonly #probe: Probe;
  readonly #broken: readonly Fault[];
  readonly #timer: NodeJS.Timeout;
  #drawing: Promise<void> | undefined;
  #answered = 0;
  #shownAtMs = performance.now();
  #silentSinceMs = 0;

  constructor(farm: Farm, probe: Probe, broken: readonly Fault[]) {
    this.#farm = farm;
    this.#probe = probe;
    this.#broken = broken;
    // A hung director answers late: one picture at a time.
    this.#timer = setInterval(() => {
      this.#drawing ??= this.#draw().finally(() => (this.#drawing = undefined));
    }, REFRESH_MS);
  }

  /** A line that came later would stand in the shell's prompt. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#drawing;
    process.stdout.write("\n");
  }

  async #draw(): Promise<void> {
    const { answered, failed, lastAnswerMs } = this.#probe.latest;
    const now = performance.now();
    const rate = ((answered - this.#answered) / Math.max(1, now - this.#shownAtMs)) * 1000;
    if (answered > this.#answered || lastAnswerMs < 0) this.#silentSinceMs = now;
    this.#answered = answered;
    this.#shownAtMs = now;
    const owners = placeOf(await this.#farm.owners(), (name) => this.#farm.answers(name));
    // A director that dies while it is asked has no word on its servers.
    const servers = await this.#farm.servers().catch(() => []);
    const silence = now - this.#silentSinceMs;
    const answer =
      silence > REFRESH_MS * 2
        ? `no answer for ${formatDuration(silence)}`
        : `${Math.round(rate)} answers/s`;
    const states = servers.map(({ name, state }) => `${name} ${state}`).join("  ");
    const faulty = this.#broken.length === 0 ? "" : `  broken: ${this.#broken.length}`;
    process.stdout.write(
      `\r\u001B[K${answer}  failed ${failed}  address on ${owners}  ${states}${faulty}`,
    );
  }
}
