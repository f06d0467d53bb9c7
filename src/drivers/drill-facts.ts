/** What a plan must know of the target's host: asked with ordinary programs, there. */

import type { LinkFacts, NodeFacts } from "../core/drill/facts.ts";

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
