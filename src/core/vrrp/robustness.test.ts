/**
 * What nobody should believe changes nothing: neither state, priority, timer nor learned interval,
 * and only the counter of its reason grows. RFC 9568 section 7.1.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { targets } from "../../../test/kit/packet-mutants.ts";
import { Listener } from "../../../test/kit/vrrp-listener.ts";
import { wireVectors, type WireVector } from "../../../test/kit/vrrp-vectors.ts";
import type { ReceivedDatagram } from "./router-ports.ts";

/** More of the same run by `npm run fuzz`. */
const MUTANTS = 200_000;

/** A backup that has heard its master. */
function listener(vector: WireVector): Listener {
  const ours = new Listener(vector.settings, vector.wallMs);
  assert.equal(ours.hear(vector.datagram), undefined);
  return ours;
}

function rejectedSoFar(ours: Listener): number {
  const counts = Object.values(ours.router.status(ours.now).rejected);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Shows all mutants to one listener: each is counted once, by a reason, and nothing else moves. */
function shrugsOff(vector: WireVector, mutants: readonly ReceivedDatagram[]): void {
  const ours = listener(vector);
  const before = ours.account;
  const heard = ours.status.counters.advertsReceived;
  for (const [i, mutant] of mutants.entries()) {
    assert.notEqual(ours.hear(mutant), undefined, `mutant ${i}: ${mutant.payload.toHex()}`);
    assert.equal(rejectedSoFar(ours), i + 1);
  }
  assert.equal(ours.account, before);
  assert.equal(ours.status.counters.advertsReceived, heard);
}

for (const vector of wireVectors) {
  const { datagram, name } = vector;

  test(`every truncation is shrugged off: ${name}`, () => {
    const lengths = Array.from(datagram.payload.keys());
    shrugsOff(
      vector,
      lengths.map((length) => ({ ...datagram, payload: datagram.payload.slice(0, length) })),
    );
  });

  test(`every flipped bit is shrugged off: ${name}`, () => {
    const mutants: ReceivedDatagram[] = [];
    for (let bit = 0; bit < datagram.payload.length * 8; bit++) {
      const payload = datagram.payload.slice();
      payload[bit >> 3]! ^= 1 << (bit & 7);
      mutants.push({ ...datagram, payload });
    }
    shrugsOff(vector, mutants);
  });

  test(`every flipped bit of a signed IP header that routers leave alone is seen: ${name}`, () => {
    const { ipHeader } = datagram;
    if (ipHeader === undefined) return;
    const mutable = new Set([1, 6, 7, 10, 11]);
    if (vector.settings.transport.kind === "unicast") mutable.add(8);
    const mutants: ReceivedDatagram[] = [];
    for (let bit = 0; bit < ipHeader.length * 8; bit++) {
      if (mutable.has(bit >> 3)) continue;
      const header = ipHeader.slice();
      header[bit >> 3]! ^= 1 << (bit & 7);
      mutants.push({ ...datagram, ipHeader: header });
    }
    shrugsOff(vector, mutants);
  });
}

test(`${MUTANTS} mutants change nothing in backups and masters`, () => {
  const all = targets(51);
  const before = all.map((t) => t.listener.account);
  for (let i = 0; i < MUTANTS; i++) all[i % all.length]!.attack();
  for (const [i, target] of all.entries()) assert.equal(target.listener.account, before[i]);
});

test("a storm of bad packets is told of once a minute for each reason", () => {
  const vector = wireVectors[0]!;
  const ours = listener(vector);
  const bad = { ...vector.datagram, ttl: 254 };
  let told = 0;
  for (let i = 0; i < 1000; i++) {
    told += ours.give(bad).filter((a) => a.type === "report").length;
    ours.pass(100);
  }
  assert.equal(told, 2);
  assert.equal(ours.router.status(0).rejected["wrong-ttl"], 1000);
});
