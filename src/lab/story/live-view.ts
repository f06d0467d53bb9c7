/** The farm as a game: one status line that lives, and keys that break and repair. */

import { formatDuration } from "../../lib/duration.ts";
import * as faults from "../faults.ts";
import { startHttpProbe, type Probe } from "../probe.ts";
import { webNames, type DirectorName, type Farm, type WebName } from "./farm.ts";
import { VIRTUAL_ADDRESS } from "./stage.ts";
import { ownersPart, statusLine, webPart } from "./status-line.ts";

/** Five hundred requests a second. */
const ASK_EVERY_MS = 2;
const REFRESH_MS = 200;

interface Fault {
  /** What was done, to whom. */
  readonly done: string;
  readonly web?: WebName;
  readonly undo: faults.Undo;
}

interface DirectorKey {
  readonly label: string;
  readonly done: (name: string) => string;
  readonly act: (farm: Farm, master: DirectorName) => Promise<faults.Undo>;
}

/** The first web server that is well gets it. */
interface WebKey {
  readonly label: string;
  readonly done: (name: string) => string;
  readonly actOnWeb: (farm: Farm, web: WebName) => Promise<faults.Undo>;
}

const keys: Readonly<Record<string, DirectorKey | WebKey>> = {
  "1": {
    label: "kill (-9) all of Nines on the master",
    done: (name) => `all of Nines on ${name} was killed`,
    act: async (farm, master) => {
      farm.nines(master).kill();
      return () => farm.startDirector(master);
    },
  },
  "2": {
    label: "power the master off",
    done: (name) => `${name} has no power`,
    act: async (farm, master) => {
      await farm.world.powerOff(master);
      return () => farm.startDirector(master);
    },
  },
  "3": {
    label: "cut the master's network",
    done: (name) => `${name} has no network`,
    act: (farm, master) => faults.linkDown(farm.world.host(master)),
  },
  "4": {
    label: "block multicast",
    done: () => "multicast is blocked for everybody",
    act: (farm) => faults.noMulticast(farm.world),
  },
  "5": {
    label: "hang the master's daemon",
    done: (name) => `all of Nines on ${name} hangs`,
    act: async (farm, master) => {
      farm.hang(master);
      return async () => farm.resume(master);
    },
  },
  k: {
    label: "kill a web server (-9)",
    done: (name) => `${name} was killed`,
    actOnWeb: async (farm, web) => {
      await farm.web(web, "kill");
      return () => farm.web(web, "start");
    },
  },
  f: {
    label: "freeze a web server (SIGSTOP)",
    done: (name) => `${name} is frozen`,
    actOnWeb: async (farm, web) => {
      await farm.web(web, "freeze");
      return () => farm.web(web, "resume");
    },
  },
  d: {
    label: "drain a web server",
    done: (name) => `${name} is drained`,
    actOnWeb: async (farm, web) => {
      await farm.order("drain", `web/${web}`, "--reason", "you asked for it");
      return () => farm.order("ready", `web/${web}`);
    },
  },
};

const MENU: string = [
  "Break something:",
  ...Object.entries(keys).map(([key, { label }]) => `  ${key}  ${label}`),
  "  b  bring a web server back (slow start)",
  "  p  nines pool    r  repair all    q  quit    any other key: this list",
  "",
].join("\n");

/** Runs until `q` or Ctrl-C. What is still broken then goes away with the farm. */
export async function playLive(farm: Farm, terminal: NodeJS.ReadStream): Promise<void> {
  const probe = await startHttpProbe(farm.client, VIRTUAL_ADDRESS, { intervalMs: ASK_EVERY_MS });
  const broken: Fault[] = [];
  say(MENU);
  const view = new StatusView(farm, probe, broken);
  terminal.setRawMode(true);
  terminal.resume();
  try {
    for await (const typed of terminal as AsyncIterable<Buffer>) {
      const key = typed.toString();
      if (key === "q" || key === "\u0003") break;
      // A game that ends because two faults do not go together would be none.
      await press(farm, key, broken).catch((error: Error) => say(`no: ${error.message}`));
    }
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
    await view.close();
    await probe.stop();
  }
}

async function press(farm: Farm, typed: string, broken: Fault[]): Promise<void> {
  if (typed === "r") return repair(broken);
  if (typed === "p") return showPool(farm);
  if (typed === "b") return bringBack(broken);
  const key = keys[typed];
  if (key === undefined) return say(MENU);
  // The address of a director that was killed is still there for a moment.
  const master = (await farm.owners()).find((name) => farm.answers(name));
  const web = webNames.find((name) => !broken.some((fault) => fault.web === name));
  if ("actOnWeb" in key) {
    if (web === undefined) return say("no web server is left to break");
    const undo = await key.actOnWeb(farm, web);
    broken.push({ done: key.done(web), web, undo });
  } else {
    if (master === undefined) return say("no director has the address");
    broken.push({ done: key.done(master), undo: await key.act(farm, master) });
  }
  return say(broken.at(-1)!.done);
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

/** The last fault first. */
async function repair(broken: Fault[]): Promise<void> {
  if (broken.length === 0) return say("nothing is broken");
  for (let fault = broken.pop(); fault !== undefined; fault = broken.pop()) {
    await fault.undo();
    say(`mended: ${fault.done}`);
  }
}

/** Draws itself again and again on the last line of the terminal. */
class StatusView {
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
      this.#drawing ??= this.#draw()
        // A director that loses its power while it is looked at: the next picture tells.
        .catch(() => {})
        .finally(() => (this.#drawing = undefined));
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
    const owners = ownersPart(await this.#farm.owners(), (name) => this.#farm.answers(name));
    // A director that dies while it is asked has no word on its servers.
    const servers = await this.#farm.servers().catch(() => []);
    const silence = now - this.#silentSinceMs;
    const answer =
      silence > REFRESH_MS * 2
        ? `no answer for ${formatDuration(silence)}`
        : `${Math.round(rate)} answers/s`;
    const parts = [answer, `failed ${failed}`, owners, webPart(servers)];
    if (this.#broken.length > 0) parts.push(`broken: ${this.#broken.length}`);
    process.stdout.write(`\r\u001B[K${statusLine(parts, process.stdout.columns)}`);
  }
}
