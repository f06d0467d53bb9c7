import assert from "node:assert/strict";
import { test } from "node:test";
import { backup, facts, node } from "../../../../test/kit/drill-facts.ts";
import type { InstanceFacts, ServerFacts, SiteFacts } from "../facts.ts";
import { shellLine, type DrillPlan } from "../plan.ts";
import { catalogue, drillKind } from "./catalogue.ts";
import { masterLossMs, planFor, SLACK_MS } from "./drill-kind.ts";

function planned(name: string, site: SiteFacts): DrillPlan {
  const plan = planFor(drillKind(name)!, site);
  assert.ok(typeof plan !== "string", plan as string);
  return plan;
}

const withTarget = (change: Partial<InstanceFacts>): SiteFacts => ({
  ...facts,
  target: node("lb1", change),
});

const withOther = (change: Partial<InstanceFacts>): SiteFacts => ({
  ...facts,
  others: [node("lb2", { ...backup.instances[0]!, ...change })],
});

const plans = catalogue.map((kind) => planFor(kind, facts)).filter((p) => typeof p !== "string");

test("every drill has a name of its own, and at least twenty can be planned anywhere", () => {
  assert.equal(new Set(catalogue.map(({ name }) => name)).size, catalogue.length);
  assert.ok(plans.length >= 20, `${plans.length}`);
});

test("every fault that goes on has an undo", () => {
  const mendsItself = new Set(["kill-vrrp", "kill-check", "kill-worker", "worker-upgrade"]);
  for (const plan of plans) {
    const open = plan.faults.filter(({ undo }) => undo.length === 0);
    assert.equal(open.length > 0, mendsItself.has(plan.name), plan.name);
  }
});

test("every filter is undone by a command that works without it too", () => {
  const filters = plans.filter((plan) => lines(plan).some((line) => line.startsWith("nft ")));
  assert.ok(filters.length >= 8);
  for (const plan of filters) {
    const undo = plan.faults.flatMap((fault) => fault.undo.map(({ argv }) => shellLine(argv)));
    assert.ok(
      undo.some((line) => /^nft 'add table (\w+ nines_drill); delete table \1'$/.test(line)),
      undo.join("\n"),
    );
  }
});

test("without nft the site's switch cuts the node off and blocks multicast", () => {
  for (const [name, word] of [
    ["partition", "partition"],
    ["multicast-blocked", "no-multicast"],
  ] as const) {
    const plan = planFor(drillKind(name)!, { ...facts, hasSwitch: true });
    assert.ok(typeof plan !== "string");
    const [fault] = plan.faults;
    const host = facts.target.name;
    assert.deepEqual(fault!.inject, [{ host, argv: ["switch", word], bySite: true }]);
    assert.deepEqual(fault!.undo, [{ host, argv: ["switch", "whole"], bySite: true }]);
  }
});

function lines(plan: DrillPlan): readonly string[] {
  return plan.faults.flatMap(({ inject }) => inject.map(({ argv }) => shellLine(argv)));
}

test("promises follow from the configuration: three adverts, the taker's skew, some slack", () => {
  assert.equal(masterLossMs(facts), Math.ceil(3000 + (156 / 256) * 1000) + SLACK_MS);
  const unicast = [{ ...facts.target.instances[0]!, isUnicast: true }];
  const plan = planFor(drillKind("multicast-blocked")!, {
    ...facts,
    target: { ...facts.target, instances: unicast },
  });
  assert.ok(typeof plan !== "string");
  assert.equal(plan.expect.holding, "stays");
});

test("a deaf master goes on until its witness was asked three times in vain: that is promised", () => {
  const instances = facts.target.instances.map((one) => ({ ...one, hasWitness: true }));
  const plan = planFor(drillKind("deaf")!, { ...facts, target: { ...facts.target, instances } });
  assert.ok(typeof plan !== "string");
  const resignationMs = ((156 / 256) * 1000) / 8 + 10;
  assert.equal(plan.promise.outageMs, Math.ceil(4000 + resignationMs) + SLACK_MS);
});

test("only who is known to be first takes the address back, and when it may", () => {
  const afterwards = (site: SiteFacts, name = "link-down"): string =>
    planned(name, site).promise.afterwards;
  assert.equal(afterwards(facts), "returns");
  assert.equal(afterwards(withTarget({ priority: 100 })), "either");
  assert.equal(afterwards(withTarget({ priority: 90 })), "either");
  assert.equal(afterwards({ ...facts, others: [] }), "either");
  assert.equal(afterwards(withTarget({ preempts: false })), "stays-away");
  // Who cannot know that it is cut off stays master: nothing is preempted when it is back.
  assert.equal(afterwards(withTarget({ preempts: false }), "mute"), "returns");
  assert.equal(afterwards(withTarget({ preempts: false, hasWitness: true }), "mute"), "stays-away");
  const { settleMs } = planned("link-down", facts);
  const later = planned("link-down", withTarget({ preemptDelayMs: 300_000 }));
  assert.equal(later.settleMs, settleMs + 300_000);
});

test("silence is waited for as long as the taker's own settings say", () => {
  const outageMs = (site: SiteFacts): number => planned("mute", site).promise.outageMs;
  const patient = 5000 + (156 / 256) * 1000;
  assert.equal(outageMs(withOther({ masterDownMs: patient })), Math.ceil(patient) + SLACK_MS);
  const longest = Math.ceil(3000 + (255 / 256) * 1000);
  assert.equal(outageMs({ ...facts, others: [] }), longest + SLACK_MS);
});

