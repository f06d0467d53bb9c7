/**
 * Nines and Debian's keepalived as each other's peer. In each match lb1 starts first and is
 * master; both directions are played wherever it makes a difference.
 */

import assert from "node:assert/strict";
import { describe } from "node:test";
import * as faults from "../../src/lab/faults.ts";
import { pause } from "../../src/lab/wait.ts";
import { playMatch, type Field, type Match, type Server } from "./interop-kit.ts";

/** Matches mostly wait: worlds of their own, a few at a time. */
const sideBySide = { concurrency: 3 };

type Sides = readonly [Server["make"], Server["make"]];
const bothWays: readonly Sides[] = [
  ["nines", "keepalived"],
  ["keepalived", "nines"],
];

const unicast = {
  lb1: ["unicast_src_ip 10.79.0.11", "unicast_peer {", "    10.79.0.12", "}"],
  lb2: ["unicast_src_ip 10.79.0.12", "unicast_peer {", "    10.79.0.11", "}"],
};
const unicast6 = {
  lb1: ["unicast_src_ip fd79::11", "unicast_peer {", "    fd79::12", "}"],
  lb2: ["unicast_src_ip fd79::12", "unicast_peer {", "    fd79::11", "}"],
};
const password = ["authentication {", "    auth_type PASS", "    auth_pass 1111", "}"];
const ah = ["authentication {", "    auth_type AH", "    auth_pass secret12", "}"];

const gracefulStop = async (field: Field): Promise<void> => {
  await field.startBoth();
  await pause(1500);
  const ended = field.daemon("lb1").terminate();
  await field.untilOwner("lb2");
  await field.untilResignationAnswered();
  await ended;
};

const crash = async (field: Field): Promise<void> => {
  await field.startBoth();
  await pause(1500);
  await field.world.powerOff("lb1");
  await field.untilOwner("lb2");
};

/** The better one stops, comes back, and `owner` has the address then. */
const comeBack =
  (owner: "lb1" | "lb2") =>
  async (field: Field): Promise<void> => {
    await gracefulStop(field);
    await field.start("lb1");
    if (owner === "lb1") return field.untilOwner("lb1");
    await pause(6000);
    return field.untilOwner("lb2");
  };

/** Nines side and keepalived side of one match, in both orders. */
function bothOrders(
  rest: Omit<Match, "lb1" | "lb2">,
  servers: { readonly lb1?: Partial<Server>; readonly lb2?: Partial<Server> } = {},
): void {
  for (const [first, second] of bothWays) {
    playMatch({
      ...rest,
      lb1: { make: first, priority: 150, ...servers.lb1 },
      lb2: { make: second, priority: 100, ...servers.lb2 },
    });
  }
}

describe("master and backup", sideBySide, () => {
  bothOrders({ name: "v3, graceful stop: priority 0 is answered", play: gracefulStop });
  bothOrders({ name: "v3, power off", play: crash });
  bothOrders(
    { name: "v2 with PASS, graceful stop", version: 2, play: gracefulStop },
    { lb1: { lines: password }, lb2: { lines: password } },
  );
  bothOrders(
    { name: "v2 with PASS, power off", version: 2, play: crash },
    { lb1: { lines: password }, lb2: { lines: password } },
  );
  bothOrders(
    { name: "v2 with AH, power off", version: 2, play: crash },
    { lb1: { lines: ah }, lb2: { lines: ah } },
  );
  bothOrders({ name: "v3 every 100 ms, power off", advert: 0.1, play: crash });
  bothOrders({ name: "v3 every 10 ms, power off", advert: 0.01, play: crash });
  bothOrders({ name: "IPv6, graceful stop", address: "fd79::200/64", play: gracefulStop });
  bothOrders({ name: "IPv6, power off", address: "fd79::200/64", advert: 0.2, play: crash });
});

describe("virtual MACs", sideBySide, () => {
  const vmac = { lb1: { lines: ["use_vmac"] }, lb2: { lines: ["use_vmac"] } };
  bothOrders({ name: "virtual MACs, graceful stop", play: gracefulStop }, vmac);
  const address = "fd79::200/64";
  bothOrders({ name: "virtual MACs and IPv6, power off", address, play: crash }, vmac);
});

