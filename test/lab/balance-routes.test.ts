/** What routes and pools can do to a request besides passing it on, seen by curl with nginx behind. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import type { NinesPeer } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { curl, LB, run, untilState, withStage } from "./balance-kit.ts";

const TOLD = `
  server {
    listen 81;
    location / {
      default_type text/plain;
      add_header X-Powered-By nginx;
      return 200 "$hostname $request_uri $http_x_new [$http_x_old] $http_degraded\\n";
    }
  }`;

/** Three to four seconds of it. */
const SLOW = `
  server {
    listen 90;
    location / { limit_rate 1000; root /run; try_files /slow =404; }
  }`;
const SLOW_BYTES = 4000;

const YAML = `
frontends:
  web:
    listen: ":8080"
    shedding: { max_in_flight: 4, start: { low: 50, normal: 75, high: 100 }, degraded_header: degraded }
    routes:
      - { path: /old/*, redirect: { location: "https://\${host}/new\${search}", status: 301 } }
      - { path: /said, respond: { status: 410, body: gone } }
      - { path: /api/*, rewrite: { prefix: /api/, to: /v2/ }, pool: first }
      - path: /edited
        pool: first
        request_headers: { remove: x-old, set: { x-new: "by \${host}" } }
        response_headers: { remove: x-powered-by, set: { x-frame-options: DENY } }
      - { path: /who, cookies: { who: tester }, pool: second }
      - { path: /who, query: { who: tester }, pool: second }
      - { path: /who, headers: { x-who: tester }, pool: second }
      - { path: /who, method: DELETE, pool: second }
      - { path: /who, source: 10.80.0.10, pool: second }
      - { path: /who, pool: first }
      - { path: /canary, pools: { first: 75, second: 25 } }
      - { path: /aborted, fault: { abort: { percent: 100, status: 418 } }, pool: first }
      - { path: /delayed, fault: { delay: { percent: 100, time: 400ms } }, pool: first }
      - { path: /narrow, pool: narrow }
      - { path: /nobody, pool: nobody }
      - { path: /half, pool: half }
      - { path: /slow, pool: slow, priority: critical }
      - { path: /low, pool: first, priority: low }
      - { path: /high, pool: first, priority: high }
pools:
  first: { servers: ["10.80.0.1:81"], check: { tcp: true } }
  second: { servers: ["10.80.0.2:81"], check: { tcp: true } }
  narrow:
    servers: [{ name: slow, address: "10.80.0.3:90", max_connections: 1 }]
    queue: { limit: 1, timeout: 20s }
  slow: { servers: ["10.80.0.3:90"] }
  nobody:
    servers: [{ name: none, address: "10.80.0.1:82" }]
    check: { tcp: true, every: 100ms, fall: 1 }
    sorry: { status: 503, body: "back soon" }
  # One of them refuses connections, and no check says so.
  half: { servers: ["10.80.0.1:81", "10.80.0.1:82"], outlier: false, balance: round-robin }
`;

type Get = (path: string, ...words: string[]) => Promise<string>;

function getter(host: Host): Get {
  return async (path, ...words) => {
    const figures = ["--max-time", "30", "-w", " %{http_code}", ...words];
    const said = await curl(host, ...figures, `http://${LB}:8080${path}`);
    return said.replaceAll(/\s+/gu, " ").trim();
  };
}

async function routes(get: Get, lb: Host): Promise<void> {
  const moved = await get("/old/x?y=1", "-o", "/dev/null", "-w", "%{redirect_url}");
  assert.equal(moved, `https://${LB}/new?y=1`);
  assert.equal(await get("/said"), "gone 410");
  assert.match(await get("/api/x?y=1"), /^web1 \/v2\/x\?y=1 /);
  const edited = await get("/edited", "-i", "-H", "X-Old: yes");
  assert.match(edited, new RegExp(`web1 /edited by ${LB} \\[\\] `));
  assert.match(edited, /x-frame-options: DENY/i);
  assert.doesNotMatch(edited, /x-powered-by/i);
  assert.match(await get("/who"), /^web1 /);
  const ways = [
    ["-b", "who=tester"],
    ["-H", "X-Who: tester"],
    ["-X", "DELETE"],
  ];
  for (const words of ways) assert.match(await get("/who", ...words), /^web2 /);
  assert.match(await get("/who?who=tester"), /^web2 /);
  assert.match(await getter(lb)("/who"), /^web2 /);
}

/** A quarter is meant to go to the second, and whoever asks again stays where he was. */
async function splits(get: Get, client: Host): Promise<void> {
  const sources = Array.from({ length: 40 }, (_, i) => `10.80.0.${100 + i}`);
  await client.ip(...sources.map((source) => `addr add ${source}/24 dev eth0`));
  const all: string[] = [];
  for (const source of sources) {
    const twice = await get("/canary?[1-2]", "--interface", source);
    const names = new Set(twice.match(/web\d/g));
    assert.equal(names.size, 1, twice);
    all.push(...names);
  }
  const share = all.filter((name) => name === "web2").length;
  assert.ok(share >= 3 && share <= 20, `${share} of 40`);
}

async function troubles(get: Get, peer: NinesPeer): Promise<void> {
  assert.match(await get("/aborted"), /418$/);
  const delayed = await get("/delayed", "-w", " %{time_total}");
  assert.ok(Number(delayed.split(" ").at(-1)) >= 0.4, delayed);
  // Nothing was sent to the server that refuses, so a POST may go to the other one, too.
  const both = [await get("/half?[1-20]"), await get("/half?[1-20]", "-d", "order")];
  for (const all of both) assert.equal(all.split(" 200").length, 21, all);
  await untilState(peer, "nobody/none", "down");
  assert.equal(await get("/nobody"), "back soon 503");

  // One is being served, one waits, and a third is one too many.
  const three = [get("/narrow"), get("/narrow"), get("/narrow")].map((one) => one.then(statusOf));
  assert.deepEqual((await Promise.all(three)).toSorted(), ["200", "200", "503"]);
}

const statusOf = (answer: string): string => answer.slice(-3);

async function sheds(get: Get): Promise<void> {
  const calm = await get("/high");
  assert.match(calm, /^web1 \/high \[\] 200$/);
  const two = [get("/slow"), get("/slow")];
  await waitFor(async () => statusOf(await get("/low")) === "503", 4000, "low to be refused");
  const high = await get("/high");
  assert.match(high, /^web1 \/high \[\] \S+ 200$/, "applications are told");
  const four = [...two, get("/slow"), get("/slow")];
  await waitFor(async () => statusOf(await get("/high")) === "503", 4000, "high to be refused");
  assert.equal(statusOf(await get("/slow")), "200");
  assert.deepEqual((await Promise.all(four)).map(statusOf), ["200", "200", "200", "200"]);
  assert.equal(await get("/low"), "web1 /low [] 200");
}

test("routes change, answer, split, spoil and refuse requests; pools queue, retry and apologise", async () => {
  await withStage(async ({ world, lb, client }) => {
    for (const name of ["web1", "web2"]) {
      const web = world.host(name);
      await startNginx(web, nginxConf(web, TOLD.replace("$hostname", name)));
    }
    const slow = world.host("web3");
    slow.write("/run/slow", "x".repeat(SLOW_BYTES));
    await startNginx(slow, nginxConf(slow, SLOW));
    const peer = await run(lb, YAML);
    const get = getter(client);
    await routes(get, lb);
    await splits(get, client);
    await troubles(get, peer);
    await sheds(get);
  });
});
