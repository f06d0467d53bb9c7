/** The conductor's end of the guard: starts it, keeps it informed, asks it to undo. */

import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const BEAT_EVERY_MS = 500;
/** The guard acts when it has heard nothing for so long. */
export const SILENCE_MS = 4000;

export interface Undone {
  readonly problems: readonly string[];
  readonly reason: string;
}

export class GuardLink {
  readonly #child: ChildProcess;
  readonly #beat: NodeJS.Timeout;
  readonly #undone = Promise.withResolvers<Undone | undefined>();
  #wasAsked = false;

  /** Resolves when it is armed. `lost`: it ended, or undid everything, without being asked. */
  static async start(
    argv: readonly string[],
    path: string,
    lost: (reason: string) => void,
  ): Promise<GuardLink> {
    const [file = "", ...words] = argv;
    const child = spawn(file, [...words, "drill-guard", path], {
      detached: true,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const armed = Promise.withResolvers<void>();
    const link = new GuardLink(child, armed, lost);
    await armed.promise;
    return link;
  }

  private constructor(
    child: ChildProcess,
    armed: PromiseWithResolvers<void>,
    lost: (reason: string) => void,
  ) {
    this.#child = child;
    child.stdin!.on("error", () => {});
    createInterface({ input: child.stdout! }).on("line", (line) => {
      if (line === "armed") armed.resolve();
      if (!line.startsWith("undone ")) return;
      const undone = JSON.parse(line.slice("undone ".length)) as Undone;
      this.#undone.resolve(undone);
      if (!this.#wasAsked) lost(`the guard has taken everything back: ${undone.reason}`);
    });
    const ended = (how: string): void => {
      armed.reject(new Error(`the guard ${how}`));
      this.#undone.resolve(undefined);
      if (!this.#wasAsked) lost(`the guard ${how}`);
      clearInterval(this.#beat);
    };
    child.once("error", (error) => ended(`cannot be started: ${error.message}`));
    child.once("close", (code, signal) => ended(`has ended (${signal ?? code})`));
    this.#beat = setInterval(() => child.stdin!.write("beat\n"), BEAT_EVERY_MS);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Undefined: it died before it had undone everything. */
  undo(): Promise<Undone | undefined> {
    this.#wasAsked = true;
    clearInterval(this.#beat);
    this.#child.stdin!.write("undo\n");
    return this.#undone.promise;
  }
}
