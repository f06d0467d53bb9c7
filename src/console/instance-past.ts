/** What this node's instances were at a moment, from its own journal: for other nodes that look back. */

import type { JournalRecord } from "../core/journal/record.ts";
import type { ServiceFacts } from "../daemon/control-api.ts";
import type { Journal } from "./journal.ts";

/** Each is a search of a millisecond. */
const MAX_INSTANCES = 256;

/** Of each instance the last change of its state up to then. */
export function pastOfInstances(
  service: Pick<ServiceFacts, "vrrp"> | undefined,
  journal: Pick<Journal, "find">,
  atMs: number,
): readonly JournalRecord[] {
  const instances = service?.vrrp.vrrp.instances ?? [];
  const last = { kind: "state-changed", untilMs: atMs + 1, newest: true, limit: 1 };
  return instances
    .slice(0, MAX_INSTANCES)
    .flatMap(({ name }) => journal.find({ ...last, subject: name }));
}
