/** What checks say besides up and down reaches the balancer: weights, drain, warnings, latency. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startAgent } from "../../src/lab/peers/small-servers.ts";
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
