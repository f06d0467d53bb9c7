import assert from "node:assert/strict";
import { test } from "node:test";
import { BalanceNews } from "./balance-news.ts";
import type { WorkerStatus } from "./balance-status.ts";
import { unknownServer } from "./balance-resolve.ts";
import { eventLine, type EventDraft } from "./event-log.ts";

const [A, B] = [{ pid: 1 }, { pid: 2 }];

function event(kind: EventDraft["kind"], reason: string, instance = "web/a"): EventDraft {
  return { source: "balance", level: "info", kind, instance, reason };
}

test("what several workers tell is told once", () => {
  const news = new BalanceNews();
  const drain = event("server-drain-started", "disk");
  assert.ok(news.isNews(drain, A));
  assert.ok(!news.isNews(drain, B));
  assert.ok(news.isNews(event("server-drain-started", "disk", "web/b"), A));
});

test("a state that lasts is news when it changes, whatever a fresh worker says of it", () => {
  const news = new BalanceNews();
  assert.ok(news.isNews(event("server-down", "check failed: 2 of 2"), A));
  assert.ok(!news.isNews(event("server-down", "check failed: 9 of 2"), A));
  assert.ok(news.isNews(event("server-up", "check passed"), A));
  assert.ok(news.isNews(event("server-down", "check failed: 3 of 2"), A));
  assert.ok(news.isNews(event("server-tier", "no server can serve", "web"), A));
  assert.ok(!news.isNews(event("server-tier", "no server can serve", "web"), A));
});

test("a new control process tells no health that an earlier one told", () => {
  const news = new BalanceNews();
  const server = (name: string, state: string): object => ({ name, state });
  const servers = [server("a", "up"), server("b", "down"), server("c", "drain")];
  const pools = [{ name: "web", servers }] as unknown as WorkerStatus["pools"];
  assert.ok(news.isNews(event("server-down", "check failed: 2 of 2"), A));
  news.knowsHealth([{ pools } as WorkerStatus]);
  // That was news since it had asked.
  assert.ok(!news.isNews(event("server-down", "check failed: 2 of 2"), A));
  assert.ok(!news.isNews(event("server-down", "check failed: 1 of 2", "web/b"), A));
  assert.ok(news.isNews(event("server-up", "check passed", "web/b"), A));
  assert.ok(news.isNews(event("server-up", "check passed", "web/c"), A));
});

test("a server that fails twice in a moment is told twice, by however many workers", () => {
  const down = event("server-down", "check failed: 2 of 2");
  const up = event("server-up", "check passed: 2 of 2");
  const changes = [down, up, down, up];
  const told = (words: readonly (readonly [EventDraft, object])[]): string[] => {
    const news = new BalanceNews();
    return words.flatMap(([word, by]) => (news.isNews(word, by) ? [word.kind] : []));
  };
  const all = changes.map(({ kind }) => kind);
  assert.deepEqual(told(changes.map((word) => [word, A])), all);
  assert.deepEqual(told(changes.flatMap((word) => [[word, A] as const, [word, B] as const])), all);
  // B says everything late.
  const late = [down, up].map((word) => [word, A] as const);
  const echo = [down, up].map((word) => [word, B] as const);
  assert.deepEqual(told([...late, ...echo, ...late, ...echo]), all);
});

test("all that happens to a server within a moment is told, whichever worker tells it", () => {
  const heard = (words: readonly (readonly [EventDraft, object])[]): string[] => {
    const news = new BalanceNews();
    const isTold = ([word, by]: readonly [EventDraft, object]): boolean =>
      news.isWhole(word, by, [A, B]) && news.isNews(word, by);
    return words.filter(isTold).map(([{ kind }]) => kind.replace("server-", ""));
  };
  const out = event("server-ejected", "5 errors in a row; out for 60 s");
  const back = event("server-returned", "no other server is usable");
  const ejections = [[out, A] as const, [back, A] as const, [out, B] as const, [back, A] as const];
  assert.deepEqual(heard(ejections), ["ejected", "returned", "ejected", "returned"]);

  const words = [
    event("server-drain-started", "disk"),
    event("server-drained", "no request left"),
    event("server-ready", "done"),
  ];
  const once = ["drain-started", "drained", "ready"];
  const both = words.flatMap((word) => [[word, A] as const, [word, B] as const]);
  // The second time it is the other worker that has a request left.
  const other = words.flatMap((word) => {
    const last = word.kind === "server-drained" ? A : B;
    return [[word, last === A ? B : A] as const, [word, last] as const];
  });
  assert.deepEqual(heard([...both, ...other]), [...once, ...once]);
});

