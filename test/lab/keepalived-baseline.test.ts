/**
 * Two of Debian's keepalived fail over, measured at the client: the yardstick that Nines is
 * compared with must itself behave as its protocol says. With a backup of priority 100 the skew is
 * 156/256 of the advert interval, and a master is missed after 3 intervals and the skew, counted
 * from its last advert (RFC 9568 section 6.1): 2.6 to 3.6 intervals after the fault.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { monotonicMs } from "../../src/drivers/clock.ts";
import * as faults from "../../src/lab/faults.ts";
import { keepalivedConf, startKeepalived } from "../../src/lab/peers/keepalived.ts";
import type { Outage } from "../../src/core/drill/probe-record.ts";
import { measureOutage } from "../../src/core/drill/probe-record.ts";
import { startEchoServer, startUdpProbe } from "../../src/lab/probe.ts";
import { canBuildWorlds } from "../../src/lab/privileges.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { Theft } from "../../src/lab/stolen.ts";
import { pause } from "../../src/lab/wait.ts";
import type { World } from "../../src/lab/world.ts";
import { withWorld } from "../../src/lab/world.ts";

const permission = canBuildWorlds();
const skip = permission.by === "root" ? false : `needs root: ${permission.reason}`;

const VIRTUAL = "192.168.17.100";
const plan = {
  segments: ["lan"],
  hosts: {
    client: { eth0: { segment: "lan", address: "192.168.17.50/24" } },
    lb1: { eth0: { segment: "lan", address: "192.168.17.51/24" } },
    lb2: { eth0: { segment: "lan", address: "192.168.17.52/24" } },
  },
};

type Break = (world: World, master: LabProcess) => Promise<unknown>;

/** What the host took from this machine: from the last adverts, or from the fault, to the new master. */
type Measured = Outage & { readonly stolenInAllMs: number; readonly stolenMs: number };

function measure(advertS: number, breakIt: Break): Promise<Measured> {
  return withWorld(plan, async (world) => {
    const lbs = [world.host("lb1"), world.host("lb2")] as const;
    await Promise.all(lbs.map((lb) => startEchoServer(lb, [VIRTUAL])));
    const conf = (state: "MASTER" | "BACKUP", priority: number): string =>
      keepalivedConf([
        { state, priority, advertS, virtualRouterId: 51, addresses: [`${VIRTUAL}/24`] },
      ]);
    const master = await startKeepalived(lbs[0], conf("MASTER", 150));
    await startKeepalived(lbs[1], conf("BACKUP", 100));
    const probe = await startUdpProbe(world.host("client"), VIRTUAL);
    await probe.untilAnswered("lb1", 10_000);
    // An advert that is sent late is one that is missed late: nearer to its fault.
    const all = new Theft();
    await pause(3 * advertS * 1000);
    const faultMs = monotonicMs();
    const theft = new Theft();
    await breakIt(world, master);
    await probe.untilAnswered("lb2", 10_000);
    all.end();
    theft.end();
    await pause(200);
    const outage = measureOutage(await probe.stop(), faultMs);
    return { ...outage, stolenInAllMs: all.ms, stolenMs: theft.ms };
  });
}

interface Row {
  readonly fault: string;
  readonly advertS: number;
  readonly breakIt: Break;
  /** Least and most outage, ms. */
  readonly outageMs: readonly [number, number];
}

/** What the scheduler of a busy machine may add. */
const SLACK_MS = 120;
const missed = (advertS: number): [number, number] => [
  2.6 * advertS * 1000 - 5,
  3.61 * advertS * 1000 + SLACK_MS,
];

const powerOff: Break = (world) => faults.powerOff(world, world.host("lb1"));
const rows: readonly Row[] = [
  { fault: "power off", advertS: 0.1, breakIt: powerOff, outageMs: missed(0.1) },
  {
    fault: "link down",
    advertS: 0.1,
    breakIt: (world) => faults.linkDown(world.host("lb1")),
    outageMs: missed(0.1),
  },
  {
    fault: "silent partition",
    advertS: 0.1,
    breakIt: (world) => faults.partition(world.host("lb1")),
    outageMs: missed(0.1),
  },
  {
    fault: "graceful stop",
    advertS: 0.1,
    breakIt: (_, master) => master.terminate(),
    // The skew alone.
    outageMs: [50, 61 + SLACK_MS],
  },
  {
    // The dead daemon's address stays and goes on answering until the other announces.
    fault: "kill -9",
    advertS: 0.1,
    breakIt: (_, master) => faults.kill(master),
    outageMs: [0, SLACK_MS],
  },
  { fault: "power off", advertS: 1, breakIt: powerOff, outageMs: missed(1) },
];

for (const { fault, advertS, breakIt, outageMs } of rows) {
  const title = `keepalived, adverts every ${advertS} s: the outage by ${fault} is as predicted`;
  test(title, { skip }, async (t) => {
    const outage = await measure(advertS, breakIt);
    t.diagnostic(`outage ${outage.outageMs.toFixed(1)} ms, take-over ${outage.takeoverMs} ms`);
    assert.equal(outage.before, "lb1");
    assert.equal(outage.after, "lb2");
    const least = outageMs[0] - outage.stolenInAllMs;
    const most = outageMs[1] + outage.stolenMs;
    assert.ok(
      outage.outageMs >= least && outage.outageMs <= most,
      `${outage.outageMs} ms is not ${least} to ${most}, with what the host stole`,
    );
  });
}
