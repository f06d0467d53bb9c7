/** Which of the nodes this machine is. */

import type { ServiceDocument } from "../schema/service-schema.ts";
import type { BuildContext } from "./context.ts";
import type { Whereabouts } from "./service.ts";

/**
 * By `--node`, else by the host name, whole or its first label. Undefined: there are no nodes. A
 * stranger's machine is a mistake only where addresses depend on who we are.
 */
export function nodeOf(
  document: Pick<ServiceDocument, "nodes" | "addresses">,
  { node, hostName }: Whereabouts,
  { findings, places }: BuildContext,
): string | undefined {
  const { nodes, addresses } = document;
  const names = Object.keys(nodes);
  const label = hostName.split(".")[0]!;
  const found =
    names.find((name) => name === (node ?? hostName)) ?? names.find((name) => name === label);
  if (node === undefined && found !== undefined) return found;
  if (node !== undefined && names.includes(node)) return node;
  const depends = names.length > 0 && Object.keys(addresses).length > 0;
  if (node !== undefined || depends) {
    const reason =
      node === undefined
        ? `this machine is called ${hostName}, which is none of the nodes`
        : `there is no node '${node}'`;
    const next = `say who we are: --node ${names[0] ?? "NAME"}`;
    const others = names.length > 1 ? ` (nodes are: ${names.join(" ")})` : "";
    findings.error(places.of(nodes), reason, `${next}${others}`);
  }
  return names[0];
}
