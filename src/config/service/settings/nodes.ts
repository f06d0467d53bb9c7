/** Which of the nodes this machine is. */

import type { ServiceDocument } from "../schema/service-schema.ts";
import type { BuildContext } from "./context.ts";
import type { Whereabouts } from "./service.ts";

/** By `--node`, else by the host name, whole or its first label. Undefined: none of them. */
export function nodeOf(
  { nodes }: Pick<ServiceDocument, "nodes">,
  { node, hostName }: Whereabouts,
  { findings, places }: BuildContext,
): string | undefined {
  const names = Object.keys(nodes);
  if (node !== undefined) {
    if (names.includes(node)) return node;
    const reason = `there is no node '${node}'`;
    findings.error(places.of(nodes), reason, `nodes are: ${names.join(" ")}`);
    return undefined;
  }
  return (
    names.find((name) => name === hostName) ?? names.find((name) => name === firstLabel(hostName))
  );
}

function firstLabel(hostName: string): string {
  return hostName.split(".")[0]!;
}
