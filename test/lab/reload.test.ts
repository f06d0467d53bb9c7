/** A running master with another configuration, and Debian's keepalived as the peer that watches it. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startKeepalived } from "../../src/lab/peers/keepalived.ts";
import { startNines } from "../../src/lab/peers/nines.ts";
import type { Host } from "../../src/lab/host.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { withWorld, type World } from "../../src/lab/world.ts";

const ADDRESS = "10.79.0.200";
/** Between one Active_Down_Interval of the peer and the skew that answers a resignation. */
const RESIGNED_MS = 2500;

interface Draft {
  readonly priority: number;
  readonly interface?: string;
  readonly advert?: number;
  readonly addresses?: readonly string[];
  readonly lines?: string;
}

function configuration(draft: Draft): string {
  const { priority, addresses = [`${ADDRESS}/24`], lines = "" } = draft;
  return `
vrrp_instance VI_1 {
    version 3
    state BACKUP
    interface ${draft.interface ?? "eth0"}
    virtual_router_id 51
    priority ${priority}
    advert_int ${draft.advert ?? 1}
    ${lines}
    virtual_ipaddress {
        ${addresses.join("\n        ")}
    }
}
`;
}

async function inWorld(play: (world: World, lb1: Host, lb2: Host) => Promise<void>): Promise<void> {
  const host = (n: number): Record<string, { segment: string; address: string[] }> => ({
    eth0: { segment: "lan", address: [`10.79.0.${n}/24`] },
    eth1: { segment: "wan", address: [`10.80.0.${n}/24`] },
  });
  const hosts = { lb1: host(11), lb2: host(12) };
  await withWorld({ name: "reload", segments: ["lan", "wan"], hosts }, (world) =>
    play(world, world.host("lb1"), world.host("lb2")),
  );
}

describe("a master whose configuration changes", { concurrency: 2 }, () => {
  test("keeps its addresses: another list, interval and source take effect in place", async () => {
    await inWorld(async (_world, lb1, lb2) => {
      const nines = await startNines(
        lb1,
        lb1.write("/run/one.conf", configuration({ priority: 150 })),
      );
      await waitFor(() => lb1.holds(ADDRESS), 12_000, "lb1 to be master");
      const peer = await startKeepalived(
        lb2,
        configuration({ priority: 100, lines: "skip_check_adv_addr" }),
      );
      const changed = configuration({
        priority: 150,
        advert: 0.5,
        addresses: [`${ADDRESS}/24`, "10.79.0.201/24"],
        lines: "mcast_src_ip 10.79.0.11\n    no_accept",
      });
      lb1.write("/run/one.conf", changed);
      nines.supervisor.signal("SIGHUP");
      await waitFor(() => lb1.holds("10.79.0.201"), 5000, "the new address");
      lb1.write("/run/one.conf", configuration({ priority: 150 }));
      nines.supervisor.signal("SIGHUP");
      await waitFor(async () => !(await lb1.holds("10.79.0.201")), 5000, "its end");
      assert.ok(await lb1.holds(ADDRESS));
      assert.doesNotMatch(peer.log, /Entering MASTER STATE/);
      const states = (await nines.events()).filter(({ kind }) => kind === "state-changed");
      assert.deepEqual(
        states.map(({ to }) => to),
        ["BACKUP", "MASTER"],
      );
    });
  });

  test("writes all states to the FIFO again, and changes of priority, where that is wanted", async () => {
    await inWorld(async (_world, lb1) => {
      const reader = '#!/bin/sh\nwhile read -r line; do echo "$line" >> /run/lines; done < $1\n';
      const script = lb1.write("/run/reader.sh", reader, 0o755);
      const globals = `global_defs {
    notify_fifo /run/fifo
    notify_fifo_script ${script} root
    fifo_write_vrrp_states_on_reload
    vrrp_notify_priority_changes true
}
`;
      lb1.write("/run/lines", "");
      const file = lb1.write("/run/one.conf", globals + configuration({ priority: 150 }));
      const nines = await startNines(lb1, file);
      await waitFor(() => lb1.read("/run/lines").includes("MASTER"), 12_000, "MASTER");
      lb1.write("/run/one.conf", globals + configuration({ priority: 140 }));
      nines.supervisor.signal("SIGHUP");
      const wanted = ["BACKUP 150", "MASTER 150", "MASTER_PRIORITY 140", "MASTER 140"];
      const lines = wanted.map((words) => `INSTANCE "VI_1" ${words}\n`).join("");
      await waitFor(() => lb1.read("/run/lines") === lines, 5000, `the lines ${lines}`);
    });
  });

  const moves = { interface: { interface: "eth1" }, family: { addresses: ["fe80::200/64"] } };
  for (const [what, move] of Object.entries(moves)) {
    test(`that moves to another ${what} takes leave where it was`, async () => {
      await inWorld(async (_world, lb1, lb2) => {
        const nines = await startNines(
          lb1,
          lb1.write("/run/one.conf", configuration({ priority: 150 })),
        );
        await waitFor(() => lb1.holds(ADDRESS), 12_000, "lb1 to be master");
        await startKeepalived(lb2, configuration({ priority: 100 }));
        lb1.write("/run/one.conf", configuration({ priority: 150, ...move }));
        nines.supervisor.signal("SIGHUP");
        await waitFor(() => lb2.holds(ADDRESS), RESIGNED_MS, "the peer to answer the resignation");
      });
    });
  }

  test("takes an address over from another instance of its own, also both ways at once", async () => {
    await inWorld(async (_world, lb1) => {
      const two = (first: readonly string[], second: readonly string[], name = "VI_1"): string =>
        configuration({ priority: 150, addresses: first }).replace("VI_1", name) +
        configuration({ priority: 150, addresses: second })
          .replace("VI_1", "VI_2")
          .replace("virtual_router_id 51", "virtual_router_id 52");
      const [a, b, c] = ["10.79.0.201", "10.79.0.202", "10.79.0.203"] as const;
      const file = lb1.write("/run/one.conf", two([a], [b, c]));
      const nines = await startNines(lb1, file);
      await waitFor(async () => (await lb1.holds(a)) && lb1.holds(c), 12_000, "both to be masters");
      for (const [first, second, name] of [
        [[a, c], [b]],
        [[b], [a, c]],
        [[b, c], [a]],
        [[c], [a, b], "VI_9"],
      ] as const) {
        const before = (await nines.events()).length;
        lb1.write("/run/one.conf", two(first, second, name));
        nines.supervisor.signal("SIGHUP");
        const isThere = async (): Promise<boolean> =>
          (await nines.events()).slice(before).some(({ kind }) => kind === "configuration-loaded");
        await waitFor(isThere, 5000, "the reload");
        // A renewal of the lease later.
        await new Promise((resolve) => setTimeout(resolve, 1500));
        for (const address of [a, b, c]) assert.ok(await lb1.holds(address), address);
        assert.match(
          await lb1.run(["nft", "list", "ruleset"]),
          new RegExp(b.replaceAll(".", "\\."), "u"),
        );
        const reasons = (await nines.events()).slice(before).map(({ reason }) => reason);
        assert.doesNotMatch(reasons.join("\n"), /there before us/u);
      }
    });
  });
});
