/** Servers behind the balancer die, freeze, leave and come back, while users go on asking. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { Load, run, serverOf, untilState, withStage } from "./balance-kit.ts";

const YAML = `
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web:
    servers:
      - { name: web1, address: "10.80.0.1:80" }
      - { name: web2, address: "10.80.0.2:80" }
      - { name: web3, address: "10.80.0.3:80" }
    check: { http: /, every: 200ms, timeout: 300ms, rise: 2, fall: 2 }
    slow_start: 2s
`;

test("servers are killed, frozen, drained and brought back, and no request fails", async () => {
  await withStage(async ({ world, lb }) => {
    const [web1, web2, web3] = await Promise.all(
      ["web1", "web2", "web3"].map((name) => startNginx(world.host(name))),
    );
    const peer = await run(lb, YAML);
    for (const name of ["web1", "web2", "web3"]) await untilState(peer, `web/${name}`, "up");
    const load = await Load.start(world, 8080);
    await pause(500);

    web1!.kill();
    await untilState(peer, "web/web1", "down");
    assert.match((await serverOf(peer, "web/web1")).reason, /^check failed: ECONNREFUSED, 2 of 2/);
    await startNginx(world.host("web1"));
    await untilState(peer, "web/web1", "up");
    const back = await serverOf(peer, "web/web1");
    assert.ok(back.effectiveWeight < 0.9, `slow start began with ${back.effectiveWeight}`);
    const isWhole = async (): Promise<boolean> =>
      (await serverOf(peer, "web/web1")).effectiveWeight === 1;
    await waitFor(isWhole, 5000, "the end of slow start");

    web2!.stop();
    await untilState(peer, "web/web2", "down");
    assert.match((await serverOf(peer, "web/web2")).reason, /^check failed: .*300 ms.*, 2 of 2/);
    web2!.resume();
    await untilState(peer, "web/web2", "up");

    const words = ["backend", "drain", "web/web3", "--reason", "new kernel", "--wait"];
    const told = await peer.nines(...words, "--deadline", "10s");
    assert.match(
      told,
      /^web\/web3: drain\n(?:web\/web3: left: .*\n)*web\/web3: nothing is left\n?$/,
    );
    assert.match(await peer.nines("pool", "web"), /^web3 .* drain .*new kernel$/m);
    const { requests } = (await serverOf(peer, "web/web3")).traffic.counts;
    web3!.kill();
    await pause(300);
    assert.equal((await serverOf(peer, "web/web3")).traffic.counts.requests, requests);
    await startNginx(world.host("web3"));
    await peer.nines("backend", "ready", "web/web3");
    await untilState(peer, "web/web3", "up");
    await pause(500);

    const report = await load.stop();
    assert.deepEqual(report.failures, []);
    assert.deepEqual(Object.keys(report.bodies).toSorted(), ["web1", "web2", "web3"]);
    assert.ok(report.good > 500, `only ${report.good} requests`);
    const events = (await peer.events()).map(({ kind, instance }) => `${instance} ${kind}`);
    for (const kind of ["server-down", "server-up"]) {
      for (const name of ["web1", "web2"]) assert.ok(events.includes(`web/${name} ${kind}`));
    }
    const metrics = await peer.nines("metrics");
    assert.match(metrics, /^nines_server_usable\{pool="web",server="web3"\} 1$/m);
    assert.match(metrics, /^nines_frontend_request_seconds_count\{frontend="web"\} \d{3,}$/m);
  });
});

test("what an operator ordered outlives the control process and the workers", async () => {
  await withStage(async ({ world, lb }) => {
    for (const web of ["web1", "web2", "web3"]) await startNginx(world.host(web));
    const first = await run(lb, YAML);
    await first.nines("backend", "drain", "web/web1", "--reason", "disk");
    await first.nines("backend", "weight", "web/web2", "7");
    await first.supervisor.terminate(8000);
    const second = await run(lb, YAML);
    const { state, reason } = await serverOf(second, "web/web1");
    assert.deepEqual({ state, reason }, { state: "drain", reason: "disk" });
    assert.equal((await serverOf(second, "web/web2")).weight, 7);
    const file = lb.write("/run/next.yaml", YAML.replace("slow_start: 2s", "slow_start: 3s"));
    assert.match(await second.nines("plan", file), /^pool web: slow_start.window 2s -> 3s/);
    assert.match(await second.nines("apply", file, "--confirm-within", "1s"), /unless you say/);
    const isBack = async (): Promise<boolean> =>
      (await second.events()).some(({ kind }) => kind === "configuration-rolled-back");
    await waitFor(isBack, 5000, "the way back");
    assert.equal(lb.read("/run/nines.yaml"), YAML);
    // Both words on servers have outlived that as well.
    assert.equal((await serverOf(second, "web/web1")).state, "drain");
  });
});
