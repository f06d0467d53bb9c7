/** What a changed configuration means for a running instance. */

import { retract } from "./backup.ts";
import type { Turn } from "./decision-log.ts";
import type { Instance } from "./instance.ts";
import { decisionInputs } from "./reasons.ts";
import type { InstanceSettings } from "./settings.ts";

/** What an instance is, whatever its name: with another one of these it is another instance. */
const IDENTITY: readonly (keyof InstanceSettings)[] = [
  "family",
  "vrid",
  "interface",
  "vmac",
  "lease",
];

/**
 * True when a running instance cannot take the settings over: stop the old one, start the new.
 * All others it takes over in its state, as keepalived does: who holds the addresses goes on
 * holding them, whatever is sent, timed, listed or believed otherwise from now on.
 */
export function needsRestart(before: InstanceSettings, after: InstanceSettings): boolean {
  if (IDENTITY.some((key) => !sameValue(before[key], after[key]))) return true;
  return changesHeader(before, after) || changesRoute(before, after);
}

/** Adverts inside of an authentication header are another protocol, with sockets of its own. */
function changesHeader(before: InstanceSettings, after: InstanceSettings): boolean {
  return (before.authentication.kind === "ah") !== (after.authentication.kind === "ah");
}

/** Unicast peers come and go. AH counts its packets per sender, and would seem to start again. */
function changesRoute(before: InstanceSettings, after: InstanceSettings): boolean {
  if (sameValue(before.transport, after.transport)) return false;
  if (after.authentication.kind === "ah") return true;
  return before.transport.kind !== "unicast" || after.transport.kind !== "unicast";
}

/** Who only goes by another name now, as in keepalived: the old names and the new ones. */
export function renamed(
  before: readonly InstanceSettings[],
  after: readonly InstanceSettings[],
): ReadonlyMap<string, string> {
  const free = ({ name }: InstanceSettings, others: readonly InstanceSettings[]): boolean =>
    others.every((other) => other.name !== name);
  return new Map(
    before
      .filter((old) => free(old, after))
      .flatMap((old) => {
        const next = after.find((one) => free(one, before) && !needsRestart(old, one));
        return next === undefined ? [] : [[old.name, next.name] as const];
      }),
  );
}

/** `after`, with the names that they had before. */
export function underOldNames(
  before: readonly InstanceSettings[],
  after: readonly InstanceSettings[],
): readonly InstanceSettings[] {
  const old = new Map([...renamed(before, after)].map(([from, to]) => [to, from]));
  return after.map((one) => ({ ...one, name: old.get(one.name) ?? one.name }));
}

/** They keep their seats. */
export function renameSeats<Seat extends { readonly instance: Instance }>(
  seats: Map<string, Seat>,
  wanted: readonly InstanceSettings[],
  turn: Turn,
): void {
  const seated = [...seats.values()].map(({ instance }) => instance.settings);
  for (const [name, next] of renamed(seated, wanted)) {
    const seat = seats.get(name)!;
    seats.delete(name);
    seats.set(next, seat);
    const { instance } = seat;
    const reason = `is called ${next} from now on`;
    const { kind: from } = instance.state;
    instance.report(turn, { kind: "state-changed", reason, from, to: "STOPPED" });
    turn.out.push({ type: "rename-instance", instance: name, name: next });
    const { effectivePriority: priority } = instance;
    const before = { reason: `was called ${name} until now`, from: "INIT", to: from } as const;
    const told = { instance: next, kind: "state-changed", ...before, priority } as const;
    instance.log.record(turn, told, decisionInputs(instance, turn.now));
  }
}

/** The instance took other settings over than it had, and all about them is known. */
export function goOn(instance: Instance, turn: Turn, before: InstanceSettings): void {
  const { settings, state, plan } = instance;
  retract(instance, turn);
  if (state.kind !== "MASTER") return;
  // The driver makes the kernel agree with the settings: what is new is added, what went goes.
  turn.out.push({ type: "acquire-addresses", instance: settings.name });
  const lists = [before.addresses, before.excludedAddresses];
  if (!sameValue(lists, [settings.addresses, settings.excludedAddresses])) {
    instance.announce(turn, plan.added(turn.now));
  }
  // The lease may have another length now, and others another interval to believe in.
  state.advertAtMs = turn.now;
}

/** Deep equality of plain data. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const left = Object.entries(a).filter(([, v]) => v !== undefined);
  const right = new Map(Object.entries(b).filter(([, v]) => v !== undefined));
  return left.length === right.size && left.every(([k, v]) => sameValue(v, right.get(k)));
}
