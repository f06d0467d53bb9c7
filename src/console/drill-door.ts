/**
 * Where other nodes of the group ask for drills on this one. The console only joins the asker's line
 * to a process that does it: the drill may be the end of the console.
 */

import { spawn, type ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import type { ErrandWord } from "../core/drill/errand.ts";
import { drillAtWork } from "../daemon/drill-lock.ts";
import { readLines } from "../drivers/drill-files.ts";
import type { DrillResult } from "../core/drill/result.ts";

/** One that is at work, and some who ask what would be done. */
const MAX_LINES = 4;

export interface DrillDoorOptions {
  readonly runDirectory: string;
  readonly stateDirectory: string;
  readonly nines: readonly string[];
  /** Why other nodes may not ask; undefined: they may. */
  readonly closed: () => string | undefined;
}

export interface DrillOutcome {
  readonly isRunning: boolean;
  readonly result?: DrillResult;
}

export class DrillDoor {
  readonly #options: DrillDoorOptions;
  readonly #lines = new Set<Duplex>();

  constructor(options: DrillDoorOptions) {
    this.#options = options;
  }

  /** `from`: the node at the other end, by its certificate. */
  open(socket: Duplex, from: string): void {
    socket.on("error", () => socket.destroy());
    const why =
      this.#options.closed() ?? (this.#lines.size < MAX_LINES ? undefined : "too many ask");
    if (why !== undefined) return refuse(socket, why);
    this.#lines.add(socket);
    const child = this.#start(from);
    child.stdin!.on("error", () => {});
    child.stdout!.on("error", () => {});
    child.once("error", ({ message }) => refuse(socket, `it cannot be started: ${message}`));
    socket.pipe(child.stdin!);
    child.stdout!.pipe(socket);
    // A line that breaks ends without a last word: the drill must hear of that at once.
    socket.once("close", () => {
      this.#lines.delete(socket);
      child.stdin!.destroy();
    });
    child.unref();
  }

  outcome(id: string): DrillOutcome {
    const { runDirectory, stateDirectory } = this.#options;
    const isRunning = drillAtWork(runDirectory)?.id === id;
    const line = readLines(stateDirectory).find((one) => one.id === id && one.result !== undefined);
    return { isRunning, ...(line?.result === undefined ? {} : { result: line.result }) };
  }

  close(): void {
    for (const socket of this.#lines) socket.destroy();
  }

  #start(from: string): ChildProcess {
    const { nines, runDirectory, stateDirectory } = this.#options;
    const [file = "", ...words] = nines;
    const places = ["--run-dir", runDirectory, "--state-dir", stateDirectory];
    return spawn(file, [...words, "drill-led", from, ...places], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
  }
}

function refuse(socket: Duplex, why: string): void {
  const word: ErrandWord = { refused: [why] };
  socket.end(`${JSON.stringify(word)}\n`);
}
