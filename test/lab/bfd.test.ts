/** `track_bfd` between Nines and keepalived's own BFD: RFC 5880, RFC 5881. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../../src/lab/host.ts";
import { keepalivedConf, startKeepalived } from "../../src/lab/peers/keepalived.ts";
import { startNines } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld } from "../../src/lab/world.ts";

const PLAN = {
  name: "bfd",
  segments: ["lan"],
  hosts: {
    lb1: { eth0: { segment: "lan", address: ["10.74.0.11/24", "fd00:74::11/64"] } },
    router: { eth0: { segment: "lan", address: ["10.74.0.1/24", "fd00:74::1/64"] } },
  },
};

const session = (ours: string, theirs: string): string => `
bfd_instance peer {
    neighbor_ip ${theirs}
    source_ip ${ours}
    min_rx 30
    min_tx 30
    idle_tx 1000
    multiplier 3
    hoplimit 255
}
`;

const tracking = (id: number, address: string): string =>
  keepalivedConf([
    {
      state: "BACKUP",
      virtualRouterId: id,
      priority: 254,
      advertS: 0.1,
      addresses: [`${address}/24`],
      lines: ["track_bfd {", "    peer", "}"],
    },
  ]);

const stateOf = async (host: Host): Promise<string> =>
  (await host.holds("10.74.0.200")) ? "MASTER" : "not master";

for (const [family, ours, theirs] of [
  ["IPv4", "10.74.0.11", "10.74.0.1"],
  ["IPv6", "fd00:74::11", "fd00:74::1"],
] as const) {
  test(`${family}: a session with keepalived makes a master, its silence ends it in milliseconds`, async () => {
    await withWorld(PLAN, async (world) => {
      const [lb1, router] = [world.host("lb1"), world.host("router")];
      const text = session(ours, theirs) + tracking(5, "10.74.0.200");
      const nines = await startNines(lb1, lb1.write("/run/keepalived.conf", text));
      const tell = async (): Promise<string> => nines.nines("why", "VI_1");
      const reverse = session(theirs, ours) + tracking(6, "10.74.0.201");
      await startKeepalived(router, reverse);
      const is = (state: string) => async (): Promise<boolean> => (await stateOf(lb1)) === state;
      await waitFor(is("MASTER"), 8000, "a master whose session is up");
      await waitFor(
        () => router.holds("10.74.0.201"),
        8000,
        "keepalived, whose session is up, too",
      );
      await world.powerOff("router");
      const began = performance.now();
      await waitFor(is("not master"), 2000, "the end of the master whose neighbour is silent");
      const took = performance.now() - began;
      assert.ok(took < 1000, `${took} ms`);
      assert.match(await tell(), /BFD session peer with \S+ is down: no packet for 9\d?(\.\d)? ms/);
    });
  });
}
