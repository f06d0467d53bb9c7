/** What the check process said last of each server, for status and for a successor of that process. */

import type { CheckVerdict } from "../core/check/check-settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { SeenVerdict } from "./balance-view.ts";

export class Verdicts {
  readonly #seen = new Map<string, SeenVerdict>();

  /** By subject. */
  get seen(): ReadonlyMap<string, SeenVerdict> {
    return this.#seen;
  }

  get all(): CheckVerdict[] {
    return [...this.#seen.values()].map(({ verdict }) => verdict);
  }

  note(verdicts: readonly CheckVerdict[]): void {
    const atMs = monotonicMs();
    for (const verdict of verdicts) this.#seen.set(verdict.subject, { verdict, atMs });
  }

  forget(subjects: readonly string[]): void {
    for (const subject of subjects) this.#seen.delete(subject);
  }

  keepOnly(subjects: ReadonlySet<string>): void {
    this.forget([...this.#seen.keys()].filter((subject) => !subjects.has(subject)));
  }
}
