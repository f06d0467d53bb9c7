/** What operators see of one server. */

import type { ServerStatus } from "./pool-ports.ts";
import { drainText } from "./server-facts.ts";
import type { Server } from "./server.ts";

export function serverStatus(server: Server, now: number): ServerStatus {
  const leftMs = Math.max(0, server.drainEndsAt - now);
  const draining = server.state === "drain" || server.state === "maint" || server.leaving;
  return {
    name: server.name,
    state: server.state,
    reason: server.stateReason,
    sinceMs: now - server.stateSince,
    usable: server.usable,
    tier: server.settings.tier,
    weight: server.baseWeight,
    effectiveWeight: server.weight,
    active: server.active,
    maxConnections: server.maxConnections,
    latencyMs: server.answerMs,
    ...(draining && {
      drain: {
        requests: server.active,
        leftMs: server.drainOver ? 0 : leftMs,
        text: drainText(server.active, server.drainOver ? 0 : leftMs),
      },
    }),
    started: server.started,
    failed: server.failed,
    ejections: server.ejections,
  };
}
