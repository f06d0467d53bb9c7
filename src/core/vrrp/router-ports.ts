/**
 * What goes into the router machine and what comes out of it.
 *
 * Inputs are facts in the past tense, actions are orders in the imperative. The world outside -
 * the daemon with its drivers, or the simulator - turns facts into inputs and carries actions
 * out in the order given. That order is part of the safety argument (see ARCHITECTURE.md).
 */

import type { Reign } from "./reign.ts";
import type { Family } from "./settings.ts";

export type VrrpState = "INIT" | "BACKUP" | "MASTER" | "FAULT" | "STOPPED";

/** A datagram of protocol 112 (VRRP) or 51 (AH) as it came from the wire, link header removed. */
export interface ReceivedDatagram {
  interface: string;
  family: Family;
  /** 112 or 51. */
  protocol: number;
  source: string;
  destination: string;
  /** TTL or hop limit on arrival. */
  ttl: number;
  /** Whole IPv4 header for protocol 51 (its digest covers it); otherwise absent. */
  ipHeader?: Uint8Array;
  /** The first byte after the IP header. The view may be reused after `step` returned. */
  payload: Uint8Array;
  /** How long it had waited in the kernel when it was read, ms. Absent = not known, taken for 0. */
  waitedMs?: number;
}

export type RouterInput =
  /** First input, once. `wallMs`: Unix time. `reigns`: what the process before us left. */
  | { readonly type: "started"; readonly wallMs: number; readonly reigns?: readonly Reign[] }
  /** The deadline was reached. `wallMs` serves time stamps on the wire. */
  | { readonly type: "woken"; readonly wallMs: number }
  | {
      readonly type: "datagram-received";
      readonly datagram: ReceivedDatagram;
      readonly wallMs: number;
    }
  /** Also at start, once per interface in use. `primary*`: absent = has none (or is tentative). */
  | {
      readonly type: "interface-changed";
      readonly interface: string;
      readonly exists: boolean;
      /** Administratively up and with carrier. */
      readonly up: boolean;
      readonly primaryIpv4?: string;
      readonly linkLocalIpv6?: string;
      readonly mac?: string;
      /** All that are not virtual and not tentative. Absent = not known. */
      readonly addresses?: readonly string[];
    }
  /** A script, process, file or BFD session changed its verdict, or a `track_group` of static objects did.
   *  `value`: files only; else 0. */
  | {
      readonly type: "track-changed";
      readonly kind: "script" | "process" | "file" | "bfd" | "static";
      readonly name: string;
      readonly ok: boolean;
      readonly value: number;
      readonly reason: string;
    }
  /** A reference address answered or stopped answering (already risen or fallen). */
  | { readonly type: "witness-changed"; readonly address: string; readonly reachable: boolean }
  /** Somebody else removed an address that we hold. */
  | { readonly type: "address-removed"; readonly instance: string; readonly address: string }
  /** Another MAC claims an address that we hold (ARP or NA seen). */
  | {
      readonly type: "address-claimed";
      readonly instance: string;
      readonly address: string;
      readonly mac: string;
    }
  /** A `restore-address` was carried out. */
  | { readonly type: "address-restored"; readonly instance: string; readonly address: string }
  /** The kernel refused to add an address. */
  | { readonly type: "acquire-failed"; readonly instance: string; readonly reason: string }
  | { readonly type: "handover-requested"; readonly instance: string; readonly reason: string }
  /** End in order: masters resign first. After this the router only answers with nothing. */
  | { readonly type: "stop-requested"; readonly reason: string };

