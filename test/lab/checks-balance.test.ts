/** What checks say besides up and down reaches the balancer: weights, drain, warnings, latency. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startAgent } from "../../src/lab/peers/small-servers.ts";
import { signal } from "../../src/lab/process-table.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { curl, run, serverOf, untilState, withStage } from "./balance-kit.ts";

const YAML = `
global: { script_user: root }
checks:
  own-word: { agent: true, port: 9000, every: 100ms, timeout: 300ms, rise: 1, fall: 1 }
  by-script:
    script: { command: [/run/weigh.sh], dynamic: true }
    every: 100ms
    timeout: 300ms
    rise: 1
    fall: 1
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web:
    servers:
      - { name: web1, address: "10.80.0.1:80", check: own-word }
      - { name: web2, address: "10.80.0.2:80", check: by-script }
`;

test("agents and scripts weigh, drain and take out servers, with no VRRP on the node", async () => {
  await withStage(async ({ world, lb }) => {
    const web1 = world.host("web1");
    for (const host of [web1, world.host("web2")]) await startNginx(host);
    web1.write("/run/agent", "up 100%\n");
    await startAgent(web1, 9000, "/run/agent");
    const script =
      '#!/bin/sh\n[ "$NINES_SERVER $NINES_ADDRESS" = "web/web2 10.80.0.2" ] || exit 1\n';
    lb.write("/run/weigh.sh", `${script}exit $(cat /run/code)\n`, 0o755);
    lb.write("/run/code", "52");
    const peer = await run(lb, YAML);
    for (const name of ["web1", "web2"]) await untilState(peer, `web/${name}`, "up");
    const weighs = (name: string, weight: number): Promise<unknown> =>
      waitFor(
        async () => (await serverOf(peer, name)).effectiveWeight === weight,
        5000,
        `${name} to weigh ${weight}`,
      );
    await weighs("web/web2", 0.5);
    web1.write("/run/agent", "50%\n");
    await weighs("web/web1", 0.5);

    web1.write("/run/agent", "drain\n");
    await untilState(peer, "web/web1", "drain");
    for (let i = 0; i < 5; i++) assert.equal(await curl(lb, "http://127.0.0.1:8080/"), "web2\n");
    web1.write("/run/agent", "ready\n");
    await untilState(peer, "web/web1", "up");

    lb.write("/run/code", "1");
    await untilState(peer, "web/web2", "down");
    const { check, reason } = await serverOf(peer, "web/web2");
    assert.equal(reason, "check failed: the script exited 1, 1 of 1");
    assert.ok(check !== undefined && check.latencyMs > 0 && check.agoMs < 6000);
    for (let i = 0; i < 5; i++) assert.equal(await curl(lb, "http://127.0.0.1:8080/"), "web1\n");
  });
});

const timing = (every: string): string =>
  `{ every: ${every}, timeout: 300ms, rise: 3, fall: 3, start_down: true`;
/** Nothing listens on port 81. */
const twoChecks = (web1: string, every: string): string => `
checks:
  good: ${timing(every)}, tcp: true }
  bad: ${timing(every)}, tcp: true, port: 81 }
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web:
    servers:
      - { name: web1, address: "10.80.0.1:80", check: ${web1} }
      - { name: web2, address: "10.80.0.2:80", check: good }
`;

test("neither a reload nor a new check process changes what is known of servers", async () => {
  await withStage(async ({ world, lb }) => {
    for (const name of ["web1", "web2"]) await startNginx(world.host(name));
    const peer = await run(lb, twoChecks("[good, bad]", "100ms"));
    await untilState(peer, "web/web2", "up");
    const { length } = await peer.events();
    const reload = async (web1: string, every: string): Promise<void> => {
      lb.write("/run/nines.yaml", twoChecks(web1, every));
      await peer.nines("reload");
    };
    for (const web1 of ["bad", "[bad, good]"]) {
      await reload(web1, "100ms");
      assert.equal((await serverOf(peer, "web/web1")).state, "down");
      for (let i = 0; i < 4; i++) assert.equal(await curl(lb, "http://127.0.0.1:8080/"), "web2\n");
    }
    await reload("[bad, good]", "150ms");
    const [before] = peer.pids("check");
    signal(before!, "SIGKILL");
    const killedAt = performance.now();
    const isAsking = async (): Promise<boolean> => {
      const [now] = peer.pids("check");
      const { check } = await serverOf(peer, "web/web2");
      return (
        now !== undefined &&
        now !== before &&
        check !== undefined &&
        check.agoMs < performance.now() - killedAt
      );
    };
    await waitFor(isAsking, 15_000, "a new check process");
    assert.equal((await serverOf(peer, "web/web1")).state, "down");
    // What made it fail is gone, and with it the verdict.
    await reload("good", "150ms");
    await untilState(peer, "web/web1", "up");
    const told = (await peer.events())
      .slice(length)
      .map(({ kind, instance }) => `${instance} ${kind}`);
    assert.deepEqual(
      told.filter((line) => /server-(?:up|down)/.test(line)),
      ["web/web1 server-up"],
    );
  });
});
