/**
 * What workers that are gone had counted, so that the sums of the node never go back: last words of those
 * that ended, and the last look at those that did not come to say any. In RUNDIR, so that the
 * death and the upgrade of control lose nothing while workers live on, whichever of them ends meanwhile.
 */

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Life, WorkerLink } from "./balance-hub.ts";
import type { WorkerStatus } from "./balance-status.ts";
import { retire, withHistograms } from "./balance-totals.ts";

/** To look that often, ms: so a worker that is killed loses at most what it has counted meanwhile. */
export const LOOK_AGAIN_MS = 10_000;

export interface Counts {
  readonly living: readonly WorkerStatus[];
  /** Of those that are gone, or do not answer. */
  readonly past: readonly WorkerStatus[];
}

export class PastCounts {
  readonly #path: string;
  readonly #say: (trouble: string) => void;
  /** Of those that are gone. */
  #sum: WorkerStatus | undefined;
  readonly #over = new WeakSet<WorkerLink>();
  /** By life, the last look at those that are not gone: as many as may connect. */
  readonly #seen = new Map<string, WorkerStatus>();
  #unkept: string | undefined;

  /** `say`: why they cannot be kept for the next control process. */
  constructor(path: string, say: (trouble: string) => void) {
    this.#path = path;
    this.#say = say;
  }

  /** Where workers live on, those that are gone count; else this is the node's beginning. */
  adopt(living: readonly Life[]): void {
    if (living.length === 0) return rmSync(this.#path, { force: true });
    const { sum, seen } = readKept(this.#path);
    this.#sum = sum;
    const lives = new Set(living.map(lifeOf));
    for (const [life, status] of seen) {
      if (lives.has(life)) this.#seen.set(life, status);
      else this.#sum = retire(status, this.#sum);
    }
  }

  async look(links: readonly WorkerLink[], histograms: boolean): Promise<Counts> {
    const question = { type: "get-status", histograms } as const;
    const answered = new Map<string, WorkerStatus>();
    await Promise.all(
      links.map(async (link) => {
        const { status } = (await link.ask(question)).reply ?? {};
        // Its last words may have come since.
        if (status === undefined || this.#over.has(link)) return;
        // Noted at once: when the others have answered, too, it may be gone.
        const life = lifeOf(link.hello);
        answered.set(life, status);
        this.#seen.set(life, histograms ? status : withHistograms(status, this.#seen.get(life)));
      }),
    );
    const living = [...answered].filter(([life]) => this.#seen.has(life));
    const silent = [...this.#seen].filter(([life]) => !answered.has(life));
    const past = silent.map(([, status]) => status);
    return {
      living: living.map(([, status]) => status),
      past: this.#sum === undefined ? past : [this.#sum, ...past],
    };
  }

  /** Last words. */
  ended(link: WorkerLink, status: WorkerStatus): void {
    this.#over.add(link);
    this.#retire(lifeOf(link.hello), status);
  }

  /** Nothing more can come of it. */
  gone(worker: Life): void {
    const life = lifeOf(worker);
    const last = this.#seen.get(life);
    if (last !== undefined) this.#retire(life, last);
  }

  /** For the next control process. */
  keep(): void {
    try {
      const text = JSON.stringify({ ...this.#sum, seen: [...this.#seen] } satisfies Kept);
      writeFileSync(`${this.#path}.new`, text, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      this.#unkept = undefined;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      // Not at each look.
      if (code !== this.#unkept) this.#say(`counts cannot be kept in ${this.#path} (${code})`);
      this.#unkept = code;
    }
  }

  #retire(life: string, last: WorkerStatus): void {
    this.#seen.delete(life);
    this.#sum = retire(last, this.#sum);
    this.keep();
  }
}

/** The sum, as versions before wrote it alone, and the last looks. */
type Kept = Partial<WorkerStatus> & {
  readonly seen?: readonly (readonly [string, WorkerStatus])[];
};

function lifeOf({ serial, pid }: Life): string {
  return `${serial} ${pid}`;
}

/** The file is ours (0600): only its shape can be broken. */
function readKept(path: string): {
  readonly sum?: WorkerStatus;
  readonly seen: readonly (readonly [string, WorkerStatus])[];
} {
  try {
    const { seen = [], ...sum } = JSON.parse(readFileSync(path, "utf8")) as Kept;
    const whole = seen.filter(([, status]) => isWhole(status));
    return isWhole(sum) ? { sum, seen: whole } : { seen: whole };
  } catch {
    return { seen: [] };
  }
}

function isWhole(value: Partial<WorkerStatus>): value is WorkerStatus {
  return Array.isArray(value.frontends) && Array.isArray(value.pools);
}
