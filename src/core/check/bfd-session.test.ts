import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Prng } from "../../lib/prng.ts";
import type { BfdSettings } from "../vrrp/settings.ts";
import { type BfdPacket, readBfdPacket, writeBfdPacket } from "./bfd-packet.ts";
import { BfdSession } from "./bfd-session.ts";

const SETTINGS: BfdSettings = {
  name: "peer",
  neighbour: "192.0.2.2",
  minRxMs: 10,
  minTxMs: 10,
  idleTxMs: 1000,
  multiplier: 5,
  passive: false,
  ttl: 255,
  maxHops: 0,
  weight: 0,
  reverse: false,
};

const PACKET: BfdPacket = {
  diagnostic: 0,
  state: "Down",
  poll: false,
  final: false,
  demand: false,
  multiplier: 3,
  mine: 7,
  yours: 0,
  minTxUs: 20_000,
  minRxUs: 10_000,
};

/** Two sessions and a wire without delay between them. */
class Pair {
  now = 0;
  cut = false;
  readonly sent: { atMs: number; from: number; packet: BfdPacket }[] = [];
  readonly told: { atMs: number; by: number; ok: boolean; reason: string }[] = [];
  readonly sessions: BfdSession[];

  constructor(...settings: Partial<BfdSettings>[]) {
    this.sessions = settings.map(
      (own, i) => new BfdSession({ ...SETTINGS, ...own }, new Prng(i + 1), 0),
    );
  }

  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = Math.min(...this.sessions.map((one) => one.deadline));
      if (next > end) break;
      this.now = Math.max(this.now, next);
      const due = this.sessions.findIndex((one) => one.deadline <= this.now);
      this.step(due, { type: "woken" });
    }
    this.now = end;
  }

  step(index: number, input: Parameters<BfdSession["step"]>[1]): void {
    for (const action of this.sessions[index]!.step(this.now, input)) {
      if (action.type === "report-track") {
        this.told.push({ atMs: this.now, by: index, ok: action.ok, reason: action.reason });
      } else {
        this.sent.push({ atMs: this.now, from: index, packet: readBfdPacket(action.bytes)! });
        const other = 1 - index;
        const lost = this.cut || this.sessions[other] === undefined;
        if (!lost) this.step(other, { type: "packet-received", bytes: action.bytes, ttl: 255 });
      }
    }
  }

  says(index: number): string | undefined {
    return this.told.filter((one) => one.by === index).at(-1)?.reason;
  }
}

test("RFC 5880 4.1: what is written is read as the same", () => {
  for (const state of ["AdminDown", "Down", "Init", "Up"] as const) {
    const packet = { ...PACKET, state, yours: 9, poll: true, diagnostic: 3 };
    assert.deepEqual(readBfdPacket(writeBfdPacket(packet)), packet);
  }
});

test("RFC 5880 6.8.6: what has to be discarded is no packet", () => {
  const broken = (at: number, value: number): unknown => {
    const bytes = writeBfdPacket(PACKET);
    bytes[at] = value;
    return readBfdPacket(bytes);
  };
  assert.equal(broken(0, 0x40), undefined, "version 2");
  assert.equal(broken(1, 0x44), undefined, "authenticated");
  assert.equal(broken(1, 0x41), undefined, "multipoint");
  assert.equal(broken(1, 0xc0), undefined, "Up without knowing us");
  assert.equal(broken(2, 0), undefined, "no multiplier");
  assert.equal(broken(3, 23), undefined, "too short");
  assert.equal(broken(3, 25), undefined, "longer than what came");
  assert.equal(broken(7, 0), undefined, "no discriminator");
  assert.equal(readBfdPacket(writeBfdPacket(PACKET).subarray(0, 23)), undefined);
});

test("RFC 5880 6.2: two that hear each other are up, each is told once", () => {
  const pair = new Pair({}, {});
  pair.run(1100);
  const up = pair.told.filter(({ ok }) => ok).map(({ by }) => by);
  assert.deepEqual([up.length, new Set(up).size, pair.told.length], [2, 2, 2]);
  assert.equal(pair.says(0), "BFD session peer with 192.0.2.2 is up");
});

test("RFC 5880 6.8.7: up, the slower of both intervals counts, and up to a quarter less", () => {
  const pair = new Pair({ minTxMs: 10 }, { minRxMs: 40, minTxMs: 15 });
  pair.run(3000);
  const times = pair.sent.filter((s) => s.from === 0 && s.atMs > 1500).map((s) => s.atMs);
  const gaps = times.slice(1).map((at, i) => at - times[i]!);
  assert.ok(Math.max(...gaps) <= 40 && Math.min(...gaps) >= 30, `${Math.min(...gaps)}`);
});

