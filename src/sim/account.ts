/**
 * What an observer of one instance on one node has seen so far. The oracles judge from this and
 * from the kernels; they never ask the router what it thinks.
 */

import type { ReceivedDatagram, VrrpState } from "../core/vrrp/router-ports.ts";
import type { VrrpSettings } from "../core/vrrp/settings.ts";
import { TRAILER_BYTES, readAdvert, type ReadAdvert } from "./advert-reader.ts";
import type { Node } from "./node.ts";
import { highestPriority } from "./scenario.ts";
import {
  VRID,
  interfaceName,
  primaryAddress,
  virtualAddresses,
  witnessAddress,
} from "./settings-draft.ts";

const WAIT_BELIEVED_MS = 2;

export interface Heard {
  readonly localMs: number;
  readonly worldMs: number;
  readonly source: string;
  readonly priority: number;
  readonly intervalMs: number;
}

export class Account {
  readonly node: Node;
  readonly segment: number;
  readonly instance: string;
  readonly addresses: readonly string[];
  readonly ownAddress: string;
  readonly witness: string;
  state: VrrpState = "INIT";
  /** Local ms of the last state change, and of the start of the process. */
  stateSinceMs: number = 0;
  startedMs: number = 0;
  /** World ms: start, end of a pause, link change, ... - nothing is promised until it settles. */
  disturbedAtMs: number = 0;
  /** Local ms at which the process stopped running; Infinity while it runs. A frozen host's
   *  lease stands still with its clock, so world time would be unfair. */
  stalledAtMs: number = 0;
  /** Last believable advert with priority > 0 since the process started. */
  lastHeard: Heard | undefined;
  /** Local ms of the last resignation heard. */
  lastZeroMs: number = -Infinity;
  /** Local ms from which lower-priority masters have been heard without a break. */
  lowerSinceMs: number = Infinity;
  /** Local ms of the last advert sent with priority > 0. */
  lastSentMs: number = -Infinity;
  lastSentWorldMs: number = -Infinity;
  lastSentPriority: number = 0;
  /** Its last advert had priority 0. */
  resigned: boolean = false;
  /** Local ms at which the lease was last renewed. */
  renewedMs: number = -Infinity;
  /** The configuration under which it was renewed, until the addresses are released. */
  reignSettings: VrrpSettings | undefined;
  /** Both as the process before this one left them. */
  inherited:
    | { readonly renewedMs: number; readonly settings: VrrpSettings | undefined }
    | undefined;
  /** World ms of the last freeze: the lease stood still, the backups' timers did not. */
  frozeAtMs: number = -Infinity;
  /** It died in the middle of a step: of its last adverts some may never have left. */
  torn: boolean = false;
  /** When the kernel last refused addresses, local ms. */
  refusedAtMs: number = -Infinity;
  /** The kernel refused, or a stranger took, an address that the master wants to have. */
  excused: boolean = false;
  /** Local ms until which it leaves lower masters alone: it gave the addresses away itself. */
  heldBackUntilMs: number = -Infinity;
  /** The process was told that its link is down, or that a script that must succeed fails. */
  linkDown: boolean = true;
  readonly failedTracks: Set<string> = new Set();

  constructor(node: Node, segment: number, instance: string) {
    this.node = node;
    this.segment = segment;
    this.instance = instance;
    const { scenario } = node.around;
    this.addresses = virtualAddresses(scenario, segment);
    this.witness = witnessAddress(scenario, segment);
    this.ownAddress = primaryAddress(scenario, segment, node.plan.hostNumber);
  }

  get worldMs(): number {
    return this.node.around.queue.now;
  }

  /** Bytes that every advert of the group must have behind it. */
  get trailer(): number {
    return this.node.around.scenario.group.authentication === "hmac" ? TRAILER_BYTES : 0;
  }

  get refreshMs(): number {
    return this.node.around.scenario.group.announceRefreshMs;
  }

