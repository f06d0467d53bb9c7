/** A limit is one limit, however many workers there are. */

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { signal } from "../../src/lab/process-table.ts";
import { balanceOf, LB, Load, run, withStage } from "./balance-kit.ts";

const RATE = 40;
const WORKERS = 3;
const SECONDS = 6;

const YAML = `
workers: ${WORKERS}
frontends:
  web:
    listen: ":8080"
    routes:
      - { pool: web, rate_limit: { rate: ${RATE}/s, burst: ${RATE} } }
pools:
  web: { servers: ["10.80.0.1:80"] }
`;

test("three workers together let through what one limit allows, from the first request on", async () => {
  await withStage(async ({ world, lb }) => {
    await startNginx(world.host("web1"));
    const peer = await run(lb, YAML);
    const startedMs = performance.now();
    const load = await Load.start(world, 8080, 32);
    await pause(SECONDS * 1000);
    const { bodies } = await load.stop();
    const seconds = (performance.now() - startedMs) / 1000;
    const good = bodies["web1"] ?? 0;
    const most = RATE + RATE * seconds + 1;
    assert.ok(good <= most, `${good} of at most ${most} in ${seconds} s`);
    // Without telling each other it would be three times the rate.
    assert.ok(good >= RATE * (SECONDS - 2), `only ${good}`);
    const metrics = await peer.nines("metrics");
    assert.match(metrics, /^nines_frontend_refused_total\{frontend="web",reason="rate"\} [1-9]/m);
  });
});

const CLIENTS = 8;

const crowdYaml = (limit: string): string => `
workers: ${WORKERS}
frontends:
  web: { listen: ":8080", pool: web, limits: { ${limit}: ${CLIENTS} } }
pools:
  web: { servers: ["10.80.0.1:80"] }
`;

/** All connect at once, ask once and stay; says how many were answered and are still there. */
const CROWD = `
import { connect } from "node:net";
const [count, address, port] = process.argv.slice(1);
let inside = 0;
for (let i = 0; i < count; i++) {
  const socket = connect(Number(port), address);
  socket.on("error", () => {});
  socket.once("data", () => inside++);
  socket.write("GET / HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n");
}
await new Promise((resolve) => setTimeout(resolve, 1500));
console.log(inside);
await new Promise((resolve) => process.stdin.once("end", resolve).resume());
process.exit(0);
`;

for (const limit of ["connections", "connections_per_source"]) {
  test(`three workers together let in as many clients as ${limit} allows`, () => crowds(limit));
}

async function crowds(limit: string): Promise<void> {
  await withStage(async ({ world, lb, client }) => {
    await startNginx(world.host("web1"));
    const peer = await run(lb, crowdYaml(limit));
    const crowd = async (count: number): Promise<{ inside: number; leave: () => void }> => {
      const words = ["--input-type=module", "-e", CROWD, String(count), LB, "8080"];
      const argv = [process.execPath, ...words];
      const program = await client.start(argv, { name: "crowd", talk: true });
      const line = createInterface(program.stdout!)[Symbol.asyncIterator]();
      const { value } = await line.next();
      return { inside: Number(value), leave: () => program.stdin!.end() };
    };
    const first = await crowd(30);
    // Three that know nothing of each other would let in 24. Workers that ask for the last place at
    // the same time may all be refused.
    const nearly = CLIENTS - WORKERS + 1;
    assert.ok(first.inside <= CLIENTS && first.inside >= nearly, `${first.inside} were let in`);
    const late = await crowd(30);
    assert.ok(first.inside + late.inside <= CLIENTS, `${late.inside} more were let in`);
    late.leave();
    const inside = async (): Promise<number> => {
      const { frontends } = await balanceOf(peer);
      return frontends[0]!.traffic.counts.openConnections;
    };
    const untilInside = (count: number): Promise<boolean> =>
      waitFor(async () => (await inside()) === count, 10_000, `${count} clients`);
    await untilInside(first.inside);
    // Its clients are gone with a worker that is killed: as many are let in again.
    const killed = peer.pids("balance")[0]!;
    signal(killed, "SIGKILL");
    const isReplaced = async (): Promise<boolean> => {
      const { workers } = await balanceOf(peer);
      return workers.length === WORKERS && workers.every(({ pid }) => pid !== killed);
    };
    await waitFor(isReplaced, 10_000, "another worker");
    const left = await inside();
    const second = await crowd(20);
    assert.ok(second.inside >= nearly - left, `${second.inside} beside ${left}`);
    assert.ok(second.inside <= CLIENTS - left, `${second.inside} beside ${left}`);
    first.leave();
    await untilInside(second.inside);
    const third = await crowd(20);
    assert.ok(third.inside >= nearly - second.inside, `${third.inside} beside ${second.inside}`);
    assert.ok(third.inside <= CLIENTS - second.inside, `${third.inside} beside ${second.inside}`);
  });
}
