/** Two machines hold one address and both balance behind it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startBalancer, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { curl, Load, withStage } from "./balance-kit.ts";

const ADDRESS = "10.80.0.200";

function start(host: Host, priority: number): Promise<NinesPeer> {
  const yaml = `
addresses:
  service:
    interface: eth0
    router_id: 51
    version: 3
    priority: ${priority}
    advert_every: 700ms
    ip: ${ADDRESS}/24
frontends:
  web: { listen: "${ADDRESS}:8080", pool: web, ready_path: /readyz }
pools:
  web: { servers: ["10.80.0.1:80", "10.80.0.2:80"], check: { http: / } }
`;
  return startBalancer(host, ["run", "-f", host.write("/run/nines.yaml", yaml)]);
}

function allPids(peer: NinesPeer): number[] {
  return [...peer.pids("vrrp"), ...peer.pids("check")];
}

function untilMaster(peer: NinesPeer): Promise<unknown> {
  const isMaster = async (): Promise<boolean> => (await peer.states())["service"] === "MASTER";
  return waitFor(isMaster, 10_000, `${peer.host.name} to be master`);
}

test("the backup listens before it holds the address, and serves as soon as it does", async () => {
  await withStage(async ({ world, lb, client }) => {
    for (const web of ["web1", "web2"]) await startNginx(world.host(web));
    const first = await start(lb, 150);
    await untilMaster(first);
    const second = await start(world.host("web3"), 100);
    assert.match(second.supervisor.log, /does not have the address of 10\.80\.0\.200:8080 now/);
    const get = (): Promise<string> => curl(client, `http://${ADDRESS}:8080/`);
    assert.match(await get(), /^web[12]$/m);
    const status = await first.nines("status");
    assert.match(status, /^service +MASTER /m);
    assert.match(status, /^frontend web listens on 10\.80\.0\.200:8080: \d+ requests?/m);

    // Another program takes the place of every process; the address does not move.
    const before = (["vrrp", "check", "balance"] as const).map((role) => first.pids(role)[0]);
    const upgraded = await Load.start(world, 8080, 4, ADDRESS);
    const told = await first.nines("upgrade");
    assert.match(told, /^vrrp: a fresh process goes on in its lease$/m);
    assert.match(told, /^check: a fresh process$/m);
    for (const pid of before) assert.ok(pid !== undefined && !allPids(first).includes(pid), told);
    assert.deepEqual((await upgraded.stop()).failures, []);
    await untilMaster(first);
    // Its successor says where it goes on, and nobody else took over meanwhile.
    const changes = (await first.events()).filter(({ kind }) => kind === "state-changed");
    assert.deepEqual(
      changes.map(({ from, to }) => `${from} ${to}`),
      ["INIT MASTER"],
    );
    assert.match(changes[0]?.reason ?? "", /^the process before us was master, its lease runs/);
    assert.equal((await second.states())["service"], "BACKUP");

    // Handed over on request, there and back: nobody fails, and both serve on.
    const users = await Load.start(world, 8080, 8, ADDRESS);
    await pause(500);
    await first.nines("handover", "service");
    await untilMaster(second);
    await pause(1500);
    await second.nines("handover", "service");
    await untilMaster(first);
    await pause(500);
    assert.deepEqual((await users.stop()).failures, []);

    // Planned: whoever is being served is served to the end.
    const planned = await Load.start(world, 8080, 8, ADDRESS);
    await pause(500);
    const ended = first.supervisor.terminate(8000);
    await untilMaster(second);
    await ended;
    await pause(500);
    const report = await planned.stop();
    assert.deepEqual(report.failures, []);

    // A crash of everything: the other one answers within its time.
    const third = await start(lb, 150);
    await untilMaster(third);
    third.kill();
    const killedMs = performance.now();
    await untilMaster(second);
    const tookMs = performance.now() - killedMs;
    assert.ok(tookMs < 4000, `${tookMs} ms`);
    assert.match(await get(), /^web[12]$/m);
  });
});
