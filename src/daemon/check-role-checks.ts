/** Checks of nines.yaml that addresses track: a verdict is the state of a track. */

import { isUsable, type CheckVerdict } from "../core/check/check-settings.ts";
import { Prng } from "../lib/prng.ts";
import type { CheckLink } from "./check-role-link.ts";
import { CheckRunner } from "./check-runner.ts";
import type { KnownTrack, RoleModel } from "./role-protocol.ts";

export class TrackedChecks {
  readonly #link: CheckLink;
  readonly #runner: CheckRunner;
  /** By name: what this vrrp process was told of the checks that there are. */
  readonly #told = new Map<string, boolean>();

  constructor(link: CheckLink, seed: number) {
    this.#link = link;
    // Another reason to be down is no news for an election.
    this.#runner = new CheckRunner(new Prng(seed), (verdict) => {
      if (this.#told.get(verdict.subject) !== isUsable(verdict)) this.#tell(verdict);
    });
    this.#runner.onFailure = (subject, reason) => {
      this.#link.tell({ instance: "", kind: "note", reason: `${prefixOf(subject)}${reason}` });
    };
  }

  configure({ trackedChecks, scripts }: RoleModel, known: readonly KnownTrack[]): void {
    const names = new Set(trackedChecks.map(({ subject }) => subject));
    for (const name of this.#told.keys()) if (!names.has(name)) this.#told.delete(name);
    if (this.#runner.verdicts.length === 0) {
      const checks = known.filter(({ kind }) => kind !== "file");
      this.#runner.remember(checks.map(verdictOf));
    }
    this.#runner.configure(trackedChecks, scripts);
  }

  /** To a vrrp process that knows nothing yet. */
  reportAll(): void {
    this.#told.clear();
    for (const verdict of this.#runner.verdicts) this.#tell(verdict);
  }

  close(): void {
    this.#runner.close();
  }

  #tell(verdict: CheckVerdict): void {
    const { subject: name, reason } = verdict;
    const ok = isUsable(verdict);
    this.#told.set(name, ok);
    const what = `${prefixOf(name)}${reason}`;
    this.#link.send({ type: "track-changed", kind: "script", name, ok, value: 0, reason: what });
  }
}

function prefixOf(name: string): string {
  return `${name}: `;
}

function verdictOf({ name, ok, reason }: KnownTrack): CheckVerdict {
  return { subject: name, up: ok, reason: reason.replace(prefixOf(name), ""), latencyMs: 0 };
}
