/**
 * The notification FIFOs of the check role. Addresses and servers are configured apart and may write to
 * the same one, which has one file, one queue and one script all the same.
 */

import type { FifoLine } from "../core/notify/fifo-queue.ts";
import type { Fifo } from "../config/model.ts";
import type { Agenda } from "./agenda.ts";
import { NotifyLine, type NotifyLineContext } from "./notify-line.ts";

export type FifoWriter = "addresses" | "servers";

interface OpenLine {
  /** What it was made of. */
  readonly key: string;
  readonly line: NotifyLine;
}

export class NotifyLines {
  readonly #agenda: Agenda;
  /** By path. */
  readonly #open = new Map<string, OpenLine>();
  readonly #paths: Record<FifoWriter, ReadonlySet<string>> = {
    addresses: new Set(),
    servers: new Set(),
  };

  #isClosed = false;

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  configure(
    writer: FifoWriter,
    fifos: readonly Fifo[],
    context: Omit<NotifyLineContext, "agenda">,
  ): void {
    if (this.#isClosed) return;
    const wanted = new Map(
      fifos.flatMap(({ target, script }) =>
        target === undefined ? [] : [[target.path, { target, script }] as const],
      ),
    );
    this.#paths[writer] = new Set(wanted.keys());
    const keyOf = (path: string): string => JSON.stringify([wanted.get(path), context.defaults]);
    for (const [path, { key, line }] of this.#open) {
      const isKept = wanted.has(path) ? key === keyOf(path) : this.#isWanted(path);
      if (isKept) continue;
      this.#open.delete(path);
      line.replace();
    }
    for (const [path, { target, script }] of wanted) {
      if (this.#open.has(path)) continue;
      const line = new NotifyLine(target, script, { ...context, agenda: this.#agenda });
      this.#open.set(path, { key: keyOf(path), line });
    }
  }

  write(writer: FifoWriter, line: FifoLine): void {
    for (const path of this.#paths[writer]) this.#open.get(path)?.line.write(line);
  }

  /** Resolves when what was written is read, where a script reads. `isPassedOn`: see `NotifyLine`. */
  async close(isPassedOn = false): Promise<void> {
    this.#isClosed = true;
    const lines = [...this.#open.values()].map(({ line }) => line);
    this.#open.clear();
    await Promise.all(lines.map((line) => line.close(isPassedOn)));
  }

  #isWanted(path: string): boolean {
    return Object.values(this.#paths).some((paths) => paths.has(path));
  }
}
