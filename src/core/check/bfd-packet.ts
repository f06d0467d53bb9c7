/** BFD control packets without authentication: RFC 5880 section 4.1. */

export const BFD_STATES = ["AdminDown", "Down", "Init", "Up"] as const;
export type BfdState = (typeof BFD_STATES)[number];

/** Section 4.1: why a session left Up. */
export const DIAGNOSTIC_NONE = 0;
export const DIAGNOSTIC_EXPIRED = 1;
export const DIAGNOSTIC_NEIGHBOUR_DOWN = 3;
export const DIAGNOSTIC_ADMIN_DOWN = 7;

/** Intervals are microseconds. */
export interface BfdPacket {
  readonly diagnostic: number;
  readonly state: BfdState;
  readonly poll: boolean;
  readonly final: boolean;
  readonly demand: boolean;
  readonly multiplier: number;
  readonly mine: number;
  /** 0: the sender does not know its neighbour yet. */
  readonly yours: number;
  readonly minTxUs: number;
  /** 0: nothing periodic is wanted. */
  readonly minRxUs: number;
}

const VERSION = 1;
const LENGTH = 24;

const POLL = 0x20;
const FINAL = 0x10;
const AUTHENTICATED = 0x04;
const DEMAND = 0x02;
const MULTIPOINT = 0x01;

/** Undefined: it is to be discarded (section 6.8.6); without a sound packet nothing is believed. */
export function readBfdPacket(bytes: Uint8Array): BfdPacket | undefined {
  if (bytes.length < LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint8(1);
  const length = view.getUint8(3);
  const packet: BfdPacket = {
    diagnostic: view.getUint8(0) & 0x1f,
    state: BFD_STATES[flags >> 6]!,
    poll: (flags & POLL) !== 0,
    final: (flags & FINAL) !== 0,
    demand: (flags & DEMAND) !== 0,
    multiplier: view.getUint8(2),
    mine: view.getUint32(4),
    yours: view.getUint32(8),
    minTxUs: view.getUint32(12),
    minRxUs: view.getUint32(16),
  };
  const sound =
    view.getUint8(0) >> 5 === VERSION &&
    (flags & (AUTHENTICATED | MULTIPOINT)) === 0 &&
    length >= LENGTH &&
    length <= bytes.length &&
    packet.multiplier !== 0 &&
    packet.mine !== 0 &&
    (packet.yours !== 0 || packet.state === "Down" || packet.state === "AdminDown");
  return sound ? packet : undefined;
}

export function writeBfdPacket(packet: BfdPacket): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  const view = new DataView(bytes.buffer);
  const flags =
    (packet.poll ? POLL : 0) | (packet.final ? FINAL : 0) | (packet.demand ? DEMAND : 0);
  view.setUint8(0, (VERSION << 5) | packet.diagnostic);
  view.setUint8(1, (BFD_STATES.indexOf(packet.state) << 6) | flags);
  view.setUint8(2, packet.multiplier);
  view.setUint8(3, LENGTH);
  view.setUint32(4, packet.mine);
  view.setUint32(8, packet.yours);
  view.setUint32(12, packet.minTxUs);
  view.setUint32(16, packet.minRxUs);
  return bytes;
}
