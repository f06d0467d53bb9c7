/** An owner in the RFC's sense: the virtual address is the only one that its interface has. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startNines, type NinesPeer } from "../../src/lab/peers/nines.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld, type World } from "../../src/lab/world.ts";

const ADDRESS = "10.79.0.1";
const PLAN = {
  name: "owner",
  segments: ["lan"],
  hosts: {
    owner: { eth0: { segment: "lan", address: [`${ADDRESS}/24`] } },
    backup: { eth0: { segment: "lan", address: ["10.79.0.2/24"] } },
  },
};
const SECRET = "0123456789abcdef".repeat(4);

function start(world: World, name: string, extra: string): Promise<NinesPeer> {
  const host = world.host(name);
  const file = host.write(
    "/run/keepalived.conf",
    `vrrp_instance VI_1 {
      interface eth0
      virtual_router_id 51
      priority ${name === "owner" ? 255 : 100}
      advert_int 1
      ${extra}
      virtual_ipaddress {
        ${ADDRESS}/24
      }
    }`,
  );
  return startNines(host, file);
}

for (const [what, extra] of [
  ["version 3", "version 3"],
  ["an authentication header", "version 2\n authentication {\n auth_type AH\n auth_pass a\n }"],
  ["auth_hmac", `version 3\n auth_hmac {\n key 1 hex:${SECRET}\n active_key 1\n }`],
  ["virtual MACs", "version 3\n use_vmac"],
] as const) {
  test(`the owner that comes back is heard by who stands in for it: ${what}`, async () => {
    await withWorld(PLAN, async (world) => {
      const backup = await start(world, "backup", extra);
      const is = (state: string) => async (): Promise<boolean> =>
        (await backup.states())["VI_1"] === state;
      await waitFor(is("MASTER"), 8000, "the backup as master");
      await start(world, "owner", extra);
      await waitFor(is("BACKUP"), 3000, "the backup to make way");
      const instance = await backup.instance("VI_1");
      assert.deepEqual(instance?.master?.priority, 255);
      assert.equal(await backup.host.holds(ADDRESS), false);
    });
  });
}
