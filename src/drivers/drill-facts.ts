/** What a plan must know of the target's host: asked with ordinary programs, there. */

import { allServers } from "../core/drill/catalogue/drill-kind.ts";
import type { DelayFacts, LinkFacts, NodeFacts } from "../core/drill/facts.ts";

/** Runs there; resolves to what it prints, undefined when it fails. */
export type Ask = (...argv: readonly string[]) => Promise<string | undefined>;

/** How to give each interface of the target back what a `link set down` takes away. */
export async function linkFacts(ask: Ask, target: NodeFacts): Promise<readonly LinkFacts[]> {
  const names = new Set(target.instances.map((instance) => instance.interface));
  const virtual = new Set(target.instances.flatMap(({ addresses }) => addresses.map(bare)));
  return Promise.all(
    Array.from(names, async (name) => ({
      interface: name,
      restore: [
        ...(await addressesOf(ask, name)).filter((argv) => !virtual.has(bare(argv[4] ?? ""))),
        ...(await routesOf(ask, name, "-4")),
        ...(await routesOf(ask, name, "-6")),
      ],
      isShaped: await isShaped(ask, name),
    })),
  );
}

const bare = (address: string): string => address.split("/")[0] ?? "";

interface AddressLine {
  readonly addr_info?: readonly { readonly local: string; readonly prefixlen: number }[];
}

/** IPv4 addresses stay with a link that is down. */
async function addressesOf(ask: Ask, link: string): Promise<readonly (readonly string[])[]> {
  const text = await ask("ip", "-6", "-j", "addr", "show", "dev", link, "scope", "global");
  const lines = JSON.parse(text ?? "[]") as readonly AddressLine[];
  return lines
    .flatMap(({ addr_info: found = [] }) => found)
    .map(({ local, prefixlen }) => {
      const address = `${local}/${prefixlen}`;
      return ["ip", "-6", "addr", "replace", address, "dev", link, "nodad"];
    });
}

/** What the kernel makes by itself from addresses comes back with them. */
async function routesOf(
  ask: Ask,
  link: string,
  family: "-4" | "-6",
): Promise<readonly (readonly string[])[]> {
  const text = (await ask("ip", family, "route", "show", "dev", link)) ?? "";
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.includes("proto kernel") && !line.includes("proto ra"))
    .map((line) => {
      const words = line.split(/\s+/).filter((word) => word !== "linkdown");
      return ["ip", family, "route", "replace", ...words, "dev", link];
    });
}

/** Whether nobody else suffers when that directory's file system is full or frozen. */
export async function isOwnDisk(ask: Ask, directory: string): Promise<boolean> {
  return (await ask("mountpoint", "-q", directory)) !== undefined;
}

/** The kernel's own queues have the handle 0, and come back by themselves when another one is taken away. */
async function isShaped(ask: Ask, link: string): Promise<boolean> {
  const root = await ask("tc", "qdisc", "show", "dev", link, "root");
  return root !== undefined && !/^qdisc \S+ 0: /mu.test(root) && root.trim() !== "";
}

/** Tried on the loopback of a namespace that ends with the shell: nothing of the host is touched. */
const TRY_NETEM = [
  "tc qdisc replace dev lo root handle 1: prio bands 4",
  "tc qdisc add dev lo parent 1:4 netem delay 1ms",
  "tc filter add dev lo parent 1: protocol ip prio 1 u32 match ip dst 127.0.0.9/32 flowid 1:4",
].join(" && ");

/** Whether the kernel can delay what goes to the servers of the target; a sentence: why not. */
export async function delayFacts(ask: Ask, target: NodeFacts): Promise<DelayFacts | string> {
  const addresses = [...new Set(allServers({ target }).map(({ address }) => address))];
  if ((await ask("unshare", "--net", "sh", "-c", TRY_NETEM)) === undefined) {
    return "this kernel has no netem for it";
  }
  const links = new Map<string, string[]>();
  for (const address of addresses) {
    const route = await ask("ip", "-o", "route", "get", address);
    const link = /\bdev (\S+)/u.exec(route ?? "")?.[1];
    if (link === undefined) return `nobody knows the way to ${address}`;
    if (link === "lo") return `${address} is on this host, where netem would delay everything`;
    if (!links.has(link) && (await isShaped(ask, link))) {
      return `somebody has set a queue on ${link}, which netem would replace`;
    }
    links.set(link, [...(links.get(link) ?? []), address]);
  }
  return [...links].map(([link, all]) => ({ interface: link, addresses: all }));
}
