/** A rate limit is one limit, however many workers there are. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { pause } from "../../src/lab/wait.ts";
import { Load, run, withStage } from "./balance-kit.ts";

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

test("three workers together let through what one limit allows, and a burst each at first", async () => {
  await withStage(async ({ world, lb }) => {
    await startNginx(world.host("web1"));
    const peer = await run(lb, YAML);
    const startedMs = performance.now();
    const load = await Load.start(world, 8080, 32);
    await pause(SECONDS * 1000);
    const { bodies } = await load.stop();
    const seconds = (performance.now() - startedMs) / 1000;
    const good = bodies["web1"] ?? 0;
    const most = WORKERS * RATE + RATE * seconds + (WORKERS - 1) * RATE * 0.2;
    assert.ok(good <= most, `${good} of at most ${most} in ${seconds} s`);
    // Without telling each other it would be three times the rate.
    assert.ok(good >= RATE * (SECONDS - 2), `only ${good}`);
    const metrics = await peer.nines("metrics");
    assert.match(metrics, /^nines_frontend_refused_total\{frontend="web",reason="rate"\} [1-9]/m);
  });
});
