/** A configuration that nobody confirms goes back, whatever happens to the process that was told so. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { NodeStatus } from "../../src/daemon/control-api.ts";
import type { Host } from "../../src/lab/host.ts";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startBalancer, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { isAlive, signal } from "../../src/lab/process-table.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { balanceOf, Load, run, withStage } from "./balance-kit.ts";

function yaml(servers: string): string {
  return `
workers: 2
frontends:
  web: { listen: ":8080", pool: web }
pools:
  web: { servers: [${servers}] }
`;
}

const OLD = yaml("10.80.0.1:80, 10.80.0.2:80");
const NEW = yaml("10.80.0.1:80, 10.80.0.3:80");
const RUNNING = "/run/nines.yaml";

async function tryNew(peer: NinesPeer, within: string): Promise<void> {
  peer.host.write("/run/new.yaml", NEW);
  const told = await peer.nines("apply", "/run/new.yaml", "--confirm-within", within);
  assert.match(told, /goes back by itself/);
  assert.deepEqual(await servers(peer), ["10.80.0.1:80", "10.80.0.3:80"]);
}

async function servers(peer: NinesPeer): Promise<string[]> {
  const { pools } = await balanceOf(peer);
  return pools[0]!.servers.map(({ name }) => name);
}

async function untilServers(peer: NinesPeer, other: string): Promise<void> {
  const isSo = async (): Promise<boolean> => {
    try {
      return (await servers(peer)).includes(other);
    } catch {
      return false;
    }
  };
  await waitFor(isSo, 20_000, `${other} in the pool`);
}

/** The file, what runs, and what the operator is told. */
async function untilBack(peer: NinesPeer, host: Host): Promise<void> {
  await untilServers(peer, "10.80.0.2:80");
  assert.equal(readFileSync(host.outside(RUNNING), "utf8"), OLD);
  const kinds = (await peer.events()).map(({ kind }) => kind);
  assert.ok(kinds.includes("configuration-rolled-back"), kinds.join());
}

async function controlPid(peer: NinesPeer): Promise<number> {
  return ((await peer.get("/v1/status")) as NodeStatus).pid;
}

test("an unconfirmed configuration goes back although control was killed, restarted or hangs", async () => {
  await withStage(async ({ world, lb }) => {
    for (const web of ["web1", "web2", "web3"]) await startNginx(world.host(web));
    const peer = await run(lb, OLD);
    const load = await Load.start(world, 8080);
    const workers = new Set(peer.pids("balance"));

    // Killed, and nobody starts it again.
    await tryNew(peer, "3s");
    signal(peer.supervisor.pid, "SIGKILL");
    await untilBack(peer, lb);
    assert.deepEqual(new Set(peer.pids("balance")), workers);

    // Hangs: the one that the guard has started.
    const hung = await controlPid(peer);
    await tryNew(peer, "2s");
    await lb.run(["kill", "-STOP", String(hung)]);
    await untilBack(peer, lb);
    assert.notEqual(await controlPid(peer), hung);

    // Killed and started again before the time is up: it goes back when it is.
    await tryNew(peer, "6s");
    await lb.run(["kill", "-KILL", String(await controlPid(peer))]);
    const next = await startBalancer(lb, ["run", "-f", RUNNING]);
    await untilServers(next, "10.80.0.3:80");
    await untilBack(next, lb);

    // Confirmed and then killed: it stays, and nobody starts anything.
    await tryNew(next, "2s");
    await next.nines("confirm");
    signal(next.supervisor.pid, "SIGKILL");
    await waitFor(() => !isAlive(next.supervisor.pid), 2000, "the end of control");
    await pause(7_000);
    await assert.rejects(servers(next));
    assert.equal(readFileSync(lb.outside(RUNNING), "utf8"), NEW);

    assert.deepEqual(new Set(next.pids("balance")), workers);
    const { failures, good } = await load.stop();
    assert.deepEqual(failures, []);
    assert.ok(good > 100);
  });
});
