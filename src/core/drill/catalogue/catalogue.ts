/** Every drill that Nines knows: the one list behind plan, run, page, documents and demo. */

import type { DrillKind } from "./drill-kind.ts";
import { networkDrills } from "./network.ts";
import { nodeDrills } from "./node.ts";
import { processDrills } from "./processes.ts";
import { serverDrills } from "./servers.ts";

export const catalogue: readonly DrillKind[] = [
  ...processDrills,
  ...networkDrills,
  ...nodeDrills,
  ...serverDrills,
];

export function drillKind(name: string): DrillKind | undefined {
  return catalogue.find((kind) => kind.name === name);
}