test("a fresh worker's word of old orders is no news, however late it comes", () => {
  let now = 0;
  const news = new BalanceNews(() => now);
  const isTold = (worker: object, kind: EventDraft["kind"], reason: string): boolean =>
    news.isNews(event(kind, reason), worker);
  assert.ok(isTold(A, "server-weight", "1 -> 5"));
  assert.ok(isTold(A, "server-weight", "5 -> 7"));
  assert.ok(isTold(A, "server-weight", "100 % -> 50 %, says its check"));
  assert.ok(isTold(A, "server-drain-started", "disk"));
  assert.ok(isTold(A, "server-drained", "no request left"));
  now = 86_400_000;
  const fresh = [
    ["server-weight", "1 -> 7"],
    ["server-weight", "100 % -> 50 %, says its check"],
    ["server-drain-started", "disk"],
    ["server-drained", "no request left"],
  ] as const;
  for (const [kind, reason] of fresh) assert.ok(!isTold(B, kind, reason), reason);
  assert.ok(isTold(B, "server-weight", "7 -> 1"));
  assert.ok(isTold(B, "server-maint", "disk"));
  assert.ok(isTold(B, "server-drained", "no request left"));
});

test("orders of workers that outlive the control process are no news of fresh ones either", () => {
  const news = new BalanceNews();
  const admin = { state: "drain", reason: "disk" } as const;
  news.knows([{ pool: "web", servers: [{ server: "a", admin, weight: 7 }] }]);
  assert.ok(!news.isNews(event("server-drain-started", "disk"), A));
  assert.ok(!news.isNews(event("server-weight", "1 -> 7"), A));
  assert.ok(news.isNews(event("server-ready", "done"), A));
  assert.ok(news.isNews(event("server-weight", "7 -> 1"), A));
});

test("a server that went and came back is news again", () => {
  const news = new BalanceNews();
  assert.ok(news.isNews(event("server-up", "check passed: 1 of 2"), A));
  news.forget((instance) => instance === "web");
  assert.ok(news.isNews(event("server-up", "check passed: 2 of 2"), A));
});

test("an event of a server says what happened to it", () => {
  const time = new Date(2026, 10, 21, 4, 1, 2, 3).toISOString();
  const line = eventLine({ seq: 1, time, monoMs: 0, ...event("server-down", "check failed") });
  assert.equal(line, "04:01:02.003 web/a down: check failed");
});

test("who mistypes a server is told which one was meant, or some that there are", () => {
  const known = Array.from({ length: 20 }, (_, i) => `shop/web-server-${i}`);
  const says = (name: string): string => unknownServer(name, known);
  assert.match(says("shop/web-sever-3"), /did you mean 'shop\/web-server-3'\?$/);
  assert.match(says("web-server-12"), /did you mean 'shop\/web-server-12'\?$/);
  assert.match(says("x"), /there are: shop\/web-server-0, .*, \.\.\. \(20 in all: nines pool\)$/);
  assert.match(unknownServer("x", []), /there are: none$/);
});

test("a server is drained when the last worker has no request of it left", () => {
  const news = new BalanceNews();
  const workers = [{ pid: 1 }, { pid: 2 }] as const;
  const started = event("server-drain-started", "disk");
  const drained = event("server-drained", "no request left");
  for (const worker of workers) assert.ok(news.isWhole(started, worker, workers));
  assert.ok(!news.isWhole(drained, workers[0], workers));
  assert.ok(news.isWhole(drained, workers[1], workers));
  for (const worker of workers) news.isWhole(started, worker, workers);
  assert.ok(!news.isWhole(drained, workers[1], workers), "the second drain is another one");
});

test("the only worker left speaks for all", () => {
  const news = new BalanceNews();
  const worker = { pid: 1 };
  assert.ok(news.isWhole(event("server-drained", "no request left"), worker, [worker]));
});
