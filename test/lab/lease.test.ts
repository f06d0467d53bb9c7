/** A vrrp process that dies or hangs comes back inside its lease: nobody takes over. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { monotonicMs } from "../../src/drivers/clock.ts";
import type { Host } from "../../src/lab/host.ts";
import { startNines, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { startEchoServer, startUdpProbe } from "../../src/lab/probe.ts";
import { measureOutage, type Outage } from "../../src/core/drill/probe-record.ts";
import { signal } from "../../src/lab/process-table.ts";
import { againIfStolen, Theft } from "../../src/lab/stolen.ts";
import { pause, waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";

const ADDRESS = "10.79.0.200";
const host = (n: number): Record<string, { segment: string; address: string[] }> => ({
  eth0: { segment: "lan", address: [`10.79.0.${n}/24`] },
});
const PLAN = {
  name: "lease",
  segments: ["lan"],
  hosts: { client: host(50), lb1: host(11), lb2: host(12) },
};
/**
 * Of the probes, one a millisecond. Nothing is lost at all; hiccups of the machine are what there is
 * to allow for. The longest gap would count those in which the client itself stood still.
 */
const MOST_LOST = 100;
/**
 * In its worst phase a lease runs two adverts on: of adverts every 0.1 s 200 ms, and a successor needs a quarter of
 * that, every 0.02 s 40 ms, and it needs half of them. What the host takes beyond this may rightly end it.
 */
const harmlessMs = (advertS: number): number => (advertS < 0.1 ? 5 : 50);

interface Wish {
  readonly priority: number;
  readonly advertS: number;
  readonly extra?: string;
}

function configuration({ priority, advertS, extra = "" }: Wish): string {
  return `
global_defs {
    script_user root
    enable_script_security
}
vrrp_script ok {
    script /bin/true
    interval 1
}
vrrp_instance VI_1 {
    state BACKUP
    version 3
    interface eth0
    virtual_router_id 51
    priority ${priority}
    advert_int ${advertS}
    notify /run/told.sh
    ${extra}
    virtual_ipaddress {
        ${ADDRESS}/24
    }
    track_script {
        ok
    }
}
`;
}

async function start(on: Host, wish: Wish): Promise<NinesPeer> {
  on.write("/run/told.sh", "#!/bin/sh\necho $3 >>/run/told\n", 0o755);
  await startEchoServer(on, [ADDRESS]);
  return startNines(on, on.write("/run/keepalived.conf", configuration(wish)));
}

interface Seen {
  readonly outage: Outage;
  readonly told: string;
  /** While the client looked on. */
  readonly stolenMs: number;
}

/** Breaks the master's vrrp process once; both nodes and a client look on. `theft`: until the successor has the lease. */
async function breakMaster(
  how: NodeJS.Signals,
  wish: Omit<Wish, "priority">,
  theft: Theft,
): Promise<Seen> {
  const seen: Seen[] = [];
  await withWorld(PLAN, async (world) => {
    const [lb1, lb2] = [world.host("lb1"), world.host("lb2")];
    const first = await start(lb1, { priority: 150, ...wish });
    await waitFor(() => lb1.holds(ADDRESS), 15_000, "lb1 to be master");
    const second = await start(lb2, { priority: 100, ...wish });
    const probe = await startUdpProbe(world.host("client"), ADDRESS);
    await probe.untilAnswered("lb1");
    await pause(3000 - 1000 * wish.advertS);
    // A lease that was renewed late runs out earlier.
    theft.begin();
    await pause(1000 * wish.advertS);
    const [vrrp] = first.pids("vrrp");
    assert.ok(vrrp !== undefined);
    const faultMs = monotonicMs();
    const all = new Theft();
    signal(vrrp, how);
    const isReplaced = (): boolean => first.pids("vrrp").some((pid) => pid !== vrrp);
    await waitFor(isReplaced, 5000, "another vrrp process");
    const reasonsOf = async (): Promise<string> =>
      (await first.events()).map((e) => e.reason).join("\n");
    const hasLooked = async (): Promise<boolean> => (await reasonsOf()).includes("before us");
    await waitFor(hasLooked, 5000, "its word on the lease");
    theft.end();
    await pause(4000 * wish.advertS + 1000);
    assert.equal(first.pids("vrrp").includes(vrrp), false);
    const outage = measureOutage(await probe.stop(), faultMs);
    const stolenMs = all.ms;
    const reasons = await reasonsOf();
    assert.match(reasons, /the process before us was master, its lease runs \d+/, reasons);
    assert.equal((await second.events()).filter((e) => e.to === "MASTER").length, 0);
    assert.deepEqual([await lb1.holds(ADDRESS), await lb2.holds(ADDRESS)], [true, false]);
    seen.push({ outage, told: await lb1.run(["cat", "/run/told"]), stolenMs });
  });
  const [only] = seen;
  assert.ok(only !== undefined);
  return only;
}

interface Case {
  readonly how: NodeJS.Signals;
  readonly advertS: number;
  readonly extra?: string;
}

const cases: readonly Case[] = [
  { how: "SIGKILL", advertS: 1 },
  { how: "SIGSTOP", advertS: 1 },
  { how: "SIGKILL", advertS: 0.1 },
  { how: "SIGKILL", advertS: 0.02 },
  { how: "SIGSTOP", advertS: 0.02 },
  // The interface that carries the virtual MAC must outlive it as well.
  { how: "SIGKILL", advertS: 1, extra: "use_vmac" },
];

for (const { how, advertS, extra = "" } of cases) {
  const what = `${how} of the master's vrrp process, adverts every ${advertS} s ${extra}`.trim();
  test(`${what}: nobody notices`, () =>
    againIfStolen(harmlessMs(advertS), async (theft) => {
      const { outage, told, stolenMs } = await breakMaster(how, { advertS, extra }, theft);
      assert.equal(outage.takeoverMs, undefined, "the peer never answers");
      const { outageMs, lost } = outage;
      const most = MOST_LOST + stolenMs;
      assert.ok(lost <= most, `${outageMs} ms, ${lost} of ${most} probes without an answer`);
      assert.equal(told, "BACKUP\nMASTER\n", "scripts are not run again");
    }));
}
