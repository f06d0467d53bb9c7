/**
 * One `bfd_instance`: says within milliseconds that a neighbour is gone (RFC 5880, asynchronous
 * mode, no echo, no authentication; RFC 5881 for a neighbour on the link).
 */

import type { Machine } from "../../lib/deadline-machine.ts";
import type { Prng } from "../../lib/prng.ts";
import type { BfdSettings } from "../vrrp/settings.ts";
import {
  type BfdPacket,
  type BfdState,
  DIAGNOSTIC_ADMIN_DOWN,
  DIAGNOSTIC_EXPIRED,
  DIAGNOSTIC_NEIGHBOUR_DOWN,
  DIAGNOSTIC_NONE,
  readBfdPacket,
  writeBfdPacket,
} from "./bfd-packet.ts";

export type BfdInput =
  | { readonly type: "woken" }
  /** From the neighbour's address. `ttl`: as it arrived; undefined where the kernel did not say. */
  | { readonly type: "packet-received"; readonly bytes: Uint8Array; readonly ttl?: number }
  /** The session is taken away: the neighbour need not wait for its detection time. */
  | { readonly type: "closed" };

export type BfdAction =
  | { readonly type: "send-packet"; readonly bytes: Uint8Array }
  | { readonly type: "report-track"; readonly ok: boolean; readonly reason: string };

type Report = Extract<BfdAction, { type: "report-track" }>;

/** Until the neighbour says otherwise: RFC 5880 section 6.8.1, microseconds. */
const UNKNOWN_MIN_RX_US = 1;
const HIGHEST_TTL = 255;
/** Section 6.8.7: packets leave up to a quarter early, so that no two nodes fall into step. */
const JITTER = 0.25;
/** With a multiplier of 1 at most 90 % of the interval may pass. */
const JITTER_OF_ONE = 0.1;

export class BfdSession implements Machine<BfdInput, BfdAction> {
  readonly #settings: BfdSettings;
  readonly #prng: Prng;
  readonly #mine: number;
  #state: BfdState = "Down";
  #diagnostic: number = DIAGNOSTIC_NONE;
  #yours = 0;
  #remoteState: BfdState = "Down";
  #remoteMinRxUs = UNKNOWN_MIN_RX_US;
  #remoteDemand = false;
  /** Our intervals have changed and the neighbour has not confirmed it (section 6.8.3). */
  #polling = false;
  #sendAt: number;
  /** Infinity: nobody is waited for. */
  #silentAt = Infinity;
  #detectionMs = 0;
  /** A neighbour that has not answered by then is down; before that nobody knows. */
  #firstVerdictAt: number;
  #report: Report | undefined;

  constructor(settings: BfdSettings, prng: Prng, now: number) {
    this.#settings = settings;
    this.#prng = prng;
    this.#mine = prng.between(1, 0xffff_ffff);
    this.#sendAt = now;
    this.#firstVerdictAt = now + settings.multiplier * settings.idleTxMs;
  }

  get report(): Report | undefined {
    return this.#report;
  }

