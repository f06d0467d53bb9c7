/** Nines between mutated requests and nginx, HAProxy and node:http, all in one host of the lab. */

import { text } from "node:stream/consumers";
import type { Host } from "../../src/lab/host.ts";
import { untilListening } from "../../src/lab/listening.ts";
import { startHaproxy } from "../../src/lab/peers/haproxy.ts";
import { nginxConf, startNginx } from "../../src/lab/peers/nginx.ts";
import { startBalancer } from "../../src/lab/peers/nines.ts";
import { pause } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";
import {
  type Counted,
  type Forwarded,
  type Heard,
  judge,
  type Verdict,
} from "./http-fuzz-judge.ts";

const PLAN = {
  name: "fuzz",
  segments: ["lan"],
  hosts: { all: { eth0: { segment: "lan", address: ["10.80.0.1/24"] } } },
} as const;

const PROGRAMS = `${import.meta.dirname}/../lab/programs`;
/** What the access log and the servers' logs still hold back. */
const SETTLE_MS = 3000;

/** Each frontend leads to one kind of server. One attempt each, so that ids are counted once. */
const YAML = `
frontends:
${["nginx", "haproxy", "node"]
  .map(
    (name, i) => `  ${name}:
    listen: ":${8001 + i}"
    pool: ${name}
    request_id: x-fuzz-id
    access_log: { format: json, file: /run/access.log }
    timeouts: { head: 5s, body: 5s }
`,
  )
  .join("")}
pools:
${["nginx", "haproxy", "node"]
  .map(
    (name, i) => `  ${name}:
    servers: ["127.0.0.1:${9001 + i}"]
    retry: 0
    outlier: false
    timeouts: { response: 5s }
`,
  )
  .join("")}
`;

export interface FuzzRun {
  readonly mutated: number;
  readonly connections: number;
  readonly seconds: number;
  readonly verdict: Verdict;
}

export async function fuzzHttp(count: number, seed: number): Promise<FuzzRun> {
  let run: FuzzRun | undefined;
  await withWorld(PLAN, async (world) => {
    run = await play(world.host("all"), count, seed);
  });
  return run!;
}

async function play(host: Host, count: number, seed: number): Promise<FuzzRun> {
  await startNginx(host, nginxConf(host, NGINX));
  const haproxy = await startHaproxy(host, 9002, HAPROXY);
  const program = [process.execPath, `${PROGRAMS}/http-count.ts`, "9003", "/run/node.log"];
  await untilListening(await host.start(program, { name: "count" }), 9003);
  await startBalancer(host, ["run", "-f", host.write("/run/nines.yaml", YAML)]);
  const start = performance.now();
  const words = [String(count), String(seed), "/run/heard.log", "8001", "8002", "8003"];
  const argv = [process.execPath, `${PROGRAMS}/http-fuzz.ts`, ...words];
  const driver = await host.start(argv, { name: "fuzz", talk: true });
  const said = await text(driver.stdout!);
  if (said === "") throw new Error(`the fuzzer ended: ${driver.log}`);
  const seconds = (performance.now() - start) / 1000;
  await pause(SETTLE_MS);
  const { sent, connections } = JSON.parse(said) as { sent: number; connections: number };
  const verdict = judge({
    forwarded: lines<Forwarded>(host.read("/run/access.log")),
    heard: lines<Heard>(host.read("/run/heard.log")),
    counted: {
      nginx: lines<Counted>(host.read("/run/nginx/fuzz.log")),
      haproxy: lines<Counted>(haproxy.log),
      node: lines<Counted>(host.read("/run/node.log")),
    },
  });
  return { mutated: sent, connections, seconds, verdict };
}

/** Whatever is no JSON is something else's message. */
function lines<T>(log: string): T[] {
  return log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as T);
}

const NGINX = `
  log_format fuzz escape=json '{"id":"$http_x_fuzz_id","on":"$connection","status":$status}';
  server {
    listen 9001;
    access_log /run/nginx/fuzz.log fuzz;
    location / { add_header x-seen $http_x_fuzz_id always; return 200; }
  }
`;

/** One thread: of two that log at the same moment one may lose its line. */
const HAPROXY = `
global
  nbthread 1
frontend count
  bind :9002
  log stdout format raw local0
  option dontlognull
  log-format "{\\"id\\":\\"%[var(txn.id)]\\",\\"on\\":\\"%cp-%[var(sess.at)]\\",\\"status\\":%ST}"
  tcp-request connection set-var(sess.at) date(0,us)
  http-request set-var(txn.id) req.hdr(x-fuzz-id)
  http-request wait-for-body time 2s
  http-request return status 200 hdr x-seen "%[var(txn.id)]"
`;
