/**
 * vrrp_sync_group: instances that are master, backup or in fault together, so that a router never
 * answers on one side only.
 *
 * Upwards all must want it: a member whose timer fired waits until the timers of all have.
 * Downwards one is enough: a member in fault takes all others down, a member that yields to a
 * better master makes all others yield.
 */

import type { Turn } from "./decision-log.ts";
import { forsake, isHeir, isHeirReady, letLapse, resume } from "./heir.ts";
import type { Instance } from "./instance.ts";
import { downReason } from "./reasons.ts";
import type { RouterAction, VrrpState } from "./router-ports.ts";
import type { SyncGroupSettings } from "./settings.ts";
import { becomeMaster } from "./takeover.ts";

export class SyncGroup {
  settings: SyncGroupSettings;
  readonly members: readonly Instance[];
  state: VrrpState = "INIT";

  constructor(settings: SyncGroupSettings, members: readonly Instance[]) {
    this.settings = settings;
    this.members = members;
  }

  /** The member, if any, that is in fault by itself: the group's other members must follow. */
  faultyMember(except: Instance): Instance | undefined {
    return this.members.find((m) => m !== except && (m.sum?.ownFaults ?? 0) > 0);
  }

  /**
   * Goes on after a reload. A master group that got a new member is not all master, but nobody
   * left it either: its masters stay until the new member catches up or meets a better master.
   */
  resume(state: VrrpState, wasThere: (member: string) => boolean): void {
    const left = this.members.some((m) => m.state.kind !== "MASTER" && wasThere(m.settings.name));
    const joined = this.members.some((m) => !wasThere(m.settings.name));
    if (state !== "MASTER" || left || !joined) this.state = state;
  }

  /** Brings the members back into step after anything happened to one of them. */
  settle(turn: Turn): void {
    const { members } = this;
    const again = this.#settleHeirs(turn);
    const left = members.find((m) => this.#leaves(m));
    if (left !== undefined) this.#follow(turn, left);
    const wanting = members.filter((m) => m.isReady);
    if (wanting.length > 0 && members.every((m) => m.isReady || m.state.kind === "MASTER")) {
      for (const member of wanting) {
        becomeMaster(member, turn, this.#reasonFor(turn, member));
      }
    }
    this.#updateState(turn, again);
  }

  /**
   * A group goes on with the reign of the process before us as a whole: one member that cannot
   * keeps all from it. True when it did.
   */
  #settleHeirs(turn: Turn): boolean {
    if (!this.members.some(isHeir)) return false;
    for (const member of this.members) letLapse(member, turn);
    const heirs = this.members.filter(isHeir);
    const lost = this.members.find((m) => !heirs.includes(m));
    if (lost !== undefined) {
      const why = `${lost.settings.name} of group ${this.settings.name} cannot go on as master`;
      for (const heir of heirs) forsake(heir, turn, why);
      return false;
    }
    if (!heirs.every(isHeirReady)) return false;
    for (const heir of heirs) resume(heir, turn);
    return true;
  }

  /** The member cannot or need not be master, and its group is or has masters. */
  #leaves(member: Instance): boolean {
    const { state } = member;
    if (state.kind === "MASTER" || state.kind === "INIT") return false;
    if (this.state === "MASTER" || state.kind !== "BACKUP") return true;
    return state.awaiting === "master" && !state.ready;
  }

  /** A rival on one side is one on all: its last adverts may be lost on some (keepalived). */
  announceAfterRival(turn: Turn, heardBy: Instance): void {
    for (const member of this.members) {
      if (member !== heardBy) member.announceAfterRival(turn);
    }
  }

  /** Each member's own reason, and that the whole group goes. */
  #reasonFor(turn: Turn, member: Instance): string {
    return `${downReason(member, turn.now)}; all of group ${this.settings.name} take over`;
  }

  #follow(turn: Turn, left: Instance): void {
    const followers = this.members.filter((member) => member.state.kind === "MASTER");
    // A backup group gives nothing up: it must not wait for longer than its master's silence.
    if (followers.length === 0) return;
    const reason = `${left.settings.name} of group ${this.settings.name} gave up: ${left.reason}`;
    const outranked = left.state.kind === "BACKUP" && left.master !== undefined;
    if (outranked) left.keepApart();
    for (const member of followers) {
      // A member in fault hands over with priority 0; one that met a better master leaves to it.
      if (outranked) {
        member.leaveWithGroup(turn, reason);
        member.keepApart();
      } else {
        member.resign(turn, reason, 0);
      }
    }
  }

  /** `again`: all members just went on with the reign of the process before us. */
  #updateState(turn: Turn, again: boolean): void {
    const state = this.#common();
    if (state === this.state) return;
    this.state = state;
    const notified = notifiedState(state);
    if (notified === undefined) return;
    const { name } = this.settings;
    const priority = Math.max(...this.members.map((m) => m.effectivePriority));
    const reason = this.members.find((member) => member.state.kind === state)?.reason ?? "";
    const what = { name, state: notified, priority, reason };
    const notify = { type: "notify", scope: "GROUP", ...what } as const;
    turn.out.push(again && state === "MASTER" ? { ...notify, again } : notify);
  }

  #common(): VrrpState {
    const kinds = this.members.map((m) => m.state.kind);
    if (kinds.every((k) => k === "MASTER")) return "MASTER";
    if (kinds.every((k) => k === "STOPPED")) return "STOPPED";
    if (kinds.includes("FAULT")) return "FAULT";
    return kinds.includes("INIT") ? "INIT" : "BACKUP";
  }
}

function notifiedState(
  state: VrrpState,
): Extract<RouterAction, { type: "notify" }>["state"] | undefined {
  if (state === "STOPPED") return "STOP";
  return state === "INIT" ? undefined : state;
}
