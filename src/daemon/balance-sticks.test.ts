import assert from "node:assert/strict";
import { test } from "node:test";
import type { StickRecord } from "../core/balance/stick-table.ts";
import { poolSettings } from "../../test/kit/pool-rig.ts";
import { STICKS_PER_MESSAGE, StickKeeper } from "./balance-sticks.ts";
import type { WorkerLink } from "./balance-hub.ts";
import type { StickEntries, ToWorker } from "./balance-protocol.ts";

const TABLE = { kind: "table", key: { of: "source" }, size: 200_000, ttlMs: 60_000 } as const;
const POOL = poolSettings([{}], { stickiness: TABLE });

function entries(count: number): StickRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `client${i}`,
    server: `web${(i % 3) + 1}`,
    leftMs: 60_000,
    ageMs: 0,
  }));
}

/** The part of a link that the keeper uses. */
function linkTo(pages: readonly (readonly StickEntries[])[]): {
  told: ToWorker[];
  link: WorkerLink;
} {
  const told: ToWorker[] = [];
  const link = {
    send: (message: ToWorker) => told.push(message) > 0,
    ask: ({ from }: { from: number }) =>
      Promise.resolve({ reply: { sticks: pages[from / STICKS_PER_MESSAGE] ?? [] } }),
  };
  return { told, link: link as unknown as WorkerLink };
}

function keysIn(told: readonly ToWorker[]): string[] {
  const messages = told.flatMap((message) => (message.type === "sticks" ? message.tables : []));
  return messages.flatMap((table) => table.entries.map(({ key }) => key));
}

test("more bindings than one message holds come to a new worker, each once", () => {
  const keeper = new StickKeeper();
  keeper.configure([POOL]);
  keeper.hear(0, [{ pool: "web", entries: entries(60_000) }]);
  const { told, link } = linkTo([]);
  keeper.tell(1000, link);
  assert.equal(told.length, 6);
  assert.equal(new Set(keysIn(told)).size, 60_000);
});

test("a new keeper learns from an older worker, page by page", async () => {
  const all = entries(25_000);
  const pages = [0, 1, 2].map((i) => [
    { pool: "web", entries: all.slice(i * STICKS_PER_MESSAGE, (i + 1) * STICKS_PER_MESSAGE) },
  ]);
  const keeper = new StickKeeper();
  keeper.configure([POOL]);
  await keeper.learn(() => 0, linkTo(pages).link);
  const { told, link } = linkTo([]);
  keeper.tell(0, link);
  assert.equal(new Set(keysIn(told)).size, 25_000);
});

test("what is over, and pools that are gone, are forgotten", () => {
  const keeper = new StickKeeper();
  keeper.configure([POOL]);
  keeper.hear(0, [
    { pool: "web", entries: entries(10) },
    { pool: "gone", entries: entries(10) },
  ]);
  const { told, link } = linkTo([]);
  keeper.tell(61_000, link);
  assert.deepEqual(keysIn(told), []);
  keeper.configure([]);
  keeper.tell(0, link);
  assert.deepEqual(keysIn(told), []);
});
