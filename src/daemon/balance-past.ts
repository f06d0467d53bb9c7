/**
 * What workers that are gone had counted, so that the sums of the node never go back: last words of those
 * that ended, and the last look at those that did not come to say any. In RUNDIR, so that the
 * death and the upgrade of control lose nothing while workers live on.
 */

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { WorkerLink } from "./balance-hub.ts";
import type { WorkerStatus } from "./balance-status.ts";
import { retire } from "./balance-totals.ts";

/** To look that often, ms: so a worker that is killed loses at most what it has counted meanwhile. */
export const LOOK_AGAIN_MS = 10_000;
/** Workers whose last look is kept; the oldest goes first. */
const MAX_SEEN = 128;

export interface Counts {
  readonly living: readonly WorkerStatus[];
  /** Of those that are gone, or do not answer. */
  readonly past: readonly WorkerStatus[];
}

export class PastCounts {
  readonly #path: string;
  readonly #say: (trouble: string) => void;
  /** The sum of last words. */
  #sum: WorkerStatus | undefined;
  readonly #over = new WeakSet<WorkerLink>();
  /** By life. */
  readonly #seen = new Map<string, WorkerStatus>();

  /** `say`: why they cannot be kept for the next control process. */
  constructor(path: string, say: (trouble: string) => void) {
    this.#path = path;
    this.#say = say;
  }

  /** Where workers live on, their predecessors count; else this is the node's beginning. */
  adopt(isBeginning: boolean): void {
    if (isBeginning) rmSync(this.#path, { force: true });
    else this.#sum = readStatus(this.#path);
  }

  async look(links: readonly WorkerLink[], histograms: boolean): Promise<Counts> {
    const question = { type: "get-status", histograms } as const;
    const answers = await Promise.all(
      links.map(async (link) => ({ link, status: (await link.ask(question)).reply?.status })),
    );
    const living = new Map<string, WorkerStatus>();
    for (const { link, status } of answers) {
      // Its last words may have come since.
      if (status === undefined || this.#over.has(link)) continue;
      living.set(lifeOf(link), status);
      if (histograms) this.#remember(lifeOf(link), status);
    }
    const unheard = [...this.#seen].filter(([life]) => !living.has(life));
    const past = unheard.map(([, status]) => status);
    return {
      living: [...living.values()],
      past: this.#sum === undefined ? past : [this.#sum, ...past],
    };
  }

  /** Last words. */
  ended(link: WorkerLink, status: WorkerStatus): void {
    this.#over.add(link);
    this.#seen.delete(lifeOf(link));
    this.#sum = retire(status, this.#sum);
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.#sum), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      this.#say(`counts of workers that ended cannot be kept in ${this.#path} (${code})`);
    }
  }

  #remember(life: string, status: WorkerStatus): void {
    this.#seen.delete(life);
    this.#seen.set(life, status);
    if (this.#seen.size <= MAX_SEEN) return;
    const [oldest] = this.#seen.keys();
    this.#seen.delete(oldest!);
  }
}

function lifeOf({ hello }: WorkerLink): string {
  return `${hello.serial} ${hello.pid}`;
}

/** The file is ours (0600): only its shape can be broken. */
function readStatus(path: string): WorkerStatus | undefined {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as Partial<WorkerStatus> | null;
    const isWhole = Array.isArray(value?.frontends) && Array.isArray(value.pools);
    return isWhole ? (value as WorkerStatus) : undefined;
  } catch {
    return undefined;
  }
}
