/** Routes, rules and static addresses that somebody else removes, or that go with a link. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { startNines, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";

const PLAN = {
  name: "routes",
  segments: ["lan", "back"],
  hosts: {
    lb1: {
      eth0: { segment: "lan", address: ["10.78.0.11/24"] },
      eth1: { segment: "back", address: ["10.77.0.11/24"] },
    },
  },
};

const CONFIGURATION = `
track_group NEEDED {
    group {
        WEB
    }
}
static_ipaddress {
    10.76.0.1/24 dev eth1
}
static_routes {
    10.60.0.0/16 via 10.77.0.2 dev eth1 track_group NEEDED
}
static_rules {
    from 10.76.0.1 lookup 61 preference 61
}
vrrp_instance WEB {
    version 3
    interface eth0
    virtual_router_id 5
    priority 254
    advert_int 0.1
    virtual_ipaddress {
        10.78.0.200/24
    }
    virtual_routes {
        10.62.0.0/16 nexthop via 10.77.0.2 dev eth1 nexthop via 10.77.0.3 dev eth1 weight 2
        10.63.0.0/16 via 10.77.0.2 dev eth1 no_track
    }
    virtual_rules {
        from 10.78.0.200 lookup 62 preference 62
    }
}
`;

async function shown(host: Host): Promise<string> {
  const parts = await Promise.all([
    host.run(["ip", "route"]),
    host.run(["ip", "rule"]),
    host.run(["ip", "-o", "-4", "address"]),
  ]);
  return parts.join("\n");
}

const EVERYTHING = [
  "inet 10.76.0.1/24",
  "10.60.0.0/16 via 10.77.0.2",
  "from 10.76.0.1 lookup 61",
  "10.62.0.0/16",
  "from 10.78.0.200 lookup 62",
];

async function untilThere(host: Host, what: readonly string[]): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    const text = await shown(host);
    return what.every((part) => text.includes(part));
  };
  await waitFor(isThere, 8000, what.join(", "));
}

async function untilState(peer: NinesPeer, state: string): Promise<void> {
  const reached = async (): Promise<boolean> => {
    const states = await peer.states().catch((): Record<string, string> => ({}));
    return states["WEB"] === state;
  };
  await waitFor(reached, 8000, `state ${state}`);
}

test("what is removed from outside, or goes with a link, comes back; no_track stays away", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    const peer = await startNines(host, host.write("/run/keepalived.conf", CONFIGURATION));
    await untilState(peer, "MASTER");
    await untilThere(host, [...EVERYTHING, "10.63.0.0/16"]);
    await host.run(["ip", "route", "flush", "proto", "keepalived"]);
    await host.run(["ip", "rule", "del", "preference", "61"]);
    await host.run(["ip", "rule", "del", "preference", "62"]);
    await host.run(["ip", "address", "del", "10.76.0.1/24", "dev", "eth1"]);
    await untilThere(host, EVERYTHING);
    assert.doesNotMatch(await shown(host), /10\.63\.0\.0/);

    await host.run(["ip", "link", "set", "eth1", "down"]);
    await host.run(["ip", "link", "set", "eth1", "up"]);
    await untilThere(host, EVERYTHING);
    assert.equal((await peer.states())["WEB"], "MASTER");

    const events = await peer.events();
    const restored = events.filter((event) => event.kind === "route-restored");
    const told = (start: string): boolean => restored.some((e) => e.reason.startsWith(start));
    assert.ok(told("rule from 10.78.0.200/32 lookup 62 was gone"));
    assert.ok(told("route 10.62.0.0/16 via 10.77.0.2"));
    await peer.supervisor.terminate(8000);
    const left = await shown(host);
    for (const part of EVERYTHING) assert.ok(!left.includes(part), part);
  });
});

test("track_group: while its route cannot be put back the instance is in FAULT", async () => {
  await withWorld(PLAN, async (world) => {
    const host = world.host("lb1");
    const peer = await startNines(host, host.write("/run/keepalived.conf", CONFIGURATION));
    await untilState(peer, "MASTER");
    await host.run(["ip", "link", "set", "eth1", "down"]);
    await host.run(["ip", "rule", "del", "preference", "61"]);
    await untilState(peer, "FAULT");
    const why = JSON.stringify(await peer.instance("WEB"));
    assert.match(why, /track_group NEEDED: route 10\.60\.0\.0\/16 via 10\.77\.0\.2/);
    await host.run(["ip", "link", "set", "eth1", "up"]);
    await untilState(peer, "MASTER");
    await untilThere(host, EVERYTHING);
  });
});
