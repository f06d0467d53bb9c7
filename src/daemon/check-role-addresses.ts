/** Tells a runner which addresses this machine has, as long as some check depends on one. */

import type { CheckTarget } from "../core/check/check-settings.ts";
import { isOsFailure } from "../drivers/ffi.ts";
import { HeldAddresses } from "../drivers/held-addresses.ts";
import type { CheckRunner } from "./check-runner.ts";

export class CheckedAddresses {
  readonly #runner: Pick<CheckRunner, "lookAtAddresses">;
  readonly #onChange: () => void;
  #held: HeldAddresses | undefined;

  /** `onChange`: after the runner was told. */
  constructor(runner: Pick<CheckRunner, "lookAtAddresses">, onChange: () => void) {
    this.#runner = runner;
    this.#onChange = onChange;
  }

  /** Before the runner gets these. The answer says why addresses cannot be seen: all checks are run then. */
  configure(targets: readonly CheckTarget[]): string | undefined {
    const isWanted = targets.some(({ check }) => check.whileHeld !== undefined);
    if (isWanted === (this.#held !== undefined)) return undefined;
    if (!isWanted) return this.close();
    const held = HeldAddresses.open(() => this.#look());
    if (isOsFailure(held)) return `whoever holds the addresses, checks are run: ${held.message}`;
    this.#held = held;
    this.#runner.lookAtAddresses((address) => held.has(address));
    return undefined;
  }

  close(): undefined {
    this.#held?.close();
    this.#held = undefined;
    this.#runner.lookAtAddresses(() => true);
  }

  #look(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#runner.lookAtAddresses((address) => held.has(address));
    this.#onChange();
  }
}
