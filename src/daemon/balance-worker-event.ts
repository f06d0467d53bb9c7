/** What happened to servers, in the form of the event log. */

import type { PoolEvent, PoolEventKind } from "../core/balance/pool-ports.ts";
import type { EventDraft } from "./event-log.ts";

const LEVELS: Partial<Record<PoolEventKind, EventDraft["level"]>> = {
  down: "warning",
  ejected: "warning",
  "drain-deadline": "warning",
  "panic-on": "error",
  tier: "warning",
};

export function eventDraft(pool: string, { kind, server, reason }: PoolEvent): EventDraft {
  const instance = server === undefined ? pool : `${pool}/${server.name}`;
  // The first tier serves again: that is good news.
  const isUsual = kind === "tier" && reason.startsWith("tier 0 ");
  const level = isUsual ? "info" : (LEVELS[kind] ?? "info");
  return { source: "balance", level, kind: `server-${kind}`, instance, reason };
}
