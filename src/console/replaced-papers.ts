/**
 * Of each node the newest certificate that was ever shown counts: one that was renewed, because it came near its end or
 * because its key was stolen, is nobody's from then on. Remembered in `STATEDIR/group/newest.json`, so that a
 * restart does not believe the thief again.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../drivers/private-file.ts";
import { groupPaths, type Member } from "./group-files.ts";

export class ReplacedPapers {
  readonly #file: string;
  readonly #group: string;
  readonly #newestMs: Map<string, number>;

  constructor(stateDirectory: string, group: string) {
    this.#file = join(groupPaths(stateDirectory).folder, "newest.json");
    this.#group = group;
    this.#newestMs = new Map(Object.entries(remembered(this.#file, group)));
  }

  /**
   * Why the certificate no longer counts; undefined: it does, and those that began before it do not from now on.
   * `validFrom`: as node prints it. Only for certificates that are known to be of this group.
   */
  whyReplaced({ node }: Pick<Member, "node">, validFrom: string): string | undefined {
    const fromMs = Date.parse(validFrom);
    const newestMs = this.#newestMs.get(node) ?? -Infinity;
    if (!(fromMs >= newestMs)) {
      const since = new Date(newestMs).toISOString().slice(0, 19);
      return `its certificate was replaced by one of ${since}Z: renew it with nines cert request, invite and join`;
    }
    if (fromMs > newestMs) this.#remember(node, fromMs);
    return undefined;
  }

  #remember(node: string, fromMs: number): void {
    this.#newestMs.set(node, fromMs);
    const known = { group: this.#group, newestMs: Object.fromEntries(this.#newestMs) };
    try {
      writePrivateFile(this.#file, `${JSON.stringify(known)}\n`);
    } catch {
      // A full disk: known until the end of this process, and again when the node shows itself.
    }
  }
}

/** Of another group, or unreadable: nothing is known. */
function remembered(file: string, group: string): Readonly<Record<string, number>> {
  try {
    const known = JSON.parse(readFileSync(file, "utf8")) as {
      readonly group?: string;
      readonly newestMs?: Readonly<Record<string, number>>;
    };
    return known.group === group ? (known.newestMs ?? {}) : {};
  } catch {
    return {};
  }
}