  get deadline(): number {
    return Math.min(this.#mayTransmit ? this.#sendAt : Infinity, this.#silentAt, this.#verdictAt);
  }

  step(now: number, input: BfdInput): readonly BfdAction[] {
    const actions: BfdAction[] = [];
    if (input.type === "closed") {
      this.#diagnostic = DIAGNOSTIC_ADMIN_DOWN;
      this.#state = "AdminDown";
      return [this.#packet(false)];
    }
    if (input.type === "packet-received") {
      if (this.#state === "AdminDown") return actions;
      const packet = this.#passes(input.ttl) ? readBfdPacket(input.bytes) : undefined;
      const ours = packet !== undefined && (packet.yours === 0 || packet.yours === this.#mine);
      if (ours) this.#heard(now, packet, actions);
      return actions;
    }
    if (now >= this.#silentAt) this.#expire(now, actions);
    if (now >= this.#verdictAt) this.#tell(false, "is not up: no answer yet", actions);
    if (now >= this.#sendAt && this.#mayTransmit) {
      actions.push(this.#packet(false));
      this.#sendAt = now + this.#nextGap();
    }
    return actions;
  }

  get #verdictAt(): number {
    return this.#report === undefined ? this.#firstVerdictAt : Infinity;
  }

  /** RFC 5881 section 5: who sends from beyond a router cannot arrive with 255. */
  #passes(ttl: number | undefined): boolean {
    const { maxHops } = this.#settings;
    if (maxHops < 0 || maxHops >= HIGHEST_TTL || ttl === undefined) return true;
    return HIGHEST_TTL - ttl <= maxHops;
  }

  /** RFC 5880 section 6.8.7. */
  get #mayTransmit(): boolean {
    if (this.#settings.passive && this.#yours === 0) return false;
    if (this.#remoteMinRxUs === 0) return false;
    const quiet = this.#remoteDemand && this.#state === "Up" && this.#remoteState === "Up";
    return !quiet || this.#polling;
  }

  /** Section 6.8.3: before Up, at least a second unless told otherwise (`idle_tx`). */
  get #minTxMs(): number {
    return this.#state === "Up" ? this.#settings.minTxMs : this.#settings.idleTxMs;
  }

  #nextGap(): number {
    const gap = Math.max(this.#minTxMs, this.#remoteMinRxUs / 1000);
    const least = this.#settings.multiplier === 1 ? JITTER_OF_ONE : 0;
    return gap * (1 - least - this.#prng.fraction() * (JITTER - least));
  }

  #heard(now: number, packet: BfdPacket, actions: BfdAction[]): void {
    // A neighbour that has started anew knows us no more; in Up only it says so itself (Down).
    this.#yours = packet.mine;
    this.#remoteState = packet.state;
    this.#remoteMinRxUs = packet.minRxUs;
    this.#remoteDemand = packet.demand;
    if (packet.final) this.#polling = false;
    const pace = Math.max(this.#settings.minRxMs, packet.minTxUs / 1000);
    this.#detectionMs = packet.multiplier * pace;
    const before = this.#state;
    this.#follow(packet, actions);
    this.#silentAt = this.#state === "Down" ? Infinity : now + this.#detectionMs;
    if (packet.poll) actions.push(this.#packet(true));
    else if (this.#state !== before) actions.push(this.#packet(false));
    // Of a session that has just become Up the pace is another one.
    if (packet.poll || this.#state !== before) this.#sendAt = now + this.#nextGap();
  }

  /** The table of section 6.2. */
  #follow(packet: BfdPacket, actions: BfdAction[]): void {
    const { state } = packet;
    if (state === "AdminDown" || (state === "Down" && this.#state === "Up")) {
      if (this.#state === "Down") return;
      const did = state === "AdminDown" ? "was switched off there" : "is down, says the neighbour";
      this.#down(DIAGNOSTIC_NEIGHBOUR_DOWN, did, actions);
    } else if (this.#state === "Down") {
      if (state === "Down") this.#state = "Init";
      else if (state === "Init") this.#up(actions);
    } else if (this.#state === "Init" && (state === "Init" || state === "Up")) this.#up(actions);
  }

  #up(actions: BfdAction[]): void {
    this.#state = "Up";
    this.#diagnostic = DIAGNOSTIC_NONE;
    this.#polling = true;
    this.#tell(true, "is up", actions);
  }

  /** Section 6.8.4. */
  #expire(now: number, actions: BfdAction[]): void {
    const limit = Math.round(this.#detectionMs * 10) / 10;
    this.#yours = 0;
    this.#remoteMinRxUs = UNKNOWN_MIN_RX_US;
    this.#remoteState = "Down";
    this.#remoteDemand = false;
    this.#down(DIAGNOSTIC_EXPIRED, `is down: no packet for ${limit} ms`, actions);
    this.#sendAt = now;
  }

  #down(diagnostic: number, did: string, actions: BfdAction[]): void {
    this.#state = "Down";
    this.#diagnostic = diagnostic;
    this.#polling = false;
    this.#silentAt = Infinity;
    // A session that never was Up had nothing to lose: what was said of it stays.
    if (this.#report?.ok === true) this.#tell(false, did, actions);
  }

  #tell(ok: boolean, did: string, actions: BfdAction[]): void {
    const { name, neighbour } = this.#settings;
    if (this.#report?.ok === ok) return;
    const reason = `BFD session ${name} with ${neighbour} ${did}`;
    this.#report = { type: "report-track", ok, reason };
    actions.push(this.#report);
  }

  #packet(final: boolean): BfdAction {
    const bytes = writeBfdPacket({
      diagnostic: this.#diagnostic,
      state: this.#state,
      poll: this.#polling && !final,
      final,
      demand: false,
      multiplier: this.#settings.multiplier,
      mine: this.#mine,
      yours: this.#yours,
      minTxUs: Math.round(this.#minTxMs * 1000),
      minRxUs: Math.round(this.#settings.minRxMs * 1000),
    });
    return { type: "send-packet", bytes };
  }
}
