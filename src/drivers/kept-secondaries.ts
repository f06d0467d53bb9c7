/**
 * `promote_secondaries` of the interfaces that get an IPv4 address of ours: else the kernel removes
 * a stranger's address of our subnet together with ours.
 */

import { monotonicMs } from "./clock.ts";
import type { OwnedRecord } from "./owned-record.ts";
import { interfaceSysctl } from "./sysctl.ts";
import { changeSysctls } from "./virtual-mac.ts";

const LOOK_EVERY_MS = 1000;

export class KeptSecondaries {
  readonly #record: OwnedRecord;
  /** By name of the interface: when it was looked at last, monotonic ms. */
  readonly #lookedMs = new Map<string, number>();

  constructor(record: OwnedRecord) {
    this.#record = record;
  }

  keep(names: readonly string[]): void {
    const paths = names.map((name) => interfaceSysctl("ipv4", name, "promote_secondaries"));
    changeSysctls(
      this.#record,
      paths.map((path) => ({ path, value: "1" })),
    );
    const now = monotonicMs();
    for (const name of names) this.#lookedMs.set(name, now);
  }

  /**
   * Those that were not looked at for a second: somebody may have set all settings of the machine anew.
   * A file for each address would cost as much as its renewal.
   */
  keepStill(names: readonly string[]): void {
    const before = monotonicMs() - LOOK_EVERY_MS;
    const due = names.filter((name) => (this.#lookedMs.get(name) ?? -Infinity) <= before);
    if (due.length > 0) this.keep(due);
  }

  /** Those that were not seen to before. */
  keepMore(names: readonly string[]): void {
    this.keep(names.filter((name) => !this.#lookedMs.has(name)));
  }
}
