import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { Traffic, COUNTERS } from "../core/proxy/traffic.ts";
import { trafficNumbers, type PoolServer, type PoolView } from "../daemon/balance-status.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { backend, idleText } from "./backend.ts";
import { serviceText } from "./balance.ts";
import { parseWeight } from "./balance-commands.ts";
import { askedRequest, explainRequest } from "./explain-request.ts";
import { apply } from "./apply.ts";
import { placeOf, plan } from "./plan.ts";
import { poolLines } from "./pool.ts";
import type { Terminal } from "./terminal.ts";
import { topLines } from "./top.ts";

const plain: Terminal = { out() {}, err() {}, color: false };

function numbers(requests: number, errors = 0): PoolServer["traffic"] {
  const traffic = new Traffic();
  traffic.add(COUNTERS.requests, requests);
  traffic.add(COUNTERS.timeouts, errors);
  return trafficNumbers(traffic, false);
}

function server(name: string, more: Partial<PoolServer>): PoolServer {
  return {
    name,
    endpoint: `10.0.0.1:80`,
    state: "up",
    reason: "check passed: status 200, 2 of 2",
    sinceMs: 61_000,
    usable: true,
    tier: 0,
    weight: 10,
    effectiveWeight: 10,
    active: 0,
    maxConnections: 0,
    latencyMs: 1.5,
    started: 0,
    failed: 0,
    ejections: 0,
    traffic: numbers(3),
    ...more,
  };
}

function pool(servers: readonly PoolServer[], more: Partial<PoolView> = {}): PoolView {
  const base = { algorithm: "two-choices", tier: 0, panic: false, waiting: 0, retryBalance: 1 };
  return { name: "shop", ...base, traffic: numbers(1), servers, ...more };
}

test("a pool is a table of servers with their states and why", () => {
  const check = { up: false, reason: "", latencyMs: 2, agoMs: 5 };
  const drain = { requests: 2, leftMs: 9000, text: "left: 2 requests, 9 s" };
  const servers = [
    server("web1", { effectiveWeight: 2.52, maxConnections: 50, active: 7 }),
    server("web2", { state: "down", usable: false, reason: "check failed: ECONNREFUSED", check }),
    server("web3", { state: "drain", usable: false, reason: "new kernel", drain, active: 2 }),
    server("web4", {
      state: "maint",
      usable: false,
      reason: "gone",
      drain: { ...drain, requests: 0 },
    }),
    server("web5", { state: "ejected", latencyMs: -1, seenBy: "1 of 2 workers" }),
  ];
  const lines = poolLines([pool(servers)], plain);
  assert.equal(lines[0], "shop  two-choices, 1 request, 0 retries");
  const cells = lines.slice(2).map((line) => line.split(/ {2,}/));
  assert.deepEqual(cells[0]?.slice(0, 5), [
    "web1 (10.0.0.1:80)",
    "up",
    "1m 01s",
    "10 (2.5 now)",
    "7/50",
  ]);
  assert.deepEqual(cells[1]?.slice(-2), ["failed in 2.00 ms", "check failed: ECONNREFUSED"]);
  assert.equal(cells[2]?.at(-1), "new kernel; left: 2 requests, 9 s");
  assert.equal(cells[3]?.at(-1), "gone");
  assert.equal(cells[4]?.at(-1), "check passed: status 200, 2 of 2; 1 of 2 workers");
});

test("who waits for a drain hears whether its deadline may have cut something", () => {
  const drained = (leftMs: number): PoolServer =>
    server("a", { state: "drain", drain: { requests: 0, leftMs, text: "" } });
  assert.equal(idleText(drained(0), true), "nothing is left; its deadline is over");
  assert.equal(idleText(drained(0), false), "nothing is left");
  assert.equal(idleText(drained(5000), true), "nothing is left");
});

test("a pool that nobody serves says so, and so do backups and panic", () => {
  const title = (more: object): string => poolLines([pool([server("a", {})], more)], plain)[0]!;
  assert.match(title({ tier: undefined }), /, nobody can serve$/);
  assert.match(title({ tier: 1, waiting: 4 }), /, 4 waiting, backups of tier 1 serve$/);
  assert.match(poolLines([pool([], { panic: true })], plain).at(-1)!, /^panic: /);
});

test("rates are differences over the time between two pictures", () => {
  const frontend = (requests: number) => ({
    name: "web",
    listening: [":80"],
    traffic: numbers(requests),
  });
  const status = (requests: number, errors: number) => ({
    workers: [],
    frontends: [frontend(requests)],
    pools: [pool([server("a", { traffic: numbers(requests, errors) })])],
  });
  const picture = { before: status(10, 0), now: status(40, 6), seconds: 2 };
  const lines = topLines(picture, "shop/a", plain);
  assert.equal(lines[0], "0 workers");
  assert.deepEqual(lines[3]?.split(/ {2,}/).slice(0, 6), ["web", ":80", "0", "0", "15", "0"]);
  assert.deepEqual(lines[6]?.split(/ {2,}/).slice(0, 6), ["> shop/a", "up", "10", "0", "15", "3"]);
});