  get running(): boolean {
    return this.stalledAtMs === Infinity;
  }

  /** Some address answers to clients. */
  get answersAny(): boolean {
    const { kernel, localMs } = this.node;
    return this.reachable && this.addresses.some((a) => kernel.answers(this.instance, a, localMs));
  }

  get answersAll(): boolean {
    const { kernel, localMs } = this.node;
    return this.reachable && this.addresses.every((a) => kernel.answers(this.instance, a, localMs));
  }

  get reachable(): boolean {
    return this.node.powered && !this.node.frozen;
  }

  /** Whether an advert of this priority keeps this node a backup, whatever its tracks say. */
  mustRespect(priority: number): boolean {
    const { plan } = this.node;
    if (plan.priority === 255) return priority === 255;
    return !plan.preempt || priority >= highestPriority(plan);
  }

  begin(): void {
    this.inherited = { renewedMs: this.renewedMs, settings: this.reignSettings };
    this.state = "INIT";
    this.startedMs = this.node.localMs;
    this.stateSinceMs = this.node.localMs;
    this.disturbedAtMs = this.worldMs;
    this.stalledAtMs = Infinity;
    this.lastHeard = undefined;
    this.lastZeroMs = -Infinity;
    this.lowerSinceMs = Infinity;
    this.lastSentMs = -Infinity;
    this.lastSentPriority = 0;
    this.resigned = false;
    this.torn = false;
    this.excused = false;
    this.heldBackUntilMs = -Infinity;
    this.linkDown = true;
    this.failedTracks.clear();
  }

  /** The advert in it, if this instance has to believe it. */
  believable(datagram: ReceivedDatagram): ReadAdvert | undefined {
    if (datagram.interface !== interfaceName(this.segment)) return undefined;
    const advert = readAdvert({ kind: "datagram", ...datagram }, this.trailer);
    if (advert === undefined || !advert.sound || advert.vrid !== VRID + this.segment)
      return undefined;
    const { group } = this.node.around.scenario;
    if ((datagram.protocol === 51) !== (group.authentication === "ah")) return undefined;
    if (advert.version !== group.version || datagram.source === this.ownAddress) return undefined;
    if (group.version === 2 && advert.intervalMs !== this.node.plan.intervalMs) return undefined;
    return advert;
  }

  hear(advert: ReadAdvert, { source, waitedMs = 0 }: ReceivedDatagram): void {
    // Silence begins when an advert comes; of a long wait only that much is believed.
    const localMs = this.node.localMs - Math.min(waitedMs, WAIT_BELIEVED_MS);
    if (advert.priority === 0) {
      this.lastZeroMs = localMs;
      return;
    }
    if (advert.priority >= highestPriority(this.node.plan)) this.lowerSinceMs = Infinity;
    else this.lowerSinceMs = Math.min(this.lowerSinceMs, localMs);
    const { version } = this.node.around.scenario.group;
    const intervalMs = version === 3 ? advert.intervalMs : this.node.plan.intervalMs;
    this.lastHeard = {
      localMs,
      worldMs: this.worldMs,
      source,
      priority: advert.priority,
      intervalMs,
    };
  }

  enter(state: VrrpState): void {
    this.state = state;
    this.stateSinceMs = this.node.localMs;
    this.lowerSinceMs = Infinity;
    // RFC 9568 section 6.4.1: it begins anew, with its own interval. So does who resigned: what
    // it heard before is no master that it must respect, or its successor will be heard in time.
    if ((state !== "MASTER" && state !== "BACKUP") || (state === "BACKUP" && this.resigned)) {
      this.lastHeard = undefined;
      this.lastZeroMs = -Infinity;
    }
    if (state === "MASTER") this.heldBackUntilMs = -Infinity;
    // The clock of the advert rhythm starts with the reign.
    if (state === "MASTER") this.lastSentMs = this.node.localMs;
  }
}
