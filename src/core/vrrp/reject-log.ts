/** Counts datagrams that were not believed, and tells of them at a bounded rate. */

import type { Turn } from "./decision-log.ts";
import type { Instance } from "./instance.ts";
import { rejectReasons, type RejectReason } from "./packet.ts";
import type { ReceivedDatagram } from "./router-ports.ts";

/** One line for the same instance and reason in this time. */
const TELL_EVERY_MS = 60_000;
/** Other routers on the segment are everyday, a VRID that differs by mistake is not: told this often. */
const TELL_STRANGER_EVERY_MS = 24 * 3_600_000;
/** Instances times reasons; a configuration has at most 255 instances per interface. */
const MAX_TOLD = 4096;
/** What is counted but not worth a line: it is how the protocol normally looks. */
const silent: ReadonlySet<RejectReason> = new Set(["own-advert", "not-running", "owner-ignores"]);

const SAME_AUTHENTICATION = "write the same authentication on all nodes";
const SAME_KEYS = "write the same auth_hmac keys on all nodes";
/** What an operator can do about it; against malformed packets nothing. */
const nextMoves: Partial<Record<RejectReason, string>> = {
  "wrong-version": "write the same version on all nodes",
  "wrong-ttl": "it came through a router, or was sent with another TTL than is wanted here",
  "interval-mismatch": "write the same advert_int on all nodes",
  "address-list-mismatch":
    "write the same virtual_ipaddress on all nodes, and another virtual_router_id where they are others",
  "unknown-source": "write it into unicast_peer if it is one of the nodes",
  "auth-type-mismatch": SAME_AUTHENTICATION,
  "auth-password-mismatch": SAME_AUTHENTICATION,
  "ah-missing": SAME_AUTHENTICATION,
  "ah-unexpected": SAME_AUTHENTICATION,
  "ah-digest": SAME_AUTHENTICATION,
  "hmac-missing": SAME_KEYS,
  "hmac-unknown-key": SAME_KEYS,
  "hmac-digest": SAME_KEYS,
  "hmac-stale": "its clock and ours differ by more than time_window",
};

export class RejectLog {
  readonly #counts = new Map<RejectReason, number>(rejectReasons.map((r) => [r, 0]));
  readonly #toldAtMs = new Map<string, number>();
  /** By interface, then family and VRID in one number: nothing is allocated for what is known. */
  readonly #strangersAtMs = new Map<string, Map<number, number>>();

  count(reason: RejectReason): void {
    this.#counts.set(reason, this.#counts.get(reason)! + 1);
  }

  report(turn: Turn, instance: Instance, reason: RejectReason, source: string): void {
    this.count(reason);
    if (silent.has(reason)) return;
    this.#tell(turn, instance, reason, `an advert from ${source} was not believed: ${reason}`);
  }

  /** None of our instances has the VRID. */
  reportStranger(turn: Turn, datagram: ReceivedDatagram, vrid: number): void {
    this.count("unknown-vrid");
    const { interface: place, family, source } = datagram;
    let told = this.#strangersAtMs.get(place);
    if (told === undefined) this.#strangersAtMs.set(place, (told = new Map()));
    const key = family === "ipv4" ? vrid : vrid + 256;
    if (turn.now - (told.get(key) ?? -Infinity) < TELL_STRANGER_EVERY_MS) return;
    told.set(key, turn.now);
    const name = family === "ipv4" ? "IPv4" : "IPv6";
    const reason = `${source} sends adverts of VRID ${vrid} for ${name} on ${place}: no instance here has it`;
    turn.out.push({ type: "report", event: { instance: "", kind: "note", reason } });
  }

  /** Something odd about an advert that is believed all the same. */
  note(turn: Turn, instance: Instance, reason: RejectReason, source: string): void {
    this.#tell(turn, instance, reason, `the advert of ${source} differs: ${reason}`);
  }

  counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  #tell(turn: Turn, instance: Instance, reason: RejectReason, sentence: string): void {
    const key = `${instance.settings.name} ${reason}`;
    const told = this.#toldAtMs.get(key);
    if (told !== undefined && turn.now - told < TELL_EVERY_MS) return;
    if (this.#toldAtMs.size >= MAX_TOLD) this.#toldAtMs.clear();
    this.#toldAtMs.set(key, turn.now);
    const move = nextMoves[reason];
    const whole = move === undefined ? sentence : `${sentence}; ${move}`;
    instance.report(turn, { kind: "rejected", reason: whole });
  }
}
