import { CommandFailed, MissingTool, bridge, ipBatch, run } from "./command.ts";
import { HOG } from "./faults.ts";
import { configuration } from "./host-boot.ts";
import type { Host } from "./host.ts";
import { FAULT_TABLE } from "./packet-filter.ts";
import { commandLineOf, signal } from "./process-table.ts";
import type { World } from "./world.ts";

/**
 * Takes back every fault of a world without knowing which there are: for worlds that several
 * commands share, each a process of its own. Killed programs stay dead.
 */
export async function healEverything(world: World): Promise<void> {
  await removeFilters(world.state.wire);
  for (const host of world.hosts) {
    if (host.isOn) await healHost(host);
    else await world.powerOn(host.name);
  }
}

async function healHost(host: Host): Promise<void> {
  const links = host.state.interfaces;
  await ipBatch(
    links.map((link) => `link set ${link.port} up`),
    host.wire,
  );
  await host.ip(...links.flatMap(configuration));
  for (const { port } of links) {
    // Forwarding again, after the carrier: losing that had changed the state too.
    await bridge(host.wire, "link", "set", "dev", port, "state", "3", "mcast_flood", "on");
  }
  for (const pid of host.pids()) {
    const isHog = commandLineOf(pid).join(" ") === HOG.join(" ");
    signal(pid, isHog ? "SIGKILL" : "SIGCONT");
  }
}

async function removeFilters(wire: string): Promise<void> {
  const enter = ["nsenter", `--net=/run/netns/${wire}`, "--", "nft"];
  try {
    await run(["nft", "--version"]);
    const tables = await run([...enter, "list", "tables"]);
    for (const line of tables.split("\n")) {
      const name = line.split(" ")[2];
      if (name?.startsWith(FAULT_TABLE)) await run([...enter, "delete", "table", "netdev", name]);
    }
  } catch (error) {
    // Without nft, or a kernel without nf_tables, no filter can have been set.
    if (!(error instanceof MissingTool || error instanceof CommandFailed)) throw error;
  }
}
