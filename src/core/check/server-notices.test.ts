import assert from "node:assert/strict";
import { test } from "node:test";
import { type NoticeOrder, type PoolNotices, ServerNotices } from "./server-notices.ts";

const command = (word: string): { readonly argv: readonly string[] } => ({ argv: [word] });

function pool(draft: Partial<PoolNotices> = {}): PoolNotices {
  const server = (name: string, weight: number): PoolNotices["servers"][number] => ({
    server: name,
    weight,
    startsDown: false,
    up: command(`${name} up`),
    down: command(`${name} down`),
  });
  const quorum = { weight: 3, hysteresis: 1, up: command("gained"), down: command("lost") };
  return { pool: "web", servers: [server("a", 3), server("b", 2)], quorum, atEnd: false, ...draft };
}

const words = (orders: readonly NoticeOrder[]): string[] =>
  orders.map((order) => ("line" in order ? order.line : order.command.argv[0]!));

test("only changes are told, each with the quorum that it brings or takes", () => {
  const notices = new ServerNotices();
  assert.deepEqual(words(notices.configure([pool()])), ["gained"]);
  assert.deepEqual(words(notices.heard("web/a", true)), []);
  assert.deepEqual(words(notices.heard("web/b", false)), ["b down"]);
  // 3 of 3 - 1: still enough; without a nothing is left.
  assert.deepEqual(words(notices.heard("web/a", false)), ["a down", "lost"]);
  assert.deepEqual(words(notices.heard("web/a", true)), ["a up"]);
  // 3 of 3 + 1 was not enough.
  assert.deepEqual(words(notices.heard("web/b", true)), ["b up", "gained"]);
  assert.deepEqual(words(notices.heard("web/stranger", false)), []);
});

test("who starts down is told when it comes up, and a reload tells nothing again", () => {
  const { servers } = pool();
  const draft = pool({ servers: servers.map((server) => ({ ...server, startsDown: true })) });
  const notices = new ServerNotices();
  assert.deepEqual(words(notices.configure([draft])), []);
  assert.deepEqual(words(notices.heard("web/a", true)), ["a up"]);
  assert.deepEqual(words(notices.configure([draft])), []);
  assert.deepEqual(words(notices.heard("web/b", true)), ["b up", "gained"]);
  // A pool that was away begins anew.
  assert.deepEqual(words(notices.configure([])), []);
  assert.deepEqual(words(notices.configure([pool()])), ["gained"]);
});

test("what an earlier process has told is not told again", () => {
  const notices = new ServerNotices();
  notices.remember("web/a", false);
  assert.deepEqual(words(notices.configure([pool()])), []);
  assert.deepEqual(words(notices.heard("web/a", false)), []);
  assert.deepEqual(words(notices.heard("web/a", true)), ["a up", "gained"]);
  const other = new ServerNotices();
  for (const subject of ["web/a", "web/b"]) other.remember(subject, true);
  assert.deepEqual(words(other.configure([pool(), pool({ pool: "new" })])), ["gained"]);
  assert.deepEqual(words(other.heard("web/a", false)), ["a down"]);
  assert.deepEqual(words(other.heard("web/b", false)), ["b down", "lost"]);
});

test("the end is told of those that are up, where it was asked for", () => {
  const notices = new ServerNotices();
  notices.configure([pool({ atEnd: true }), pool({ pool: "other" })]);
  notices.heard("web/b", false);
  assert.deepEqual(words(notices.end()), ["a down", "lost"]);
});

test("a FIFO gets a line of each change, whether or not a script is run for it", () => {
  const [vs, a, b] = ["[192.0.2.10]:tcp:80", "[10.0.0.1]:tcp:80", "[10.0.0.2]:tcp:80"];
  const server = (name: string, fifoName: string): PoolNotices["servers"][number] => ({
    server: name,
    fifoName,
    weight: 1,
    startsDown: false,
  });
  const quorum = { weight: 1, hysteresis: 0, down: command("lost") };
  const servers = [server("a", a), { ...server("b", b), up: command("b up") }];
  const draft = pool({ fifoName: vs, servers, quorum, atEnd: true });
  const notices = new ServerNotices();
  assert.deepEqual(words(notices.configure([draft])), [`VS ${vs} UP\n`]);
  assert.deepEqual(words(notices.heard("web/a", false)), [`RS ${a} ${vs} DOWN\n`]);
  assert.deepEqual(words(notices.heard("web/a", false)), []);
  assert.deepEqual(words(notices.heard("web/b", false)), [
    `RS ${b} ${vs} DOWN\n`,
    "lost",
    `VS ${vs} DOWN\n`,
  ]);
  assert.deepEqual(words(notices.heard("web/b", true)), [
    "b up",
    `RS ${b} ${vs} UP\n`,
    `VS ${vs} UP\n`,
  ]);
  assert.deepEqual(words(notices.end()), [`RS ${b} ${vs} DOWN\n`, "lost", `VS ${vs} DOWN\n`]);
});
