import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../lib/prng.ts";
import { EventQueue } from "./event-queue.ts";
import { Network, type DatagramFrame, type Frame, type Station } from "./network.ts";

interface Listener extends Station {
  readonly heard: { readonly atMs: number; readonly frame: Frame }[];
  up: boolean;
}

const advert: DatagramFrame = {
  kind: "datagram",
  family: "ipv4",
  protocol: 112,
  source: "10.0.0.1",
  destination: "224.0.0.18",
  ttl: 255,
  payload: new Uint8Array(8),
};
const announce: Frame = { kind: "announce", address: "10.0.0.200" };

function segment(jitterMs = 0): { queue: EventQueue; network: Network; stations: Listener[] } {
  const queue = new EventQueue();
  const network = new Network(queue, new Prng(1), { delayMs: 1, jitterMs }, () => {});
  const stations = [1, 2, 3].map((n): Listener => {
    const heard: Listener["heard"] = [];
    return {
      name: `s${n}`,
      heard,
      up: true,
      linked() {
        return this.up;
      },
      owns: (_, address) => address === `10.0.0.${n}`,
      receive: (_, __, frame) => heard.push({ atMs: queue.now, frame }),
    };
  });
  for (const station of stations) network.join(station);
  return { queue, network, stations };
}

function counts(stations: readonly Listener[]): number[] {
  return stations.map((station) => station.heard.length);
}

test("a broadcast reaches everybody but the sender, one delay later", () => {
  const { queue, network, stations } = segment();
  network.broadcast(0, 0, announce);
  while (queue.runNext());
  assert.deepEqual(counts(stations), [0, 1, 1]);
  assert.equal(stations[1]!.heard[0]!.atMs, 1);
});

test("a unicast datagram reaches the owner of the address alone", () => {
  const { queue, network, stations } = segment();
  network.unicast(0, 0, { ...advert, destination: "10.0.0.3" });
  while (queue.runNext());
  assert.deepEqual(counts(stations), [0, 0, 1]);
});

test("a cut in one direction leaves the other open and is remembered as a loss", () => {
  const { queue, network, stations } = segment();
  network.link(0, 0, 1).cuts++;
  network.broadcast(0, 0, announce);
  network.broadcast(0, 1, announce);
  while (queue.runNext());
  assert.deepEqual(counts(stations), [1, 0, 2]);
  assert.equal(network.link(0, 0, 1).lastLossMs, 0);
  assert.equal(network.link(0, 1, 0).lastLossMs, -Infinity);
});

test("a frame under way is lost when the link is cut before it arrives", () => {
  const { queue, network, stations } = segment();
  network.broadcast(0, 0, announce);
  network.link(0, 0, 1).cuts++;
  while (queue.runNext());
  assert.deepEqual(counts(stations), [0, 0, 1]);
});

test("blocked multicast stops adverts and lets neighbour frames pass", () => {
  const { queue, network, stations } = segment();
  network.link(0, 0, 1).multicastCuts++;
  network.broadcast(0, 0, advert);
  network.broadcast(0, 0, announce);
  while (queue.runNext());
  assert.deepEqual(counts(stations), [0, 1, 2]);
});

test("without carrier nothing is sent and nothing arrives", () => {
  const { queue, network, stations } = segment();
  stations[1]!.up = false;
  network.broadcast(0, 0, announce);
  network.broadcast(0, 1, announce);
  while (queue.runNext());
  assert.deepEqual(counts(stations), [0, 0, 1]);
});

test("loss and duplication happen about as often as told", () => {
  const { queue, network, stations } = segment();
  network.link(0, 0, 1).loss = 0.5;
  network.link(0, 0, 2).duplicate = 0.5;
  for (let i = 0; i < 1000; i++) network.broadcast(0, 0, announce);
  while (queue.runNext());
  const [, lossy, doubled] = counts(stations);
  assert.ok(lossy! > 440 && lossy! < 560, `${lossy} of 1000 arrived`);
  assert.ok(doubled! > 1440 && doubled! < 1560, `${doubled} arrived for 1000`);
});

test("jitter reorders frames", () => {
  const { queue, network, stations } = segment(10);
  for (let i = 0; i < 20; i++) {
    queue.at(i, () => network.broadcast(0, 0, { kind: "announce", address: String(i) }));
  }
  while (queue.runNext());
  const order = stations[1]!.heard.map(({ frame }) => (frame as { address: string }).address);
  assert.equal(order.length, 20);
  assert.notDeepEqual(
    order,
    order.toSorted((a, b) => Number(a) - Number(b)),
  );
});
