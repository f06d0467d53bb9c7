/**
 * `promote_secondaries` of the interfaces that get an IPv4 address of ours: else the kernel removes
 * a stranger's address of our subnet together with ours.
 */

import type { OwnedRecord } from "./owned-record.ts";
import { interfaceSysctl } from "./sysctl.ts";
import { changeSysctls } from "./virtual-mac.ts";

export class KeptSecondaries {
  readonly #record: OwnedRecord;
  /** Interfaces by name. */
  readonly #kept = new Set<string>();

  constructor(record: OwnedRecord) {
    this.#record = record;
  }

  /** Looks at all of them: somebody may have set all settings of the machine anew. */
  keep(names: readonly string[]): void {
    const paths = names.map((name) => interfaceSysctl("ipv4", name, "promote_secondaries"));
    changeSysctls(
      this.#record,
      paths.map((path) => ({ path, value: "1" })),
    );
    for (const name of names) this.#kept.add(name);
  }

  /** Those that were not seen to before. */
  keepMore(names: readonly string[]): void {
    this.keep(names.filter((name) => !this.#kept.has(name)));
  }
}
