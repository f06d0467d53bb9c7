import assert from "node:assert/strict";
import { test } from "node:test";
import { PlanError, layOut } from "./plan.ts";
import type { WorldPlan } from "./plan.ts";

const SAMPLE = new URL("../../samples/lab/three-directors.ts", import.meta.url);
const place = { prefix: "nines-1-0", directory: "/var/tmp/nines-1-0-abc", persistent: false };

test("a plan gives every host a namespace and every cable a port on the wire", () => {
  const state = layOut(
    {
      segments: ["lan"],
      hosts: {
        lb1: { eth0: { segment: "lan", address: "192.0.2.1/24" }, eth1: { segment: "lan" } },
      },
    },
    place,
  );
  assert.equal(state.wire, "nines-1-0-wire");
  assert.equal(state.hosts[0]?.namespace, "nines-1-0-lb1");
  assert.deepEqual(
    state.hosts[0]?.interfaces.map((i) => [i.name, i.port, i.addresses]),
    [
      ["eth0", "lb1-eth0", ["192.0.2.1/24"]],
      ["eth1", "lb1-eth1", []],
    ],
  );
});

test("a host that is powered on again is known to its neighbours by the same address", () => {
  const mac = "02:00:00:00:07:07";
  const plan: WorldPlan = {
    segments: ["lan"],
    hosts: { a: { eth0: { segment: "lan" }, eth1: { segment: "lan", mac } } },
  };
  const macs = layOut(plan, place).hosts[0]!.interfaces.map((one) => one.mac);
  assert.deepEqual(macs, ["02:00:00:00:00:01", mac]);
});

test("a port whose name would be too long for the kernel gets a number", () => {
  const plan: WorldPlan = {
    segments: ["lan"],
    hosts: { director1: { management: { segment: "lan" } } },
  };
  assert.equal(layOut(plan, place).hosts[0]?.interfaces[0]?.port, "port0");
});

test("all mistakes of a plan are told at once", () => {
  const plan: WorldPlan = {
    segments: ["lan", "lan"],
    hosts: { "lb-1": { eth0: { segment: "wan" } }, wire: {} },
  };
  assert.throws(
    () => layOut(plan, place),
    (error) => error instanceof PlanError && error.mistakes.length === 4,
  );
});

test("a word that nobody knows and an address without a length build no world", () => {
  const cable = { segment: "lan", adress: "192.0.2.1/24" };
  const hosts = { a: { eth0: cable }, b: { eth0: { segment: "lan", address: "192.0.2.2" } } };
  assert.throws(() => layOut({ segments: ["lan"], hosts }, place), {
    mistakes: [
      "'a' eth0: nobody knows 'adress'; did you mean 'address'?",
      "'b' eth0: '192.0.2.2' has no length: 192.0.2.2/24",
    ],
  });
});

test("the sample of a world can be built", async () => {
  const { world } = (await import(SAMPLE.href)) as { world: WorldPlan };
  const { hosts } = layOut(world, place);
  assert.deepEqual(
    hosts.map(({ name }) => name),
    ["client", "lb1", "lb2", "lb3", "web"],
  );
});
