/** One `witness` at work. */

import { Witness, type WitnessInput, type WitnessSettings } from "../core/check/witness.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { IcmpEcho } from "../drivers/icmp-echo.ts";
import type { Agenda, Sleeper } from "./agenda.ts";
import type { CheckLink } from "./check-role-link.ts";

export class WitnessCheck implements Sleeper {
  readonly #address: string;
  readonly #link: CheckLink;
  readonly #agenda: Agenda;
  readonly #witness: Witness;
  readonly #echo: IcmpEcho | undefined;

  constructor(settings: WitnessSettings, link: CheckLink, agenda: Agenda) {
    this.#address = settings.address;
    this.#link = link;
    this.#agenda = agenda;
    this.#witness = new Witness(settings, monotonicMs());
    const echo = IcmpEcho.open(settings.address, (sequence) => {
      this.#step({ type: "echo-replied", sequence });
    });
    if ("errno" in echo) {
      const reason = `witness ${settings.address} cannot be asked: ${echo.message}`;
      link.tell({ instance: "", kind: "configuration-error", reason });
    } else {
      this.#echo = echo;
    }
    agenda.add(this);
  }

  get deadline(): number {
    return this.#witness.deadline;
  }

  wake(): void {
    this.#step({ type: "woken" });
  }

  /** Tells the verdict, if there is one, once more. */
  report(): void {
    const report = this.#witness.report;
    if (report === undefined) return;
    const { reachable } = report;
    this.#link.send({ type: "witness-changed", address: this.#address, reachable });
  }

  close(): void {
    this.#agenda.delete(this);
    this.#echo?.close();
  }

  #step(input: WitnessInput): void {
    for (const action of this.#witness.step(monotonicMs(), input)) {
      if (action.type === "send-echo") this.#send(action.sequence);
      else {
        this.#link.tell({ instance: "", kind: "note", reason: action.reason });
        this.report();
      }
    }
    this.#agenda.settle();
  }

  #send(sequence: number): void {
    const result = this.#echo?.send(sequence) ?? -1;
    if (result < 0) setImmediate(() => this.#step({ type: "echo-failed", sequence }));
  }
}
