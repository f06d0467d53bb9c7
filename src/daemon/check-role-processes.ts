/** All `vrrp_track_process` blocks at work: one watch counts for every one of them. */

import { ProcessQuorum, type ProcessInput } from "../core/check/process-quorum.ts";
import { sameValue } from "../core/vrrp/reload.ts";
import type { ProcessSettings } from "../core/vrrp/settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { ProcessWatch } from "../drivers/process-watch.ts";
import type { Agenda, Sleeper } from "./agenda.ts";
import type { CheckLink } from "./check-role-link.ts";

type Link = Pick<CheckLink, "send" | "tell">;

interface ProcessPorts {
  readonly link: Link;
  readonly agenda: Pick<Agenda, "add" | "delete" | "settle">;
}

export class ProcessChecks {
  readonly #link: Link;
  readonly #agenda: ProcessPorts["agenda"];
  readonly #quorums = new Map<string, QuorumCheck>();
  readonly #watch: ProcessWatch;

  /** `before`: closed; its blocks that are equal go on, with their verdicts and their delays. */
  constructor(settings: readonly ProcessSettings[], ports: ProcessPorts, before?: ProcessChecks) {
    const { link, agenda } = ports;
    this.#link = link;
    this.#agenda = agenda;
    for (const one of settings) {
      const known = before === undefined ? undefined : before.#quorums.get(one.name);
      const goesOn = known !== undefined && sameValue(known.settings, one);
      const quorum = goesOn ? known : new QuorumCheck(one, link);
      this.#quorums.set(one.name, quorum);
      agenda.add(quorum);
    }
    this.#watch = new ProcessWatch(settings, ({ name, count, what }) => {
      this.#quorums.get(name)?.step({ type: "processes-counted", count, what });
      this.#agenda.settle();
    });
    const { limitation } = this.#watch;
    if (limitation !== undefined) {
      const reason = `new processes are found by looking into /proc every 100 ms: ${limitation}`;
      this.#link.tell({ instance: "", kind: "note", reason });
    }
  }

  /** Tells every verdict once more. */
  report(): void {
    for (const quorum of this.#quorums.values()) quorum.report();
  }

  close(): void {
    this.#watch.close();
    for (const quorum of this.#quorums.values()) this.#agenda.delete(quorum);
  }
}

class QuorumCheck implements Sleeper {
  readonly settings: ProcessSettings;
  readonly #link: Link;
  readonly #quorum: ProcessQuorum;

  constructor(settings: ProcessSettings, link: Link) {
    this.settings = settings;
    this.#link = link;
    this.#quorum = new ProcessQuorum(settings);
  }

  get deadline(): number {
    return this.#quorum.deadline;
  }

  wake(): void {
    this.step({ type: "woken" });
  }

  step(input: ProcessInput): void {
    if (this.#quorum.step(monotonicMs(), input).length > 0) this.report();
  }

  report(): void {
    const report = this.#quorum.report;
    if (report === undefined) return;
    const { ok, reason } = report;
    this.#link.send({
      type: "track-changed",
      kind: "process",
      name: this.settings.name,
      ok,
      value: 0,
      reason,
    });
  }
}