test("a resignation is answered soon only by the one other router, and if it does so", () => {
  const outageMs = (site: SiteFacts): number => {
    const instances = site.target.instances.map((one) => ({ ...one, hasWitness: true }));
    return planned("deaf", { ...site, target: { ...site.target, instances } }).promise.outageMs;
  };
  const skew = (156 / 256) * 1000;
  const slow = Math.ceil(4000 + skew) + SLACK_MS;
  assert.equal(outageMs(facts), Math.ceil(4000 + skew / 8 + 10) + SLACK_MS);
  assert.equal(outageMs(withOther({ hastens: false })), slow);
  assert.equal(outageMs(withOther({ othersHeard: 2 })), slow);
  assert.equal(outageMs({ ...facts, others: [backup, { ...backup, name: "lb3" }] }), slow);
  assert.equal(outageMs({ ...facts, others: [] }), Math.ceil(4000 + (255 / 256) * 1000) + SLACK_MS);
});

test("where the lease is over before a successor comes, another node may take over", () => {
  for (const leaseMs of [0, 150]) {
    const hang = planned("hang-vrrp", withTarget({ leaseMs }));
    assert.deepEqual(hang.expect, { holding: "moves", told: [] });
    const kill = planned("kill-vrrp", withTarget({ leaseMs }));
    assert.deepEqual(kill.expect, { holding: "either", told: [] });
    for (const { radius, promise } of [hang, kill]) {
      assert.equal(radius.takes, "node");
      assert.equal(promise.outageMs, masterLossMs(facts));
    }
  }
  assert.equal(planned("kill-vrrp", withTarget({ leaseMs: 200 })).expect.holding, "stays");
  assert.equal(planned("hang-vrrp", withTarget({ leaseMs: 200 })).expect.holding, "stays");
});

test("a server is waited for as long as its own check may take to find it out", () => {
  const withServers = (change: Partial<ServerFacts>): SiteFacts => {
    const pools = facts.target.pools.map((pool) => ({
      ...pool,
      servers: pool.servers.map((server) => ({ ...server, ...change })),
    }));
    return { ...facts, target: { ...facts.target, pools } };
  };
  const usual = planned("backend-frozen", withServers({ worstMs: 2000 }));
  assert.deepEqual([usual.limitMs, usual.patienceMs], [15_000, 5000]);
  const slow = planned("backend-frozen", withServers({ worstMs: 19_000 }));
  assert.ok(slow.limitMs > 19_000, `${slow.limitMs}`);
  assert.equal(slow.patienceMs, 20_000);
  const unasked = withServers({ worstMs: Infinity, state: "unchecked" });
  for (const name of ["backend-frozen", "backend-slow"]) {
    const refused = planFor(drillKind(name)!, unasked);
    assert.ok(typeof refused === "string");
    assert.match(refused, /^web\/web1 has no check/u);
  }
  const killed = planned("backend-killed", unasked);
  assert.deepEqual(killed.expect.told, ["server-ejected"]);
  assert.deepEqual([killed.limitMs, killed.patienceMs], [20_000, 16_000]);
});

test("a fault lasts longer when that is asked for, and never shorter than the drill needs", () => {
  const watched = (lastsMs?: number): number => {
    const plan = planFor(drillKind("bandwidth")!, facts, { lastsMs });
    assert.ok(typeof plan !== "string");
    return plan.watchMs;
  };
  assert.equal(watched(30_000), 30_000);
  assert.equal(watched(1), watched());
});

test("latency comes from the kernel where it can, for the servers alone, and from a forwarder elsewhere", () => {
  const delay = [{ interface: "eth1", addresses: ["10.0.0.1", "fd00::2"] }];
  const byKernel = planFor(drillKind("latency")!, { ...facts, delay });
  assert.ok(typeof byKernel !== "string");
  assert.deepEqual(lines(byKernel), [
    "tc qdisc replace dev eth1 root handle 1: prio bands 4",
    "tc qdisc add dev eth1 parent 1:4 netem delay 100ms limit 200000",
    "tc filter add dev eth1 parent 1: protocol ip prio 1 u32 match ip dst 10.0.0.1/32 flowid 1:4",
    "tc filter add dev eth1 parent 1: protocol ipv6 prio 2 u32 match ip6 dst fd00::2/128 flowid 1:4",
  ]);
  const [fault] = byKernel.faults;
  assert.match(fault!.says, /through eth1 .* \(netem\)$/u);
  assert.deepEqual(
    fault!.undo.map(({ argv }) => argv.at(-1)),
    ["tc qdisc del dev eth1 root 2>/dev/null; true"],
  );
  const byForwarder = planFor(drillKind("latency")!, facts);
  assert.ok(typeof byForwarder !== "string");
  assert.match(byForwarder.faults[0]!.says, /\(a forwarder of ours, as this kernel has no netem/u);
  assert.ok(lines(byForwarder)[0]!.startsWith("nines drill-forward "));
  for (const { expect, promise } of [byKernel, byForwarder]) {
    assert.deepEqual([expect.slowerThanMs, promise.failed], [100, 0]);
  }
});

test("a queue that somebody has set is not replaced", () => {
  const links = facts.links.map((link) => ({ ...link, isShaped: true }));
  const plan = planFor(drillKind("bandwidth")!, { ...facts, links });
  assert.ok(typeof plan === "string");
  assert.match(plan, /^eth0 has a queue that somebody has set/u);
});

test("a word of the shell is quoted only where it must be", () => {
  assert.equal(shellLine(["a", "b c", "it's"]), `a 'b c' 'it'\\''s'`);
});
