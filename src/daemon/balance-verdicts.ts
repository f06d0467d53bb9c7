/** What the check process said last of each server, for status and for a successor of that process. */

import type { CheckVerdict, Suspended } from "../core/check/check-settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { CheckRoleListener } from "./balance-check-link.ts";
import type { SeenVerdict } from "./balance-view.ts";

/** `limited`: something cannot be done; `note`: good to know. */
type Say = (kind: "limited" | "note", reason: string, subject: string) => void;

export class Verdicts implements CheckRoleListener {
  readonly #say: Say;
  readonly #seen = new Map<string, SeenVerdict>();
  /** Why nobody asks them, by subject. */
  #suspended = new Map<string, string>();

  constructor(say: Say) {
    this.#say = say;
  }

  /** By subject. */
  get seen(): ReadonlyMap<string, SeenVerdict> {
    return this.#seen;
  }

  get notAsked(): ReadonlyMap<string, string> {
    return this.#suspended;
  }

  known(): CheckVerdict[] {
    return [...this.#seen.values()].map(({ verdict }) => verdict);
  }

  verdicts(verdicts: readonly CheckVerdict[]): void {
    const atMs = monotonicMs();
    for (const verdict of verdicts) this.#seen.set(verdict.subject, { verdict, atMs });
  }

  unknown(subjects: readonly string[]): void {
    for (const subject of subjects) this.#seen.delete(subject);
  }

  note(subject: string, reason: string): void {
    this.#say("limited", reason, subject);
  }

  suspended(servers: readonly Suspended[]): void {
    const before = this.#suspended;
    this.#suspended = new Map(servers.map(({ subject, reason }) => [subject, reason]));
    this.#sayOfPools(servers.filter(({ subject, reason }) => before.get(subject) !== reason));
    const gone = [...before.keys()].filter((subject) => !this.#suspended.has(subject));
    const reason = "checks go on";
    this.#sayOfPools(gone.map((subject) => ({ subject, reason })));
  }

  /** An address that comes or goes concerns whole pools. */
  #sayOfPools(servers: readonly Suspended[]): void {
    const pools = Map.groupBy(servers, ({ subject, reason }) => {
      return `${subject.slice(0, subject.indexOf("/"))}\0${reason}`;
    });
    for (const [key, all] of pools) {
      const [pool = "", reason = ""] = key.split("\0");
      this.#say("note", reason, all.length === 1 ? all[0]!.subject : pool);
    }
  }

  keepOnly(subjects: ReadonlySet<string>): void {
    this.unknown([...this.#seen.keys()].filter((subject) => !subjects.has(subject)));
    // Removed servers are not checked again.
    for (const subject of this.#suspended.keys()) {
      if (!subjects.has(subject)) this.#suspended.delete(subject);
    }
  }
}