test("a balancer without a file is a service of one frontend and one pool", () => {
  const common = { version: "1", realtime: true, console: true, runDir: "r", stateDir: "s" };
  const text = serviceText({
    ...common,
    listen: ":8080",
    servers: ["a:80"],
    check: "/health",
    workers: 2,
  });
  assert.deepEqual(JSON.parse(text), {
    workers: 2,
    frontends: { web: { listen: ":8080", pool: "web" } },
    pools: { web: { servers: ["a:80"], check: { http: "/health" } } },
  });
});

test("a request is asked about as it would be typed for curl", () => {
  const ask = (request: string, headers: readonly string[] = []): unknown =>
    askedRequest({ request, headers, source: "10.0.0.9", json: false });
  const stranger = { request: "http://a/", headers: [], source: "10.0.0", json: false };
  assert.equal(askedRequest(stranger), "'10.0.0' is no address of a client");
  assert.deepEqual(ask("POST http://a:8080/x?y", ["Cookie: a=b: c"]), {
    method: "POST",
    url: "http://a:8080/x?y",
    headers: [["Cookie", "a=b: c"]],
    source: "10.0.0.9",
  });
  assert.equal((ask("http://a/") as { method: string }).method, "GET");
  for (const other of ["/x", "ftp://a/", "http:///x", "http://[/路"])
    assert.match(String(ask(other)), /is no address of a request; write http:\/\/host\/path/);
  const urlOf = (request: string): string => (ask(request) as { url: string }).url;
  assert.equal(urlOf("http://例子.cn/路?问"), "http://xn--fsqu00a.cn/%E8%B7%AF?%E9%97%AE");
  assert.equal(urlOf("http://a/%2e%2e//x"), "http://a/%2e%2e//x");
  assert.match(String(ask("http://a/", ["Cookie"])), /Cookie/);
});

test("a request that no frontend takes fails for programs as it does for people", async () => {
  const nobody = { frontend: "", route: "", pool: "", server: "", lines: ["no frontend"] };
  const client = { explainRequest: async () => nobody } as unknown as ControlClient;
  const asked = { request: "http://a:81/", headers: [], source: "10.0.0.9" };
  for (const json of [false, true]) {
    assert.equal(await explainRequest(client, { ...asked, json }, plain), 1);
  }
});

test("a weight is a number that somebody wrote: an empty text takes no server out", () => {
  assert.deepEqual(["0", "256", "configured"].map(parseWeight), [0, 256, null]);
  for (const text of ["", " ", "257", "-1", "1.5", "0x10", "1e2"]) {
    assert.throws(() => parseWeight(text), /from 0 to 256/, text);
  }
});

test("an order that the next start will have forgotten says so", async () => {
  const said: string[] = [];
  const terminal = { ...plain, err: (text: string) => void said.push(text) };
  const unkept = "it counts now, but cannot be kept (ENOSPC)";
  const client = { order: async () => ({ done: true, unkept }) } as unknown as ControlClient;
  const order = { server: "shop/web1", weight: 3 };
  assert.equal(await backend(client, { order, wait: false }, terminal), 0);
  assert.deepEqual(said, [`nines: ${unkept}`]);
});

test("who waits for a drain that somebody else takes back does not wait for ever", async () => {
  const said: string[] = [];
  const terminal = { ...plain, err: (text: string) => void said.push(text) };
  const drain = { requests: 3, leftMs: 9000, text: "left: 3 requests, 9 s" };
  const looks = [{ state: "drain", usable: true, drain } as const, {}, {}];
  const client = {
    order: async () => ({ done: true }),
    balance: async () => ({ pools: [pool([server("web1", { active: 3, ...looks.shift() })])] }),
  } as unknown as ControlClient;
  const order = { server: "shop/web1", state: "drain" } as const;
  assert.equal(await backend(client, { order, wait: true }, terminal), 1);
  assert.deepEqual(said, ["nines: shop/web1 is up: somebody took the order back"]);
});

test("a file that only this process has is not named to the node, which would read another", async () => {
  const said: string[] = [];
  const terminal = { ...plain, err: (text: string) => void said.push(text) };
  const nobody = {} as ControlClient;
  assert.equal(await plan(nobody, { file: "/dev/null", json: false }, terminal), 2);
  assert.equal(await apply(nobody, { file: "/dev/null" }, terminal), 2);
  assert.match(said.join("\n"), /\/dev\/null is no file on disk .*\n.* write it to one/);
  assert.equal(placeOf("nines.yaml", plain), resolve("nines.yaml"));
});
