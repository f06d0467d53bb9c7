/** One `bfd_instance` at work. */

import { randomInt } from "node:crypto";
import { BfdSession, type BfdInput } from "../core/check/bfd-session.ts";
import type { BfdSettings } from "../core/vrrp/settings.ts";
import { BfdSocket } from "../drivers/bfd-socket.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { isOsFailure } from "../drivers/ffi.ts";
import { Prng } from "../lib/prng.ts";
import type { Agenda, Sleeper } from "./agenda.ts";
import type { CheckLink } from "./check-role-link.ts";

/** An address or a port that is not to be had now may be there later. */
const REOPEN_MS = 1000;

export class BfdCheck implements Sleeper {
  readonly #settings: BfdSettings;
  readonly #link: CheckLink;
  readonly #agenda: Agenda;
  readonly #session: BfdSession;
  #socket: BfdSocket | undefined;
  #reopenAt: number;
  #toldTrouble = "";

  constructor(settings: BfdSettings, link: CheckLink, agenda: Agenda) {
    this.#settings = settings;
    this.#link = link;
    this.#agenda = agenda;
    const now = monotonicMs();
    this.#session = new BfdSession(settings, new Prng(randomInt(2 ** 32)), now);
    this.#reopenAt = now;
    this.#open();
    agenda.add(this);
  }

  get deadline(): number {
    return Math.min(this.#session.deadline, this.#reopenAt);
  }

  wake(now: number): void {
    if (now >= this.#reopenAt) this.#open();
    this.#socket?.drain();
    this.#step({ type: "woken" });
  }

  /** Tells the verdict, if there is one, once more. */
  report(): void {
    const report = this.#session.report;
    if (report === undefined) return;
    const { ok, reason } = report;
    const { name } = this.#settings;
    this.#link.send({ type: "track-changed", kind: "bfd", name, ok, value: 0, reason });
  }

  close(): void {
    this.#agenda.delete(this);
    this.#step({ type: "closed" });
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(): void {
    const socket = BfdSocket.open(this.#settings, (bytes, ttl) => {
      this.#step({ type: "packet-received", bytes, ...(ttl === undefined ? {} : { ttl }) });
    });
    if (!isOsFailure(socket)) {
      this.#socket = socket;
      this.#reopenAt = Infinity;
      return;
    }
    this.#reopenAt = monotonicMs() + REOPEN_MS;
    if (this.#toldTrouble === socket.message) return;
    this.#toldTrouble = socket.message;
    const reason = `bfd_instance ${this.#settings.name} cannot speak: ${socket.message}`;
    this.#link.tell({ instance: "", kind: "configuration-error", reason });
  }

  #step(input: BfdInput): void {
    for (const action of this.#session.step(monotonicMs(), input)) {
      if (action.type === "send-packet") this.#socket?.send(action.bytes);
      else this.report();
    }
    this.#agenda.settle();
  }
}