/** Every decision that somebody may ask about, with its reason. */
export interface RouterEvent {
  readonly instance: string;
  readonly kind:
    | "state-changed"
    | "priority-changed"
    | "split-brain-found"
    | "split-brain-healed"
    | "address-restored"
    | "route-restored"
    | "address-fought-over"
    | "starved"
    | "lease-lapsed"
    | "peer-appeared"
    | "peer-lost"
    | "configuration-error"
    | "lower-priority-heard"
    | "rejected"
    | "note";
  /** One English sentence; log, journal, CLI and page print this one. */
  readonly reason: string;
  /** A note is news, unless it tells of trouble. */
  readonly level?: "warning";
  readonly from?: VrrpState;
  readonly to?: VrrpState;
  readonly priority?: number;
  readonly peer?: string;
  /** What `peer` did that led to this. */
  readonly cause?: EventCause;
  /** With cause `silent`: how long ago it was heard last, ms. */
  readonly silentMs?: number;
  /** The address that our own adverts come from: the `peer` of what others tell. */
  readonly address?: string;
}

/**
 * `resigned`: it said that it goes. `silent`: its adverts stopped. `lower`, `outranked`: an advert of
 * a master with a lower or with a better priority was heard.
 */
export type EventCause = "resigned" | "silent" | "lower" | "outranked";

/** The last two are lines of FIFOs: the priority changed while in that state. */
export type NotifiedState =
  | "MASTER"
  | "BACKUP"
  | "FAULT"
  | "STOP"
  | "DELETED"
  | "MASTER_RX_LOWER_PRI"
  | "MASTER_PRIORITY"
  | "BACKUP_PRIORITY";

export type RouterAction =
  /** Bytes and length are reused by the router: send before the next `step`. */
  | {
      readonly type: "send-datagram";
      readonly instance: string;
      readonly interface: string;
      readonly family: Family;
      readonly protocol: number;
      source: string;
      readonly destination: string;
      readonly ttl: number;
      readonly payload: Uint8Array;
      length: number;
      /** The payload starts with an IPv4 header of ours (AH signs it): send with IP_HDRINCL. */
      readonly headerIncluded: boolean;
    }
  /** Prolong the kernel's lease: the addresses stop answering `durationMs` from now. Always
   *  ordered before the advert that lets others believe in us that long. With it goes what a
   *  successor of this process will find as its `Reign`; the router reuses the object. */
  | {
      readonly type: "renew-lease";
      instance: string;
      durationMs: number;
      identity: string;
      sequence: number;
      alone: boolean;
    }
  /** The master has fallen silent and we are about to take over: put the addresses in the kernel
   *  where they answer nobody until `renew-lease`. What saves no time may be left undone; taken
   *  back by `release-addresses`. `takeoverMs`: when, monotonic, unless somebody is heard. */
  | {
      readonly type: "prepare-addresses";
      readonly instance: string;
      readonly takeoverMs: number;
    }
  /** Put addresses, routes and rules in the kernel. */
  | { readonly type: "acquire-addresses"; readonly instance: string }
  | { readonly type: "release-addresses"; readonly instance: string }
  /** A reload gave the instance another name: what was done under the old one is its own. */
  | { readonly type: "rename-instance"; readonly instance: string; readonly name: string }
  | { readonly type: "restore-address"; readonly instance: string; readonly address: string }
  /** Gratuitous ARP / unsolicited NA for every address, `repeat` times. `asks`: and then a question
   *  to all, who else has them; whoever answers is told as `address-claimed`. */
  | {
      readonly type: "announce";
      readonly instance: string;
      readonly repeat: number;
      readonly asks?: true;
    }
  /** Run notify scripts, FIFO, mail. In the order of the actions. */
  | {
      readonly type: "notify";
      readonly scope: "INSTANCE" | "GROUP";
      readonly name: string;
      readonly state: NotifiedState;
      readonly priority: number;
      /** Of the change that is told, for who reads mail. */
      readonly reason?: string;
      /** No change of state: a line for the FIFOs. */
      readonly fifoOnly?: true;
      /** The process before us was in that state and has very likely told so: whoever remembers
       *  that need not be told again. */
      readonly again?: true;
    }
  | { readonly type: "report"; readonly event: RouterEvent };
