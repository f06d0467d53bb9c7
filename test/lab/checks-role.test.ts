/** The check process at its two posts: servers of the balancer, and checks that addresses track. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startNginx } from "../../src/lab/peers/nginx.ts";
import { startNines, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";
import { http, Listener, startCheckRole, targetOf } from "./check-kit.ts";

const PLAN = {
  name: "checks",
  segments: ["lan"],
  hosts: {
    lb: { eth0: { segment: "lan", address: "10.78.0.1/24" } },
    web: { eth0: { segment: "lan", address: "10.78.0.2/24" } },
  },
};

const WEB = targetOf("web/web1", http(), "10.78.0.2:80", { timing: { rise: 2, fall: 3 } });

test("servers are asked for whoever connects, and late comers hear what is known", async () => {
  await withWorld(PLAN, async (world) => {
    const lb = world.host("lb");
    const nginx = await startNginx(world.host("web"));
    await startCheckRole(lb);
    const control = new Listener(lb, "control");
    const worker = new Listener(lb, "balance");
    control.ask([WEB]);
    const up = await worker.untilUp("web/web1");
    assert.equal(up.reason, "check passed: status 200, 1 of 2");
    nginx.kill();
    const down = await worker.untilDown("web/web1");
    assert.equal(down.reason, "check failed: ECONNREFUSED, 3 of 3");
    await control.untilDown("web/web1");
    const late = new Listener(lb, "balance");
    assert.equal((await late.untilDown("web/web1")).reason, down.reason);
    await startNginx(world.host("web"));
    assert.match((await worker.untilUp("web/web1")).reason, /2 of 2$/);
    for (const one of [control, worker, late]) one.close();
  });
});

test("a check process that died is told anew what to ask", async () => {
  await withWorld(PLAN, async (world) => {
    const lb = world.host("lb");
    await startNginx(world.host("web"));
    const role = await startCheckRole(lb);
    const control = new Listener(lb, "control");
    control.ask([WEB]);
    await control.untilUp("web/web1");
    role.kill();
    control.heard.length = 0;
    await startCheckRole(lb);
    await control.untilUp("web/web1");
    control.close();
  });
});

function yaml(track: string): string {
  return `
global: {script_user: root}
addresses:
  www:
    ip: 10.78.0.100/24
    interface: eth0
    router_id: 51
    version: 3
    priority: 100
    advert_every: 50ms
    track: "${track}"
checks:
  app: {http: /, address: 10.78.0.2, every: 200ms, fast_every: 50ms, timeout: 150ms, fall: 2, rise: 2}
`;
}

/** Resolves to the reason of the verdict behind it. */
function untilPriority(peer: NinesPeer, wanted: number): Promise<string> {
  return waitFor(
    async () => {
      const instance = await peer.instance("www");
      const track = instance?.tracks.find(({ name }) => name === "check:app");
      const isKnown = track?.reason.startsWith("check:app: check ") ?? false;
      return isKnown && instance?.effectivePriority === wanted ? track?.reason : undefined;
    },
    10_000,
    `priority ${wanted}`,
  );
}

test("a check moves the priority of an address that tracks it with a weight", async () => {
  await withWorld(PLAN, async (world) => {
    const lb = world.host("lb");
    const nginx = await startNginx(world.host("web"));
    const peer = await startNines(lb, lb.write("/run/nines.yaml", yaml("check:app weight=-20")));
    await untilPriority(peer, 100);
    nginx.kill();
    assert.match(await untilPriority(peer, 80), /^check:app: check failed: ECONNREFUSED, 2 of 2$/);
    await startNginx(world.host("web"));
    assert.match(await untilPriority(peer, 100), /check passed: status 200, 2 of 2/);
  });
});

test("without a weight a failed check is a fault, and the control process may be dead", async () => {
  await withWorld(PLAN, async (world) => {
    const lb = world.host("lb");
    const nginx = await startNginx(world.host("web"));
    const peer = await startNines(lb, lb.write("/run/nines.yaml", yaml("check:app")));
    const holds = (wanted: boolean): Promise<unknown> =>
      waitFor(async () => (await lb.holds("10.78.0.100")) === wanted, 10_000, `held: ${wanted}`);
    await holds(true);
    peer.supervisor.signal("SIGKILL");
    nginx.kill();
    await holds(false);
    for (const pid of peer.pids("check")) process.kill(pid, "SIGKILL");
    await startNginx(world.host("web"));
    await startNines(lb, "/run/nines.yaml");
    await holds(true);
  });
});
