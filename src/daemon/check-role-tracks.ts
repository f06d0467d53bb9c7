/**
 * Everything that is watched. A new configuration is carried out by difference: a check whose
 * settings did not change goes on undisturbed, with its verdict and its counts.
 */

import { startOffset } from "../core/check/schedule.ts";
import { witnessesOf } from "../core/check/witness.ts";
import type { TrackReference } from "../core/vrrp/settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { isOsFailure } from "../drivers/ffi.ts";
import { ListenerWatch } from "../drivers/listener-watch.ts";
import type { Agenda } from "./agenda.ts";
import { BfdCheck } from "./check-role-bfd.ts";
import { FileCheck } from "./check-role-file.ts";
import type { CheckLink } from "./check-role-link.ts";
import { ProcessChecks } from "./check-role-processes.ts";
import { ScriptCheck } from "./check-role-script.ts";
import { WitnessCheck } from "./check-role-witness.ts";
import type { KnownTrack, RoleModel } from "./role-protocol.ts";

interface Check {
  report(): void;
  close(): void;
  serviceEnded?(now: number): void;
}

export class Tracks {
  readonly #link: CheckLink;
  readonly #agenda: Agenda;
  /** Undefined where the kernel does not tell: scripts then run by their interval only. */
  readonly #listeners: ListenerWatch | undefined;
  /** By everything that makes a check what it is. */
  #checks = new Map<string, Check>();

  constructor(link: CheckLink, agenda: Agenda) {
    this.#link = link;
    this.#agenda = agenda;
    const watch = ListenerWatch.open((port) => this.#serviceEnded(port));
    this.#listeners = isOsFailure(watch) ? undefined : watch;
  }

  configure(model: RoleModel, known: readonly KnownTrack[]): void {
    const wanted = this.#wanted(model, known);
    const kept = new Map<string, Check>();
    for (const [key, check] of this.#checks) {
      if (wanted.has(key)) kept.set(key, check);
      else check.close();
    }
    for (const [key, make] of wanted) kept.set(key, kept.get(key) ?? make());
    this.#checks = kept;
    this.#agenda.settle();
  }

  /** To a vrrp role that knows nothing yet. */
  reportAll(): void {
    for (const check of this.#checks.values()) check.report();
  }

  close(): void {
    this.#listeners?.close();
    for (const check of this.#checks.values()) check.close();
    this.#checks.clear();
  }

  /** Sockets that never had a port served nobody. */
  #serviceEnded(port: number): void {
    if (port === 0) return;
    const now = monotonicMs();
    for (const check of this.#checks.values()) check.serviceEnded?.(now);
  }

  /** As keepalived: what no instance and no group refers to is not watched. */
  #wanted(model: RoleModel, known: readonly KnownTrack[]): Map<string, () => Check> {
    const { instances, groups, scripts, processes, files, bfds = [] } = model.vrrp;
    const references = [...instances, ...groups].flatMap((one) => one.tracks);
    const used = new Set(references.map((reference) => referenceKey(reference)));
    const isUsed = (kind: TrackReference["kind"], name: string): boolean =>
      used.has(referenceKey({ kind, name }));
    const wanted = new Map<string, () => Check>();
    const [link, agenda] = [this.#link, this.#agenda];
    for (const [index, one] of scripts.entries()) {
      if (!isUsed("script", one.name)) continue;
      const offsetMs = startOffset(index, scripts.length, one.intervalMs);
      wanted.set(`script ${JSON.stringify([one, model.scripts])}`, () => {
        const before = known.find(({ kind, name }) => kind !== "file" && name === one.name);
        const at = { link, agenda, known: before };
        return new ScriptCheck(one, model.scripts, offsetMs, at);
      });
    }
    const watched = processes.filter((one) => isUsed("process", one.name));
    if (watched.length > 0) {
      const key = `processes ${JSON.stringify(watched)}`;
      const before = [...this.#checks.values()].find((check) => check instanceof ProcessChecks);
      wanted.set(key, () => new ProcessChecks(watched, { link, agenda }, before));
    }
    for (const one of files) {
      if (!isUsed("file", one.name)) continue;
      wanted.set(`file ${JSON.stringify(one)}`, () => {
        const isKnown = known.some(({ kind, name }) => kind === "file" && name === one.name);
        return new FileCheck(one, { link, agenda, isKnown });
      });
    }
    for (const one of bfds) {
      if (!isUsed("bfd", one.name)) continue;
      wanted.set(`bfd ${JSON.stringify(one)}`, () => new BfdCheck(one, link, agenda));
    }
    for (const one of witnessesOf(instances)) {
      wanted.set(`witness ${JSON.stringify(one)}`, () => new WitnessCheck(one, link, agenda));
    }
    return wanted;
  }
}

function referenceKey(reference: Pick<TrackReference, "kind" | "name">): string {
  return `${reference.kind} ${reference.name}`;
}
