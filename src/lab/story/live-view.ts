/** The stage as a game: one status line that lives, and keys that break and repair. */

import { formatDuration } from "../../lib/duration.ts";
import * as faults from "../faults.ts";
import { startHttpProbe, type Probe } from "../probe.ts";
import { VIRTUAL_ADDRESS, type ServerName, type Stage } from "./stage.ts";

const REFRESH_MS = 200;

interface Key {
  readonly label: string;
  readonly act: (stage: Stage, master: ServerName) => Promise<faults.Undo>;
}

const keys: Readonly<Record<string, Key>> = {
  "1": {
    label: "stop the master's web server",
    act: async (stage, master) => {
      await stage.stopWeb(master);
      return () => stage.startWeb(master);
    },
  },
  "2": {
    label: "power the master off",
    act: async (stage, master) => {
      await stage.world.powerOff(master);
      return () => stage.start(master);
    },
  },
  "3": {
    label: "cut the master's network",
    act: (stage, master) => faults.linkDown(stage.host(master)),
  },
  "4": { label: "block multicast", act: (stage) => faults.noMulticast(stage.world) },
  "5": {
    label: "hang the master's daemon",
    act: async (stage, master) => {
      stage.hang(master);
      return async () => stage.resume(master);
    },
  },
};

/** Runs until `q` or Ctrl-C. */
export async function playLive(stage: Stage, terminal: NodeJS.ReadStream): Promise<void> {
  await stage.reset({});
  const probe = await startHttpProbe(stage.client, VIRTUAL_ADDRESS);
  const broken: { label: string; undo: faults.Undo }[] = [];
  const menu = Object.entries(keys).map(([key, { label }]) => `  ${key}  ${label}`);
  process.stdout.write(`Break something:\n${menu.join("\n")}\n  r  repair all    q  quit\n\n`);
  shownAtMs = performance.now();
  let drawing = Promise.resolve();
  const view = setInterval(() => {
    drawing = draw(stage, probe, broken);
  }, REFRESH_MS);
  terminal.setRawMode(true);
  terminal.resume();
  try {
    for await (const typed of terminal as AsyncIterable<Buffer>) {
      const key = typed.toString();
      if (key === "q" || key === "\u0003") break;
      if (key === "r") await repair(broken);
      else await press(stage, key, broken);
    }
  } finally {
    clearInterval(view);
    terminal.setRawMode(false);
    terminal.pause();
    // A line that comes late would stand in the shell's prompt.
    await drawing;
    process.stdout.write("\n");
    await repair(broken);
    await probe.stop();
  }
}

async function press(
  stage: Stage,
  typed: string,
  broken: { label: string; undo: faults.Undo }[],
): Promise<void> {
  const key = keys[typed];
  const [master] = await stage.owners();
  if (key === undefined || master === undefined) return;
  broken.push({ label: key.label, undo: await key.act(stage, master) });
  process.stdout.write(`\r\u001B[K${master}: ${key.label}\n`);
}

async function repair(broken: { label: string; undo: faults.Undo }[]): Promise<void> {
  for (const fault of broken.splice(0).reverse()) await fault.undo();
}

let shownAnswered = 0;
let shownAtMs = 0;
let silentSinceMs = 0;

async function draw(
  stage: Stage,
  probe: Probe,
  broken: readonly { label: string }[],
): Promise<void> {
  const { answered, failed, lastBy, lastAnswerMs } = probe.latest;
  const now = performance.now();
  const rate = ((answered - shownAnswered) / Math.max(1, now - shownAtMs)) * 1000;
  if (answered > shownAnswered || lastAnswerMs < 0) silentSinceMs = now;
  shownAnswered = answered;
  shownAtMs = now;
  const owners = (await stage.owners()).join(" + ") || "nobody";
  const silence = now - silentSinceMs;
  const answer =
    silence > REFRESH_MS ? `no answer for ${formatDuration(silence)}` : `${lastBy} answers`;
  const faulty = broken.length === 0 ? "" : `  broken: ${broken.map((b) => b.label).join(", ")}`;
  process.stdout.write(
    `\r\u001B[K${answer}  ${Math.round(rate)}/s  failed ${failed}  address on ${owners}${faulty}`,
  );
}
