import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../lib/prng.ts";
import { Client } from "./client.ts";
import { EventQueue } from "./event-queue.ts";
import { Network } from "./network.ts";

const vip = "10.0.0.200";

function client(ageMs = 30_000): { queue: EventQueue; client: Client } {
  const queue = new EventQueue();
  const network = new Network(queue, new Prng(1), { delayMs: 1, jitterMs: 0 }, () => {});
  return { queue, client: new Client("c1", 0, { queue, network }, ageMs) };
}

test("an announcement updates an entry but never makes one", () => {
  const { client: c } = client();
  c.receive(0, 7, { kind: "announce", address: vip });
  assert.equal(c.cache.size, 0);
  c.receive(0, 7, { kind: "answer", address: vip });
  c.receive(0, 8, { kind: "announce", address: vip });
  assert.equal(c.cache.get(vip)?.station, 8);
});

test("of two answers to one question the first stands", () => {
  const { client: c } = client();
  c.receive(0, 7, { kind: "answer", address: vip });
  c.receive(0, 8, { kind: "answer", address: vip });
  assert.equal(c.cache.get(vip)?.station, 7);
});

test("an entry is believed until it has aged, however dead its owner is", () => {
  const { queue, client: c } = client(5000);
  c.receive(0, 0, { kind: "answer", address: vip });
  queue.at(4000, () => c.probe(vip));
  queue.at(6000, () => c.probe(vip));
  queue.runNext();
  assert.equal(c.cache.get(vip)?.station, 0);
  while (queue.now < 6000) queue.runNext();
  assert.equal(c.cache.size, 0);
});
