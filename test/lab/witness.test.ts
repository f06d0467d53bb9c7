/** A `witness` of the kinds that gateways are: also a link-local IPv6 address. */

import { test } from "node:test";
import { startNines } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";

const PLAN = {
  name: "witness",
  segments: ["lan"],
  hosts: {
    lb1: { eth0: { segment: "lan", address: "10.73.0.11/24" } },
    gateway: { eth0: { segment: "lan", address: "10.73.0.1/24" } },
  },
};

const CONFIGURATION = `
vrrp_instance WEB {
    version 3
    interface eth0
    virtual_router_id 5
    priority 254
    advert_int 0.1
    witness {
        fe80::99
    }
    virtual_ipaddress {
        10.73.0.200/24
    }
}
`;

test("a link-local witness that answers makes a master, one that falls silent ends it", async () => {
  await withWorld(PLAN, async (world) => {
    const gateway = world.host("gateway");
    await gateway.ip("addr add fe80::99/64 dev eth0 nodad");
    const host = world.host("lb1");
    const peer = await startNines(host, host.write("/run/keepalived.conf", CONFIGURATION));
    const until = async (state: string): Promise<void> => {
      const reached = async (): Promise<boolean> => {
        const states = await peer.states().catch((): Record<string, string> => ({}));
        return states["WEB"] === state;
      };
      await waitFor(reached, 8000, `state ${state}`);
    };
    await until("MASTER");
    await gateway.ip("addr del fe80::99/64 dev eth0");
    await until("FAULT");
    await gateway.ip("addr add fe80::99/64 dev eth0 nodad");
    await until("MASTER");
  });
});