test("RFC 5880 6.8.3: when the pace changes a poll asks for confirmation, and gets it once", () => {
  const pair = new Pair({}, {});
  pair.run(3000);
  const polls = pair.sent.filter(({ packet }) => packet.poll);
  const finals = pair.sent.filter(({ packet }) => packet.final);
  assert.ok(polls.length >= 2 && polls.length <= 4, `${polls.length} polls`);
  assert.equal(finals.length, polls.length);
  assert.ok(pair.sent.every(({ packet }) => !(packet.poll && packet.final)));
});

test("RFC 5880 6.8.4: silence for the neighbour's multiplier of the pace is down", () => {
  const pair = new Pair({}, { multiplier: 3, minTxMs: 20 });
  pair.run(3000);
  pair.cut = true;
  pair.run(61);
  const last = pair.told.filter(({ by }) => by === 0).at(-1)!;
  assert.equal(last.ok, false);
  assert.ok(last.atMs > 3000 + 40 && last.atMs <= 3060.1, `${last.atMs}`);
  assert.equal(last.reason, "BFD session peer with 192.0.2.2 is down: no packet for 60 ms");
  pair.cut = false;
  pair.run(2500);
  assert.equal(pair.says(0), "BFD session peer with 192.0.2.2 is up");
});

test("who was told Down by its neighbour goes down at once, and comes back by itself", () => {
  const pair = new Pair({}, {});
  pair.run(2000);
  pair.sessions[1] = new BfdSession(SETTINGS, new Prng(9), 2000);
  pair.run(1);
  assert.match(pair.told.find((one) => one.by === 0 && !one.ok)!.reason, /is down, says the neigh/);
  pair.run(2500);
  assert.match(pair.says(0)!, /is up$/);
});

test("a session that is taken away is told to the neighbour as switched off", () => {
  const pair = new Pair({}, {});
  pair.run(2000);
  pair.step(1, { type: "closed" });
  assert.match(pair.says(0)!, /was switched off there$/);
  assert.ok(pair.sent.some(({ from, packet }) => from === 1 && packet.state === "AdminDown"));
});

test("RFC 5881 5: what crossed a router is not believed, unless max_hops says how many may be", () => {
  for (const [maxHops, ttl, heard] of [
    [0, 255, true],
    [0, 254, false],
    [2, 253, true],
    [2, 252, false],
    [255, 1, true],
    [-1, 1, true],
  ] as const) {
    const session = new BfdSession({ ...SETTINGS, maxHops }, new Prng(1), 0);
    const bytes = writeBfdPacket(PACKET);
    const answers = session.step(0, { type: "packet-received", bytes, ttl });
    assert.equal(answers.length > 0, heard, `${maxHops} hops, TTL ${ttl}`);
  }
});

test("a passive session sends nothing before it is asked", () => {
  const alone = new Pair({ passive: true });
  alone.run(10_000);
  assert.equal(alone.sent.length, 0);
  const pair = new Pair({ passive: true }, {});
  pair.run(1500);
  assert.match(pair.says(0)!, /is up$/);
});

test("a neighbour that never answers is down after the first silence, not before", () => {
  const alone = new Pair({});
  alone.run(4999);
  assert.deepEqual(alone.told, []);
  alone.run(2);
  assert.equal(alone.says(0), "BFD session peer with 192.0.2.2 is not up: no answer yet");
});

test("a packet for another session changes nothing", () => {
  const pair = new Pair({}, {});
  pair.run(2000);
  const bytes = writeBfdPacket({ ...PACKET, state: "AdminDown", yours: 12_345 });
  pair.step(0, { type: "packet-received", bytes, ttl: 255 });
  assert.match(pair.says(0)!, /is up$/);
});

test("a neighbour that wants nothing periodic gets nothing periodic", () => {
  const pair = new Pair({});
  const bytes = writeBfdPacket({ ...PACKET, minRxUs: 0 });
  pair.step(0, { type: "packet-received", bytes, ttl: 255 });
  const before = pair.sent.length;
  pair.run(59);
  assert.equal(pair.sent.length, before);
});

test("no bytes make a session throw, and its deadline is never in the past for long", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), ms: fc.nat(50) })),
      fc.boolean(),
      (packets, sound) => {
        const session = new BfdSession(SETTINGS, new Prng(1), 0);
        let now = 0;
        for (const { bytes, ms } of packets) {
          now += ms;
          if (sound && bytes.length >= 24) bytes.set([0x20, bytes[1]! & 0xf8, 3, 24]);
          session.step(now, { type: "packet-received", bytes, ttl: 255 });
          if (session.deadline <= now) session.step(now, { type: "woken" });
          assert.ok(session.deadline > now);
        }
      },
    ),
  );
});
