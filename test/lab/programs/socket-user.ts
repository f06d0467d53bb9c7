/**
 * Uses the socket, time and scheduling drivers on command: one JSON line in, one JSON line out.
 * Runs inside a network namespace.
 */

import { createInterface } from "node:readline";
import { gratuitousArp } from "../../../src/core/vrrp/arp-frame.ts";
import { unsolicitedNa } from "../../../src/core/vrrp/na-frame.ts";
import { encodeAdvert, setChecksum, setPriority } from "../../../src/core/vrrp/packet.ts";
import { sumPseudoHeader } from "../../../src/core/vrrp/checksum.ts";
import type { Family } from "../../../src/core/vrrp/settings.ts";
import { Alarm } from "../../../src/drivers/alarm.ts";
import { Announcer } from "../../../src/drivers/announcer.ts";
import { ClaimWatch } from "../../../src/drivers/claim-watch.ts";
import { monotonicMs } from "../../../src/drivers/clock.ts";
import { interfaceIndex, isOsFailure, type OsFailure } from "../../../src/drivers/ffi.ts";
import { IcmpEcho } from "../../../src/drivers/icmp-echo.ts";
import { applyScheduling, isRealtime } from "../../../src/drivers/scheduling.ts";
import type { SchedulingSettings } from "../../../src/drivers/scheduling.ts";
import { VrrpSocket } from "../../../src/drivers/vrrp-socket.ts";
import { parseIp } from "../../../src/lib/ip-address.ts";

/** What a command asks for; each uses its part. */
interface Order {
  readonly family: Family;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly address: string;
  readonly addresses: readonly string[];
  readonly mac: string;
  /** Hexadecimal. */
  readonly frame: string;
  readonly count: number;
  readonly scheduling: SchedulingSettings;
}

const INTERFACE = "eth0";
const sockets = new Map<Family, VrrpSocket>();
const datagrams: unknown[] = [];
const claims: string[] = [];
let claimWatch: ClaimWatch | undefined;

function opened<T extends object>(value: T | OsFailure): T {
  if (isOsFailure(value)) throw new Error(value.message);
  return value;
}

function bytesOf(address: string): Uint8Array {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new Error(`${address} is no address`);
  return bytes;
}

function open({ family, address }: Order): number {
  const socket = VrrpSocket.open({
    interface: INTERFACE,
    family,
    protocol: 112,
    reportAs: INTERFACE,
    onDatagram: ({ payload, ...rest }) => datagrams.push({ ...rest, payload: payload.toHex() }),
  });
  sockets.set(family, opened(socket));
  sockets.get(family)!.mayGather = false;
  return sockets.get(family)!.join(address);
}

/** A version 3 advert of VRID 51 for `address`. */
function advertise({ family, source, destination, ttl, address }: Order): number {
  const payload = new Uint8Array(64);
  const fields = { version: 3, vrid: 51, family, intervalMs: 1000, authType: 0 } as const;
  const addresses = [bytesOf(address)];
  const length = encodeAdvert({ ...fields, password: payload, addresses }, payload, 0);
  setPriority(payload, 0, 150);
  const pseudo = sumPseudoHeader(bytesOf(source), bytesOf(destination), length);
  setChecksum(payload, 0, length, pseudo);
  return sockets.get(family)!.send({ source, destination, ttl, payload, length });
}

function announce({ address, mac, count }: Order): number {
  const announcer = opened(Announcer.open());
  const macBytes = Uint8Array.from(mac.split(":"), (part) => Number.parseInt(part, 16));
  const isV6 = address.includes(":");
  const frame = isV6
    ? unsolicitedNa(macBytes, bytesOf(address), true)
    : gratuitousArp(macBytes, bytesOf(address));
  let status = 0;
  for (let i = 0; i < count; i++) {
    status = Math.min(status, announcer.send(interfaceIndex(INTERFACE), frame));
  }
  announcer.close();
  return status;
}

function sendFrame({ frame }: Order): number {
  const announcer = opened(Announcer.open());
  const status = announcer.send(interfaceIndex(INTERFACE), Uint8Array.fromHex(frame));
  announcer.close();
  return status;
}

function watchClaims({ addresses }: Order): number {
  claimWatch ??= opened(
    ClaimWatch.open(interfaceIndex(INTERFACE), {
      onClaim: (address, mac) => claims.push(`${address} ${mac}`),
      onAdvert: () => {},
    }),
  );
  return claimWatch.watch(addresses);
}

/** Replies to `count` requests within 300 ms. */
function echo({ address, count }: Order): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const replies: number[] = [];
  const icmp = opened(IcmpEcho.open(address, (sequence) => replies.push(sequence)));
  const sent = Array.from({ length: count }, (_, sequence) => icmp.send(sequence));
  setTimeout(() => {
    icmp.close();
    resolve({ sent, replies });
  }, 300);
  return promise;
}

/** How late `count` alarms 2 ms apart ring: median and earliest, ms. */
function lateness({ count }: Order): Promise<{ median: number; earliest: number }> {
  const { promise, resolve } = Promise.withResolvers<{ median: number; earliest: number }>();
  const late: number[] = [];
  let due = monotonicMs() + 2;
  const alarm = new Alarm(() => {
    const now = monotonicMs();
    late.push(now - due);
    if (late.length < count) {
      due = now + 2;
      alarm.set(due);
      return;
    }
    alarm.close();
    late.sort((a, b) => a - b);
    setImmediate(resolve, { median: late[late.length >> 1]!, earliest: late[0]! });
  });
  alarm.set(due);
  return promise;
}

const commands: Record<string, (order: Order) => unknown> = {
  open,
  advertise,
  announce,
  sendFrame,
  watchClaims,
  echo,
  lateness,
  heard: () => datagrams.splice(0),
  claims: () => claims.splice(0),
  isBound: ({ family }) => sockets.get(family)!.isBound,
  rejoin: ({ family }) => sockets.get(family)!.rejoin(),
  schedule: ({ scheduling }) => ({ steps: applyScheduling(scheduling), realtime: isRealtime() }),
  runaway: () => {
    for (;;);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...order } = JSON.parse(line) as Order & { readonly command: string };
  process.stdout.write(`${JSON.stringify((await commands[command]!(order)) ?? null)}\n`);
}
process.exit(0);