describe("from version 2 to version 3", sideBySide, () => {
  const both = { lines: ["also_version_2", ...password] };
  const upgraded = { make: "nines", priority: 150, version: 3, ...both } as const;
  for (const version of [2, 3] as const) {
    const old = { make: "keepalived", priority: 100, version, lines: password } as const;
    playMatch({
      name: `a node that speaks both, and keepalived with v${version}`,
      lb1: upgraded,
      lb2: old,
      play: gracefulStop,
    });
    playMatch({
      name: `keepalived with v${version} first, then a node that speaks both`,
      lb1: { ...old, priority: 150 },
      lb2: { ...upgraded, priority: 100 },
      play: gracefulStop,
    });
  }
});

describe("unicast", sideBySide, () => {
  const servers = { lb1: { lines: unicast.lb1 }, lb2: { lines: unicast.lb2 } };
  bothOrders({ name: "unicast v3, power off", play: crash }, servers);
  bothOrders(
    { name: "unicast v2 with PASS, graceful stop", version: 2, play: gracefulStop },
    {
      lb1: { lines: [...unicast.lb1, ...password] },
      lb2: { lines: [...unicast.lb2, ...password] },
    },
  );
  bothOrders(
    { name: "unicast over IPv6, graceful stop", address: "fd79::200/64", play: gracefulStop },
    { lb1: { lines: unicast6.lb1 }, lb2: { lines: unicast6.lb2 } },
  );
});

describe("who has the address after a return", sideBySide, () => {
  bothOrders({ name: "the better one preempts", advert: 0.5, play: comeBack("lb1") });
  bothOrders(
    { name: "nopreempt on the better one: it stays backup", advert: 0.5, play: comeBack("lb2") },
    { lb1: { lines: ["nopreempt"] }, lb2: { lines: ["nopreempt"] } },
  );
  bothOrders(
    {
      name: "two masters of equal priority meet: the higher address wins",
      advert: 0.5,
      play: async (field) => {
        await field.startBoth();
        const undo = await faults.partition(field.host("lb1"));
        await pause(3000);
        assert.equal(await field.holds("lb2"), true, "the cut-off backup took over");
        await undo();
        await field.untilOwner("lb2");
      },
    },
    { lb1: { priority: 100 } },
  );
});

describe("sync group", sideBySide, () => {
  bothOrders({
    name: "one link of the master goes down, both addresses move",
    grouped: true,
    advert: 0.5,
    play: async (field) => {
      await field.startBoth();
      await field.untilOwner("lb1", "10.80.0.200/24");
      await pause(1500);
      await faults.linkDown(field.host("lb1"), "eth1");
      await field.untilOwner("lb2");
      await field.untilOwner("lb2", "10.80.0.200/24");
    },
  });
});

describe("tracking", sideBySide, () => {
  const preamble = `
vrrp_script chk {
    script "/usr/bin/test ! -e /run/broken"
    interval 1
    weight -80
}
`;
  bothOrders(
    {
      name: "a failing script with weight -80 moves the address",
      advert: 0.5,
      play: async (field) => {
        await field.startBoth();
        await pause(1500);
        field.host("lb1").write("/run/broken", "");
        await field.untilOwner("lb2");
      },
    },
    { lb1: { preamble, lines: ["track_script {", "    chk", "}"] } },
  );
});

describe("trouble", sideBySide, () => {
  bothOrders(
    {
      name: "different passwords: nobody believes the other",
      version: 2,
      play: async (field) => {
        await field.startBoth();
        await pause(6000);
        const both = await Promise.all([field.holds("lb1"), field.holds("lb2")]);
        assert.deepEqual(both, [true, true]);
      },
    },
    { lb1: { lines: password }, lb2: { lines: password.map((l) => l.replace("1111", "2222")) } },
  );
  bothOrders({
    name: "a partition heals: one owner again, and the client follows it",
    advert: 0.2,
    play: async (field) => {
      await field.startBoth();
      const undo = await faults.partition(field.host("lb1"));
      await pause(2000);
      assert.equal(await field.holds("lb2"), true, "the cut-off backup took over");
      await undo();
      await field.untilOwner("lb1");
      await pause(500);
      await field.world.host("client").run(["ping", "-c", "1", "-W", "1", "10.79.0.200"]);
    },
  });
});
